/* SPDX-License-Identifier: MIT */
/* catalog.h - the tables of strategies, heaps and scenarios, made from their .def files. */
#ifndef TAILRACE_MEMORY_CATALOG_H
#define TAILRACE_MEMORY_CATALOG_H

#include "memory/needs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strategy_info {
    const char *name, *family;
    uint32_t provides; /* enum mem_need */
    enum mem_heaps heaps;
    const char *tunables; /* "key=default ..." */
    const char *source;   /* paper or library */
    const char *what;
};
struct heap_info {
    const char *name, *library, *package, *what;
};
struct heap_tunable {
    const char *heap, *key, *fallback; /* the number that is its default */
    const char *variable, *setting;    /* # or ? stands for the number, see heaps.def */
};
struct scenario_param {
    const char *name, *unit, *what; /* unit: "a|b|c" is a choice, the value an index */
    uint64_t low, standard, high;
};
#define SCENARIO_PARAMS_MAX 8
struct scenario_info {
    const char *name, *kind, *unit, *source, *what; /* unit: of live */
    uint32_t needs;                                 /* enum mem_need */
    uint64_t live, smoke_live, smoke_requests;
    struct scenario_param params[SCENARIO_PARAMS_MAX]; /* the rest is nameless */
};

extern const struct strategy_info strategies[];
extern const struct heap_info heaps[];
extern const struct heap_tunable heap_tunables[];
extern const struct scenario_info scenario_infos[];
extern const size_t strategy_count, heap_count, heap_tunable_count, scenario_count;

/* NULL if there is none of that name. Static storage. */
const struct strategy_info *find_strategy(const char *name);
const struct heap_info *find_heap(const char *name);
const struct scenario_info *find_scenario(const char *name);

/* The text of its head comment: what it does, what it stresses, how to read its result. */
const char *scenario_page(const struct scenario_info *scenario);

/* The name and the sentence of the lowest need in a non-empty set. */
const char *need_name(uint32_t needs);
const char *need_what(uint32_t needs);

/* Finds the library of a heap on this machine: false if it is not installed; "" for glibc. */
bool heap_library_path(const struct heap_info *heap, char *path, size_t path_bytes);

/* True if the tunables of a strategy have this key (of the given length). */
bool strategy_has_tunable(const struct strategy_info *strategy, const char *key, size_t key_length);

#endif
