/* SPDX-License-Identifier: MIT */
/* arm.h - many runs of one program under one detector and schedule, and what they showed.
 *
 * An arm belongs to one thread.
 */
#ifndef TAILRACE_RACE_ARM_H
#define TAILRACE_RACE_ARM_H

#include "race/cases.h"
#include "race/detector.h"

#define ARM_RUNS_MAX 10000
#define ARM_HANGS_ENOUGH 5 /* where every run hangs, no more are made */
#define ARM_TIMEOUT_TIMES 10
#define ARM_TIMEOUT_MIN_S 2

/* Counts are of runs. right: with a report at marked lines; misplaced: with reports, none right. A
 * run is exposed if anything at all was seen of the bug. */
struct arm {
    uint32_t runs, hits, misplaced, oracle, hangs, crashes, exposed, clean_exits;
    double wall_s[ARM_RUNS_MAX]; /* of runs that did not hang */
    uint32_t wall_count;
    double cpu_s;          /* of all runs */
    double first_report_s; /* wall time of all runs until the first right report; < 0: none */
    uint64_t first_seed;   /* of the first run that was exposed */
    bool told;             /* finding and sample hold the first right, or else first, report */
    bool told_right;
    struct finding finding;
    char sample[DETECTOR_SAMPLE_BYTES];
    uint64_t points, sync_points; /* of the run-time, the largest of the last run */
};

struct arm_plan {
    const struct detector *detector;
    char *const *argv;
    const char *log_prefix;
    enum race_schedule schedule;
    uint32_t runs, first_number; /* of seeds */
    double native_s;             /* median time of the program without tools */
    const char *case_path;       /* of the source, as it was compiled */
    const struct case_marks *marks;
};

/* Makes the runs, or as many as there were before an interrupt; false without memory. points of an
 * arm that was run before help to draw seeds: pass them in arm, which is set to 0 otherwise. */
bool arm_run(const struct arm_plan *plan, struct arm *arm);

/* Counts one run by hand: result, what was found, its first report's text, and the time of the runs
 * before it. */
void arm_count(struct arm *arm, const struct arm_plan *plan, const struct spawn_result *result,
               const struct findings *all, const char *sample, double before_s);

double arm_median_s(struct arm *arm); /* < 0: no run ended */

#endif
