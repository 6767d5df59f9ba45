/* SPDX-License-Identifier: MIT */
/* doctor.h - what can and cannot be measured on this machine, with the reasons as sentences. */
#ifndef TAILRACE_RUN_DOCTOR_H
#define TAILRACE_RUN_DOCTOR_H

#include "base/error.h"

#include <jansson.h>

/* A new JSON object, or NULL with a sentence; blocks for length_s. Keys: schema
 * ("tailrace/doctor/1"), machine (machine.h); noise: length_s, cpu, steal_s (null: unknown), and in
 * nanoseconds with p50 p99 p99_9 p99_99 max count: spin_gaps_ns, sleep_overshoot_ns (null on one
 * processor), empty_request_ns (what a request that needs no time would feel); believable: array of
 * quantile, above_ns, requests (that a run must have for it); rule and findings, sentences. */
json_t *doctor_json(double length_s, struct error *error);

#endif
