/* SPDX-License-Identifier: MIT */
/* suite.c - reading and checking a suite file. */
#include "run/suite.h"

#include "run/paths.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ESTIMATED_SETUP_S 0.5 /* of a run: process, set-up, drain */

/* What one word of a cell's list stands for: "*" for all, a class for its scenarios, else itself.
 */
static void append_names(json_t *names, const char *key, json_t *word) {
    const char *text = json_is_string(word) ? json_string_value(word) : "";
    size_t before = json_array_size(names);
    for (size_t i = 0; strcmp(key, "scenario") == 0 && i < scenario_count; i++)
        if (strcmp(text, "*") == 0 || strcmp(text, scenario_infos[i].kind) == 0)
            json_array_append_new(names, json_string(scenario_infos[i].name));
    for (size_t i = 0; strcmp(key, "strategy") == 0 && i < strategy_count; i++)
        if (strcmp(text, "*") == 0)
            json_array_append_new(names, json_string(strategies[i].name));
    if (json_array_size(names) == before)
        json_array_append(names, word);
}

/* Makes a cell with several names under a key one cell for each of them. Consumes cells. */
static json_t *spread(json_t *cells, const char *key) {
    json_t *all = json_array(), *cell, *word;
    size_t i, k;
    json_array_foreach(cells, i, cell) {
        json_t *value = json_object_get(cell, key), *names = json_array();
        json_array_foreach(value, k, word) append_names(names, key, word);
        if (value && !json_is_array(value))
            append_names(names, key, value);
        json_array_foreach(names, k, word) {
            json_t *one = json_copy(cell);
            json_object_set(one, key, word);
            json_array_append_new(all, one);
        }
        if (!value)
            json_array_append(all, cell);
        json_decref(names);
    }
    json_decref(cells);
    return all;
}

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

/* What makes a cell a point of a curve: a load or a rate of its own, or a budget by multiples. */
static bool set_curve(struct cell *cell, const json_t *json, const char *from,
                      struct error *error) {
    const json_t *load = json_object_get(json, "load"), *own = json_object_get(json, "own_load");
    const json_t *times = json_object_get(json, "budget_times");
    const json_t *rate = json_object_get(json, "rate");
    if ((load && own) || (rate && (load || own)))
        return error_set(error, EXIT_INPUT,
                         "%s: \"load\", \"own_load\" and \"rate\" exclude each other", from);
    if (times && (!json_is_number(times) || json_number_value(times) < 1 ||
                  json_number_value(times) > 1000 || cell->budget_bytes))
        return error_set(
            error, EXIT_INPUT,
            "%s: \"budget_times\" takes a number from 1 to 1000 and no \"budget_bytes\"", from);
    cell->load_named = load || own;
    cell->load_of_own = own;
    cell->budget_times = json_number_value(times);
    cell->rate_fixed = rate;
    if (rate)
        cell->load = 0;
    return rate ? set_number(cell, "rate", rate, error)
                : set_optional(cell, "load", own ? own : load, error);
}

/* Two workers meet in what they share. */
static bool set_smoke(struct cell *cell) {
    cell->mode = CELL_CLOSED;
    cell->threads = 2;
    cell->warmup_s = 0.01;
    cell->live = cell->scenario->smoke_live;
    cell->requests = cell->scenario->smoke_requests / (*TAILRACE_SANITIZER ? 10 : 1) + 1;
    return true;
}

static bool parse_cell(struct cell *cell, const json_t *json, const json_t *suite, const char *from,
                       struct error *error) {
    static const char *const known[] = {
        "scenario", "strategy", "heap",         "threads",    "live",   "tune", "budget_bytes",
        "load",     "own_load", "budget_times", "duration_s", "params", "rate", NULL};
    const char *scenario = json_string_value(json_object_get(json, "scenario"));
    const char *strategy = json_string_value(json_object_get(json, "strategy"));
    const char *heap = json_string_value(json_object_get(json, "heap"));
    const char *tune = json_string_value(json_object_get(json, "tune"));
    const char *params = json_string_value(json_object_get(json, "params"));
    const char *arrivals = json_string_value(json_object_get(suite, "arrivals"));
    const char *clock = json_string_value(json_object_get(suite, "clock"));
    bool smoke = json_is_true(json_object_get(suite, "smoke"));
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
           (!smoke || set_smoke(cell)) &&
           set_optional(cell, "live", json_object_get(json, "live"), error) &&
           set_optional(cell, "budget", json_object_get(json, "budget_bytes"), error) &&
           set_optional(cell, "duration", json_object_get(suite, "duration_s"), error) &&
           set_optional(cell, "duration", duration, error) &&
           set_optional(cell, "warmup", json_object_get(suite, "warmup_s"), error) &&
           set_optional(cell, "seed", json_object_get(suite, "seed"), error) &&
           (smoke || (set_optional(cell, "load", json_object_get(suite, "load"), error) &&
                      set_curve(cell, json, from, error)));
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
    static const char *const known[] = {"suite",       "blocks",   "seed",   "load",  "arrivals",
                                        "duration_s",  "warmup_s", "cells",  "clock", "oracle",
                                        "noise_floor", "smoke",    "slo_us", NULL};
    const char *name = json_string_value(json_object_get(definition, "suite"));
    const json_t *oracle = json_object_get(definition, "oracle");
    const json_t *slo = json_object_get(definition, "slo_us");
    json_int_t blocks = json_integer_value(json_object_get(definition, "blocks"));
    json_t *cells = json_object_get(definition, "cells");
    cells = spread(spread(spread(json_incref(cells), "scenario"), "strategy"), "heap");
    *suite = (struct suite){.definition = json_copy(definition)};
    json_object_set_new(suite->definition, "cells", cells);
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
    if (slo && !(json_number_value(slo) > 0))
        return error_set(error, EXIT_INPUT, "%s: \"slo_us\" must be a number above 0", from);
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
    suite->smoke = json_is_true(json_object_get(definition, "smoke"));
    suite->duration_s = json_is_number(json_object_get(definition, "duration_s"))
                            ? json_number_value(json_object_get(definition, "duration_s"))
                            : suite->cells[0].duration_s;
    suite->warmup_s = suite->cells[0].warmup_s;
    suite->noise_floor = json_is_true(json_object_get(definition, "noise_floor"));
    for (uint32_t i = 0; i < suite->cell_count && !suite->smoke; i++)
        suite->cells[i].mode = CELL_OPEN_RATE;
    return true;
}

/* Makes the cells of any scenario those of this one. */
static void name_scenario(json_t *definition, const char *name) {
    json_t *cell;
    size_t i;
    json_object_set_new(definition, "suite", json_string(name));
    json_array_foreach(json_object_get(definition, "cells"), i, cell)
        json_object_set_new(cell, "scenario", json_string(name));
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
    bool of_scenario = !file && access(path, F_OK) != 0 && find_scenario(name);
    if (of_scenario)
        snprintf(path, sizeof path, "%s/scenario.json", path_suites());
    json_t *definition = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (definition && of_scenario)
        name_scenario(definition, name);
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

double suite_estimate_s(const struct suite *suite) {
    double seconds = 0;
    for (uint32_t i = 0; i < suite->cell_count; i++) {
        const struct cell *cell = &suite->cells[i];
        char reason[AREA_TEXT_BYTES];
        double run_s = suite->smoke ? ESTIMATED_SETUP_S
                                    : cell->duration_s + cell->warmup_s + ESTIMATED_SETUP_S;
        if (!cell_unsupported(cell, reason, sizeof reason))
            seconds += run_s * suite->blocks + (suite->smoke ? 0 : 1 + ESTIMATED_SETUP_S);
    }
    return seconds;
}

void suite_free(struct suite *suite) {
    json_decref(suite->definition);
    free(suite->cells);
    *suite = (struct suite){0};
}
