/* SPDX-License-Identifier: MIT */
/* rust_twin.c - what Rust makes of a case. */
#include "race/rust_twin.h"

#include "race/race_escape.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define OUTCOME_BYTES 256
#define PANIC_STATUS 101

struct outcome {
    const char *verdict; /* in the words of the matrix */
    char outcome[OUTCOME_BYTES], fault[OUTCOME_BYTES];
    uint32_t runs;
};

static void keep_line(const char *text, const char *from, char *line) {
    const char *begin = strstr(text, from);
    int length = begin ? (int)strcspn(begin, "\n") : 0;
    snprintf(line, OUTCOME_BYTES, "%.*s", length, begin ? begin : "");
}

/* Runs the twin until its fault has shown. */
static void run_twin(const char *program, struct spawn_result *result, struct outcome *outcome) {
    struct spawn_request request = {.argv = (char *const[]){(char *)program, NULL},
                                    .timeout_s = RUST_TIMEOUT_S,
                                    .keep_output = true};
    snprintf(outcome->outcome, OUTCOME_BYTES, "accepts");
    outcome->verdict = "silent";
    for (; outcome->runs < RUST_RUNS_MAX && !*outcome->fault; outcome->runs++) {
        spawn_run(&request, result);
        bool hung = result->end == SPAWN_HUNG || result->end == SPAWN_SPUN;
        if (result->end == SPAWN_INTERRUPTED)
            return;
        if (result->end == SPAWN_EXITED && result->status == PANIC_STATUS) {
            snprintf(outcome->outcome, OUTCOME_BYTES, "panics");
            outcome->verdict = "crash-only";
            const char *said = strstr(result->said, "panicked at");
            const char *message = said ? strchr(said, '\n') : NULL;
            keep_line(message ? message + 1 : result->said, "", outcome->fault);
        } else if (hung)
            snprintf(outcome->fault, OUTCOME_BYTES, "it hangs");
        else
            keep_line(result->said, "fault:", outcome->fault);
    }
}

static bool agrees(const char *expected, const struct outcome *outcome) {
    size_t word = strcspn(expected, " ");
    if (strncmp(expected, "panics", word) == 0)
        return strcmp(outcome->outcome, "panics") == 0 &&
               strstr(outcome->fault, expected + word + (expected[word] == ' '));
    if (strcmp(expected, "accepts") == 0)
        return strcmp(outcome->outcome, "accepts") == 0 && *outcome->fault;
    return strcmp(expected, outcome->outcome) == 0;
}

static void judge(struct race_cell *cell, const char *source, const char *program,
                  struct spawn_result *result, struct findings *all, struct outcome *outcome) {
    struct detector_build build = {.sources = (const char *const[]){source, NULL},
                                   .flags = (const char *const[]){NULL},
                                   .program = program};
    all->count = all->lost = 0;
    if (detector_compile(cell->detector, &build, result, all)) {
        run_twin(program, result, outcome);
        unlink(program);
        return;
    }
    const struct finding *first = all->count ? &all->list[0] : NULL;
    outcome->verdict = "detected";
    snprintf(outcome->outcome, OUTCOME_BYTES, "rejects %s", first ? first->kind : "for no code");
    snprintf(outcome->fault, OUTCOME_BYTES, "%s", first ? first->message : "");
}

json_t *rust_twin_cell(struct race_cell *cell, const char *work, uint32_t number,
                       struct spawn_result *result, struct findings *all) {
    char source[PATH_BYTES], program[PATH_BYTES];
    struct outcome outcome = {.verdict = "unsupported", .outcome = "needs-unsafe"};
    bool sayable = strcmp(cell->one->rust, outcome.outcome) != 0;
    case_path(cell->one, "rs", source, sizeof source);
    snprintf(program, sizeof program, "%s/%u-rust", work, number);
    if (sayable)
        judge(cell, source, program, result, all, &outcome);
    json_t *line = cell_unsupported_json(cell, sayable ? "" : "safe Rust cannot say it");
    json_object_set_new(line, "verdict", json_string(outcome.verdict));
    json_object_set_new(line, "rust",
                        json_pack("{s:s,s:o,s:o,s:i,s:b}", "expected", cell->one->rust, "outcome",
                                  text_json(outcome.outcome), "fault", text_json(outcome.fault),
                                  "runs", (int)outcome.runs, "agrees",
                                  agrees(cell->one->rust, &outcome)));
    return line;
}
