/* SPDX-License-Identifier: MIT */
/* search.h - values that take several runs to find: capacity, smallest budget, highest rate. */
#ifndef TAILRACE_RUN_SEARCH_H
#define TAILRACE_RUN_SEARCH_H

#include "run/supervise.h"

#include <jansson.h>

/* What the cell can do: requests per second in closed loop for duration_s, after as long a warm-up
 * as the cell's. A cell that cannot gives 0 and says why in run->status and reason. */
bool search_capacity(const struct cell *cell, double duration_s, double *per_second,
                     struct run *run, struct error *error);

/* The smallest budget, within 5 %, under which the cell still ends a short closed-loop run, found
 * by bisection. A cell that ends under none gives 0 and says why in run. */
bool search_budget(const struct cell *cell, uint64_t *bytes, struct run *run, struct error *error);

/* A service level objective: this response quantile at most this long. */
struct objective {
    double p;
    char key[8]; /* "p99_9" */
    uint64_t limit_ns;
};
/* Reads "p99=1ms" (p50 p90 p99 p99.9 p99.99; ns us ms s). */
bool objective_parse(const char *text, struct objective *objective, struct error *error);

/* The highest rate at which the cell meets the objective, within 3 %, by bisection between a
 * hundredth of its capacity (or the least that gives enough samples) and all of it, each step as
 * long as the cell's duration; confirmed by a run of three times that, at a rate lowered by 5 %
 * until one confirms. *rate is 0 if none does. *steps gets an array of {rate, value_ns, met,
 * confirming}, owned by the caller. */
bool search_rate(const struct cell *cell, const struct objective *objective, double *rate,
                 json_t **steps, struct error *error);

#endif
