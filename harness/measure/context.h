/* SPDX-License-Identifier: MIT */
/* context.h - what a result depends on besides the cell: machine, kernel, compiler, commit, clock.
 */
#ifndef TAILRACE_MEASURE_CONTEXT_H
#define TAILRACE_MEASURE_CONTEXT_H

#include <jansson.h>

/* A new JSON object with the keys that reports/README.md lists, all but load_average, start_time
 * and end_time, which belong to a run. Unknown values are "unknown". Reads the machine once (about
 * 2 ms). */
json_t *context_json(const char *command);

/* Seconds since 1970 as ISO 8601 in UTC. */
json_t *context_time(double at_s);

#endif
