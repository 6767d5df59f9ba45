/* SPDX-License-Identifier: MIT */
/* clock.c - sleeping on the clock, and measuring the clock itself. */
#include "base/clock.h"

#include <errno.h>

#define READINGS 50000

void clock_sleep_until_ns(uint64_t when_ns) {
    struct timespec when = {.tv_sec = (time_t)(when_ns / NS_PER_S),
                            .tv_nsec = (long)(when_ns % NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        ;
}

struct clock_quality clock_measure(void) {
    uint64_t begin_ns = clock_now_ns(), last_ns = begin_ns, quantum_ns = UINT64_MAX;
    for (int i = 0; i < READINGS; i++) {
        uint64_t now_ns = clock_now_ns();
        if (now_ns > last_ns && now_ns - last_ns < quantum_ns)
            quantum_ns = now_ns - last_ns;
        last_ns = now_ns;
    }
    return (struct clock_quality){.quantum_ns = quantum_ns,
                                  .cost_ns = (double)(last_ns - begin_ns) / READINGS};
}
