/* SPDX-License-Identifier: MIT */
/* detector_run.c - runs a program under a detector and reads what it left. */
#include "race/detector.h"

#include "race/compilers.h"

#include <glob.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX 256
#define LOG_READ_BYTES ((size_t)4 << 20) /* of each file: whoever writes more has said enough */

/* Options of the sanitizers' run-times; the user's own come first, so that ours hold. */
struct settings {
    char sanitizer[DETECTOR_WORD_BYTES * 3], log[DETECTOR_WORD_BYTES + 32], seed[64];
};

static void set_sanitizer(const struct detector *detector, const struct detector_run *run,
                          struct settings *settings) {
    static const char *const names[DETECTOR_ID_COUNT] = {[DETECTOR_ID_tsan] = "TSAN_OPTIONS",
                                                         [DETECTOR_ID_asan] = "ASAN_OPTIONS",
                                                         [DETECTOR_ID_msan] = "MSAN_OPTIONS",
                                                         [DETECTOR_ID_ubsan] = "UBSAN_OPTIONS"};
    static const char *const options[DETECTOR_ID_COUNT] = {
        [DETECTOR_ID_tsan] = "second_deadlock_stack=1:history_size=4:"
                             "atexit_sleep_ms=20:handle_abort=1",
        [DETECTOR_ID_asan] = "detect_leaks=1:detect_stack_use_after_return=1:"
                             "allocator_may_return_null=1:handle_abort=1",
        [DETECTOR_ID_msan] = "print_stats=0",
        [DETECTOR_ID_ubsan] = "print_stacktrace=1"};
    enum detector_id id = detector_id(detector);
    const char *own = getenv(names[id]), *symbolizer = compilers_find()->symbolizer;
    snprintf(settings->sanitizer, sizeof settings->sanitizer, "%s=%s%s%s:log_path=%s.text%s%s",
             names[id], own ? own : "", own ? ":" : "", options[id], run->log_prefix,
             *symbolizer ? ":external_symbolizer_path=" : "", symbolizer);
}

/* valgrind --tool=… PROGRAM ARGS… */
static void set_valgrind(const struct detector *detector, const struct detector_run *run,
                         char tool[64], char xml[DETECTOR_WORD_BYTES],
                         const char *argv[ARGUMENTS_MAX]) {
    size_t count = 0;
    bool memcheck = detector_id(detector) == DETECTOR_ID_memcheck;
    snprintf(tool, 64, "--tool=%s", detector->flag);
    snprintf(xml, DETECTOR_WORD_BYTES, "--xml-file=%s.xml.%%p", run->log_prefix);
    argv[count++] = compilers_find()->valgrind;
    argv[count++] = tool;
    argv[count++] = "--fair-sched=yes";
    argv[count++] = "--xml=yes";
    argv[count++] = xml;
    argv[count++] = "--trace-children=yes";
    argv[count++] = memcheck ? "--leak-check=full"
                    : detector_id(detector) == DETECTOR_ID_drd
                        ? "--check-stack-var=yes" /* it looks away otherwise */
                        : "--quiet";
    for (size_t i = 0; run->argv[i] && count < ARGUMENTS_MAX - 1; i++)
        argv[count++] = run->argv[i];
    argv[count] = NULL;
}

static char *read_whole(const char *path, size_t *length) {
    FILE *file = fopen(path, "r");
    char *text = file ? malloc(LOG_READ_BYTES + 1) : NULL;
    *length = text ? fread(text, 1, LOG_READ_BYTES, file) : 0;
    if (text)
        text[*length] = '\0';
    if (file)
        fclose(file);
    return text;
}

/* The run-time's last line: the largest of all processes of a run counts. */
static void read_shape(const char *text, struct run_shape *shape) {
    const char *line = strstr(text, "{\"event\"");
    json_t *end = line ? json_loads(line, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    if (!end)
        return;
    uint64_t points = (uint64_t)json_integer_value(json_object_get(end, "points"));
    uint64_t sync = (uint64_t)json_integer_value(json_object_get(end, "sync_points"));
    shape->present = true;
    shape->unserialised = shape->unserialised || json_is_true(json_object_get(end, "unserialised"));
    shape->points = points > shape->points ? points : shape->points;
    shape->sync_points = sync > shape->sync_points ? sync : shape->sync_points;
    json_decref(end);
}

/* Calls back for each file PREFIX.KIND.*, and removes it. */
static void each_file(const char *prefix, const char *kind,
                      void (*take)(const char *text, size_t length, void *context), void *context) {
    char pattern[DETECTOR_WORD_BYTES + 16];
    glob_t files;
    snprintf(pattern, sizeof pattern, "%s.%s.*", prefix, kind);
    if (glob(pattern, 0, NULL, &files) == 0)
        for (size_t i = 0; i < files.gl_pathc; i++) {
            size_t length;
            char *text = read_whole(files.gl_pathv[i], &length);
            if (text)
                take(text, length, context);
            free(text);
            unlink(files.gl_pathv[i]);
        }
    globfree(&files);
}

struct reading {
    const struct detector *detector;
    struct findings *all;
    struct run_shape *shape;
    char *sample;
    bool skip_text; /* the hook told the same already */
};

static void take_sample(struct reading *reading, const char *text) {
    if (reading->sample && !*reading->sample)
        snprintf(reading->sample, DETECTOR_SAMPLE_BYTES, "%s", text);
}

static void take_hook(const char *text, size_t length, void *context) {
    struct reading *reading = context;
    uint32_t before = reading->all->count;
    (void)length;
    read_shape(text, reading->shape);
    parse_hook(text, reading->detector->name, reading->all);
    reading->skip_text = reading->skip_text || reading->all->count > before;
}

/* Reports are told twice where the hook is there: the text is for people then, unless it tells of
 * what never came to the hook (a deadly signal). */
static void take_text(const char *text, size_t length, void *context) {
    struct reading *reading = context;
    (void)length;
    bool deadly = strstr(text, "DEADLYSIGNAL") || strstr(text, "ERROR: ");
    if (!reading->skip_text || deadly)
        parse_sanitizer(text, reading->detector->name, reading->all);
    take_sample(reading, text);
}

static void take_xml(const char *text, size_t length, void *context) {
    struct reading *reading = context;
    uint32_t before = reading->all->count;
    parse_valgrind_xml(text, length, reading->detector->name, reading->all);
    const char *first = strstr(text, "<error>");
    if (reading->all->count > before && first)
        take_sample(reading, first);
}

void detector_execute(const struct detector *detector, const struct detector_run *run,
                      struct spawn_result *result, struct findings *all, struct run_shape *shape,
                      char *sample) {
    struct settings settings = {.sanitizer = ""};
    char tool[64], xml[DETECTOR_WORD_BYTES];
    const char *argv[ARGUMENTS_MAX];
    struct spawn_request request = {.argv = run->argv,
                                    .log_prefix = run->log_prefix,
                                    .timeout_s = run->timeout_s,
                                    .fixed_addresses = run->seed != 0,
                                    .keep_output = run->keep_output};
    struct reading reading = {detector, all, shape, sample, false};
    snprintf(settings.log, sizeof settings.log, "TAILRACE_RACE_LOG=%s.hook", run->log_prefix);
    snprintf(settings.seed, sizeof settings.seed, "TAILRACE_RACE_SEED=%" PRIu64, run->seed);
    request.settings[0] = settings.log;
    request.settings[1] = settings.seed;
    if (detector->kind == DETECTOR_SANITIZER) {
        set_sanitizer(detector, run, &settings);
        request.settings[2] = settings.sanitizer;
    } else if (detector->kind == DETECTOR_VALGRIND) {
        set_valgrind(detector, run, tool, xml, argv);
        request.argv = (char *const *)argv;
    }
    *shape = (struct run_shape){0};
    if (sample)
        *sample = '\0';
    spawn_run(&request, result);
    each_file(run->log_prefix, "hook", take_hook, &reading);
    each_file(run->log_prefix, "text", take_text, &reading);
    each_file(run->log_prefix, "xml", take_xml, &reading);
}
