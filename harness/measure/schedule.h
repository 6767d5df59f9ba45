/* SPDX-License-Identifier: MIT */
/* schedule.h - intended start times, fixed before the run and never moved by what happens in it.
 *
 * Worker w of n serves requests w, w + n, w + 2n, ...: at a fixed rate request i starts i / rate
 * after the start; as a Poisson process each worker draws its own exponential gaps of mean n /
 * rate, from the seed and its number, so all workers together are a Poisson process of the whole
 * rate.
 */
#ifndef TAILRACE_MEASURE_SCHEDULE_H
#define TAILRACE_MEASURE_SCHEDULE_H

#include "base/rng.h"

enum arrivals { ARRIVALS_FIXED, ARRIVALS_POISSON };

struct schedule {
    uint64_t start_ns;
    double gap_ns;  /* between two starts of this worker: exact or mean */
    double next_ns; /* after start_ns */
    enum arrivals arrivals;
    rng random;
};

/* rate: of all workers together, per second, > 0. */
static inline struct schedule schedule_make(enum arrivals arrivals, uint64_t start_ns, double rate,
                                            uint64_t seed, uint32_t worker, uint32_t workers) {
    struct schedule s = {.start_ns = start_ns,
                         .gap_ns = workers * 1e9 / rate,
                         .next_ns = worker * 1e9 / rate,
                         .arrivals = arrivals,
                         .random = rng_at(hash_pair(seed, 0x5c4ed), worker)};
    if (arrivals == ARRIVALS_POISSON)
        s.next_ns = rng_exponential(&s.random, s.gap_ns);
    return s;
}

/* The start of this worker's k-th request, k counted from 0 by the caller. */
static inline uint64_t schedule_next_ns(struct schedule *s, uint64_t k) {
    /* signed: one instruction each way, and centuries of range */
    if (s->arrivals == ARRIVALS_FIXED)
        return s->start_ns + (uint64_t)(int64_t)(s->next_ns + (double)(int64_t)k * s->gap_ns);
    uint64_t at_ns = s->start_ns + (uint64_t)(int64_t)s->next_ns;
    s->next_ns += rng_exponential(&s->random, s->gap_ns);
    return at_ns;
}

#endif
