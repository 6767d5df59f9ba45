/* SPDX-License-Identifier: MIT */
/* ready.c - whether this machine can check for races: tries it. */
#include "race/ready.h"

#include "race/cases.h"
#include "race/compilers.h"
#include "race/detector.h"
#include "run/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>

#define CANARY "counter_rmw" /* shows in every run */
#define CANARY_RUNS 5
#define CANARY_TIMEOUT_S 20
#define PATH_BYTES 4096

struct canary {
    int runs, caught, located, status;
};

/* Seccomp profiles of containers may forbid it. */
static bool fixed_addresses(void) {
    int old = personality(0xffffffff);
    bool allowed = old != -1 && personality((unsigned long)old | ADDR_NO_RANDOMIZE) != -1;
    if (allowed)
        personality((unsigned long)old);
    return allowed;
}

static void run_canary(const char *folder, struct spawn_result *result, struct findings *all,
                       struct canary *canary) {
    const struct detector *tsan = &detectors[DETECTOR_ID_tsan];
    const struct race_case *one = case_find(CANARY);
    char source[PATH_BYTES], program[PATH_BYTES], log[PATH_BYTES];
    struct case_marks marks;
    struct error error;
    struct run_shape shape;
    case_path(one, "c", source, sizeof source);
    snprintf(program, sizeof program, "%s/canary", folder);
    snprintf(log, sizeof log, "%s/canary.log", folder);
    struct detector_build build = {
        .sources = (const char *const[]){source, NULL},
        .flags = (const char *const[]){"-DBUG=1", "-I" TAILRACE_SOURCE_DIR "/scenarios", NULL},
        .program = program};
    if (!case_marks(source, &marks, &error) || !detector_compile(tsan, &build, result, all))
        return;
    struct detector_run run = {
        .argv = (char *const[]){program, NULL}, .log_prefix = log, .timeout_s = CANARY_TIMEOUT_S};
    for (; canary->runs < CANARY_RUNS; canary->runs++) {
        bool located = false;
        all->count = 0;
        detector_execute(tsan, &run, result, all, &shape, NULL);
        for (uint32_t i = 0; i < all->count; i++)
            located = located || case_right(&all->list[i], source, &marks);
        canary->caught += all->count > 0;
        canary->located += located;
        canary->status = result->status;
    }
}

static json_t *detectors_json(void) {
    json_t *all = json_array();
    for (size_t i = 0; i < DETECTOR_ID_COUNT; i++)
        json_array_append_new(all, json_pack("{s:s,s:b,s:s,s:s}", "name", detectors[i].name,
                                             "available", detectors[i].available, "version",
                                             detectors[i].version, "reason", detectors[i].reason));
    return all;
}

static json_t *sentences(const struct canary *canary, bool fixed) {
    json_t *all = json_array();
    bool tsan = detectors[DETECTOR_ID_tsan].available;
    if (!tsan)
        json_array_append_new(
            all,
            json_sprintf("No program can be checked for races here: tsan is not available (%s).",
                         detectors[DETECTOR_ID_tsan].reason));
    else if (canary->caught < CANARY_RUNS)
        json_array_append_new(all, json_sprintf("ThreadSanitizer saw a race that is always there "
                                                "in %d of %d runs only.",
                                                canary->caught, CANARY_RUNS));
    else if (canary->located < canary->caught)
        json_array_append_new(all, json_string("Reports of races name no lines: llvm-symbolizer is "
                                               "missing or does not work."));
    else if (canary->status == 0)
        json_array_append_new(all, json_string("A program that has races exits with 0 under "
                                               "ThreadSanitizer here (TSAN_OPTIONS?)."));
    if (!fixed)
        json_array_append_new(all, json_string("Address space randomisation cannot be switched off "
                                               "(seccomp?): a schedule may not replay exactly."));
    return all;
}

json_t *race_ready_json(void) {
    char folder[PATH_BYTES / 2];
    struct error error;
    struct spawn_result *result = malloc(sizeof *result);
    struct findings all = {0};
    struct canary canary = {0};
    bool fixed = fixed_addresses(),
         room = result && findings_init(&all) && files_temporary(folder, sizeof folder, &error);
    if (room) {
        detectors_probe((1u << DETECTOR_ID_COUNT) - 1, folder);
        if (detectors[DETECTOR_ID_tsan].available)
            run_canary(folder, result, &all, &canary);
        files_remove(folder);
    }
    findings_free(&all);
    free(result);
    json_t *told =
        canary.runs ? json_pack("{s:i,s:i,s:i,s:i}", "runs", canary.runs, "caught", canary.caught,
                                "located", canary.located, "exit_status", canary.status)
                    : json_null();
    return room ? json_pack("{s:o,s:s,s:b,s:o,s:o}", "detectors", detectors_json(), "symbolizer",
                            compilers_find()->symbolizer, "fixed_addresses", fixed, "canary", told,
                            "findings", sentences(&canary, fixed))
                : NULL;
}
