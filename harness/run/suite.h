/* SPDX-License-Identifier: MIT */
/* suite.h - which cells, how many blocks, how long and at what load: read from a JSON file. */
#ifndef TAILRACE_RUN_SUITE_H
#define TAILRACE_RUN_SUITE_H

#include "run/cell.h"

#include <jansson.h>

#define SUITE_CELLS_MAX 2048
#define SUITE_BLOCKS_MAX 10000
#define SUITE_LOAD 0.5 /* where the suite names none */

struct suite {
    char name[AREA_TEXT_BYTES];
    uint32_t blocks, cell_count;
    uint64_t seed;
    double load, duration_s, warmup_s;
    bool smoke; /* closed loop, few requests on a small live set: that it works, not how fast */
    bool noise_floor;   /* measured in every block for every scenario */
    bool oracle;        /* the harness is held against theory first (theory.h) */
    struct cell *cells; /* mode CELL_OPEN_RATE, rate 0 until capacities are known */
    json_t *definition; /* what it was read from, owned */
};

/* Reads benches/NAME.json; the cells of benches/scenario.json for NAME where that is a scenario;
 * or, where the name has a slash or ends in .json, that file. In a cell, `scenario`, `strategy` and
 * `heap` may be lists, which stand for a cell each; "*" is all scenarios or strategies, and a class
 * ("service") its scenarios. False with a sentence (exit status 2) where it cannot be read or has a
 * mistake. suite_free in any case. */
bool suite_load(struct suite *suite, const char *name, struct error *error);

/* The same from JSON already read; takes a reference of its own. `from` names it in errors. */
bool suite_parse(struct suite *suite, json_t *definition, const char *from, struct error *error);

/* Keeps the cells whose name matches the shell pattern or contains it as it is, in the definition
 * too; false if none does. */
bool suite_keep(struct suite *suite, const char *pattern, struct error *error);

/* How long it takes, roughly, calibration included: every run as long as it is to be, and half
 * a second more for what is around it. */
double suite_estimate_s(const struct suite *suite);

void suite_free(struct suite *suite);

#endif
