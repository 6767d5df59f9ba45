/* SPDX-License-Identifier: MIT */
/* bench.c - runs a suite into a result set: calibration, random blocks, resume. */
#include "run/bench.h"

#include "base/clock.h"
#include "base/rng.h"
#include "measure/context.h"
#include "run/files.h"
#include "run/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALIBRATION_S 1.0
#define PATH_BYTES 4200

struct bench {
    struct suite *suite;
    char manifest_path[PATH_BYTES], runs_path[PATH_BYTES];
    json_t *manifest;
    FILE *runs;
    bool *done; /* blocks x cells */
    bench_tell tell;
    struct bench_progress progress;
    uint64_t started_ns;
    uint32_t done_before;
};

static bool save_manifest(struct bench *bench, struct error *error) {
    return file_write_json(bench->manifest_path, bench->manifest, JSON_INDENT(1), error);
}

static json_t *cells_json(const struct suite *suite) {
    json_t *cells = json_array();
    for (uint32_t i = 0; i < suite->cell_count; i++) {
        json_t *cell = cell_json(&suite->cells[i]);
        bool control = strcmp(suite->cells[i].strategy->family, "control") == 0;
        json_object_set_new(cell, "control", json_boolean(control));
        json_array_append_new(cells, cell);
    }
    return cells;
}

static json_t *manifest_new(const struct suite *suite, const char *command) {
    json_t *context = context_json(command);
    double load = 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    getloadavg(&load, 1);
    json_object_set_new(context, "load_average", json_real(load));
    json_object_set_new(context, "start_time", context_time((double)now.tv_sec));
    json_object_set_new(context, "end_time", json_null());
    return json_pack("{s:s,s:s,s:I,s:I,s:f,s:f,s:f,s:o,s:[],s:o,s:O}", "schema", "tailrace/set/1",
                     "suite", suite->name, "blocks", (json_int_t)suite->blocks, "seed",
                     (json_int_t)suite->seed, "load", suite->load, "duration_s", suite->duration_s,
                     "warmup_s", suite->warmup_s, "cells", cells_json(suite), "calibration",
                     "context", context, "definition", suite->definition);
}

static void path_in(char *path, const char *folder, const char *name) {
    snprintf(path, PATH_BYTES, "%s/%s", folder, name);
}

bool bench_open(struct suite *suite, const char *folder, struct error *error) {
    char path[PATH_BYTES];
    json_error_t why;
    path_in(path, folder, "manifest.json");
    *suite = (struct suite){0};
    json_t *manifest = json_load_file(path, 0, &why);
    if (!manifest)
        return error_set(error, EXIT_INPUT, "%s holds no result set to resume (cannot read %s)",
                         folder, path);
    bool parsed = suite_parse(suite, json_object_get(manifest, "definition"), path, error);
    json_decref(manifest);
    return parsed;
}

static uint32_t cell_index(const struct suite *suite, const char *wanted) {
    uint32_t i = 0;
    for (; i < suite->cell_count; i++) {
        char name[2 * AREA_PATH_BYTES];
        cell_name(&suite->cells[i], name, sizeof name);
        if (strcmp(name, wanted) == 0)
            break;
    }
    return i;
}

/* Marks what a line of runs.jsonl says is done; false if it is not a line of this suite. */
static bool mark_done(struct bench *bench, const char *line) {
    json_error_t why;
    json_t *result = json_loads(line, 0, &why);
    const char *cell = json_string_value(json_object_get(result, "cell"));
    const json_t *number = json_object_get(result, "block");
    json_int_t block = json_is_integer(number) ? json_integer_value(number) : -1;
    uint32_t index = cell ? cell_index(bench->suite, cell) : bench->suite->cell_count;
    bool known = index < bench->suite->cell_count && block >= 0 && block < bench->suite->blocks;
    if (known && !bench->done[(uint32_t)block * bench->suite->cell_count + index]) {
        bench->done[(uint32_t)block * bench->suite->cell_count + index] = true;
        bench->progress.done++;
    }
    json_decref(result);
    return known;
}

/* Reads what is done and leaves the file open behind the last whole line. */
static bool open_runs(struct bench *bench, struct error *error) {
    char *line = NULL;
    size_t line_bytes = 0;
    ssize_t length;
    off_t whole = 0;
    bool good = true;
    bench->runs = fopen(bench->runs_path, "a+e");
    if (!bench->runs)
        return error_set(error, EXIT_INPUT, "cannot write %s: %s", bench->runs_path,
                         strerror(errno));
    rewind(bench->runs);
    while (good && (length = getline(&line, &line_bytes, bench->runs)) > 0 &&
           line[length - 1] == '\n') {
        good = mark_done(bench, line);
        whole += length;
    }
    free(line);
    if (!good)
        return error_set(error, EXIT_INPUT, "%s has a line that is no run of this suite",
                         bench->runs_path);
    if (ftruncate(fileno(bench->runs), whole) != 0 || fseeko(bench->runs, 0, SEEK_END) != 0)
        return error_set(error, EXIT_INPUT, "cannot write %s: %s", bench->runs_path,
                         strerror(errno));
    return true;
}

/* A cell that this machine cannot run is a result like others. */
static bool run_or_lack(bool ran, struct run *run, struct error *error) {
    if (ran || error->status != EXIT_LACKING)
        return ran;
    run->status = RUN_UNSUPPORTED;
    snprintf(run->reason, sizeof run->reason, "%s", error->sentence);
    error->status = 0;
    return true;
}

static void tell(struct bench *bench, const struct cell *cell, const struct run *run) {
    char name[2 * AREA_PATH_BYTES];
    cell_name(cell, name, sizeof name);
    uint32_t fresh = bench->progress.done - bench->done_before;
    double spent_s = (double)(clock_now_ns() - bench->started_ns) * 1e-9;
    bench->progress.cell = name;
    bench->progress.status = run_status_name(run->status);
    bench->progress.reason = run->reason;
    bench->progress.left_s =
        fresh ? spent_s / fresh * (bench->progress.planned - bench->progress.done) : -1;
    bench->tell(&bench->progress);
}

static bool calibrate_cell(struct bench *bench, struct cell *cell, struct error *error) {
    struct run run;
    double per_second;
    char name[2 * AREA_PATH_BYTES];
    bool ran =
        run_or_lack(measure_capacity(cell, CALIBRATION_S, &per_second, &run, error), &run, error);
    cell_name(cell, name, sizeof name);
    if (ran) {
        json_array_append_new(json_object_get(bench->manifest, "calibration"),
                              json_pack("{s:s,s:s,s:f,s:s,s:o}", "cell", name, "scenario",
                                        cell->scenario->name, "capacity_rate", per_second, "status",
                                        run_status_name(run.status), "reason",
                                        *run.reason ? json_string(run.reason) : json_null()));
        bench->progress.done++;
        tell(bench, cell, &run);
    }
    run_free(&run);
    return ran && save_manifest(bench, error);
}

/* Measures the cells whose capacity the manifest does not hold yet. */
static bool calibrate(struct bench *bench, struct error *error) {
    const json_t *known = json_object_get(bench->manifest, "calibration");
    bench->progress =
        (struct bench_progress){.calibrating = true, .planned = bench->suite->cell_count};
    bench->progress.done = bench->done_before = (uint32_t)json_array_size(known);
    bench->started_ns = clock_now_ns();
    for (uint32_t i = bench->done_before; i < bench->suite->cell_count; i++)
        if (!calibrate_cell(bench, &bench->suite->cells[i], error))
            return false;
    return true;
}

/* The share that the load is of what the scenario's slowest cell can do; controls aside, unless
 * there is nothing else. 0 if no cell had a capacity. */
static double rate_for(const struct bench *bench, const struct scenario_info *scenario) {
    const json_t *known = json_object_get(bench->manifest, "calibration");
    double slowest = 0, control = 0;
    for (uint32_t i = 0; i < bench->suite->cell_count; i++) {
        const struct cell *cell = &bench->suite->cells[i];
        double capacity =
            json_number_value(json_object_get(json_array_get(known, i), "capacity_rate"));
        if (cell->scenario != scenario || capacity <= 0)
            continue;
        if (strcmp(cell->strategy->family, "control") == 0)
            control = capacity;
        else if (slowest <= 0 || capacity < slowest)
            slowest = capacity;
    }
    return bench->suite->load * (slowest > 0 ? slowest : control);
}

static bool set_rates(struct bench *bench, struct error *error) {
    json_t *known = json_object_get(bench->manifest, "calibration");
    for (uint32_t i = 0; i < bench->suite->cell_count; i++) {
        struct cell *cell = &bench->suite->cells[i];
        cell->rate = rate_for(bench, cell->scenario);
        json_object_set_new(json_array_get(known, i), "offered_rate",
                            cell->rate > 0 ? json_real(cell->rate) : json_null());
    }
    return save_manifest(bench, error);
}

static bool run_cell(struct bench *bench, struct cell *cell, int block, int order,
                     struct error *error) {
    struct run run = {0};
    char reason[AREA_TEXT_BYTES];
    cell->seed = bench->suite->seed + (uint64_t)block;
    if (cell->rate <= 0 && !cell_unsupported(cell, reason, sizeof reason))
        snprintf(cell->lacking, sizeof cell->lacking,
                 "no cell of its scenario had a capacity to derive the rate from");
    bool ran = run_or_lack(supervise(cell, &run, error), &run, error);
    if (ran) {
        json_t *result =
            result_json(cell, &run, json_object_get(bench->manifest, "context"), block, order);
        ran = file_append_line(bench->runs, result, bench->runs_path, error);
        json_decref(result);
    }
    if (ran) {
        bench->progress.done++;
        tell(bench, cell, &run);
    }
    run_free(&run);
    return ran;
}

/* The block's order comes from the seed and its number alone, so that a resumed block goes on in
 * it. */
static bool run_block(struct bench *bench, uint32_t block, struct error *error) {
    uint32_t count = bench->suite->cell_count, order[SUITE_CELLS_MAX];
    rng random = rng_at(bench->suite->seed, block);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)rng_below(&random, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!bench->done[block * count + order[i]] &&
            !run_cell(bench, &bench->suite->cells[order[i]], (int)block, (int)i, error))
            return false;
    return true;
}

static bool run_blocks(struct bench *bench, struct error *error) {
    bench->progress =
        (struct bench_progress){.planned = bench->suite->blocks * bench->suite->cell_count};
    if (!open_runs(bench, error))
        return false;
    bench->done_before = bench->progress.done;
    bench->started_ns = clock_now_ns();
    for (uint32_t block = 0; block < bench->suite->blocks; block++)
        if (!run_block(bench, block, error))
            return false;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    json_object_set_new(json_object_get(bench->manifest, "context"), "end_time",
                        context_time((double)now.tv_sec));
    return save_manifest(bench, error);
}

bool bench_run(struct suite *suite, const char *folder, const char *command,
               bench_tell tell_progress, struct error *error) {
    struct bench bench = {.suite = suite, .tell = tell_progress};
    path_in(bench.manifest_path, folder, "manifest.json");
    path_in(bench.runs_path, folder, "runs.jsonl");
    bench.manifest = json_load_file(bench.manifest_path, 0, NULL);
    if (!bench.manifest)
        bench.manifest = manifest_new(suite, command);
    bench.done = calloc((size_t)suite->blocks * suite->cell_count, sizeof *bench.done);
    bool ran =
        bench.done ? save_manifest(&bench, error) : error_set(error, EXIT_LACKING, "out of memory");
    ran = ran && calibrate(&bench, error) && set_rates(&bench, error) && run_blocks(&bench, error);
    if (bench.runs)
        fclose(bench.runs);
    json_decref(bench.manifest);
    free(bench.done);
    return ran;
}
