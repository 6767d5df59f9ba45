/* SPDX-License-Identifier: MIT */
/* cell_json.h - the verdict of a cell of the matrix, and its line in cells.jsonl. */
#ifndef TAILRACE_RACE_CELL_JSON_H
#define TAILRACE_RACE_CELL_JSON_H

#include "race/arm.h"

#include <jansson.h>

/* A cell that was run; native: the same program's runs without a tool, NULL for the cell itself. */
struct race_cell {
    const struct race_case *one;
    const struct detector *detector;
    const char *mode, *schedule; /* schedule: "none" where the detector has none */
    struct arm *bug, *twin;
    struct arm *native_bug, *native_twin;
    const char *case_path;
    const struct case_marks *marks;
};

const char *schedule_name(enum race_schedule schedule);
bool cell_expected(const struct race_case *one, const struct detector *detector, const char *mode);
const char *cell_verdict(const struct race_cell *cell);

/* New objects; NULL without memory. */
json_t *race_cell_json(const struct race_cell *cell);
json_t *cell_unsupported_json(const struct race_cell *cell, const char *reason);

#endif
