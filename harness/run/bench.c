/* SPDX-License-Identifier: MIT */
/* bench.c - runs a suite into a result set: calibration, random blocks, resume. */
#include "run/bench.h"

#include "base/clock.h"
#include "base/rng.h"
#include "measure/context.h"
#include "run/calibrate.h"
#include "run/describe.h"
#include "run/files.h"
#include "run/floor.h"
#include "run/result.h"
#include "run/run_histograms.h"
#include "run/theory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4200

struct floor {
    bool tried;
    json_t *quantiles;
};

struct bench {
    struct floor floors[SUITE_CELLS_MAX]; /* of this block, by the first cell of a workload */
    struct suite *suite;
    const char *folder;
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
        bool control = strcmp(suite->cells[i].strategy->name, "none") == 0;
        json_object_set_new(cell, "control", json_boolean(control));
        json_array_append_new(cells, cell);
    }
    return cells;
}

/* What each scenario of the suite is. */
static json_t *scenarios_json(const struct suite *suite) {
    json_t *all = json_object();
    for (uint32_t i = 0; i < suite->cell_count; i++)
        json_object_set_new(all, suite->cells[i].scenario->name,
                            scenario_json(suite->cells[i].scenario));
    return all;
}

json_t *bench_manifest(const struct suite *suite, const char *command) {
    json_t *context = context_json(command);
    double load = 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    getloadavg(&load, 1);
    json_object_set_new(context, "load_average", json_real(load));
    json_object_set_new(context, "start_time", context_time((double)now.tv_sec));
    json_object_set_new(context, "end_time", json_null());
    return json_pack("{s:s,s:s,s:I,s:I,s:f,s:f,s:f,s:o,s:o,s:[],s:[],s:n,s:o,s:O}", "schema",
                     "tailrace/set/1", "suite", suite->name, "blocks", (json_int_t)suite->blocks,
                     "seed", (json_int_t)suite->seed, "load", suite->load, "duration_s",
                     suite->duration_s, "warmup_s", suite->warmup_s, "cells", cells_json(suite),
                     "scenarios", scenarios_json(suite), "calibration", "smallest", "oracle",
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

/* Leaves in the cells' histogram logs what runs.jsonl tells of. */
static bool open_hlogs(struct bench *bench, struct error *error) {
    uint32_t cells = bench->suite->cell_count, blocks = bench->suite->blocks;
    bool done[SUITE_BLOCKS_MAX], good = true;
    for (uint32_t i = 0; i < cells && good; i++) {
        for (uint32_t block = 0; block < blocks; block++)
            done[block] = bench->done[block * cells + i];
        good = set_resume_hlog(bench->folder, &bench->suite->cells[i], done, blocks, error);
    }
    return good;
}

static void tell(struct bench *bench, const struct cell *cell, const struct run *run) {
    char name[2 * AREA_PATH_BYTES];
    (bench->progress.calibrating ? cell_base_name : cell_name)(cell, name, sizeof name);
    uint32_t fresh = bench->progress.done - bench->done_before;
    double spent_s = (double)(clock_now_ns() - bench->started_ns) * 1e-9;
    bench->progress.cell = name;
    bench->progress.status = run_status_name(run->status);
    bench->progress.reason = run->reason;
    bench->progress.left_s =
        fresh ? spent_s / fresh * (bench->progress.planned - bench->progress.done) : -1;
    bench->tell(&bench->progress);
}

static bool calibrated(void *context, const struct cell *cell, const struct run *run,
                       struct error *error) {
    struct bench *bench = context;
    bench->progress.done++;
    tell(bench, cell, run);
    return save_manifest(bench, error);
}

static bool calibrate_all(struct bench *bench, struct error *error) {
    if (bench->suite->smoke)
        return true;
    bench->progress =
        (struct bench_progress){.calibrating = true, .planned = calibrate_planned(bench->suite)};
    bench->progress.done = bench->done_before = calibrate_known(bench->manifest);
    bench->started_ns = clock_now_ns();
    if (!calibrate(bench->suite, bench->manifest, calibrated, bench, error))
        return false;
    calibrate_apply(bench->suite, bench->manifest);
    json_object_set_new(bench->manifest, "cells", cells_json(bench->suite)); /* budgets are known */
    return save_manifest(bench, error);
}

/* The harness against theory, once in a result set, where the suite asks for it. */
static bool hold_against_theory(struct bench *bench, struct error *error) {
    const json_t *known = json_object_get(bench->manifest, "oracle");
    if (!bench->suite->oracle || json_is_object(known))
        return true;
    json_t *oracle = theory_brief(bench->suite->seed, error);
    if (!oracle)
        return false;
    bench->progress = (struct bench_progress){.calibrating = true,
                                              .planned = 1,
                                              .done = 1,
                                              .cell = "the harness against theory",
                                              .status = "ok",
                                              .reason = "",
                                              .left_s = -1};
    bench->tell(&bench->progress);
    json_object_set_new(bench->manifest, "oracle", oracle);
    return save_manifest(bench, error);
}

static size_t first_alike(const struct suite *suite, const struct cell *cell) {
    size_t i = 0;
    while (!cell_same_workload(&suite->cells[i], cell))
        i++;
    return i;
}

/* The block's noise floor for a cell at its workload's common rate: measured when first asked for.
 * NULL for cells at other rates, and where it could not be measured. */
static bool find_floor(struct bench *bench, const struct cell *cell, const json_t **floor,
                       struct error *error) {
    char reason[AREA_TEXT_BYTES];
    *floor = NULL;
    if (!bench->suite->noise_floor || cell->load_of_own ||
        fabs(cell->load - bench->suite->load) > 1e-9 || cell->rate <= 0 ||
        cell_unsupported(cell, reason, sizeof reason))
        return true;
    struct floor *known = &bench->floors[first_alike(bench->suite, cell)];
    uint64_t spin_ns = calibrate_service_ns(bench->suite, bench->manifest, cell);
    if (!known->tried && !floor_measure(cell, spin_ns, &known->quantiles, error))
        return false;
    known->tried = true;
    *floor = known->quantiles;
    return true;
}

static void forget_floors(struct bench *bench) {
    for (size_t i = 0; i < SUITE_CELLS_MAX; i++) {
        json_decref(bench->floors[i].quantiles);
        bench->floors[i] = (struct floor){0};
    }
}

static bool run_cell(struct bench *bench, struct cell *cell, int block, int order,
                     struct error *error) {
    struct run run = {0};
    const json_t *floor;
    cell->seed = bench->suite->seed + (uint64_t)block;
    bool ran = find_floor(bench, cell, &floor, error) &&
               run_or_lack(supervise(cell, &run, error), &run, error) &&
               set_append_hlog(bench->folder, cell, &run, (uint32_t)block, error);
    if (ran) {
        json_t *result =
            result_json(cell, &run, json_object_get(bench->manifest, "context"), block, order);
        floor_label(result, floor);
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
    forget_floors(bench);
    rng random = rng_at(bench->suite->seed, block);
    rng_order(&random, order, count);
    for (uint32_t i = 0; i < count; i++)
        if (!bench->done[block * count + order[i]] &&
            !run_cell(bench, &bench->suite->cells[order[i]], (int)block, (int)i, error))
            return false;
    return true;
}

static bool run_blocks(struct bench *bench, struct error *error) {
    bench->progress =
        (struct bench_progress){.planned = bench->suite->blocks * bench->suite->cell_count};
    if (!open_runs(bench, error) || !open_hlogs(bench, error))
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
    struct bench bench = {.suite = suite, .folder = folder, .tell = tell_progress};
    path_in(bench.manifest_path, folder, "manifest.json");
    path_in(bench.runs_path, folder, "runs.jsonl");
    bench.manifest = json_load_file(bench.manifest_path, 0, NULL);
    if (!bench.manifest)
        bench.manifest = bench_manifest(suite, command);
    bench.done = calloc((size_t)suite->blocks * suite->cell_count, sizeof *bench.done);
    bool ran =
        bench.done ? save_manifest(&bench, error) : error_set(error, EXIT_LACKING, "out of memory");
    ran = ran && hold_against_theory(&bench, error) && calibrate_all(&bench, error) &&
          run_blocks(&bench, error);
    if (bench.runs)
        fclose(bench.runs);
    forget_floors(&bench);
    json_decref(bench.manifest);
    free(bench.done);
    return ran;
}
