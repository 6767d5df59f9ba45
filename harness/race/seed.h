/* SPDX-License-Identifier: MIT */
/* seed.h - one number from which a run's whole schedule follows: kind, grain, length and choices.
 *
 * Fits into 53 bits, so that JSON readers keep it whole. 0 is the plain schedule. Shared by the
 * runner, which makes seeds, and the run-time in the program under test (race/runtime), which reads
 * one from TAILRACE_RACE_SEED.
 */
#ifndef TAILRACE_RACE_SEED_H
#define TAILRACE_RACE_SEED_H

#include <stdint.h>

enum race_schedule {
    SCHEDULE_PLAIN, /* the system's */
    SCHEDULE_DELAY, /* sleeps before some points; threads run side by side: not replayed exactly */
    SCHEDULE_WALK,  /* one thread at a time, the next one drawn at each point */
    SCHEDULE_PCT2,  /* one at a time by drawn priorities, with d - 1 drawn points of change */
    SCHEDULE_PCT3,
    SCHEDULE_PCT4,
    SCHEDULE_COUNT
};

/* The layout: schedule (3 bits), length (8 bits: 2^(length / 8) steps are expected), number. */
static inline uint64_t seed_make(enum race_schedule schedule, uint32_t length, uint32_t number) {
    return schedule == SCHEDULE_PLAIN
               ? 0
               : (uint64_t)number << 11 | (uint64_t)(length & 255) << 3 | (uint64_t)schedule;
}
/* Numbers that are so, modulo SEED_TURNS, count accesses to memory as steps: `length` is of all
 * points then, of synchronisation points otherwise. */
#define SEED_TURNS 8
#define SEED_ACCESS_TURN 7
static inline enum race_schedule seed_schedule(uint64_t seed) {
    return (enum race_schedule)(seed & 7);
}
static inline uint32_t seed_length(uint64_t seed) {
    return (uint32_t)(seed >> 3 & 255);
}
static inline uint32_t seed_number(uint64_t seed) {
    return (uint32_t)(seed >> 11);
}

#endif
