/* SPDX-License-Identifier: MIT */
/* catalog.c - the tables of strategies, heaps and scenarios, and finding a heap's library. */
#include "memory/catalog.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct strategy_info strategies[] = {
#define STRATEGY(id, name, family, provides, heaps, tunables, source, what)                        \
    {name, family, provides, heaps, tunables, source, what},
#include "memory/strategies.def"
#undef STRATEGY
};
const struct heap_info heaps[] = {
#define HEAP(name, library, package, what) {name, library, package, what},
#define HEAP_TUNABLE(heap, key, fallback, variable, setting)
#include "memory/heaps.def"
#undef HEAP
#undef HEAP_TUNABLE
};
const struct heap_tunable heap_tunables[] = {
#define HEAP(name, library, package, what)
#define HEAP_TUNABLE(heap, key, fallback, variable, setting)                                       \
    {heap, key, fallback, variable, setting},
#include "memory/heaps.def"
#undef HEAP
#undef HEAP_TUNABLE
};
const struct scenario_info scenario_infos[] = {
#define PARAM(id, low, standard, high, unit, what) {#id, unit, what, low, standard, high},
#define SCENARIO(id, name, kind, needs, live, unit, smoke_live, smoke_requests, source, params,    \
                 what)                                                                             \
    {name, kind, unit, source, what, needs, live, smoke_live, smoke_requests, {params}},
#include "load/list.def"
#undef SCENARIO
#undef PARAM
};
static const char *const pages[] = {
#include "memory/scenario_pages.inc"
};
const size_t strategy_count = sizeof strategies / sizeof *strategies;
const size_t heap_count = sizeof heaps / sizeof *heaps;
const size_t heap_tunable_count = sizeof heap_tunables / sizeof *heap_tunables;
const size_t scenario_count = sizeof scenario_infos / sizeof *scenario_infos;

const struct strategy_info *find_strategy(const char *name) {
    for (size_t i = 0; i < strategy_count; i++)
        if (strcmp(strategies[i].name, name) == 0)
            return &strategies[i];
    return NULL;
}
const struct heap_info *find_heap(const char *name) {
    for (size_t i = 0; i < heap_count; i++)
        if (strcmp(heaps[i].name, name) == 0)
            return &heaps[i];
    return NULL;
}
const struct scenario_info *find_scenario(const char *name) {
    for (size_t i = 0; i < scenario_count; i++)
        if (strcmp(scenario_infos[i].name, name) == 0)
            return &scenario_infos[i];
    return NULL;
}

const char *scenario_page(const struct scenario_info *scenario) {
    return pages[scenario - scenario_infos];
}

static const struct {
    const char *name, *what;
} needs_table[] = {{"unique", "objects with one owner"},
                   {"shared", "objects with several holders at once"},
                   {"cycles", "owned references that form rings"},
                   {"slots", "edges read by other threads while they are replaced"},
                   {"resize", "objects that grow"},
                   {"handoff", "objects given back on another thread"},
                   {"reclaim", "single objects given back in a long-lived scope"}};

const char *need_name(uint32_t needs) {
    return needs_table[__builtin_ctz(needs)].name;
}
const char *need_what(uint32_t needs) {
    return needs_table[__builtin_ctz(needs)].what;
}

bool heap_library_path(const struct heap_info *heap, char *path, size_t path_bytes) {
    static const char *const folders[] = {"/usr/lib/x86_64-linux-gnu",
                                          "/usr/lib/aarch64-linux-gnu",
                                          "/usr/local/lib",
                                          "/usr/lib64",
                                          "/usr/lib",
                                          "/usr/lib/llvm-*/lib/clang/*/lib/linux"};
    bool found = *heap->library == '\0';
    *path = '\0';
    for (size_t i = 0; i < sizeof folders / sizeof *folders && !found; i++) {
        char pattern[512];
        glob_t matches;
        snprintf(pattern, sizeof pattern, "%s/%s", folders[i], heap->library);
        found = glob(pattern, 0, NULL, &matches) == 0;
        if (found)
            snprintf(path, path_bytes, "%s", matches.gl_pathv[matches.gl_pathc - 1]);
        globfree(&matches);
    }
    return found;
}

bool strategy_has_tunable(const struct strategy_info *strategy, const char *key,
                          size_t key_length) {
    for (const char *at = strategy->tunables; *at; at += strspn(at, " ")) {
        if (strncmp(at, key, key_length) == 0 && at[key_length] == '=')
            return true;
        at += strcspn(at, " ");
    }
    return false;
}
