/* SPDX-License-Identifier: MIT */
/* matrix.c - cases × modes × detectors × schedules, side by side, into a result set. */
#include "race/matrix.h"

#include "base/clock.h"
#include "measure/context.h"
#include "race/cell_json.h"
#include "race/matrix_unit.h"
#include "race/parallel.h"
#include "run/files.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define MATRIX_SCHEMA "tailrace/race-matrix/1"

/* Shared by the threads that work; the mutex holds everything below it. */
struct matrix {
    const struct matrix_options *options;
    struct matrix_unit *units;
    uint32_t unit_count;
    char work[PATH_BYTES], cells_path[PATH_BYTES];
    json_t *done; /* names of cells that are there already: only read once threads run */
    pthread_mutex_t mutex;
    uint32_t next_unit;
    struct matrix_summary summary;
    FILE *cells;
    uint64_t began_ns;
    struct matrix_progress progress;
    struct error error;
};

static void cell_name(char *name, size_t bytes, const char *one, const char *mode,
                      const char *detector, const char *schedule) {
    snprintf(name, bytes, "%s/%s/%s/%s", one, mode, detector, schedule);
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void sum_up(struct matrix_summary *summary, const json_t *cell) {
    const char *verdict = text_of(cell, "verdict");
    summary->missed += json_is_true(json_object_get(cell, "expected")) &&
                       strcmp(verdict, "detected") != 0 && strcmp(verdict, "unsupported") != 0;
    summary->false_alarms +=
        json_integer_value(json_object_get(json_object_get(cell, "twin"), "reports")) > 0;
    summary->rust_differs +=
        json_is_false(json_object_get(json_object_get(cell, "rust"), "agrees"));
}

/* A cell is there: on any thread. Consumes it. */
static void put_cell(void *context, json_t *cell) {
    struct matrix *matrix = context;
    char name[256];
    pthread_mutex_lock(&matrix->mutex);
    if (matrix->error.status == 0 &&
        file_append_line(matrix->cells, cell, matrix->cells_path, &matrix->error)) {
        cell_name(name, sizeof name, text_of(cell, "case"), text_of(cell, "mode"),
                  text_of(cell, "detector"), text_of(cell, "schedule"));
        sum_up(&matrix->summary, cell);
        matrix->progress.done++;
        matrix->progress.spent_s = (double)(clock_monotonic_ns() - matrix->began_ns) * 1e-9;
        matrix->progress.cell = name;
        matrix->progress.verdict = text_of(cell, "verdict");
        matrix->options->tell(&matrix->progress);
    }
    pthread_mutex_unlock(&matrix->mutex);
    json_decref(cell);
}

static bool have_cell(const void *context, const char *one, const char *mode, const char *detector,
                      const char *schedule) {
    const struct matrix *matrix = context;
    char name[256];
    cell_name(name, sizeof name, one, mode, detector, schedule);
    return json_object_get(matrix->done, name) != NULL;
}

static void *work(void *context) {
    struct matrix *matrix = context;
    for (;;) {
        pthread_mutex_lock(&matrix->mutex);
        bool stop = matrix->error.status != 0 || spawn_interrupted();
        uint32_t mine = stop ? matrix->unit_count : matrix->next_unit;
        matrix->next_unit += mine < matrix->unit_count;
        pthread_mutex_unlock(&matrix->mutex);
        if (mine >= matrix->unit_count)
            return NULL;
        struct error error = {0};
        if (!matrix_unit_run(&matrix->units[mine], &error)) {
            pthread_mutex_lock(&matrix->mutex);
            matrix->error = error;
            pthread_mutex_unlock(&matrix->mutex);
        }
    }
}

static bool work_all(struct matrix *matrix, struct error *error) {
    parallel_run(matrix->options->jobs, work, matrix);
    if (spawn_interrupted())
        return error_set(error, EXIT_INTERRUPTED,
                         "interrupted: %u of %u cells are in %s (--resume goes on)",
                         matrix->progress.done, matrix->progress.planned, matrix->options->out);
    *error = matrix->error;
    return error->status == 0;
}

/* The units: what one thread does from building to the last run. */
static bool plan(struct matrix *matrix, struct error *error) {
    const struct matrix_options *options = matrix->options;
    matrix->units = calloc(MATRIX_CASES_MAX * CASE_MODE_COUNT, sizeof *matrix->units);
    if (!matrix->units)
        return error_set(error, EXIT_LACKING, "no memory for the plan");
    for (size_t i = 0; i < MATRIX_CASES_MAX && options->cases[i]; i++)
        for (uint32_t mode = 0; mode < CASE_MODE_COUNT; mode++)
            if (options->cases[i]->modes >> mode & 1) {
                struct matrix_unit *unit = &matrix->units[matrix->unit_count++];
                *unit = (struct matrix_unit){options->cases[i],  mode,   options,  matrix->work,
                                             matrix->unit_count, matrix, put_cell, have_cell};
                matrix->progress.planned += matrix_unit_cells(unit);
            }
    return true;
}

static json_t *cases_json(const struct matrix_options *options) {
    json_t *all = json_array();
    for (size_t i = 0; i < MATRIX_CASES_MAX && options->cases[i]; i++) {
        const struct race_case *one = options->cases[i];
        json_t *modes = json_array();
        for (uint32_t mode = 0; mode < CASE_MODE_COUNT; mode++)
            if (one->modes >> mode & 1)
                json_array_append_new(modes, json_string(case_mode_names[mode]));
        json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s,s:o,s:s}", "name", one->name,
                                             "class", one->class, "sees", one->sees, "rust",
                                             one->rust, "modes", modes, "what", one->what));
    }
    return all;
}

static json_t *manifest_json(const struct matrix_options *options) {
    json_t *tools = json_array();
    for (size_t i = 0; i < DETECTOR_ID_COUNT; i++)
        if (options->detectors >> i & 1)
            json_array_append_new(
                tools, json_pack("{s:s,s:s,s:s,s:b,s:s}", "name", detectors[i].name, "what",
                                 detectors[i].what, "version", detectors[i].version, "available",
                                 detectors[i].available, "reason", detectors[i].reason));
    json_t *context = context_json(options->command);
    return json_pack("{s:s,s:s,s:i,s:o,s:o,s:o}", "schema", MATRIX_SCHEMA, "command",
                     options->command, "runs", (int)options->runs, "context", context, "detectors",
                     tools, "cases", cases_json(options));
}

/* Cells of an earlier, interrupted call. A last line that was cut off is none, and goes. */
static bool read_done(struct matrix *matrix, struct error *error) {
    FILE *file = fopen(matrix->cells_path, "r");
    char *line = NULL, name[256];
    size_t room = 0;
    off_t whole = 0;
    while (file && getline(&line, &room, file) > 0) {
        json_t *cell = json_loads(line, 0, NULL);
        if (!cell)
            break;
        whole = ftello(file);
        cell_name(name, sizeof name, text_of(cell, "case"), text_of(cell, "mode"),
                  text_of(cell, "detector"), text_of(cell, "schedule"));
        json_object_set_new(matrix->done, name, json_true());
        sum_up(&matrix->summary, cell);
        matrix->progress.done++;
        json_decref(cell);
    }
    free(line);
    if (file)
        fclose(file);
    return !file || truncate(matrix->cells_path, whole) == 0 ||
           error_set(error, EXIT_INPUT, "cannot write %s: %s", matrix->cells_path, strerror(errno));
}

static bool open_set(struct matrix *matrix, struct error *error) {
    const struct matrix_options *options = matrix->options;
    char manifest[PATH_BYTES];
    snprintf(manifest, sizeof manifest, "%s/manifest.json", options->out);
    snprintf(matrix->cells_path, sizeof matrix->cells_path, "%s/cells.jsonl", options->out);
    snprintf(matrix->work, sizeof matrix->work, "%s/work", options->out);
    bool there = access(manifest, F_OK) == 0;
    if (there && !options->resume)
        return error_set(error, EXIT_INPUT, "%s holds a result set already (--resume goes on)",
                         options->out);
    if ((mkdir(options->out, 0777) != 0 && errno != EEXIST) ||
        (mkdir(matrix->work, 0777) != 0 && errno != EEXIST))
        return error_set(error, EXIT_INPUT, "cannot make the folder %s: %s", options->out,
                         strerror(errno));
    detectors_probe(options->detectors, matrix->work);
    if (options->resume && !read_done(matrix, error))
        return false;
    if (!there) {
        json_t *json = manifest_json(options);
        bool written = file_write_json(manifest, json, FILE_JSON_FLAGS | JSON_INDENT(1), error);
        json_decref(json);
        if (!written)
            return false;
    }
    matrix->cells = fopen(matrix->cells_path, "a");
    return matrix->cells ||
           error_set(error, EXIT_INPUT, "cannot write %s: %s", matrix->cells_path, strerror(errno));
}

bool matrix_reopen(struct matrix_options *options, const char *out, struct error *error) {
    char path[PATH_BYTES];
    size_t i, count = 0;
    const json_t *one;
    snprintf(path, sizeof path, "%s/manifest.json", out);
    json_t *manifest = json_load_file(path, 0, NULL);
    if (strcmp(text_of(manifest, "schema"), MATRIX_SCHEMA) != 0) {
        json_decref(manifest);
        return error_set(error, EXIT_INPUT, "%s is no result set of the race matrix", out);
    }
    json_array_foreach(json_object_get(manifest, "cases"), i, one) {
        const struct race_case *known = case_find(text_of(one, "name"));
        if (known && count < MATRIX_CASES_MAX)
            options->cases[count++] = known;
    }
    json_array_foreach(json_object_get(manifest, "detectors"), i, one) {
        const struct detector *known = detector_find(text_of(one, "name"));
        options->detectors |= known ? 1u << detector_id(known) : 0;
    }
    options->runs = (uint32_t)json_integer_value(json_object_get(manifest, "runs"));
    json_decref(manifest);
    return true;
}

bool matrix_run(const struct matrix_options *options, struct matrix_summary *summary,
                struct error *error) {
    struct matrix matrix = {.options = options,
                            .done = json_object(),
                            .mutex = PTHREAD_MUTEX_INITIALIZER,
                            .began_ns = clock_monotonic_ns()};
    bool ran = plan(&matrix, error) && open_set(&matrix, error) && work_all(&matrix, error);
    if (matrix.cells)
        fclose(matrix.cells);
    files_remove(matrix.work);
    free(matrix.units);
    json_decref(matrix.done);
    *summary = matrix.summary;
    return ran;
}
