/* SPDX-License-Identifier: MIT */
/* calibrate.h - what a suite has to know before its blocks: capacities and smallest budgets. */
#ifndef TAILRACE_RUN_CALIBRATE_H
#define TAILRACE_RUN_CALIBRATE_H

#include "run/suite.h"
#include "run/supervise.h"

/* Called after each measurement, when the manifest holds it; false ends the calibration. */
typedef bool (*calibrate_step)(void *context, const struct cell *cell, const struct run *run,
                               struct error *error);

/* How many measurements a suite needs, and how many of them the manifest holds. */
uint32_t calibrate_planned(const struct suite *suite);
uint32_t calibrate_known(const json_t *manifest);

/* Measures what the manifest (keys `calibration` and `smallest`, arrays) does not hold yet: the
 * closed- loop capacity of every cell, loads and budgets aside, and the smallest workable budget of
 * those that have a budget by multiples. A cell that this machine cannot run is an entry with its
 * reason. */
bool calibrate(const struct suite *suite, json_t *manifest, calibrate_step step, void *context,
               struct error *error);

/* Gives every cell its rate and budget by what the manifest holds, and each calibration its
 * `offered_rate`. A cell that cannot have them is marked as lacking. */
void calibrate_apply(struct suite *suite, json_t *manifest);

/* The median over the cells of one workload, `like`'s, of the median service time in closed loop; 0
 * if unknown. */
uint64_t calibrate_service_ns(const struct suite *suite, const json_t *manifest,
                              const struct cell *like);

#endif
