/* SPDX-License-Identifier: MIT */
/* trial.h - measures two sides in one job: random blocks of baseline, head and the baseline again,
 * in at most three looks that are fixed beforehand, and fresh blocks where a look found something.
 * What is decided at a look is not decided here (reports/tailrace_report/gate_rule.py).
 */
#ifndef TAILRACE_GATE_TRIAL_H
#define TAILRACE_GATE_TRIAL_H

#include "gate/side.h"
#include "run/bench.h"
#include "run/suite.h"

#define TRIAL_LOOKS_MAX 3
#define TRIAL_METRICS_MAX 32
#define TRIAL_CONFIRM_FROM 1000 /* the number of the first block that confirms */
#define TRIAL_ALPHA 0.01        /* one-sided, over all metrics and looks */

enum trial_word { TRIAL_PASS, TRIAL_CONTINUE, TRIAL_CONFIRM };

struct trial {
    struct side sides[3]; /* baseline, head, and the baseline as `again` */
    struct suite *suite;  /* a cell of it is a pair of cells here */
    const char *metrics[TRIAL_METRICS_MAX];
    size_t metric_count;
    double budget_s; /* how long it may take, about */
    const char *folder, *command;
    bench_tell tell;
    /* What the blocks up to look `look` (from 1) say; false with a sentence. */
    bool (*decide)(const char *folder, int look, enum trial_word *word, struct error *error);
};

/* Measures into the result set in `folder` (which exists and holds none), blocking, until decide
 * says pass, the last look is done, or the confirming blocks are. False with a sentence: a side
 * refuses or the budget is too short (2), something is missing (3), EXIT_INTERRUPTED; what was
 * measured is in the folder in every case. */
bool trial_run(struct trial *trial, struct error *error);

#endif
