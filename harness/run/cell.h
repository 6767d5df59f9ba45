/* SPDX-License-Identifier: MIT */
/* cell.h - one cell: scenario, strategy, heap, threads, load, budget and tuning, checked. */
#ifndef TAILRACE_RUN_CELL_H
#define TAILRACE_RUN_CELL_H

#include "base/error.h"
#include "measure/area.h"
#include "memory/catalog.h"

enum cell_mode { CELL_OPEN_RATE, CELL_OPEN_LOAD, CELL_CLOSED };

struct cell {
    const struct scenario_info *scenario;
    const struct strategy_info *strategy;
    char heap[AREA_PATH_BYTES];      /* a known name, or the path of a library */
    char heap_path[AREA_PATH_BYTES]; /* what is preloaded; empty for glibc */
    uint32_t threads;
    enum cell_mode mode;
    enum arrivals arrivals;
    double rate;         /* CELL_OPEN_RATE: per second */
    double load;         /* CELL_OPEN_LOAD: fraction of the capacity that is measured first */
    bool load_named;     /* in a suite: this load is the cell's, not the suite's */
    bool load_of_own;    /* in a suite: and of its own capacity, not the slowest cell's */
    bool rate_fixed;     /* in a suite: the rate is as given, not derived from a capacity */
    double budget_times; /* in a suite: budget as a multiple of the smallest workable; 0: not so */
    double duration_s, warmup_s;
    uint64_t requests;                    /* 0: as the duration gives */
    uint64_t live, budget_bytes, seed;    /* budget 0: none */
    double drain_s;                       /* how long the resident set is watched after the drain */
    bool count;                           /* heap calls */
    bool tsc;                             /* measured with the TSC, not CLOCK_MONOTONIC */
    double timeout_s;                     /* 0: cell_timeout_s decides */
    uint64_t params[SCENARIO_PARAMS_MAX]; /* of the scenario */
    char tune[AREA_TEXT_BYTES];
    char lacking[AREA_TEXT_BYTES]; /* why this machine cannot run it; empty if it can */
};

/* Defaults for a scenario: malloc on glibc, cores - 1 workers (at least 1), half of capacity, 5 s.
 */
void cell_defaults(struct cell *cell, const struct scenario_info *scenario);

/* Sets the parameters to the defaults of its scenario. */
void cell_default_params(struct cell *cell);

/* Each checks one value and puts it in; false with a sentence (exit status 2, or 3 for a heap that
 * is not installed). set_number takes "threads", "rate", "load", "duration", "warmup", "requests",
 * "live", "budget", "seed", "timeout" or "drain". tune adds one K=V, once the strategy is set, and
 * param sets one K=V of the scenario. */
bool cell_set_strategy(struct cell *cell, const char *name, struct error *error);
bool cell_set_heap(struct cell *cell, const char *name, struct error *error);
bool cell_set_number(struct cell *cell, const char *key, const char *value, struct error *error);
bool cell_add_tune(struct cell *cell, const char *pair, struct error *error);
bool cell_set_param(struct cell *cell, const char *pair, struct error *error);
bool cell_set_clock(struct cell *cell, const char *name, struct error *error);
bool cell_set_arrivals(struct cell *cell, const char *name, struct error *error);

/* True if both have the same scenario with the same parameters: requests that can be compared. */
bool cell_same_workload(const struct cell *cell, const struct cell *other);

/* True where the strategy never gives back what the scenario drops, by its design. */
bool cell_leaks(const struct cell *cell);

/* Why this cell cannot be run at all, as a sentence; false if it can. */
bool cell_unsupported(const struct cell *cell, char *reason, size_t reason_bytes);

/* The value of the scenario's i-th parameter as text: a number or a word of the choice. */
void cell_param_text(const struct cell *cell, size_t i, char *text, size_t text_bytes);

/* The scenario, with those of its parameters that are not the default: "name (k=v, ...)". */
void cell_workload(const struct cell *cell, char *name, size_t name_bytes);

/* scenario/strategy/heap/tN, and what else is not the default. base: without load and budget. */
void cell_name(const struct cell *cell, char *name, size_t name_bytes);
void cell_base_name(const struct cell *cell, char *name, size_t name_bytes);

/* How long a run may take before it counts as hung: generous, for a run that is far overloaded too.
 */
double cell_timeout_s(const struct cell *cell);

#endif
