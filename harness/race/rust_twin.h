/* SPDX-License-Identifier: MIT */
/* rust_twin.h - what Rust makes of a case: its twin is compiled, and run where that worked. */
#ifndef TAILRACE_RACE_RUST_TWIN_H
#define TAILRACE_RACE_RUST_TWIN_H

#include "race/cell_json.h"

#define RUST_RUNS_MAX 20 /* until a fault that Rust accepts has shown */
#define RUST_TIMEOUT_S 5

/* The cell of rustc for a case, as a new object: with "rust": {"expected", "outcome", "fault",
 * "agrees"}. work and number name its files; result and all are room. */
json_t *rust_twin_cell(struct race_cell *cell, const char *work, uint32_t number,
                       struct spawn_result *result, struct findings *all);

#endif
