/* SPDX-License-Identifier: MIT */
/* bench.h - runs a suite into a result set: calibration, random blocks, resume. */
#ifndef TAILRACE_RUN_BENCH_H
#define TAILRACE_RUN_BENCH_H

#include "run/suite.h"

/* Where a suite stands; told after each step. */
struct bench_progress {
    uint32_t done, planned; /* runs; in calibration: cells */
    bool calibrating, warming;
    const char *cell, *status;
    const char *reason; /* empty where all is well */
    double left_s;      /* estimate; negative if unknown */
};
typedef void (*bench_tell)(const struct bench_progress *progress);

/* Runs every (block, cell) that the result set in `folder` does not hold yet; the folder must
 * exist. On resume the suite is the one in the folder's manifest (bench_open). False with a
 * sentence: exit status 2 (cannot read or write), 3, or EXIT_INTERRUPTED; the result set is valid
 * in every case. */
bool bench_run(struct suite *suite, const char *folder, const char *command, bench_tell tell,
               struct error *error);

/* The manifest of a result set that begins now: the suite's cells, calibrations still empty. A new
 * reference. */
json_t *bench_manifest(const struct suite *suite, const char *command);

/* Reads the suite of a result set that was begun. */
bool bench_open(struct suite *suite, const char *folder, struct error *error);

#endif
