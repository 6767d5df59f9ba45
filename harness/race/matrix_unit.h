/* SPDX-License-Identifier: MIT */
/* matrix_unit.h - all cells of one case in one memory mode, on one thread: it builds the case for
 * each detector, makes the runs, and hands on each cell.
 */
#ifndef TAILRACE_RACE_MATRIX_UNIT_H
#define TAILRACE_RACE_MATRIX_UNIT_H

#include "race/matrix.h"

#include <jansson.h>

struct matrix_unit {
    const struct race_case *one;
    uint32_t mode; /* of case_mode_names */
    const struct matrix_options *options;
    const char *work; /* folder for programs and logs, shared by all units */
    uint32_t number;  /* of the unit: names its files */
    void *context;
    void (*put)(void *context, json_t *cell); /* consumes the cell; any thread */
    bool (*have)(const void *context, const char *one, const char *mode, const char *detector,
                 const char *schedule);
};

uint32_t matrix_unit_cells(const struct matrix_unit *unit);

/* Blocks; false with a sentence where something is wrong with the case itself. */
bool matrix_unit_run(const struct matrix_unit *unit, struct error *error);

#endif
