/* SPDX-License-Identifier: MIT */
/* command_list.c - `tailrace list`: what there is to choose from. */
#include "cli/commands.h"
#include "memory/catalog.h"
#include "race/cases.h"
#include "race/detector.h"
#include "run/describe.h"
#include "run/files.h"
#include "run/heap_tuning.h"
#include "run/paths.h"
#include "run/suite.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: tailrace list [scenarios|strategies|heaps|suites|cases|detectors] [--json]\n"
    "\n"
    "Names what there is, one to a line with what it is; without a kind, "
    "all kinds. --json prints an array\n"
    "of objects, each with its name (and its kind, without a kind).\n";

static void add_scenarios(json_t *all) {
    for (size_t i = 0; i < scenario_count; i++)
        json_array_append_new(all, scenario_json(&scenario_infos[i]));
}

static const char *leaks(uint32_t provides) {
    return provides & MEM_LEAKS ? "everything" : provides & MEM_LEAKS_RINGS ? "rings" : "nothing";
}

static void add_strategies(json_t *all) {
    for (size_t i = 0; i < strategy_count; i++) {
        const struct strategy_info *one = &strategies[i];
        json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:s,s:b}", "name",
                                             one->name, "kind", "strategy", "what", one->what,
                                             "source", one->source, "family", one->family,
                                             "provides", needs_json(one->provides), "leaks",
                                             leaks(one->provides), "tunables", one->tunables,
                                             "any_heap", one->heaps == MEM_ANY_HEAP));
    }
}

static void add_heaps(json_t *all) {
    for (size_t i = 0; i < heap_count; i++) {
        char path[1024], tunables[256];
        bool installed = heap_library_path(&heaps[i], path, sizeof path);
        heap_tunables_text(heaps[i].name, tunables, sizeof tunables);
        json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:b,s:s,s:s,s:s}", "name", heaps[i].name,
                                             "kind", "heap", "what", heaps[i].what, "installed",
                                             installed, "library", path, "package",
                                             heaps[i].package, "tunables", tunables));
    }
}

static void add_suite(json_t *all, const char *name) {
    struct suite suite;
    struct error error = {0};
    char what[128];
    if (suite_load(&suite, name, &error)) {
        snprintf(what, sizeof what, "%u cells x %u block%s, about %.0f min", suite.cell_count,
                 suite.blocks, suite.blocks == 1 ? "" : "s", ceil(suite_estimate_s(&suite) / 60));
        json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:i,s:f}", "name", suite.name, "kind",
                                             "suite", "what", what, "cells", (int)suite.cell_count,
                                             "estimate_s", suite_estimate_s(&suite)));
    }
    suite_free(&suite);
}

/* The files, and one for each scenario that says something about memory. */
static void add_suites(json_t *all) {
    char pattern[4096];
    glob_t files;
    snprintf(pattern, sizeof pattern, "%s/*.json", path_suites());
    if (glob(pattern, 0, NULL, &files) == 0)
        for (size_t i = 0; i < files.gl_pathc; i++)
            add_suite(all, files.gl_pathv[i]);
    globfree(&files);
    for (size_t i = 0; i < scenario_count; i++)
        if (strcmp(scenario_infos[i].kind, "oracle") != 0)
            add_suite(all, scenario_infos[i].name);
}

static void add_cases(json_t *all) {
    for (size_t i = 0; i < race_case_count; i++) {
        const struct race_case *one = &race_cases[i];
        json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "name", one->name,
                                             "kind", "case", "what", one->what, "class", one->class,
                                             "sees", one->sees, "rust", one->rust, "modes",
                                             one->modes == CASE_MODES));
    }
}

static void add_detectors(json_t *all) {
    for (size_t i = 0; i < DETECTOR_ID_COUNT; i++) {
        const char letter[2] = {detectors[i].letter, '\0'};
        json_array_append_new(all,
                              json_pack("{s:s,s:s,s:s,s:s}", "name", detectors[i].name, "kind",
                                        "detector", "what", detectors[i].what, "letter", letter));
    }
}

static void print(const json_t *all, bool kinds) {
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)all, i, one) {
        if (kinds)
            printf("%-9s ", json_string_value(json_object_get(one, "kind")));
        printf("%-12s %s%s\n", json_string_value(json_object_get(one, "name")),
               json_string_value(json_object_get(one, "what")),
               json_is_false(json_object_get(one, "installed")) ? " (not installed)" : "");
    }
}

int command_list(int argc, char **argv) {
    static const struct {
        const char *kind;
        void (*add)(json_t *all);
    } kinds[] = {{"scenarios", add_scenarios}, {"strategies", add_strategies},
                 {"heaps", add_heaps},         {"suites", add_suites},
                 {"cases", add_cases},         {"detectors", add_detectors}};
    struct error error;
    const char *wanted = NULL;
    bool as_json = false, known = false, surplus = false;
    json_t *all = json_array();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return fputs(help, stdout) < 0;
        if (strcmp(argv[i], "--json") == 0)
            as_json = true;
        else if (!wanted)
            wanted = argv[i];
        else
            surplus = true;
    }
    if (surplus) {
        error_set(&error, EXIT_INPUT, "list takes one kind (`tailrace list --help`)");
        return tell_error(&error);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!wanted || strcmp(wanted, kinds[i].kind) == 0) {
            kinds[i].add(all);
            known = true;
        }
    if (!known) {
        error_set(
            &error, EXIT_INPUT,
            "there is no kind \"%s\" (scenarios, strategies, heaps, suites, cases, detectors)",
            wanted);
        return tell_error(&error);
    }
    if (as_json)
        json_dumpf(all, stdout, JSON_INDENT(1)), putchar('\n');
    else
        print(all, !wanted);
    json_decref(all);
    return 0;
}
