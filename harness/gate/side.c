/* SPDX-License-Identifier: MIT */
/* side.c - reads what a side is, and has its `tailrace run` measure a cell. */
#include "gate/side.h"

#include "run/paths.h"
#include "run/said.h"
#include "run/spawn.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES (AREA_PATH_BYTES + 32)
#define WORD_BYTES (AREA_PATH_BYTES + AREA_TEXT_BYTES)
#define WORDS_MAX 96
#define PATIENCE_S 30 /* beyond what the run itself allows its worker */

static bool set_build(struct side *side, const char *folder, size_t length, struct error *error) {
    char named[PATH_MAX], real[PATH_MAX], program[PATH_MAX + 16];
    snprintf(named, sizeof named, "%.*s", (int)length, folder);
    if (!realpath(named, real) || strlen(real) >= sizeof side->build)
        return error_set(error, EXIT_INPUT, "there is no build in %.900s", named);
    snprintf(program, sizeof program, "%s/tailrace", real);
    if (access(program, X_OK) != 0)
        return error_set(error, EXIT_INPUT, "there is no build in %.900s: it has no tailrace",
                         named);
    snprintf(side->build, sizeof side->build, "%s", real);
    return true;
}

static bool set_key(struct side *side, const char *pair, size_t length, struct error *error) {
    size_t key = strcspn(pair, "=");
    const char *value = pair + key + 1;
    size_t value_length = length - key - 1;
    if (key == 5 && strncmp(pair, "build", key) == 0)
        return set_build(side, value, value_length, error);
    char *to = NULL;
    if (key == 8 && strncmp(pair, "strategy", key) == 0)
        to = side->strategy;
    else if (key == 4 && strncmp(pair, "heap", key) == 0)
        to = side->heap;
    else if (key == 4 && strncmp(pair, "tune", key) == 0 && side->tune_count < SIDE_TUNES_MAX)
        to = side->tunes[side->tune_count++];
    size_t room = to == side->heap ? sizeof side->heap : AREA_TEXT_BYTES;
    if (!to || value_length == 0 || value_length >= room)
        return error_set(error, EXIT_INPUT,
                         "\"%.*s\" is no side: KEY=VALUE,... takes build, strategy, heap and tune "
                         "(%d at most)",
                         (int)length, pair, SIDE_TUNES_MAX);
    snprintf(to, room, "%.*s", (int)value_length, value);
    return true;
}

bool side_parse(struct side *side, const char *arm, const char *text, struct error *error) {
    struct stat is;
    *side = (struct side){.arm = arm, .text = text};
    snprintf(side->build, sizeof side->build, "%s", path_build());
    if (!strchr(text, '=') || stat(text, &is) == 0)
        return set_build(side, text, strlen(text), error);
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, ",");
        if (strcspn(at, "=") >= length)
            return error_set(error, EXIT_INPUT, "\"%.*s\" is no side: it is no KEY=VALUE",
                             (int)length, at);
        if (!set_key(side, at, length, error))
            return false;
        at += length + (at[length] == ',');
    }
    return true;
}

bool side_apply(const struct side *side, struct cell *cell, struct error *error) {
    if ((*side->strategy && !cell_set_strategy(cell, side->strategy, error)) ||
        (*side->heap && !cell_set_heap(cell, side->heap, error)))
        return false;
    for (size_t i = 0; i < side->tune_count; i++)
        if (!cell_add_tune(cell, side->tunes[i], error))
            return false;
    return true;
}

/* The words of a command line under way. */
struct words {
    char text[WORDS_MAX][WORD_BYTES];
    char *argv[WORDS_MAX + 1];
    size_t count;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *words, const char *format,
                                                      ...) {
    va_list list;
    if (words->count == WORDS_MAX)
        abort(); /* a cell has no more options */
    va_start(list, format);
    vsnprintf(words->text[words->count], WORD_BYTES, format, list);
    va_end(list);
    words->argv[words->count] = words->text[words->count];
    words->argv[++words->count] = NULL;
}

static void add_number(struct words *words, const char *option, double value) {
    add(words, "--%s", option);
    add(words, "%.17g", value);
}

static void add_pairs(struct words *words, const struct cell *cell) {
    for (const char *at = cell->tune; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        add(words, "--tune");
        add(words, "%.*s", (int)length, at);
        at += length;
    }
    for (size_t i = 0; i < SCENARIO_PARAMS_MAX && cell->scenario->params[i].name; i++) {
        char value[AREA_TEXT_BYTES];
        if (cell->params[i] == cell->scenario->params[i].standard)
            continue; /* a build that does not know the parameter can run the rest */
        cell_param_text(cell, i, value, sizeof value);
        add(words, "--param");
        add(words, "%s=%s", cell->scenario->params[i].name, value);
    }
}

static void add_cell(struct words *words, const struct cell *cell) {
    add(words, "run");
    add(words, "%s", cell->scenario->name);
    add(words, "--strategy");
    add(words, "%s", cell->strategy->name);
    add(words, "--heap");
    add(words, "%s", cell->heap);
    add_number(words, "threads", cell->threads);
    add_number(words, "live", (double)cell->live);
    add_number(words, "seed", (double)cell->seed);
    add_number(words, "warmup", cell->warmup_s);
    if (cell->mode == CELL_CLOSED)
        add(words, "--closed");
    else
        add_number(words, "rate", cell->rate);
    if (cell->mode != CELL_CLOSED) {
        add(words, "--arrivals");
        add(words, cell->arrivals == ARRIVALS_POISSON ? "poisson" : "fixed");
    }
    if (cell->requests > 0)
        add_number(words, "requests", (double)cell->requests);
    else
        add_number(words, "duration", cell->duration_s);
    if (cell->budget_bytes > 0)
        add_number(words, "budget", (double)cell->budget_bytes);
    add_pairs(words, cell);
}

/* With what it said last, without the program's name. */
static bool refused(const struct side *side, struct spawn_result *ended, struct error *error) {
    char line[SAID_BYTES];
    said_last_line(ended->said, line, sizeof line);
    const char *why = strncmp(line, "tailrace: ", 10) == 0 ? line + 10 : line;
    return error_set(error, ended->status, "the %s (%.300s) cannot be run: %.500s", side->arm,
                     side->text, why);
}

static json_t *crashed(const struct side *side, const struct spawn_result *ended) {
    char reason[256];
    if (ended->end == SPAWN_EXITED)
        snprintf(reason, sizeof reason, "tailrace run of the %s ended with status %d and no result",
                 side->arm, ended->status);
    else
        snprintf(reason, sizeof reason, "tailrace run of the %s %s", side->arm,
                 ended->end == SPAWN_SIGNALED ? "was ended by a signal"
                                              : "did not end in its time");
    return json_pack("{s:s,s:s,s:s,s:[]}", "schema", "tailrace/run/1", "status",
                     ended->end == SPAWN_EXITED || ended->end == SPAWN_SIGNALED ? "crashed"
                                                                                : "timeout",
                     "reason", reason, "stamps");
}

bool side_run(const struct side *side, const struct cell *cell, bool counted, const char *scratch,
              json_t **result, struct error *error) {
    static struct words words; /* large; a gate measures one thing at a time */
    static struct spawn_result ended;
    char path[PATH_BYTES];
    words.count = 0;
    snprintf(path, sizeof path, "%s/result.json", scratch);
    unlink(path);
    add(&words, "%s/tailrace", side->build);
    add_cell(&words, cell);
    if (counted)
        add(&words, "--count");
    add(&words, "--json");
    add(&words, "%s", path);
    struct spawn_request request = {.argv = words.argv,
                                    .timeout_s = cell_timeout_s(cell) + PATIENCE_S};
    spawn_run(&request, &ended);
    if (ended.end == SPAWN_INTERRUPTED)
        return error_set(error, EXIT_INTERRUPTED, "interrupted");
    if (ended.end == SPAWN_FAILED)
        return error_set(error, EXIT_LACKING, "cannot start %s: %.500s", words.argv[0], ended.said);
    if (ended.end == SPAWN_EXITED && (ended.status == EXIT_INPUT || ended.status == EXIT_LACKING))
        return refused(side, &ended, error);
    *result = ended.end == SPAWN_EXITED ? json_load_file(path, 0, NULL) : NULL;
    unlink(path);
    if (!*result)
        *result = crashed(side, &ended);
    return true;
}
