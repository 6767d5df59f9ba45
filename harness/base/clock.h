/* SPDX-License-Identifier: MIT */
/* clock.h - the one clock that everything is measured with, in nanoseconds: CLOCK_MONOTONIC, or in
 * a worker that asked for it the processor's time-stamp counter on the same scale. */
#ifndef TAILRACE_BASE_CLOCK_H
#define TAILRACE_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

/* Nanoseconds of CLOCK_MONOTONIC: since an arbitrary start, the same for all processes of this
 * boot. */
static inline uint64_t clock_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Written once, before other threads start. */
extern struct clock_tsc {
    bool on;
    uint64_t base_ticks, base_ns;
    uint64_t ns_per_tick_32; /* times 2^32 */
} clock_tsc;

#if defined(__x86_64__)
/* The fence keeps the reading behind all that comes before it (Intel SDM, RDTSC). */
static inline uint64_t clock_tsc_ticks(void) {
    _mm_lfence();
    return __rdtsc();
}
static inline uint64_t clock_now_ns(void) {
    if (!clock_tsc.on)
        return clock_monotonic_ns();
    unsigned __int128 ticks = clock_tsc_ticks() - clock_tsc.base_ticks;
    return clock_tsc.base_ns + (uint64_t)((ticks * clock_tsc.ns_per_tick_32) >> 32);
}
#else
static inline uint64_t clock_now_ns(void) {
    return clock_monotonic_ns();
}
#endif

/* Makes clock_now_ns read the TSC, calibrated against CLOCK_MONOTONIC for 50 ms. False with a
 * sentence where it is not safe: another architecture, no constant_tsc and nonstop_tsc, or a kernel
 * that does not use it as its own clock source. */
bool clock_use_tsc(char *why, size_t why_bytes);

/* How far the TSC has run from CLOCK_MONOTONIC since it was calibrated, as a fraction of the time
 * that has passed; 0 where the TSC is not used. */
double clock_tsc_drift(void);
#define CLOCK_DRIFT_MAX 1e-4

/* Sleeps until the absolute time; a signal does not shorten it. */
void clock_sleep_until_ns(uint64_t when_ns);

/* What the clock can resolve and what reading it costs, measured now (takes about 2 ms). */
struct clock_quality {
    uint64_t quantum_ns; /* smallest non-zero step seen between two readings */
    double cost_ns;      /* mean time of one reading */
};
struct clock_quality clock_measure(void);

#endif
