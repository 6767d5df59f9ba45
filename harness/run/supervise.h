/* SPDX-License-Identifier: MIT */
/* supervise.h - runs one cell in a process of its own and watches it from outside. */
#ifndef TAILRACE_RUN_SUPERVISE_H
#define TAILRACE_RUN_SUPERVISE_H

#include "measure/area.h"
#include "run/cell.h"

#include <sys/resource.h>

struct rss_sample {
    uint64_t at_ns, bytes;
};

enum run_status { RUN_OK, RUN_OVERLOADED, RUN_OOM, RUN_UNSUPPORTED, RUN_CRASHED, RUN_TIMEOUT };

struct run {
    enum run_status status;
    char reason[1024]; /* a sentence, empty where status is ok */
    struct area *area; /* NULL where nothing was started */
    struct rss_sample *samples;
    size_t sample_count, sample_capacity;
    struct rusage usage;
    double started_at, ended_at; /* wall clock, seconds since 1970 */
    double load_average;
};

/* Runs the cell (mode rate or closed; load must have been turned into a rate), blocking until its
 * process has ended. Whatever becomes of the process is a result: true. False with a sentence where
 * the machine or installation does not let it start (a heap that did not load, a missing worker or
 * input file), or with status EXIT_INTERRUPTED after supervise_interrupt. run_free in any case. */
bool supervise(const struct cell *cell, struct run *run, struct error *error);
void run_free(struct run *run);

/* For suites, where what this machine lacks is a result: turns EXIT_LACKING into an unsupported
 * run. */
bool run_or_lack(bool ran, struct run *run, struct error *error);

/* From a signal handler: the run under way is killed and ends as interrupted. */
void supervise_interrupt(void);
bool supervise_interrupted(void);

const char *run_status_name(enum run_status status);

#endif
