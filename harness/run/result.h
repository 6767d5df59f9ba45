/* SPDX-License-Identifier: MIT */
/* result.h - a run as the JSON object that reports/README.md describes. */
#ifndef TAILRACE_RUN_RESULT_H
#define TAILRACE_RUN_RESULT_H

#include "run/supervise.h"

#include <jansson.h>

/* A new object; context is borrowed and copied into it. block and order are -1 outside a suite. */
json_t *result_json(const struct cell *cell, const struct run *run, json_t *context, int block,
                    int order);

/* The run's response_ns alone: a new object. */
json_t *response_json(const struct run *run);

/* The keys of a cell that manifest and result share. */
json_t *cell_json(const struct cell *cell);

#endif
