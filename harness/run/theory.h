/* SPDX-License-Identifier: MIT */
/* theory.h - the harness against queueing theory: runs whose response times are known beforehand.
 *
 * Each queue (md1, mm1; Poisson arrivals, one worker) is held against Lindley's recursion twice: on
 * the planned arrivals and service times, which tells what the machine added, and on the measured
 * service times and idle gaps, which only a wrong schedule, clock or histogram can miss. The stall
 * is held against S - (1 - p) T.
 */
#ifndef TAILRACE_RUN_THEORY_H
#define TAILRACE_RUN_THEORY_H

#include "run/cell.h"

#include <jansson.h>

#define THEORY_SERVICE_US 1000
#define THEORY_PLANNED_ERROR_MAX 0.03  /* noise of the machine goes into it */
#define THEORY_REPLAYED_ERROR_MAX 0.01 /* resolution of the histogram goes into it */
#define THEORY_STALL_S 4.0

/* Told before each run, so that somebody who waits knows what for. */
typedef void theory_tell(const char *what);

/* Runs one queue for length_s. A new JSON object, or NULL with a sentence. Keys: scenario,
 * utilisation, service_ns, seed, requests, status, held_up_s (what service and gaps took beyond the
 * plan), agrees (the replay within 1 %), within_plan (3 %, p99.9 apart), verdict, and rows, each
 * with name, measured_ns, planned_ns, planned_error, replayed_ns, replayed_error, closed_form_ns;
 * null where fewer than 10 requests lie beyond. */
json_t *theory_queue(const char *scenario, double utilisation, double length_s, uint64_t seed,
                     struct error *error);

/* Runs the stall: 400 ms in 4 s, 2 workers, open loop at a fixed rate. Keys: stall_ns (from the
 * first worker's begin to the workers' mean end, as they logged it), length_s, requests, status,
 * within_plan (3 %), verdict, and rows, each with name, measured_ns, predicted_ns, error. */
json_t *theory_stall(uint64_t seed, struct error *error);

/* All of it: md1 and mm1 at utilisation 0.5, 0.7 and 0.9, and the stall. Keys: schema, queues,
 * stall, agrees (all replays). */
json_t *theory_all(double length_s, uint64_t seed, theory_tell *tell, struct error *error);

/* Part of it, in about 8 s: md1 at utilisation 0.7 for 3 s, and the stall. Keys: queue, stall,
 * agrees. */
json_t *theory_brief(uint64_t seed, struct error *error);

#endif
