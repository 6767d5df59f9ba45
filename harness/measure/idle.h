/* SPDX-License-Identifier: MIT */
/* idle.h - the noise floor: what happens to a thread that does nothing but read the clock.
 *
 * Rule: a quantile p is believable here for response times above twice the floor's quantile p.
 * Below that, more than half of what is measured would be there without any program under test.
 */
#ifndef TAILRACE_MEASURE_IDLE_H
#define TAILRACE_MEASURE_IDLE_H

#include "measure/histogram.h"

#include <stdbool.h>

#define IDLE_TIMES 2 /* believable above this many times the floor */

struct idle_noise {
    int cpu;                 /* that the spinning thread was pinned to; -1: it could not be */
    struct histogram gaps;   /* between two readings of the clock, spinning: all of the time */
    bool sleeps_taken;       /* where a second processor is there for the sleeper */
    struct histogram sleeps; /* how much too late a sleep of 1 ms ended */
    double steal_s;          /* of all processors meanwhile; negative: the kernel does not tell */
    double length_s;
};

/* Spins on the last processor allowed for this long, and sleeps on another one. Blocks. False where
 * no thread could be started. */
bool idle_measure(double length_s, struct idle_noise *into);

/* The response time's quantile p of requests that need no time, were they due at random times of
 * the spin: a share 1 - p of the time lies farther than this before the end of its gap. */
uint64_t idle_request_ns(const struct histogram *gaps, double p);

#endif
