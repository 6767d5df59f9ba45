/* SPDX-License-Identifier: MIT */
/* cell.c - checking the parts of a cell. */
#include "run/cell.h"

#include "run/heap_tuning.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int allowed_cpus(void) {
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
}

void cell_defaults(struct cell *cell, const struct scenario_info *scenario) {
    int spare = allowed_cpus() - 1;
    *cell = (struct cell){.scenario = scenario,
                          .strategy = find_strategy("malloc"),
                          .heap = "glibc",
                          .threads = spare < 1                  ? 1
                                     : spare > AREA_WORKERS_MAX ? AREA_WORKERS_MAX
                                                                : (uint32_t)spare,
                          .mode = CELL_OPEN_LOAD,
                          .load = 0.5,
                          .duration_s = 5,
                          .warmup_s = 0.5,
                          .drain_s = 0.1,
                          .live = scenario->live,
                          .seed = 1};
    cell_default_params(cell);
}

void cell_default_params(struct cell *cell) {
    for (size_t i = 0; i < SCENARIO_PARAMS_MAX; i++)
        cell->params[i] = cell->scenario->params[i].standard;
}

bool cell_set_strategy(struct cell *cell, const char *name, struct error *error) {
    cell->strategy = find_strategy(name);
    if (!cell->strategy)
        return error_set(error, EXIT_INPUT,
                         "there is no strategy \"%s\" (`tailrace list strategies` names them)",
                         name);
    return true;
}

bool cell_set_heap(struct cell *cell, const char *name, struct error *error) {
    const struct heap_info *heap = find_heap(name);
    snprintf(cell->heap, sizeof cell->heap, "%s", name);
    if (heap && heap_library_path(heap, cell->heap_path, sizeof cell->heap_path))
        return true;
    if (heap)
        return error_set(error, EXIT_LACKING, "the heap %s is not installed (Debian package %s)",
                         name, heap->package);
    if (!strchr(name, '/'))
        return error_set(
            error, EXIT_INPUT,
            "there is no heap \"%s\" (`tailrace list heaps` names them, and any other is "
            "given by the path of its library)",
            name);
    char real[PATH_MAX];
    if (!realpath(name, real) || access(real, R_OK) != 0 || strlen(real) >= sizeof cell->heap_path)
        return error_set(error, EXIT_INPUT, "cannot read the heap library %s", name);
    if (strpbrk(real, " :"))
        return error_set(error, EXIT_INPUT,
                         "the heap library %s cannot be preloaded: its path has a space or a colon",
                         name);
    snprintf(cell->heap, sizeof cell->heap, "%s", real);
    snprintf(cell->heap_path, sizeof cell->heap_path, "%s", real);
    return true;
}

/* A finite decimal number in [low, high] with an optional K, M or G (powers of 1024) for bytes. */
static bool parse_number(const char *text, bool bytes, double low, double high, double *value) {
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    if (end == text || errno != 0 || !isfinite(*value) ||
        text[strspn(text, "+-.0123456789eE")] == 'x')
        return false;
    if (bytes && *end && strchr("KMG", *end)) {
        *value *= *end == 'K' ? 0x1p10 : *end == 'M' ? 0x1p20 : 0x1p30;
        end++;
    }
    return *end == '\0' && *value >= low && *value <= high;
}

bool cell_set_number(struct cell *cell, const char *key, const char *value, struct error *error) {
    struct limit {
        const char *key, *what;
        bool whole;
        double low, high;
    };
    static const struct limit limits[] = {
        {"threads", "a whole number from 1 to 64", true, 1, AREA_WORKERS_MAX},
        {"rate", "requests per second, from 0.1 to 1e9", false, 0.1, 1e9},
        {"load", "a fraction of capacity, above 0 and at most 10", false, 1e-6, 10},
        {"duration", "seconds, from 0.001 to 86400", false, 1e-3, 86400},
        {"warmup", "seconds, from 0 to 86400", false, 0, 86400},
        {"requests", "a whole number from 1 to 1e12", true, 1, 1e12},
        {"live", "a whole number from 1 to 1e12", true, 1, 1e12},
        {"budget", "bytes, a whole number of at least 1", true, 1, 0x1p50},
        {"seed", "a whole number from 0 to 2^53", true, 0, 0x1p53},
        {"drain", "seconds, from 0.1 to 60", false, 0.1, 60},
        {"timeout", "seconds, from 0.1 to 1e6", false, 0.1, 1e6}};
    const struct limit *limit = limits;
    while (strcmp(limit->key, key) != 0)
        limit++;
    double number;
    bool scaled = strcmp(key, "budget") == 0 || strcmp(key, "live") == 0;
    if (!parse_number(value, scaled, limit->low, limit->high, &number) ||
        (limit->whole && number != floor(number)))
        return error_set(error, EXIT_INPUT, "--%s takes %s, not \"%s\"", key, limit->what, value);
    switch (limit - limits) {
    case 0:
        cell->threads = (uint32_t)number;
        break;
    case 1:
        cell->rate = number;
        cell->mode = CELL_OPEN_RATE;
        break;
    case 2:
        cell->load = number;
        cell->mode = CELL_OPEN_LOAD;
        break;
    case 3:
        cell->duration_s = number;
        break;
    case 4:
        cell->warmup_s = number;
        break;
    case 5:
        cell->requests = (uint64_t)number;
        break;
    case 6:
        cell->live = (uint64_t)number;
        break;
    case 7:
        cell->budget_bytes = (uint64_t)number;
        break;
    case 8:
        cell->seed = (uint64_t)number;
        break;
    case 9:
        cell->drain_s = number;
        break;
    default:
        cell->timeout_s = number;
        break;
    }
    return true;
}

bool cell_set_clock(struct cell *cell, const char *name, struct error *error) {
    cell->tsc = strcmp(name, "tsc") == 0;
    if (!cell->tsc && strcmp(name, "monotonic") != 0)
        return error_set(error, EXIT_INPUT, "--clock takes monotonic or tsc, not \"%s\"", name);
    return true;
}

bool cell_set_arrivals(struct cell *cell, const char *name, struct error *error) {
    cell->arrivals = strcmp(name, "poisson") == 0 ? ARRIVALS_POISSON : ARRIVALS_FIXED;
    if (cell->arrivals == ARRIVALS_FIXED && strcmp(name, "fixed") != 0)
        return error_set(error, EXIT_INPUT, "--arrivals takes fixed or poisson, not \"%s\"", name);
    return true;
}

/* HEAP:KEY=N: of the heap that the cell has, and whose memory its objects take. */
static bool check_heap_tune(const struct cell *cell, const char *pair, const char *colon,
                            const char *equals, struct error *error) {
    char known[AREA_TEXT_BYTES];
    size_t heap_length = (size_t)(colon - pair);
    heap_tunables_text(cell->heap, known, sizeof known);
    if (strlen(cell->heap) != heap_length || strncmp(cell->heap, pair, heap_length) != 0)
        return error_set(error, EXIT_INPUT, "--tune %s: the heap is %s", pair, cell->heap);
    if (cell->strategy->heaps == MEM_OWN_PAGES)
        return error_set(error, EXIT_INPUT, "--tune %s: %s does not take its objects from malloc",
                         pair, cell->strategy->name);
    return heap_has_tunable(cell->heap, colon + 1, (size_t)(equals - colon - 1)) ||
           error_set(error, EXIT_INPUT, "the heap %s has no tunable \"%s\" (it has: %s)",
                     cell->heap, colon + 1, *known ? known : "none");
}

bool cell_add_tune(struct cell *cell, const char *pair, struct error *error) {
    const char *equals = strchr(pair, '='), *colon = strchr(pair, ':');
    size_t used = strlen(cell->tune);
    if (colon && colon < equals) {
        if (!check_heap_tune(cell, pair, colon, equals, error))
            return false;
    } else if (!equals || !strategy_has_tunable(cell->strategy, pair, (size_t)(equals - pair)))
        return error_set(error, EXIT_INPUT, "%s has no tunable \"%s\" (it has: %s)",
                         cell->strategy->name, pair,
                         *cell->strategy->tunables ? cell->strategy->tunables : "none");
    if (!equals[1] || equals[1 + strspn(equals + 1, "0123456789")] || strlen(equals + 1) > 15)
        return error_set(error, EXIT_INPUT, "--tune %s: the value is not a whole number", pair);
    if (used + strlen(pair) + 2 > sizeof cell->tune)
        return error_set(error, EXIT_INPUT, "too many --tune");
    snprintf(cell->tune + used, sizeof cell->tune - used, "%s%s", used ? " " : "", pair);
    return true;
}

/* The index of a word in "a|b|c", or -1. */
static int choice_of(const char *choices, const char *word) {
    size_t length = strlen(word);
    for (int i = 0;; i++) {
        size_t this = strcspn(choices, "|");
        if (this == length && strncmp(choices, word, length) == 0)
            return i;
        if (!choices[this])
            return -1;
        choices += this + 1;
    }
}

static bool set_param(uint64_t *to, const struct scenario_param *param, const char *value,
                      struct error *error) {
    double number;
    if (strchr(param->unit, '|')) {
        int choice = choice_of(param->unit, value);
        *to = (uint64_t)choice;
        return choice >= 0 || error_set(error, EXIT_INPUT, "--param %s takes one of %s, not \"%s\"",
                                        param->name, param->unit, value);
    }
    if (!parse_number(value, true, (double)param->low, (double)param->high, &number) ||
        number != floor(number))
        return error_set(error, EXIT_INPUT,
                         "--param %s takes a whole number from %llu to %llu (%s), not \"%s\"",
                         param->name, (unsigned long long)param->low,
                         (unsigned long long)param->high, param->unit, value);
    *to = (uint64_t)number;
    return true;
}

bool cell_set_param(struct cell *cell, const char *pair, struct error *error) {
    size_t length = strcspn(pair, "=");
    const struct scenario_param *params = cell->scenario->params;
    for (size_t i = 0; pair[length] && i < SCENARIO_PARAMS_MAX && params[i].name; i++)
        if (strlen(params[i].name) == length && strncmp(params[i].name, pair, length) == 0)
            return set_param(&cell->params[i], &params[i], pair + length + 1, error);
    return error_set(error, EXIT_INPUT,
                     "%s has no parameter \"%s\" (`tailrace run %s --help` names them)",
                     cell->scenario->name, pair, cell->scenario->name);
}

void cell_param_text(const struct cell *cell, size_t i, char *text, size_t text_bytes) {
    const char *choices = cell->scenario->params[i].unit;
    if (!strchr(choices, '|')) {
        snprintf(text, text_bytes, "%llu", (unsigned long long)cell->params[i]);
        return;
    }
    for (uint64_t skip = cell->params[i]; skip > 0; skip--)
        choices += strcspn(choices, "|") + 1;
    snprintf(text, text_bytes, "%.*s", (int)strcspn(choices, "|"), choices);
}

bool cell_same_workload(const struct cell *cell, const struct cell *other) {
    return cell->scenario == other->scenario &&
           memcmp(cell->params, other->params, sizeof cell->params) == 0;
}

bool cell_leaks(const struct cell *cell) {
    return cell->strategy->provides & MEM_LEAKS ||
           (cell->strategy->provides & MEM_LEAKS_RINGS && cell->scenario->needs & MEM_CYCLES);
}

bool cell_unsupported(const struct cell *cell, char *reason, size_t reason_bytes) {
    const struct strategy_info *strategy = cell->strategy;
    uint32_t leaked = strategy->provides & MEM_LEAKS_RINGS ? MEM_CYCLES : 0;
    uint32_t missing = cell->scenario->needs & ~(strategy->provides | leaked);
    bool sanitized = *TAILRACE_SANITIZER != '\0';
    *reason = '\0';
    if (*cell->lacking)
        snprintf(reason, reason_bytes, "%s", cell->lacking);
    else if (missing)
        snprintf(reason, reason_bytes, "%s needs %s (%s), which %s does not provide",
                 cell->scenario->name, need_name(missing), need_what(missing), strategy->name);
    else if (strategy->heaps == MEM_OWN_PAGES && *cell->heap_path)
        snprintf(reason, reason_bytes,
                 "%s does not take its objects from malloc, so it is run on glibc only",
                 strategy->name);
    else if (cell->budget_bytes && strategy->heaps == MEM_OWN_PAGES &&
             strcmp(strategy->family, "control") == 0)
        snprintf(reason, reason_bytes,
                 "%s reserves its memory beforehand, so a budget says nothing", strategy->name);
    else if (strategy->provides & MEM_SIGNALS && strcmp(TAILRACE_SANITIZER, "ThreadSanitizer") == 0)
        snprintf(reason, reason_bytes, "%s stops threads by signals, which ThreadSanitizer defers",
                 strategy->name);
    else if (sanitized && (*cell->heap_path || strchr(cell->tune, ':')))
        snprintf(reason, reason_bytes, "a %s build brings a heap of its own", TAILRACE_SANITIZER);
    else if (sanitized && cell->count)
        snprintf(reason, reason_bytes,
                 "a %s build brings a heap of its own, whose calls are not counted",
                 TAILRACE_SANITIZER);
    else if (sanitized && cell->budget_bytes)
        snprintf(reason, reason_bytes, "a %s build does not run under a budget",
                 TAILRACE_SANITIZER);
    return *reason != '\0';
}

/* Those that are not the default, as `/k=v` or listed as ` (k=v, k=v`. Returns the length. */
static size_t params_text(const struct cell *cell, bool listed, char *text, size_t text_bytes) {
    size_t used = 0;
    for (size_t i = 0; i < SCENARIO_PARAMS_MAX && cell->scenario->params[i].name; i++) {
        char value[AREA_TEXT_BYTES];
        if (cell->params[i] == cell->scenario->params[i].standard || used >= text_bytes)
            continue;
        cell_param_text(cell, i, value, sizeof value);
        used += (size_t)snprintf(text + used, text_bytes - used, "%s%s=%s",
                                 !listed ? "/"
                                 : used  ? ", "
                                         : " (",
                                 cell->scenario->params[i].name, value);
    }
    return used;
}

void cell_workload(const struct cell *cell, char *name, size_t name_bytes) {
    size_t used = (size_t)snprintf(name, name_bytes, "%s", cell->scenario->name);
    size_t listed = params_text(cell, true, name + used, name_bytes - used);
    if (listed > 0 && used + listed < name_bytes)
        snprintf(name + used + listed, name_bytes - used - listed, ")");
}

void cell_base_name(const struct cell *cell, char *name, size_t name_bytes) {
    size_t used = (size_t)snprintf(name, name_bytes, "%s/%s/%s/t%u", cell->scenario->name,
                                   cell->strategy->name, cell->heap, cell->threads);
    if (cell->live != cell->scenario->live && used < name_bytes)
        used += (size_t)snprintf(name + used, name_bytes - used, "/live=%llu",
                                 (unsigned long long)cell->live);
    used += params_text(cell, false, name + used, used < name_bytes ? name_bytes - used : 0);
    if (*cell->tune && used < name_bytes)
        snprintf(name + used, name_bytes - used, "/%s", cell->tune);
}

void cell_name(const struct cell *cell, char *name, size_t name_bytes) {
    cell_base_name(cell, name, name_bytes);
    size_t used = strlen(name);
    if (cell->load_named)
        used += (size_t)snprintf(name + used, name_bytes - used, "/%s=%.10g",
                                 cell->load_of_own ? "own" : "load", cell->load);
    if (cell->rate_fixed && used < name_bytes)
        used += (size_t)snprintf(name + used, name_bytes - used, "/rate=%.10g", cell->rate);
    if (cell->budget_times > 0 && used < name_bytes)
        snprintf(name + used, name_bytes - used, "/budget=%.10gx", cell->budget_times);
    else if (cell->budget_bytes && used < name_bytes)
        snprintf(name + used, name_bytes - used, "/budget=%llu",
                 (unsigned long long)cell->budget_bytes);
}

double cell_timeout_s(const struct cell *cell) {
    if (cell->timeout_s > 0)
        return cell->timeout_s;
    double duration_s = cell->duration_s;
    if (cell->mode == CELL_OPEN_RATE && cell->requests > 0)
        duration_s = (double)cell->requests / cell->rate;
    else if (cell->requests > 0)
        duration_s += (double)cell->requests / 1000;
    return 60 + (double)cell->live / 50000 + 10 * (duration_s + cell->warmup_s);
}
