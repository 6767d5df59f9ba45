/* SPDX-License-Identifier: MIT */
/* clock.c - sleeping on the clock, measuring it, and calibrating the TSC. */
#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define READINGS 50000
#define CALIBRATION_NS (50 * NS_PER_MS)
#define PAIRS 32

struct clock_tsc clock_tsc;

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

#if defined(__x86_64__)
static bool file_has(const char *path, const char *word) {
    char line[8192];
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file))
        found = strstr(line, word);
    if (file)
        fclose(file);
    return found;
}

/* Both clocks at one moment: of several readings the one between the closest two of the other. */
static void read_both(uint64_t *ticks, uint64_t *ns) {
    uint64_t closest_ns = UINT64_MAX;
    for (int i = 0; i < PAIRS; i++) {
        uint64_t before_ns = clock_monotonic_ns(), between = clock_tsc_ticks();
        uint64_t after_ns = clock_monotonic_ns();
        if (after_ns - before_ns < closest_ns) {
            closest_ns = after_ns - before_ns;
            *ticks = between;
            *ns = before_ns + closest_ns / 2;
        }
    }
}

bool clock_use_tsc(char *why, size_t why_bytes) {
    uint64_t ticks, ns;
    const char *reason = NULL;
    if (!file_has("/proc/cpuinfo", " constant_tsc") || !file_has("/proc/cpuinfo", " nonstop_tsc"))
        reason = "the processor does not promise constant_tsc and nonstop_tsc";
    else if (!file_has("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc"))
        reason = "the kernel does not use the TSC as its clock source";
    if (reason) {
        snprintf(why, why_bytes, "the TSC is not safe here: %s", reason);
        return false;
    }
    read_both(&clock_tsc.base_ticks, &clock_tsc.base_ns);
    clock_sleep_until_ns(clock_tsc.base_ns + CALIBRATION_NS);
    read_both(&ticks, &ns);
    clock_tsc.ns_per_tick_32 = (uint64_t)(((unsigned __int128)(ns - clock_tsc.base_ns) << 32) /
                                          (ticks - clock_tsc.base_ticks));
    clock_tsc.on = true;
    return true;
}

double clock_tsc_drift(void) {
    uint64_t ticks, ns;
    if (!clock_tsc.on)
        return 0;
    read_both(&ticks, &ns);
    double told_ns =
        (double)(ticks - clock_tsc.base_ticks) * (double)clock_tsc.ns_per_tick_32 / 0x1p32;
    double passed_ns = (double)(ns - clock_tsc.base_ns);
    return fabs(told_ns - passed_ns) / passed_ns;
}
#else
bool clock_use_tsc(char *why, size_t why_bytes) {
    snprintf(why, why_bytes, "the TSC is not safe here: this is no x86-64");
    return false;
}
double clock_tsc_drift(void) {
    return 0;
}
#endif
