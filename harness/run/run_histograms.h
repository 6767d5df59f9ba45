/* SPDX-License-Identifier: MIT */
/* run_histograms.h - a run's histograms over time, as files that HdrHistogram's tools read.
 *
 * Open loop: response time, by intended start, in the slices that the worker kept. Closed loop,
 * where there is no intended start: service time, the whole recording as one interval, under a tag
 * that ends in "/service". A run that never got to record has a log and a table of nothing.
 */
#ifndef TAILRACE_RUN_RUN_HISTOGRAMS_H
#define TAILRACE_RUN_RUN_HISTOGRAMS_H

#include "run/supervise.h"

#include <stdio.h>

/* Write the run's log (.hlog) or percentile table (.hgrm) to path, or with "-" to standard output
 * (whose errors the caller looks for at the end). False with a sentence, exit status 2 or 3. */
bool run_write_hlog(const struct cell *cell, const struct run *run, const char *path,
                    struct error *error);
bool run_write_hgrm(const struct cell *cell, const struct run *run, const char *path,
                    struct error *error);

/* Appends the run to the cell's log in a result set, FOLDER/hlog/<name>.hlog, made if need be, and
 * syncs it: a comment with the block's number, then every interval in order of time. To be called
 * before the run is told in runs.jsonl, so that what is told there is here. */
bool set_append_hlog(const char *folder, const struct cell *cell, const struct run *run,
                     uint32_t block, struct error *error);

/* Cuts off the cell's log from the first run on that runs.jsonl does not tell of (done: by block),
 * and a torn last line. */
bool set_resume_hlog(const char *folder, const struct cell *cell, const bool *done, uint32_t blocks,
                     struct error *error);

#endif
