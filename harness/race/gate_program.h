/* SPDX-License-Identifier: MIT */
/* gate_program.h - the program that a gate judges: built where it is source, looked at where not.
 */
#ifndef TAILRACE_RACE_GATE_PROGRAM_H
#define TAILRACE_RACE_GATE_PROGRAM_H

#include "race/gate.h"

#define GATE_PATH_BYTES 4096
#define GATE_ARGUMENTS_MAX 1024
#define GATE_STATUSES_MAX 8
#define GATE_REFERENCE_RUNS 3
#define GATE_REFERENCE_TIMEOUT_S 10 /* asleep; five times that, if it computes */

/* The program as one detector runs it. */
struct gate_target {
    const struct detector *detector;
    char program[GATE_PATH_BYTES];
    char *argv[GATE_ARGUMENTS_MAX];
    bool scheduled; /* tailrace-cc's run-time is in it */
};

struct gate_program {
    char work[GATE_PATH_BYTES]; /* a folder of its own under TMPDIR or /tmp */
    uint32_t target_count, schedules;
    struct gate_target targets[DETECTOR_ID_COUNT];
    double native_s; /* the slowest of the reference runs */
    uint64_t points, sync_points;
    bool ended; /* a reference run did, by itself */
    uint32_t status_count;
    int statuses[GATE_STATUSES_MAX]; /* with which reference runs ended */
};

/* Builds or inspects, runs the program a few times for reference, and takes what static detectors
 * find, and a program without any detector's help means (as notes), into result. */
bool gate_program_open(const struct gate_options *options, struct gate_program *program,
                       struct race_result *result, struct error *error);
void gate_program_close(struct gate_program *program); /* removes the folder */

/* Whether the program, left alone, ends with this status. */
bool gate_program_status_known(const struct gate_program *program, int status);

/* Whether a run ended by a signal, or by what a sanitizer makes of one. */
bool gate_crash_told(const struct findings *all); /* some finding says so, with its place */
bool gate_crashed(const struct spawn_result *result, const struct findings *all);

#endif
