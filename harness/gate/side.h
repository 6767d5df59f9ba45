/* SPDX-License-Identifier: MIT */
/* side.h - one side of a gate: a build of tailrace, or a heap, strategy or tuning of one, and how
 * a cell is run on it: by that build's own `tailrace run`, so that any two builds can be compared.
 */
#ifndef TAILRACE_GATE_SIDE_H
#define TAILRACE_GATE_SIDE_H

#include "run/cell.h"

#include <jansson.h>

#define SIDE_TUNES_MAX 8

struct side {
    const char *arm;  /* baseline, head or again */
    const char *text; /* as given */
    char build[AREA_PATH_BYTES];
    char strategy[AREA_TEXT_BYTES], heap[AREA_PATH_BYTES]; /* empty: the cell's own */
    char tunes[SIDE_TUNES_MAX][AREA_TEXT_BYTES];
    size_t tune_count;
};

/* Reads a build's folder, or KEY=VALUE,... with the keys build, strategy, heap and tune (which
 * takes K=V and may come again); without build it is this one. `text` must outlive the side. False
 * with a sentence. */
bool side_parse(struct side *side, const char *arm, const char *text, struct error *error);

/* Puts the side's strategy, heap and tuning into a cell. */
bool side_apply(const struct side *side, struct cell *cell, struct error *error);

/* Runs a cell (mode rate or closed) on the side, blocking, with `--count` if `counted`: *result is
 * the run's JSON as reports/README.md has it, owned by the caller, also where the run crashed.
 * `scratch` is an existing folder for a moment. False with a sentence: the side's tailrace refuses
 * (2), lacks something (3), or an interrupt (EXIT_INTERRUPTED; spawn_interrupt is what ends it). */
bool side_run(const struct side *side, const struct cell *cell, bool counted, const char *scratch,
              json_t **result, struct error *error);

#endif
