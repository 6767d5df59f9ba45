/* SPDX-License-Identifier: MIT */
/* calibrate.c - what a suite has to know before its blocks: capacities and smallest budgets. */
#include "run/calibrate.h"

#include "measure/queue.h"
#include "run/search.h"

#include <stdio.h>
#include <string.h>

#define CALIBRATION_S 1.0
#define NAME_BYTES (2 * AREA_PATH_BYTES)

static json_t *find(const json_t *entries, const struct cell *cell) {
    char name[NAME_BYTES];
    size_t i;
    json_t *entry;
    cell_base_name(cell, name, sizeof name);
    json_array_foreach((json_t *)entries, i,
                       entry) if (strcmp(json_string_value(json_object_get(entry, "cell")), name) ==
                                  0) return entry;
    return NULL;
}

/* The first cell of the suite with this base, among those with a budget by multiples if asked so.
 */
static bool is_first(const struct suite *suite, uint32_t index, bool budgeted) {
    char name[NAME_BYTES], other[NAME_BYTES];
    cell_base_name(&suite->cells[index], name, sizeof name);
    if (budgeted ? suite->cells[index].budget_times <= 0 : suite->cells[index].rate_fixed)
        return false;
    for (uint32_t i = 0; i < index; i++) {
        cell_base_name(&suite->cells[i], other, sizeof other);
        if ((budgeted ? suite->cells[i].budget_times > 0 : !suite->cells[i].rate_fixed) &&
            strcmp(name, other) == 0)
            return false;
    }
    return true;
}

uint32_t calibrate_planned(const struct suite *suite) {
    uint32_t planned = 0;
    for (uint32_t i = 0; i < suite->cell_count; i++)
        planned += (uint32_t)is_first(suite, i, false) + (uint32_t)is_first(suite, i, true);
    return planned;
}

uint32_t calibrate_known(const json_t *manifest) {
    return (uint32_t)(json_array_size(json_object_get(manifest, "calibration")) +
                      json_array_size(json_object_get(manifest, "smallest")));
}

static json_t *entry_json(const struct cell *cell, const struct run *run) {
    char name[NAME_BYTES], workload[NAME_BYTES];
    cell_base_name(cell, name, sizeof name);
    cell_workload(cell, workload, sizeof workload);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "cell", name, "workload", workload,
                     "scenario", cell->scenario->name, "strategy", cell->strategy->name, "heap",
                     cell->heap, "status", run_status_name(run->status), "reason",
                     *run->reason ? json_string(run->reason) : json_null());
}

static uint64_t service_ns(const struct run *run) {
    struct histogram all = {0};
    for (uint32_t i = 0; run->area && i < run->area->config.plan.workers; i++)
        histogram_add(&all, &run->area->records[i].service);
    return histogram_quantile_ns(&all, 0.5);
}

static bool measure(const struct cell *cell, bool budget, json_t *manifest, calibrate_step step,
                    void *context, struct error *error) {
    struct run run = {0};
    struct cell bare = *cell;
    double per_second = 0;
    uint64_t bytes = 0;
    bare.budget_bytes = 0;
    bool ran = budget ? search_budget(&bare, &bytes, &run, error)
                      : search_capacity(&bare, CALIBRATION_S, &per_second, &run, error);
    ran = run_or_lack(ran, &run, error);
    if (ran) {
        json_t *entry = entry_json(cell, &run);
        if (budget) {
            json_object_set_new(entry, "smallest_bytes",
                                bytes ? json_integer((json_int_t)bytes) : json_null());
        } else {
            json_object_set_new(entry, "capacity_rate", json_real(per_second));
            json_object_set_new(entry, "service_p50_ns",
                                json_integer((json_int_t)service_ns(&run)));
        }
        json_array_append_new(json_object_get(manifest, budget ? "smallest" : "calibration"),
                              entry);
        ran = step(context, &bare, &run, error);
    }
    run_free(&run);
    return ran;
}

bool calibrate(const struct suite *suite, json_t *manifest, calibrate_step step, void *context,
               struct error *error) {
    for (int budget = 0; budget < 2; budget++)
        for (uint32_t i = 0; i < suite->cell_count; i++)
            if (is_first(suite, i, budget) &&
                !find(json_object_get(manifest, budget ? "smallest" : "calibration"),
                      &suite->cells[i]) &&
                !measure(&suite->cells[i], budget, manifest, step, context, error))
                return false;
    return true;
}

static double capacity_of(const struct cell *cell, const json_t *known) {
    return json_number_value(json_object_get(find(known, cell), "capacity_rate"));
}

/* What the workload's slowest cell can do; controls aside, unless there is nothing else. 0 if no
 * cell had a capacity. */
static double slowest_of(const struct suite *suite, const json_t *known, const struct cell *like) {
    double slowest = 0, control = 0;
    for (uint32_t i = 0; i < suite->cell_count; i++) {
        const struct cell *cell = &suite->cells[i];
        double capacity = cell_same_workload(cell, like) ? capacity_of(cell, known) : 0;
        if (capacity <= 0)
            continue;
        if (strcmp(cell->strategy->family, "control") == 0)
            control = capacity;
        else if (slowest <= 0 || capacity < slowest)
            slowest = capacity;
    }
    return slowest > 0 ? slowest : control;
}

static void lack(struct cell *cell, const char *why) {
    char reason[AREA_TEXT_BYTES];
    if (!cell_unsupported(cell, reason, sizeof reason))
        snprintf(cell->lacking, sizeof cell->lacking, "%s", why);
}

static void derive_rate(struct cell *cell, const struct suite *suite, const json_t *known) {
    double slowest = slowest_of(suite, known, cell);
    json_object_set_new(find(known, cell), "offered_rate",
                        slowest > 0 ? json_real(suite->load * slowest) : json_null());
    cell->rate = cell->load * (cell->load_of_own ? capacity_of(cell, known) : slowest);
    if (cell->rate <= 0)
        lack(cell, "no capacity was measured that its rate could be derived from");
}

void calibrate_apply(struct suite *suite, json_t *manifest) {
    const json_t *known = json_object_get(manifest, "calibration");
    for (uint32_t i = 0; i < suite->cell_count; i++) {
        struct cell *cell = &suite->cells[i];
        if (!cell->rate_fixed)
            derive_rate(cell, suite, known);
        if (cell->budget_times <= 0)
            continue;
        const json_t *smallest = find(json_object_get(manifest, "smallest"), cell);
        cell->budget_bytes =
            (uint64_t)(cell->budget_times *
                       json_number_value(json_object_get(smallest, "smallest_bytes")));
        if (cell->budget_bytes == 0)
            lack(cell, "no budget was found under which it works");
    }
}

uint64_t calibrate_service_ns(const struct suite *suite, const json_t *manifest,
                              const struct cell *like) {
    uint64_t values_ns[SUITE_CELLS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < suite->cell_count; i++) {
        const json_t *entry = find(json_object_get(manifest, "calibration"), &suite->cells[i]);
        json_int_t value_ns = json_integer_value(json_object_get(entry, "service_p50_ns"));
        if (cell_same_workload(&suite->cells[i], like) && value_ns > 0)
            values_ns[count++] = (uint64_t)value_ns;
    }
    queue_sort(values_ns, count);
    return count ? queue_quantile_ns(values_ns, count, 0.5) : 0;
}
