/* SPDX-License-Identifier: MIT */
/* trial.c - the order of a gate's runs: rates, counters, looks, confirmation. */
#include "gate/trial.h"

#include "base/clock.h"
#include "base/rng.h"
#include "measure/context.h"
#include "run/files.h"
#include "run/result.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARMS 3
#define NAME_BYTES (2 * AREA_PATH_BYTES)
#define PATH_BYTES 4200
#define CAPACITY_S 1.0   /* of the run that finds a capacity */
#define AROUND_RUN_S 0.5 /* set-up, drain and process of a run */
#define COUNTED_S 0.5    /* of the run that counts, about */
#define COUNTED_TWICE 2  /* so that it is seen whether they repeat */

struct pair {
    char name[NAME_BYTES]; /* of the suite's cell */
    struct cell cells[ARMS];
    double capacity; /* of the baseline, per second; 0: closed loop or a rate of its own */
};

struct state {
    struct trial *trial;
    struct pair *pairs;
    uint32_t pair_count;
    uint32_t looks[TRIAL_LOOKS_MAX], look_count, confirm;
    json_t *manifest;
    char manifest_path[PATH_BYTES], runs_path[PATH_BYTES], counters_path[PATH_BYTES];
    FILE *runs, *counters;
    struct bench_progress progress;
    uint64_t started_ns;
};

static bool save_manifest(struct state *state, struct error *error) {
    return file_write_json(state->manifest_path, state->manifest, JSON_INDENT(1), error);
}

static void begin(struct state *state, bool calibrating, uint32_t planned) {
    state->progress =
        (struct bench_progress){.calibrating = calibrating, .planned = planned, .left_s = -1};
    state->started_ns = clock_now_ns();
}

static void tell(struct state *state, const char *name, const json_t *result) {
    struct bench_progress *progress = &state->progress;
    const char *reason = json_string_value(json_object_get(result, "reason"));
    double spent_s = (double)(clock_now_ns() - state->started_ns) * 1e-9;
    progress->done++;
    progress->cell = name;
    progress->status = json_string_value(json_object_get(result, "status"));
    progress->reason = reason ? reason : "";
    progress->left_s = spent_s / progress->done * (progress->planned - progress->done);
    state->trial->tell(progress);
}

/* True if an earlier pair holds the same two cells against each other. */
static bool is_known(const struct state *state, const struct pair *pair) {
    char wanted[NAME_BYTES], name[NAME_BYTES];
    for (uint32_t i = 0; i < state->pair_count; i++) {
        bool same = true;
        for (int arm = 0; arm < ARMS && same; arm++) {
            cell_name(&pair->cells[arm], wanted, sizeof wanted);
            cell_name(&state->pairs[i].cells[arm], name, sizeof name);
            same = strcmp(wanted, name) == 0;
        }
        if (same)
            return true;
    }
    return false;
}

/* The pairs that both sides can run; what they cannot is told and left out. */
static bool make_pairs(struct state *state, struct error *error) {
    const struct suite *suite = state->trial->suite;
    char reason[AREA_TEXT_BYTES];
    state->pairs = calloc(suite->cell_count, sizeof *state->pairs);
    if (!state->pairs)
        return error_set(error, EXIT_LACKING, "out of memory");
    for (uint32_t i = 0; i < suite->cell_count; i++) {
        struct pair *pair = &state->pairs[state->pair_count];
        bool runs = true;
        cell_name(&suite->cells[i], pair->name, sizeof pair->name);
        if (suite->cells[i].budget_times > 0)
            return error_set(error, EXIT_INPUT,
                             "%s: a gate takes no budget by multiples (give budget_bytes)",
                             pair->name);
        for (int arm = 0; arm < ARMS; arm++) {
            pair->cells[arm] = suite->cells[i];
            if (!side_apply(&state->trial->sides[arm], &pair->cells[arm], error))
                return false;
            if (runs && cell_unsupported(&pair->cells[arm], reason, sizeof reason)) {
                fprintf(stderr, "left out: %s: %s\n", pair->name, reason);
                runs = false;
            }
        }
        state->pair_count += runs && !is_known(state, pair);
    }
    return state->pair_count > 0 ||
           error_set(error, EXIT_INPUT, "no cell of the suite %s can be run on both sides",
                     suite->name);
}

/* Looks and confirmation: how many blocks fit the budget, and the fewest with which Holm's smallest
 * p-value, 2^-blocks, can be reached. The first look is at half, the last leaves a third. */
static bool plan(struct state *state, struct error *error) {
    const struct trial *trial = state->trial;
    double block_s = 0, before_s = 0, metrics = (double)(trial->metric_count * state->pair_count);
    for (uint32_t i = 0; i < state->pair_count; i++) {
        const struct cell *cell = &state->pairs[i].cells[0];
        block_s += ARMS * (cell->duration_s + cell->warmup_s + AROUND_RUN_S);
        before_s += CAPACITY_S + 2 * COUNTED_TWICE * (COUNTED_S + AROUND_RUN_S);
    }
    uint32_t least = (uint32_t)ceil(log2(metrics * TRIAL_LOOKS_MAX / TRIAL_ALPHA));
    double blocks = (trial->budget_s - before_s) / block_s;
    if (blocks < 2 * least)
        return error_set(error, EXIT_INPUT,
                         "%u cells and %zu metrics need %u blocks and as many to confirm, about "
                         "%.1f minutes: give --budget-minutes, fewer cells or metrics",
                         state->pair_count, trial->metric_count, least,
                         (before_s + block_s * 2 * least) / 60 + 0.05);
    state->confirm = (uint32_t)fmax(least, blocks / 3);
    uint32_t last = (uint32_t)blocks - state->confirm;
    uint32_t first = last / 2 > least ? last / 2 : least;
    const uint32_t at[TRIAL_LOOKS_MAX] = {first, (first + last) / 2, last};
    for (int i = 0; i < TRIAL_LOOKS_MAX; i++)
        if (state->look_count == 0 || at[i] > state->looks[state->look_count - 1])
            state->looks[state->look_count++] = at[i];
    return true;
}

static json_t *side_json(const struct side *side) {
    json_t *json = json_pack("{s:s,s:s}", "text", side->text, "build", side->build);
    if (*side->strategy)
        json_object_set_new(json, "strategy", json_string(side->strategy));
    if (*side->heap)
        json_object_set_new(json, "heap", json_string(side->heap));
    return json;
}

static json_t *gate_json(const struct state *state) {
    const struct trial *trial = state->trial;
    json_t *metrics = json_array(), *looks = json_array();
    for (size_t i = 0; i < trial->metric_count; i++)
        json_array_append_new(metrics, json_string(trial->metrics[i]));
    for (uint32_t i = 0; i < state->look_count; i++)
        json_array_append_new(looks, json_integer(state->looks[i]));
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:i,s:f}", "baseline", trial->sides[0].text, "head",
                     trial->sides[1].text, "sides",
                     json_pack("[o,o]", side_json(&trial->sides[0]), side_json(&trial->sides[1])),
                     "metrics", metrics, "looks", looks, "confirm", (int)state->confirm, "alpha",
                     TRIAL_ALPHA);
}

/* The cell as the manifest and its runs have it. */
static json_t *arm_cell_json(const struct state *state, uint32_t pair, int arm) {
    json_t *cell = cell_json(&state->pairs[pair].cells[arm]);
    const char *name = state->pairs[pair].name, *word = state->trial->sides[arm].arm;
    json_object_set_new(cell, "cell", json_sprintf("%s/@%s", name, word));
    json_object_set_new(cell, "pair", json_string(name));
    json_object_set_new(cell, "arm", json_string(word));
    json_object_set_new(cell, "control", json_false());
    return cell;
}

static bool begin_manifest(struct state *state, struct error *error) {
    struct trial *trial = state->trial;
    json_t *cells = json_array();
    for (uint32_t i = 0; i < state->pair_count; i++)
        for (int arm = 0; arm < ARMS; arm++)
            json_array_append_new(cells, arm_cell_json(state, i, arm));
    state->manifest = bench_manifest(trial->suite, trial->command);
    json_object_set_new(state->manifest, "blocks",
                        json_integer(state->looks[state->look_count - 1]));
    json_object_set_new(state->manifest, "cells", cells);
    json_object_set_new(state->manifest, "gate", gate_json(state));
    return save_manifest(state, error);
}

/* A result as the set has it: of which cell, arm and block. */
static void place(const struct state *state, json_t *result, uint32_t pair, int arm, uint32_t block,
                  int order) {
    json_t *cell = arm_cell_json(state, pair, arm);
    json_object_update(result, cell);
    json_decref(cell);
    json_object_set_new(result, "block", json_integer(block));
    json_object_set_new(result, "order", json_integer(order));
}

/* What the baseline can do, closed; the slowest of a workload gives the rate of all its cells. */
static bool find_capacity(struct state *state, struct pair *pair, struct error *error) {
    struct cell cell = pair->cells[0];
    json_t *result;
    cell.mode = CELL_CLOSED;
    cell.duration_s = CAPACITY_S;
    cell.requests = 0;
    if (!side_run(&state->trial->sides[0], &cell, false, state->trial->folder, &result, error))
        return false;
    const char *status = json_string_value(json_object_get(result, "status"));
    const char *reason = json_string_value(json_object_get(result, "reason"));
    bool ok = strcmp(status, "ok") == 0;
    pair->capacity = json_number_value(json_object_get(result, "achieved_rate"));
    if (!ok)
        error_set(error, EXIT_INPUT, "the baseline cannot run %s: %s: %.500s", pair->name, status,
                  reason ? reason : "");
    else
        tell(state, pair->name, result);
    json_decref(result);
    return ok;
}

static bool has_load(const struct pair *pair) {
    return pair->cells[0].mode != CELL_CLOSED && !pair->cells[0].rate_fixed;
}

static void set_rates(struct state *state, struct pair *pair) {
    double slowest = pair->capacity;
    for (uint32_t i = 0; i < state->pair_count && !pair->cells[0].load_of_own; i++) {
        const struct pair *other = &state->pairs[i];
        if (has_load(other) && cell_same_workload(&other->cells[0], &pair->cells[0]))
            slowest = fmin(slowest, other->capacity);
    }
    for (int arm = 0; arm < ARMS; arm++)
        pair->cells[arm].rate = pair->cells[arm].load * slowest;
    char workload[NAME_BYTES];
    const struct cell *cell = &pair->cells[0];
    cell_workload(cell, workload, sizeof workload);
    json_array_append_new(json_object_get(state->manifest, "calibration"),
                          json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:n,s:f,s:f}", "cell", pair->name,
                                    "workload", workload, "scenario", cell->scenario->name,
                                    "strategy", cell->strategy->name, "heap", cell->heap, "status",
                                    "ok", "reason", "capacity_rate", pair->capacity, "offered_rate",
                                    cell->rate));
}

static bool calibrate_pairs(struct state *state, struct error *error) {
    uint32_t planned = 0;
    for (uint32_t i = 0; i < state->pair_count; i++)
        planned += has_load(&state->pairs[i]);
    begin(state, true, planned);
    for (uint32_t i = 0; i < state->pair_count; i++)
        if (has_load(&state->pairs[i]) && !find_capacity(state, &state->pairs[i], error))
            return false;
    for (uint32_t i = 0; i < state->pair_count; i++)
        if (has_load(&state->pairs[i]))
            set_rates(state, &state->pairs[i]);
    return save_manifest(state, error);
}

/* The power of ten below what half a second does, so that gates count the same. */
static uint64_t counted_requests(const struct pair *pair) {
    double capacity = pair->capacity > 0 ? pair->capacity : pair->cells[0].rate;
    if (capacity <= 0)
        return pair->cells[0].requests > 0 ? pair->cells[0].requests : 1000;
    return (uint64_t)fmax(100, pow(10, floor(log10(capacity * COUNTED_S))));
}

static bool count_once(struct state *state, uint32_t pair, int arm, uint32_t block,
                       struct error *error) {
    struct cell cell = state->pairs[pair].cells[arm];
    struct error refused = {0};
    json_t *result;
    cell.mode = CELL_CLOSED;
    cell.threads = 1;
    cell.warmup_s = 0; /* it goes by time, so that its counts do not repeat */
    cell.requests = counted_requests(&state->pairs[pair]);
    if (!side_run(&state->trial->sides[arm], &cell, true, state->trial->folder, &result,
                  &refused)) {
        if (refused.status != EXIT_INPUT && refused.status != EXIT_LACKING) {
            *error = refused;
            return false;
        }
        result = json_pack("{s:s,s:s,s:s,s:[],s:n}", "schema", "tailrace/run/1", "status",
                           "unsupported", "reason", refused.sentence, "stamps", "allocations");
    }
    place(state, result, pair, arm, block, -1);
    tell(state, state->pairs[pair].name, result);
    for (const char *const *key = (const char *const[]){"response_histogram", "service_histogram",
                                                        "intervals", "rss_series", "causes", NULL};
         *key; key++)
        json_object_del(result, *key);
    bool written = file_append_line(state->counters, result, state->counters_path, error);
    json_decref(result);
    return written;
}

static bool count_all(struct state *state, struct error *error) {
    begin(state, true, state->pair_count * 2 * COUNTED_TWICE);
    for (uint32_t block = 0; block < COUNTED_TWICE; block++)
        for (uint32_t pair = 0; pair < state->pair_count; pair++)
            for (int arm = 0; arm < 2; arm++)
                if (!count_once(state, pair, arm, block, error))
                    return false;
    return true;
}

static bool run_cell(struct state *state, uint32_t pair, int arm, uint32_t block, int order,
                     struct error *error) {
    struct cell *cell = &state->pairs[pair].cells[arm];
    json_t *result;
    cell->seed = state->trial->suite->seed + block;
    if (!side_run(&state->trial->sides[arm], cell, false, state->trial->folder, &result, error))
        return false;
    place(state, result, pair, arm, block, order);
    tell(state, json_string_value(json_object_get(result, "cell")), result);
    bool written = file_append_line(state->runs, result, state->runs_path, error);
    json_decref(result);
    return written;
}

static bool run_blocks(struct state *state, uint32_t from, uint32_t to, struct error *error) {
    uint32_t count = state->pair_count * ARMS, order[SUITE_CELLS_MAX * ARMS];
    begin(state, false, (to - from) * count);
    for (uint32_t block = from; block < to; block++) {
        rng random = rng_at(state->trial->suite->seed, block);
        rng_order(&random, order, count);
        for (uint32_t i = 0; i < count; i++)
            if (!run_cell(state, order[i] / ARMS, (int)(order[i] % ARMS), block, (int)i, error))
                return false;
    }
    return true;
}

static bool run_looks(struct state *state, struct error *error) {
    enum trial_word word = TRIAL_CONTINUE;
    for (uint32_t look = 0; look < state->look_count && word == TRIAL_CONTINUE; look++)
        if (!run_blocks(state, look ? state->looks[look - 1] : 0, state->looks[look], error) ||
            !state->trial->decide(state->trial->folder, (int)look + 1, &word, error))
            return false;
    return word != TRIAL_CONFIRM ||
           run_blocks(state, TRIAL_CONFIRM_FROM, TRIAL_CONFIRM_FROM + state->confirm, error);
}

static bool open_file(FILE **file, const char *path, struct error *error) {
    *file = fopen(path, "ae");
    return *file || error_set(error, EXIT_INPUT, "cannot write %s: %s", path, strerror(errno));
}

static bool end(struct state *state, struct error *error) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    json_object_set_new(json_object_get(state->manifest, "context"), "end_time",
                        context_time((double)now.tv_sec));
    return save_manifest(state, error);
}

bool trial_run(struct trial *trial, struct error *error) {
    struct state state = {.trial = trial};
    snprintf(state.manifest_path, PATH_BYTES, "%s/manifest.json", trial->folder);
    snprintf(state.runs_path, PATH_BYTES, "%s/runs.jsonl", trial->folder);
    snprintf(state.counters_path, PATH_BYTES, "%s/counters.jsonl", trial->folder);
    bool ran = make_pairs(&state, error) && plan(&state, error) && begin_manifest(&state, error) &&
               open_file(&state.runs, state.runs_path, error) &&
               open_file(&state.counters, state.counters_path, error) &&
               calibrate_pairs(&state, error) && count_all(&state, error) &&
               run_looks(&state, error) && end(&state, error);
    if (state.runs)
        fclose(state.runs);
    if (state.counters)
        fclose(state.counters);
    json_decref(state.manifest);
    free(state.pairs);
    return ran;
}
