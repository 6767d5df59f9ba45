/* SPDX-License-Identifier: MIT */
/* length.h - draws a run's seed, given how long the program was in an earlier run. */
#ifndef TAILRACE_RACE_LENGTH_H
#define TAILRACE_RACE_LENGTH_H

#include "race/seed.h"

#include <math.h>

#define LENGTH_STEPS_UNKNOWN 64

/* The seed of run `number`: points and sync_points are those of an earlier run, 0 if there was
 * none. Pure. */
static inline uint64_t length_seed(enum race_schedule schedule, uint32_t number, uint64_t points,
                                   uint64_t sync_points) {
    uint64_t steps = number % SEED_TURNS == SEED_ACCESS_TURN ? points : sync_points;
    if (steps == 0)
        steps = LENGTH_STEPS_UNKNOWN;
    return seed_make(schedule, (uint32_t)(8 * log2((double)steps) + 0.5), number);
}

#endif
