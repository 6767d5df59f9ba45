/* SPDX-License-Identifier: MIT */
/* oracle.h - service times that are known before the run: what scenarios spin for and theory
 * predicts.
 *
 * The scenarios md1, mm1 and stall take them from here, and so does the calibration that holds what
 * was measured against the theory.
 */
#ifndef TAILRACE_BASE_ORACLE_H
#define TAILRACE_BASE_ORACLE_H

#include "base/clock.h"
#include "base/rng.h"

/* From the moment before the recording at which the stall is planned (reset) to its begin. */
#define ORACLE_STALL_AFTER_NS NS_PER_S

/* The service time of request i, exponential with this mean. */
static inline uint64_t oracle_exponential_ns(uint64_t seed, uint64_t i, uint64_t mean_ns) {
    rng random = rng_at(hash_pair(seed, 0x0ac1e), i);
    return (uint64_t)rng_exponential(&random, (double)mean_ns);
}

/* Keeps the processor busy until the time has come; returns the time it is then. */
static inline uint64_t oracle_spin_until_ns(uint64_t when_ns) {
    uint64_t now_ns;
    do
        now_ns = clock_now_ns();
    while (now_ns < when_ns);
    return now_ns;
}

#endif
