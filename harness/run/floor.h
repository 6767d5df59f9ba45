/* SPDX-License-Identifier: MIT */
/* floor.h - the noise floor: the same schedule, each request a bare spin. */
#ifndef TAILRACE_RUN_FLOOR_H
#define TAILRACE_RUN_FLOOR_H

#include "run/supervise.h"

#include <jansson.h>

/* Runs the cell's schedule with each request a spin of spin_ns, no object touched. *quantiles gets
 * a new object with p50 to max of the response time, or NULL where the floor itself did not end
 * well. */
bool floor_measure(const struct cell *cell, uint64_t spin_ns, json_t **quantiles,
                   struct error *error);

/* Puts the floor into a result: `noise_floor_ns`, and in response_ns the list `noise_limited` of
 * the quantiles of which more than half is also there on the floor. floor may be NULL. */
void floor_label(json_t *result, const json_t *floor);

#endif
