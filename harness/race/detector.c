/* SPDX-License-Identifier: MIT */
/* detector.c - the table of detectors, what each is compiled with, and whether it works here. */
#include "race/detector.h"

#include "race/compilers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMPILE_TIMEOUT_S 120
#define PROBE_TIMEOUT_S 30
#define SAID_LINE_MAX 200

struct detector detectors[DETECTOR_ID_COUNT] = {
#define DETECTOR(id, name, letter, kind, flag, what)                                               \
    {name, letter, DETECTOR_##kind, flag, what, false, "", ""},
#include "race/detectors.def"
#undef DETECTOR
};

const struct detector *detector_find(const char *name) {
    for (size_t i = 0; i < DETECTOR_ID_COUNT; i++)
        if (strcmp(detectors[i].name, name) == 0)
            return &detectors[i];
    return NULL;
}

enum detector_id detector_id(const struct detector *detector) {
    return (enum detector_id)(detector - detectors);
}

/* Command lines: words that live as long as the array. */
struct words {
    size_t count;
    const char *list[DETECTOR_WORDS_MAX];
};

static void say(struct words *words, const char *word) {
    if (words->count < DETECTOR_WORDS_MAX - 1)
        words->list[words->count++] = word;
}
static void say_all(struct words *words, const char *const *list) {
    while (*list)
        say(words, *list++);
}
static void say_line(struct words *words, const char *const list[]) {
    say_all(words, list);
}
#define SAY(words, ...) say_line(words, (const char *const[]){__VA_ARGS__, NULL})

/* All is compiled at -O0: the optimiser removes whole races (racelab.md). */
static void say_compiler(struct words *words, const struct detector *detector, char *sanitize,
                         size_t sanitize_bytes) {
    const struct compilers *have = compilers_find();
    enum detector_id id = detector_id(detector);
    snprintf(sanitize, sanitize_bytes, "-fsanitize=%s", detector->flag);
    if (id == DETECTOR_ID_tsan)
        SAY(words, have->tailrace_cc, sanitize, "-O0", "-g", "-w");
    else if (detector->kind == DETECTOR_SANITIZER)
        SAY(words, have->clang, sanitize, "-fno-omit-frame-pointer", "-O0", "-g", "-w");
    else if (detector->kind == DETECTOR_RUST)
        SAY(words, have->rustc, "--edition", "2021", "--error-format=json", "-g");
    else if (id == DETECTOR_ID_fanalyzer)
        SAY(words, have->gcc, "-O0", "-g", "-fanalyzer", "-fdiagnostics-format=json", "-c");
    else if (id == DETECTOR_ID_thread_safety)
        SAY(words, have->clang, "-fsyntax-only", "-Wno-everything", "-Wthread-safety",
            "-fdiagnostics-format=sarif", "-Wno-sarif-format-unstable");
    else if (id == DETECTOR_ID_analyzer)
        SAY(words, have->clang, "--analyze", "--analyzer-output", "sarif", "-w");
    else
        SAY(words, have->gcc, "-O0", detector->kind == DETECTOR_VALGRIND ? "-gdwarf-4" : "-g",
            "-w");
    if (id == DETECTOR_ID_msan)
        say(words, "-fsanitize-memory-track-origins");
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = file ? calloc(1, SPAWN_LOG_BYTES_MAX / 16) : NULL;
    size_t length = text ? fread(text, 1, SPAWN_LOG_BYTES_MAX / 16 - 1, file) : 0;
    if (text)
        text[length] = '\0';
    if (file)
        fclose(file);
    return text;
}

/* What a static detector found: on standard error, or in the file that it was to write. */
static void read_static(const struct detector *detector, const char *program, const char *said,
                        struct findings *all) {
    enum detector_id id = detector_id(detector);
    if (id == DETECTOR_ID_fanalyzer)
        parse_gcc_json(said, detector->name, all);
    else if (id == DETECTOR_ID_thread_safety)
        parse_sarif(said, detector->name, all);
    else if (id == DETECTOR_ID_rustc)
        parse_rustc_json(said, detector->name, all);
    else if (id == DETECTOR_ID_analyzer) {
        char *text = read_file(program);
        if (text)
            parse_sarif(text, detector->name, all);
        free(text);
    }
}

bool detector_compile(const struct detector *detector, const struct detector_build *build,
                      struct spawn_result *result, struct findings *all) {
    struct words words = {0};
    char sanitize[64];
    say_compiler(&words, detector, sanitize, sizeof sanitize);
    bool static_one = detector->kind == DETECTOR_STATIC;
    if (detector->kind != DETECTOR_RUST)
        SAY(&words, "-pthread", "-D_GNU_SOURCE");
    say_all(&words, build->flags);
    say_all(&words, build->sources);
    if (detector_id(detector) != DETECTOR_ID_thread_safety)
        SAY(&words, "-o", build->program);
    if (detector->kind != DETECTOR_RUST && !static_one)
        say(&words, "-lm");
    struct spawn_request request = {
        .argv = (char *const *)words.list, .timeout_s = COMPILE_TIMEOUT_S, .keep_output = true};
    spawn_run(&request, result);
    if (static_one || detector->kind == DETECTOR_RUST)
        read_static(detector, build->program, result->said, all);
    return result->end == SPAWN_EXITED && result->status == 0;
}

static void first_line(const char *text, char *line, size_t bytes) {
    int length = (int)strcspn(text, "\n");
    snprintf(line, bytes, "%.*s", length < SAID_LINE_MAX ? length : SAID_LINE_MAX, text);
}

static const char *tool_of(const struct detector *detector) {
    const struct compilers *have = compilers_find();
    switch (detector->kind) {
    case DETECTOR_VALGRIND:
        return have->valgrind;
    case DETECTOR_RUST:
        return have->rustc;
    case DETECTOR_SANITIZER:
        return have->clang;
    case DETECTOR_STATIC:
        return strcmp(detector->flag, "gcc") == 0 ? have->gcc : have->clang;
    default:
        return have->gcc;
    }
}

/* Builds and runs an empty program. */
static bool works(struct detector *detector, const char *folder, struct spawn_result *result,
                  struct findings *all) {
    char source[DETECTOR_WORD_BYTES], program[DETECTOR_WORD_BYTES], log[DETECTOR_WORD_BYTES];
    bool rust = detector->kind == DETECTOR_RUST;
    snprintf(source, sizeof source, "%s/empty.%s", folder, rust ? "rs" : "c");
    snprintf(program, sizeof program, "%s/empty-%s", folder, detector->name);
    snprintf(log, sizeof log, "%s/empty-%s.log", folder, detector->name);
    FILE *file = fopen(source, "w");
    if (!file)
        return false;
    fputs(rust ? "fn main() {}\n" : "int main(void) { return 0; }\n", file);
    fclose(file);
    struct detector_build build = {.sources = (const char *const[]){source, NULL},
                                   .flags = (const char *const[]){NULL},
                                   .program = program};
    if (!detector_compile(detector, &build, result, all))
        return false;
    if (detector->kind == DETECTOR_STATIC || rust)
        return true;
    struct run_shape shape;
    struct detector_run run = {.argv = (char *const[]){program, NULL},
                               .log_prefix = log,
                               .timeout_s = PROBE_TIMEOUT_S,
                               .keep_output = true};
    detector_execute(detector, &run, result, all, &shape, NULL);
    return result->end == SPAWN_EXITED && result->status == 0;
}

static void probe(struct detector *detector, const char *folder, struct spawn_result *result,
                  struct findings *all) {
    const char *tool = tool_of(detector);
    if (!*tool) {
        static const char *const names[] = {"gcc", "clang", "valgrind", "a C compiler", "rustc"};
        bool clang = strcmp(detector->flag, "clang") == 0;
        snprintf(detector->reason, sizeof detector->reason, "%s is not installed",
                 clang ? "clang" : names[detector->kind]);
        return;
    }
    struct spawn_request request = {.argv = (char *const[]){(char *)tool, "--version", NULL},
                                    .timeout_s = PROBE_TIMEOUT_S,
                                    .keep_output = true};
    spawn_run(&request, result);
    first_line(result->said, detector->version, sizeof detector->version);
    detector->available = works(detector, folder, result, all);
    if (!detector->available) {
        char line[SAID_LINE_MAX + 1];
        first_line(result->said, line, sizeof line);
        snprintf(detector->reason, sizeof detector->reason, "it does not work here: %s",
                 *line ? line : "an empty program does not end well under it");
    }
}

void detectors_probe(uint32_t wanted, const char *folder) {
    struct spawn_result *result = malloc(sizeof *result);
    struct findings all;
    bool room = findings_init(&all) && result;
    for (size_t i = 0; room && i < DETECTOR_ID_COUNT; i++)
        if (wanted >> i & 1)
            probe(&detectors[i], folder, result, &all);
    findings_free(&all);
    free(result);
}
