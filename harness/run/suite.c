/* SPDX-License-Identifier: MIT */
/* suite.c - reading and checking a suite file. */
#include "run/suite.h"

#include "run/paths.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool known_keys(const json_t *object, const char *const *known, const char *from,
                       struct error *error) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i])
            return error_set(error, EXIT_INPUT, "%s: unknown key \"%s\"", from, key);
    }
    return true;
}

/* Passes a number or text of the file through the same check as the option of that name. */
static bool set_number(struct cell *cell, const char *option, const json_t *value,
                       struct error *error) {
    char text[64];
    if (json_is_number(value))
        snprintf(text, sizeof text, "%.17g", json_number_value(value));
    else
        snprintf(text, sizeof text, "%s", json_is_string(value) ? json_string_value(value) : "?");
    return cell_set_number(cell, option, text, error);
}

static bool set_optional(struct cell *cell, const char *option, const json_t *value,
                         struct error *error) {
    return !value || set_number(cell, option, value, error);
}

static bool set_heap(struct cell *cell, const char *heap, struct error *error) {
    if (cell_set_heap(cell, heap, error))
        return true;
    if (error->status != EXIT_LACKING)
        return false;
    snprintf(cell->lacking, sizeof cell->lacking, "%.*s", (int)sizeof cell->lacking - 1,
             error->sentence);
    error->status = 0;
    return true;
}

/* "key=value key=value": each given to `set`. */
static bool set_pairs(struct cell *cell, const char *tune,
                      bool (*set)(struct cell *cell, const char *pair, struct error *error),
                      struct error *error) {
    char pair[AREA_TEXT_BYTES];
    while (*(tune += strspn(tune, " "))) {
        size_t length = strcspn(tune, " ");
        snprintf(pair, sizeof pair, "%.*s", (int)length, tune);
        if (!set(cell, pair, error))
            return false;
        tune += length;
    }
    return true;
}

/* What makes a cell a point of a curve: a load of its own, or a budget by multiples. */
static bool set_curve(struct cell *cell, const json_t *json, const char *from,
                      struct error *error) {
    const json_t *load = json_object_get(json, "load"), *own = json_object_get(json, "own_load");
    const json_t *times = json_object_get(json, "budget_times");
    if (load && own)
        return error_set(error, EXIT_INPUT, "%s: \"load\" and \"own_load\" exclude each other",
                         from);
    if (times && (!json_is_number(times) || json_number_value(times) < 1 ||
                  json_number_value(times) > 1000 || cell->budget_bytes))
        return error_set(
            error, EXIT_INPUT,
            "%s: \"budget_times\" takes a number from 1 to 1000 and no \"budget_bytes\"", from);
    cell->load_named = load || own;
    cell->load_of_own = own;
    cell->budget_times = json_number_value(times);
    return set_optional(cell, "load", own ? own : load, error);
}

static bool parse_cell(struct cell *cell, const json_t *json, const json_t *suite, const char *from,
                       struct error *error) {
    static const char *const known[] = {
        "scenario", "strategy", "heap",         "threads",    "live",   "tune", "budget_bytes",
        "load",     "own_load", "budget_times", "duration_s", "params", NULL};
    const char *scenario = json_string_value(json_object_get(json, "scenario"));
    const char *strategy = json_string_value(json_object_get(json, "strategy"));
    const char *heap = json_string_value(json_object_get(json, "heap"));
    const char *tune = json_string_value(json_object_get(json, "tune"));
    const char *params = json_string_value(json_object_get(json, "params"));
    const char *arrivals = json_string_value(json_object_get(suite, "arrivals"));
    const char *clock = json_string_value(json_object_get(suite, "clock"));
    const json_t *duration = json_object_get(json, "duration_s");
    if (!known_keys(json, known, from, error))
        return false;
    if (!scenario || !find_scenario(scenario))
        return error_set(error, EXIT_INPUT,
                         "%s: a cell needs a \"scenario\" that exists, not \"%s\"", from,
                         scenario ? scenario : "");
    cell_defaults(cell, find_scenario(scenario));
    return (!strategy || cell_set_strategy(cell, strategy, error)) &&
           (!heap || set_heap(cell, heap, error)) &&
           (!tune || set_pairs(cell, tune, cell_add_tune, error)) &&
           (!params || set_pairs(cell, params, cell_set_param, error)) &&
           (!arrivals || cell_set_arrivals(cell, arrivals, error)) &&
           (!clock || cell_set_clock(cell, clock, error)) &&
           set_optional(cell, "threads", json_object_get(json, "threads"), error) &&
           set_optional(cell, "live", json_object_get(json, "live"), error) &&
           set_optional(cell, "budget", json_object_get(json, "budget_bytes"), error) &&
           set_optional(cell, "duration", json_object_get(suite, "duration_s"), error) &&
           set_optional(cell, "duration", duration, error) &&
           set_optional(cell, "warmup", json_object_get(suite, "warmup_s"), error) &&
           set_optional(cell, "seed", json_object_get(suite, "seed"), error) &&
           set_optional(cell, "load", json_object_get(suite, "load"), error) &&
           set_curve(cell, json, from, error);
}

static bool same_name(const struct suite *suite, uint32_t last) {
    char name[2][2 * AREA_PATH_BYTES];
    cell_name(&suite->cells[last], name[0], sizeof name[0]);
    for (uint32_t i = 0; i < last; i++) {
        cell_name(&suite->cells[i], name[1], sizeof name[1]);
        if (strcmp(name[0], name[1]) == 0)
            return true;
    }
    return false;
}

bool suite_parse(struct suite *suite, json_t *definition, const char *from, struct error *error) {
    static const char *const known[] = {"suite",    "blocks",     "seed",        "load",
                                        "arrivals", "duration_s", "warmup_s",    "cells",
                                        "clock",    "oracle",     "noise_floor", NULL};
    const char *name = json_string_value(json_object_get(definition, "suite"));
    json_t *cells = json_object_get(definition, "cells");
    const json_t *oracle = json_object_get(definition, "oracle");
    json_int_t blocks = json_integer_value(json_object_get(definition, "blocks"));
    *suite = (struct suite){.definition = json_incref(definition)};
    if (!json_is_object(definition) || !name)
        return error_set(error, EXIT_INPUT, "%s is not a suite: it has no \"suite\" name", from);
    if (!known_keys(definition, known, from, error))
        return false;
    if (blocks < 1 || blocks > SUITE_BLOCKS_MAX)
        return error_set(error, EXIT_INPUT, "%s: \"blocks\" must be from 1 to %d", from,
                         SUITE_BLOCKS_MAX);
    if (json_array_size(cells) < 1 || json_array_size(cells) > SUITE_CELLS_MAX)
        return error_set(error, EXIT_INPUT, "%s: \"cells\" must list 1 to %d cells", from,
                         SUITE_CELLS_MAX);
    if (oracle && !json_is_boolean(oracle))
        return error_set(error, EXIT_INPUT, "%s: \"oracle\" must be true or false", from);
    suite->cells = calloc(json_array_size(cells), sizeof *suite->cells);
    if (!suite->cells)
        return error_set(error, EXIT_LACKING, "out of memory");
    for (size_t i = 0; i < json_array_size(cells); i++, suite->cell_count++) {
        if (!parse_cell(&suite->cells[i], json_array_get(cells, i), definition, from, error))
            return false;
        if (same_name(suite, (uint32_t)i))
            return error_set(error, EXIT_INPUT, "%s: cell %zu is there twice", from, i + 1);
    }
    snprintf(suite->name, sizeof suite->name, "%s", name);
    suite->blocks = (uint32_t)blocks;
    suite->seed = suite->cells[0].seed;
    suite->load = json_is_number(json_object_get(definition, "load"))
                      ? json_number_value(json_object_get(definition, "load"))
                      : SUITE_LOAD;
    suite->oracle = json_is_true(oracle);
    suite->duration_s = json_is_number(json_object_get(definition, "duration_s"))
                            ? json_number_value(json_object_get(definition, "duration_s"))
                            : suite->cells[0].duration_s;
    suite->warmup_s = suite->cells[0].warmup_s;
    suite->noise_floor = json_is_true(json_object_get(definition, "noise_floor"));
    for (uint32_t i = 0; i < suite->cell_count; i++)
        suite->cells[i].mode = CELL_OPEN_RATE;
    return true;
}

bool suite_load(struct suite *suite, const char *name, struct error *error) {
    char path[4096];
    size_t length = strlen(name);
    bool file = strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0);
    json_error_t why;
    *suite = (struct suite){0};
    if (file)
        snprintf(path, sizeof path, "%s", name);
    else
        snprintf(path, sizeof path, "%s/%s.json", path_suites(), name);
    json_t *definition = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!definition && why.line > 0)
        return error_set(error, EXIT_INPUT, "cannot read the suite %s: line %d: %s", path, why.line,
                         why.text);
    if (!definition)
        return error_set(error, EXIT_INPUT, "cannot read the suite %s", path);
    bool parsed = suite_parse(suite, definition, path, error);
    json_decref(definition);
    return parsed;
}

bool suite_keep(struct suite *suite, const char *pattern, struct error *error) {
    json_t *cells = json_object_get(suite->definition, "cells");
    uint32_t kept = 0;
    for (uint32_t i = 0; i < suite->cell_count; i++) {
        char name[2 * AREA_PATH_BYTES];
        cell_name(&suite->cells[i], name, sizeof name);
        if (fnmatch(pattern, name, 0) != 0 && !strstr(name, pattern)) {
            json_array_remove(cells, kept);
            continue;
        }
        suite->cells[kept++] = suite->cells[i];
    }
    suite->cell_count = kept;
    return kept > 0 ||
           error_set(error, EXIT_INPUT, "no cell of suite %s matches \"%s\"", suite->name, pattern);
}

void suite_free(struct suite *suite) {
    json_decref(suite->definition);
    free(suite->cells);
    *suite = (struct suite){0};
}
