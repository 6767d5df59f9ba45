/* SPDX-License-Identifier: MIT */
/* matrix.h - cases × modes × detectors × schedules into a result set, cell by cell.
 *
 * A result set is a folder: manifest.json (schema tailrace/race-matrix/1) and cells.jsonl (a line a
 * cell, schema tailrace/race-cell/1, appended and synced as each ends); reports/README.md lists
 * their keys.
 */
#ifndef TAILRACE_RACE_MATRIX_H
#define TAILRACE_RACE_MATRIX_H

#include "race/cases.h"
#include "race/detector.h"

#define MATRIX_CASES_MAX 256
#define MATRIX_RUNS_TSAN 20
#define MATRIX_RUNS_VALGRIND 5
#define MATRIX_RUNS_CLAIM 200 /* where a schedule raises a rare bug's probability */
#define MATRIX_CLAIM_NUMBER 100001
#define MATRIX_RARE 0.05   /* plain TSan sees it in no more */
#define MATRIX_RAISED 0.25 /* a schedule in so many of the first runs */

struct matrix_progress {
    uint32_t done, planned;
    double spent_s;
    const char *cell, *verdict;
};

struct matrix_options {
    const struct race_case *cases[MATRIX_CASES_MAX]; /* ends in NULL where not full */
    uint32_t detectors;                              /* a bit each, by id */
    uint32_t runs;                                   /* 0: as above; else of every arm */
    uint32_t jobs;                                   /* side by side */
    const char *out;
    const char *command; /* the whole command line */
    bool resume;
    /* called as each cell ends, on any thread, one at a time */
    void (*tell)(const struct matrix_progress *progress);
};

/* Cases, detectors and runs of the result set in `out`, to resume it. */
bool matrix_reopen(struct matrix_options *options, const char *out, struct error *error);

/* What is not as scenarios/races/list.def says, in cells. */
struct matrix_summary {
    uint32_t missed;       /* a detector in the case's `sees` did not detect it */
    uint32_t false_alarms; /* a fixed twin was reported */
    uint32_t rust_differs; /* rustc said something else */
};

/* Blocks until all cells are there. */
bool matrix_run(const struct matrix_options *options, struct matrix_summary *summary,
                struct error *error);

#endif
