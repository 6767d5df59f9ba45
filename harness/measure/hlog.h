/* SPDX-License-Identifier: MIT */
/* hlog.h - histograms in the formats of HdrHistogram: interval logs (.hlog) and percentile tables
 * (.hgrm).
 *
 * A log (format version 1.3) holds every count of every bucket, so that its readers can merge,
 * slice and plot it; a table is what its plotters read. Nothing here is on the measured path. Any
 * thread.
 */
#ifndef TAILRACE_MEASURE_HLOG_H
#define TAILRACE_MEASURE_HLOG_H

#include "measure/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Of the values that belong to one stretch of time. */
struct hlog_interval {
    double start_s, length_s; /* the start from the log's own start */
    const struct histogram *histogram;
};

/* A log begins with its header, which says when that was in seconds since 1970; of one tag (spaces
 * and commas become '_') intervals follow in order of time. Each is false, with errno, if writing
 * failed or memory ran out. */
bool hlog_write_header(FILE *file, double start_wall_s);
bool hlog_write_intervals(FILE *file, const char *tag, const struct hlog_interval *intervals,
                          size_t count);

/* A whole log: header and intervals. */
bool hlog_write(FILE *file, const char *tag, double start_wall_s,
                const struct hlog_interval *intervals, size_t count);

/* The counts as a line of the log holds them: zero-terminated base64 that the caller frees; NULL if
 * memory ran out. The exact maximum and sum are not part of it. */
char *hlog_encode(const struct histogram *h);

/* The percentile table in milliseconds, 5 steps per half distance to 100 %. Its numbers are those
 * that HdrHistogram finds from the same counts (mean and deviation from the middles of buckets, the
 * maximum the highest value of its bucket), so that a table made from the log is the same. */
bool hgrm_write(FILE *file, const struct histogram *h);

#endif
