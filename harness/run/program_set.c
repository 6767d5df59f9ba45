/* SPDX-License-Identifier: MIT */
/* program_set.c - measures a program under heaps, in random blocks, into a result set. */
#include "run/program_set.h"

#include "base/clock.h"
#include "base/rng.h"
#include "measure/context.h"
#include "run/files.h"
#include "run/program_check.h"
#include "run/said.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 4200
#define COPY_BYTES 65536
#define LOG_NAME_BYTES 64

struct set {
    const struct program *program;
    const char *folder;
    char manifest_path[PATH_BYTES], runs_path[PATH_BYTES];
    json_t *manifest;
    FILE *runs;
    bench_tell tell;
    struct bench_progress progress;
    uint64_t started_ns;
};

static json_t *text_json(const char *text) {
    char *shown = strdup(text);
    if (!shown)
        abort();
    said_printable(shown);
    json_t *json = json_string(shown);
    free(shown);
    return json;
}

static json_t *words_json(char *const *words) {
    json_t *array = json_array();
    for (; *words; words++)
        json_array_append_new(array, text_json(*words));
    return array;
}

/* What the environment tells heaps, as it stays for all runs. */
static json_t *tuning_json(void) {
    json_t *object = json_object();
    for (size_t i = 0; i < heap_tunable_count; i++) {
        const char *value = getenv(heap_tunables[i].variable);
        if (value)
            json_object_set_new(object, heap_tunables[i].variable, text_json(value));
    }
    return object;
}

static json_t *cell_keys(const struct program *program, const struct program_heap *heap) {
    char cell[2 * AREA_PATH_BYTES];
    snprintf(cell, sizeof cell, "%s/%s", program->name, heap->name);
    json_t *library = *heap->served ? json_pack("{s:o,s:o}", "path", text_json(heap->served),
                                                "version", text_json(heap->version))
                                    : json_null();
    return json_pack("{s:o,s:s,s:s,s:s,s:o,s:n,s:n,s:n,s:{},s:s,s:{},s:n,s:n,s:n,s:o}", "cell",
                     text_json(cell), "scenario", program->name, "strategy", "program", "family",
                     "program", "heap", text_json(heap->name), "threads", "live", "budget_bytes",
                     "tune", "workload", program->name, "params", "load", "load_of", "budget_times",
                     "heap_library", library);
}

static json_t *cells_json(const struct program *program) {
    json_t *cells = json_array();
    for (uint32_t i = 0; i < program->heap_count; i++) {
        json_t *cell = cell_keys(program, &program->heaps[i]);
        json_object_set_new(cell, "control", json_false());
        json_array_append_new(cells, cell);
    }
    return cells;
}

static json_t *program_json(const struct program *program) {
    uint64_t calls = program->heap_calls;
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:f}", "path", text_json(program->path),
                     "arguments", words_json(program->argv), "preload", text_json(program->preload),
                     "tuning", tuning_json(), "hlog",
                     program->hlog ? text_json(program->hlog) : json_null(), "heap_calls",
                     calls ? json_integer((json_int_t)calls) : json_null(), "warmup",
                     (json_int_t)program->warmup, "timeout_s", program->timeout_s);
}

static json_t *now_json(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return context_time((double)now.tv_sec + (double)now.tv_nsec * 1e-9);
}

static json_t *manifest_new(const struct program *program, const char *command) {
    json_t *context = context_json(command);
    double load = 0;
    getloadavg(&load, 1);
    json_object_set_new(context, "load_average", json_real(load));
    json_object_set_new(context, "start_time", now_json());
    json_object_set_new(context, "end_time", json_null());
    return json_pack("{s:s,s:s,s:I,s:I,s:n,s:n,s:n,s:o,s:{},s:[],s:[],s:n,s:o,s:o}", "schema",
                     "tailrace/set/1", "suite", "compare-heaps", "blocks",
                     (json_int_t)program->blocks, "seed", (json_int_t)program->seed, "load",
                     "duration_s", "warmup_s", "cells", cells_json(program), "scenarios",
                     "calibration", "smallest", "oracle", "context", context, "program",
                     program_json(program));
}

static double cpu_s(const struct rusage *usage) {
    return (double)usage->ru_utime.tv_sec + (double)usage->ru_stime.tv_sec +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1e-6;
}

/* A run that was never started took nothing, which is not zero. */
static void add_measured(json_t *result, const struct program_run *run) {
    bool ran = run->status != RUN_UNSUPPORTED;
    const struct rusage *usage = &run->usage;
    json_object_set_new(result, "wall_s", ran ? json_real(run->wall_s) : json_null());
    json_object_set_new(result, "cpu_s", ran ? json_real(cpu_s(usage)) : json_null());
    json_object_set_new(result, "rss_peak_bytes",
                        ran ? json_integer(usage->ru_maxrss * 1024) : json_null());
    json_object_set_new(result, "faults_minor", ran ? json_integer(usage->ru_minflt) : json_null());
    json_object_set_new(result, "faults_major", ran ? json_integer(usage->ru_majflt) : json_null());
}

static json_t *result_of(const struct set *set, const struct program_heap *heap,
                         const struct program_run *run, uint32_t block, uint32_t order,
                         const char *log) {
    json_t *result = json_pack("{s:s}", "schema", "tailrace/run/1");
    json_t *keys = cell_keys(set->program, heap);
    json_object_update(result, keys);
    json_decref(keys);
    keys =
        json_pack("{s:I,s:I,s:I,s:s,s:o,s:[],s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:o}", "block",
                  (json_int_t)block, "order", (json_int_t)order, "seed",
                  (json_int_t)set->program->seed, "status", run_status_name(run->status), "reason",
                  *run->reason ? text_json(run->reason) : json_null(), "stamps", "checksum", "mode",
                  "arrivals", "offered_rate", "achieved_rate", "duration_s", "warmup_s", "requests",
                  "response_ns", "service_ns", "hlog", *log ? json_string(log) : json_null());
    json_object_update(result, keys);
    json_decref(keys);
    add_measured(result, run);
    json_t *context = json_copy(json_object_get(set->manifest, "context"));
    json_object_set_new(context, "load_average", json_real(run->load_average));
    json_object_set_new(context, "start_time", context_time(run->started_at));
    json_object_set_new(context, "end_time", context_time(run->ended_at));
    json_object_set_new(result, "context", context);
    return result;
}

static bool put_copy(FILE *file, const void *content) {
    static char part[COPY_BYTES];
    FILE *from = fopen(content, "re");
    size_t bytes;
    bool copied = from;
    while (copied && (bytes = fread(part, 1, sizeof part, from)) > 0)
        copied = fwrite(part, 1, bytes, file) == bytes;
    int why = errno;
    copied = copied && !ferror(from);
    if (from)
        fclose(from);
    errno = why;
    return copied;
}

/* Keeps the log that the run has written; `name` gets its place in the folder. */
static bool keep_log(const struct set *set, struct program_run *run, uint32_t block, uint32_t order,
                     char *name, struct error *error) {
    char path[PATH_BYTES + LOG_NAME_BYTES];
    *name = '\0';
    if (!set->program->hlog || run->status != RUN_OK)
        return true;
    if (!program_has_log(set->program)) {
        run->status = RUN_CRASHED;
        snprintf(run->reason, sizeof run->reason, "%s wrote no HdrHistogram log to %.512s",
                 set->program->name, set->program->hlog);
        return true;
    }
    snprintf(path, sizeof path, "%s/hlog", set->folder);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return error_set(error, EXIT_INPUT, "cannot write %s: %s", path, strerror(errno));
    snprintf(name, LOG_NAME_BYTES, "hlog/block%u-%u.hlog", block, order);
    snprintf(path, sizeof path, "%s/%s", set->folder, name);
    return file_write(path, put_copy, set->program->hlog, error);
}

static void tell(struct set *set, const struct program_heap *heap, const struct program_run *run) {
    char cell[2 * AREA_PATH_BYTES];
    double spent_s = (double)(clock_monotonic_ns() - set->started_ns) * 1e-9;
    set->progress.done++;
    snprintf(cell, sizeof cell, "%s/%s", set->program->name, heap->name);
    set->progress.cell = cell;
    set->progress.status = run_status_name(run->status);
    set->progress.reason = run->reason;
    set->progress.left_s =
        spent_s / set->progress.done * (set->progress.planned - set->progress.done);
    set->tell(&set->progress);
}

static bool run_one(struct set *set, const struct program_heap *heap, uint32_t block,
                    uint32_t order, struct error *error) {
    struct program_run run = {.status = RUN_UNSUPPORTED};
    char log[LOG_NAME_BYTES];
    bool ran = true;
    program_clear_log(set->program);
    if (*heap->lacking)
        snprintf(run.reason, sizeof run.reason, "%s", heap->lacking);
    else
        ran = program_run(set->program, heap, "", NULL, &run, error);
    ran = ran && keep_log(set, &run, block, order, log, error);
    program_clear_log(set->program);
    if (!ran)
        return false;
    json_t *result = result_of(set, heap, &run, block, order, log);
    ran = file_append_line(set->runs, result, set->runs_path, error);
    json_decref(result);
    if (ran)
        tell(set, heap, &run);
    return ran;
}

static bool run_block(struct set *set, uint32_t block, struct error *error) {
    uint32_t count = set->program->heap_count, order[PROGRAM_HEAPS_MAX];
    rng random = rng_at(set->program->seed, block);
    rng_order(&random, order, count);
    for (uint32_t i = 0; i < count; i++)
        if (!run_one(set, &set->program->heaps[order[i]], block, i, error))
            return false;
    return true;
}

static bool run_blocks(struct set *set, uint32_t *whole, struct error *error) {
    set->runs = fopen(set->runs_path, "ae");
    if (!set->runs)
        return error_set(error, EXIT_INPUT, "cannot write %s: %s", set->runs_path, strerror(errno));
    set->started_ns = clock_monotonic_ns();
    for (*whole = 0; *whole < set->program->blocks; ++*whole)
        if (!run_block(set, *whole, error))
            return false;
    json_object_set_new(json_object_get(set->manifest, "context"), "end_time", now_json());
    return file_write_json(set->manifest_path, set->manifest, JSON_INDENT(1), error);
}

bool program_measure(const struct program *program, const char *folder, const char *command,
                     bench_tell tell_progress, uint32_t *whole, struct error *error) {
    struct set set = {.program = program, .folder = folder, .tell = tell_progress};
    snprintf(set.manifest_path, PATH_BYTES, "%s/manifest.json", folder);
    snprintf(set.runs_path, PATH_BYTES, "%s/runs.jsonl", folder);
    set.manifest = manifest_new(program, command);
    set.progress.planned = program->blocks * program->heap_count;
    bool ran = file_write_json(set.manifest_path, set.manifest, JSON_INDENT(1), error) &&
               run_blocks(&set, whole, error);
    if (set.runs)
        fclose(set.runs);
    json_decref(set.manifest);
    return ran;
}
