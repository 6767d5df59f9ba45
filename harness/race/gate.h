/* SPDX-License-Identifier: MIT */
/* gate.h - judges a program: many runs under detectors and schedules, each finding once.
 *
 * Blocks until the runs are made. One call at a time.
 */
#ifndef TAILRACE_RACE_GATE_H
#define TAILRACE_RACE_GATE_H

#include "race/detector.h"
#include "race/race_result.h"

#define GATE_SOURCES_MAX 64
#define GATE_RUNS_MAX 1000000
#define GATE_CONFIDENCE 0.999
#define GATE_ASSUMED_P 0.05
#define GATE_BUDGET_S 45

struct gate_options {
    char *const *argv;           /* the program and its arguments; of sources: arguments only */
    const char *const *sources;  /* to be built; ends in NULL. NULL: argv is a program */
    uint32_t detectors;          /* a bit each, by id; 0: what the program is built for */
    uint32_t runs;               /* of each detector that runs it; 0: by confidence */
    double budget_s;             /* for all runs; 0: GATE_BUDGET_S, or no limit if runs is given */
    double confidence, assume_p; /* a defect that shows in a share assume_p of runs is to be seen
                                    with this confidence */
    uint64_t replay;             /* only this seed; 0: none */
    bool replaying;
    uint32_t jobs;
    void (*tell)(uint32_t done, uint32_t planned, uint32_t findings);
};

/* Fills result, whose rows are allocated here and freed by gate_free, in any case. False with a
 * sentence where nothing could be run; interrupted or out of budget, what was found is there and it
 * is true. */
bool gate_run(const struct gate_options *options, struct race_result *result, struct error *error);
void gate_free(struct race_result *result);

#endif
