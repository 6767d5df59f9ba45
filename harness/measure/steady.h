/* SPDX-License-Identifier: MIT */
/* steady.h - whether a recording had settled: a change point in its series of quantiles. */
#ifndef TAILRACE_MEASURE_STEADY_H
#define TAILRACE_MEASURE_STEADY_H

#include "measure/area.h"

/* Pettitt's test (1979) for one change point in a series, by ranks: *at gets the number of values
 * before the change; returns the significance probability (approximate, 1 for fewer than 8). */
double steady_pettitt(const double *values, size_t count, size_t *at);

/* True if the per-slice p50 or p99 of the response time changes in the last half of the recording:
 * significant at STEADY_ALPHA in all, and by more than STEADY_CHANGE from the median before to the
 * one after. Slices in which fewer than 10 requests lie beyond the quantile are left out. */
#define STEADY_ALPHA 0.05
#define STEADY_CHANGE 0.1
bool steady_changed(const struct area *area);

#endif
