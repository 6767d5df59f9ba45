/* SPDX-License-Identifier: MIT */
/* clock.h - the one clock that everything is measured with: CLOCK_MONOTONIC, in nanoseconds. */
#ifndef TAILRACE_BASE_CLOCK_H
#define TAILRACE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

/* Nanoseconds since an arbitrary start, the same for all processes of this boot. Any thread. */
static inline uint64_t clock_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Sleeps until the absolute time; a signal does not shorten it. */
void clock_sleep_until_ns(uint64_t when_ns);

/* What the clock can resolve and what reading it costs, measured now (takes about 2 ms). */
struct clock_quality {
    uint64_t quantum_ns; /* smallest non-zero step seen between two readings */
    double cost_ns;      /* mean time of one reading */
};
struct clock_quality clock_measure(void);

#endif
