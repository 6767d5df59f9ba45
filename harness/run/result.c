/* SPDX-License-Identifier: MIT */
/* result.c - turns what a worker left in its area into JSON. */
#include "run/result.h"

#include "measure/causes.h"
#include "measure/context.h"
#include "measure/steady.h"
#include "run/result_causes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_PAUSE_NS 1000000 /* from which on it is told what of it was the host's */

static json_t *integer(uint64_t value) {
    return json_integer((json_int_t)value);
}

/* Seconds from the start of the recording. */
static json_t *relative_s(const struct run *run, uint64_t at_ns) {
    uint64_t zero_ns = run->area->config.plan.start_ns;
    if (zero_ns == 0) /* died before */
        zero_ns = run->sample_count ? run->samples[0].at_ns : at_ns;
    return json_real(((double)at_ns - (double)zero_ns) * 1e-9);
}

/* Quantiles with fewer than 10 samples beyond them are null, with fewer than 100 listed as low. */
static json_t *quantiles_json(const struct histogram *h) {
    static const struct {
        const char *key;
        double p;
    } quantiles[] = {
        {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99_9", 0.999}, {"p99_99", 0.9999}};
    json_t *object = json_object(), *low = json_array();
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        double beyond = (double)h->count * (1 - quantiles[i].p) * (1 + 1e-9);
        json_object_set_new(object, quantiles[i].key,
                            beyond >= 10 ? integer(histogram_quantile_ns(h, quantiles[i].p))
                                         : json_null());
        if (beyond >= 10 && beyond < 100)
            json_array_append_new(low, json_string(quantiles[i].key));
    }
    json_object_set_new(object, "max", h->count ? integer(h->max_ns) : json_null());
    json_object_set_new(object, "mean",
                        h->count ? json_real((double)h->sum_ns / (double)h->count) : json_null());
    json_object_set_new(object, "count", integer(h->count));
    json_object_set_new(object, "low_samples", low);
    return object;
}

static json_t *histogram_json(const struct histogram *h) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        if (h->buckets[i])
            json_array_append_new(array, json_pack("[I,I]", (json_int_t)histogram_highest_ns(i),
                                                   (json_int_t)h->buckets[i]));
    return array;
}

static json_t *intervals_json(const struct area *area) {
    const struct load_plan *plan = &area->config.plan;
    json_t *count = json_array(), *worst = json_array(), *lateness = json_array();
    size_t used = 0;
    for (uint32_t w = 0; w < plan->workers; w++)
        for (size_t i = used; i < LOAD_INTERVALS_MAX; i++)
            if (area->records[w].intervals[i].count)
                used = i + 1;
    for (size_t i = 0; i < used; i++) {
        struct load_interval all = {.min_lateness_ns = UINT64_MAX};
        for (uint32_t w = 0; w < plan->workers; w++) {
            const struct load_interval *one = &area->records[w].intervals[i];
            all.count += one->count;
            if (one->max_response_ns > all.max_response_ns)
                all.max_response_ns = one->max_response_ns;
            if (one->count && one->min_lateness_ns < all.min_lateness_ns)
                all.min_lateness_ns = one->min_lateness_ns;
        }
        json_array_append_new(count, integer(all.count));
        json_array_append_new(worst, all.count ? integer(all.max_response_ns) : json_null());
        json_array_append_new(lateness, all.count ? integer(all.min_lateness_ns) : json_null());
    }
    return json_pack("{s:f,s:o,s:o,s:o}", "width_s", (double)plan->interval_ns * 1e-9, "count",
                     count, "max_response_ns", worst, "min_lateness_ns", lateness);
}

/* How long processors were taken away, as far as gaps show it, in a pause. Short ones are not asked
 * for. */
static double host_gap_s(const struct run *run, uint32_t logged,
                         const struct area_interval *pause) {
    uint64_t gap_ns = 0;
    for (uint32_t i = 0; pause->end_ns - pause->begin_ns >= LONG_PAUSE_NS && i < logged; i++) {
        const struct area_interval *gap = &run->area->intervals[i];
        uint64_t begin_ns = gap->begin_ns > pause->begin_ns ? gap->begin_ns : pause->begin_ns;
        uint64_t end_ns = gap->end_ns < pause->end_ns ? gap->end_ns : pause->end_ns;
        if (gap->cause == MEM_CAUSE_PREEMPTION && begin_ns < end_ns)
            gap_ns += end_ns - begin_ns;
    }
    return (double)gap_ns * 1e-9;
}

static json_t *pauses_json(const struct run *run, uint32_t logged) {
    json_t *pauses = json_array();
    for (uint32_t i = 0; i < logged; i++) {
        const struct area_interval *interval = &run->area->intervals[i];
        if (interval->cause == MEM_CAUSE_COLLECTOR_PAUSE || interval->cause == MEM_CAUSE_STALL)
            json_array_append_new(pauses,
                                  json_pack("{s:s,s:o,s:o,s:f}", "cause",
                                            cause_name((enum mem_cause)interval->cause), "begin_s",
                                            relative_s(run, interval->begin_ns), "end_s",
                                            relative_s(run, interval->end_ns), "host_gap_s",
                                            host_gap_s(run, logged, interval)));
    }
    return pauses;
}

static bool recording(const struct run *run) {
    return run->area &&
           atomic_load_explicit(&run->area->phase, memory_order_acquire) >= PHASE_RECORD;
}

static json_t *series_json(const struct run *run) {
    json_t *series = json_array();
    for (size_t i = 0; i < run->sample_count; i++)
        json_array_append_new(series, json_pack("[o,I]", relative_s(run, run->samples[i].at_ns),
                                                (json_int_t)run->samples[i].bytes));
    return series;
}

static json_t *phases_json(const struct run *run) {
    static const char *const keys[PHASE_COUNT] = {NULL,       "setup_s", "warmup_s",
                                                  "record_s", "drain_s", "end_s"};
    json_t *phases = json_object();
    for (int phase = PHASE_SETUP; phase < PHASE_COUNT; phase++) {
        uint64_t at_ns = atomic_load_explicit(&run->area->phase_ns[phase], memory_order_relaxed);
        if (phase == PHASE_RECORD && at_ns)
            at_ns = run->area->config.plan.start_ns;
        json_object_set_new(phases, keys[phase], at_ns ? relative_s(run, at_ns) : json_null());
    }
    return phases;
}

static json_t *tune_json(const char *tune) {
    json_t *object = json_object();
    char copy[AREA_TEXT_BYTES], *rest;
    snprintf(copy, sizeof copy, "%s", tune);
    for (char *pair = strtok_r(copy, " ", &rest); pair; pair = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(pair, '=');
        *equals = '\0';
        json_object_set_new(object, pair, integer(strtoull(equals + 1, NULL, 10)));
    }
    return object;
}

static json_t *params_json(const struct cell *cell) {
    json_t *object = json_object();
    for (size_t i = 0; i < SCENARIO_PARAMS_MAX && cell->scenario->params[i].name; i++) {
        const struct scenario_param *param = &cell->scenario->params[i];
        char word[AREA_TEXT_BYTES];
        cell_param_text(cell, i, word, sizeof word);
        json_object_set_new(object, param->name,
                            strchr(param->unit, '|') ? json_string(word)
                                                     : integer(cell->params[i]));
    }
    return object;
}

json_t *cell_json(const struct cell *cell) {
    char name[AREA_PATH_BYTES * 2], workload[AREA_PATH_BYTES];
    cell_name(cell, name, sizeof name);
    cell_workload(cell, workload, sizeof workload);
    json_t *json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:I,s:o,s:o}", "cell", name, "scenario",
                             cell->scenario->name, "strategy", cell->strategy->name, "family",
                             cell->strategy->family, "heap", cell->heap, "threads",
                             (int)cell->threads, "live", (json_int_t)cell->live, "budget_bytes",
                             cell->budget_bytes ? integer(cell->budget_bytes) : json_null(), "tune",
                             tune_json(cell->tune));
    json_object_set_new(json, "workload", json_string(workload));
    json_object_set_new(json, "params", params_json(cell));
    bool loaded = cell->mode != CELL_CLOSED && cell->load > 0;
    json_object_set_new(json, "load", loaded ? json_real(cell->load) : json_null());
    json_object_set_new(json, "load_of",
                        loaded ? json_string(cell->load_of_own ? "own" : "slowest") : json_null());
    json_object_set_new(json, "budget_times",
                        cell->budget_times > 0 ? json_real(cell->budget_times) : json_null());
    return json;
}

/* A collector works beside the workers: its helper threads want cores of their own. */
static json_t *stamps_json(const struct cell *cell, const struct run *run) {
    json_t *stamps = json_array();
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t helpers = 0;
    const char *markers = strstr(cell->tune, "markers=");
    if (!markers)
        markers = strstr(cell->strategy->tunables, "markers=");
    if (cell->strategy->provides & MEM_OWN_THREAD) {
        helpers = 1;
    } else if (markers) {
        helpers = strtoull(markers + 8, NULL, 10);
        helpers =
            (helpers ? helpers : (uint64_t)cores) - 1; /* the thread that stops marks as well */
    }
    if (cell->threads + helpers > (uint64_t)cores)
        json_array_append_new(stamps, json_string("oversubscribed"));
    if (cell_leaks(cell))
        json_array_append_new(stamps, json_string("leaks"));
    if (cell->warmup_s <= 0)
        json_array_append_new(stamps, json_string("cold"));
    if (cell->count)
        json_array_append_new(stamps, json_string("counted"));
    if (cell->mode == CELL_CLOSED)
        json_array_append_new(stamps, json_string("closed-loop"));
    if (cell->mode != CELL_CLOSED && recording(run) && steady_changed(run->area))
        json_array_append_new(stamps, json_string("not-steady"));
    return stamps;
}

/* A worker that died left buckets and trace, but not what is credited at the end of an interval. */
static void merge_record(struct load_record *all, const struct load_record *one) {
    uint64_t end_ns = one->end_ns;
    for (size_t k = 0; end_ns == 0 && k < LOAD_TRACE_MAX && one->trace[k].end_ns > 0; k++)
        if (k + 1 == LOAD_TRACE_MAX || one->trace[k + 1].end_ns == 0)
            end_ns = one->trace[k].end_ns;
    if (one->end_ns > 0)
        histogram_add(&all->response, &one->response);
    for (int slice = 0; one->end_ns == 0 && slice < LOAD_SLICES_MAX; slice++)
        histogram_add(&all->response, &one->slices[slice]);
    histogram_add(&all->service, &one->service);
    histogram_add(&all->lateness, &one->lateness);
    if (end_ns > all->end_ns)
        all->end_ns = end_ns;
}

static struct load_record *merge_records(const struct area *area) {
    struct load_record *all = calloc(1, sizeof *all);
    for (uint32_t i = 0; all && area && i < area->config.plan.workers; i++)
        merge_record(all, &area->records[i]);
    if (all) {
        histogram_recount(&all->response);
        histogram_recount(&all->service);
        all->done = all->service.count;
    }
    return all;
}

json_t *response_json(const struct run *run) {
    struct load_record *all = merge_records(recording(run) ? run->area : NULL);
    if (!all)
        abort();
    json_t *response = quantiles_json(&all->response);
    free(all);
    return response;
}

static void add_latency(json_t *result, const struct cell *cell, const struct run *run) {
    /* before the recording a record holds the warm-up, which is not to be told */
    struct load_record *all = merge_records(recording(run) ? run->area : NULL);
    if (!all)
        abort();
    double length_s = all->done && run->area->config.plan.start_ns
                          ? (double)(all->end_ns - run->area->config.plan.start_ns) * 1e-9
                          : 0;
    bool open = cell->mode != CELL_CLOSED;
    json_object_set_new(result, "mode", json_string(open ? "open" : "closed"));
    json_object_set_new(result, "arrivals",
                        open ? json_string(cell->arrivals == ARRIVALS_FIXED ? "fixed" : "poisson")
                             : json_null());
    json_object_set_new(result, "offered_rate", open ? json_real(cell->rate) : json_null());
    json_object_set_new(result, "achieved_rate",
                        length_s > 0 ? json_real((double)all->done / length_s) : json_null());
    json_object_set_new(result, "duration_s", json_real(length_s));
    json_object_set_new(result, "requests", integer(all->done));
    json_object_set_new(result, "response_ns", quantiles_json(&all->response));
    json_object_set_new(result, "service_ns", quantiles_json(&all->service));
    json_object_set_new(result, "lateness_ns", quantiles_json(&all->lateness));
    json_object_set_new(result, "response_histogram", histogram_json(&all->response));
    json_object_set_new(result, "service_histogram", histogram_json(&all->service));
    json_object_set_new(result, "intervals",
                        recording(run) ? intervals_json(run->area) : json_null());
    free(all);
}

static json_t *bytes_or_null(uint64_t bytes) {
    return bytes ? integer(bytes) : json_null();
}

static json_t *checksum_json(const struct cell *cell, const struct run *run) {
    bool fixed = cell->mode != CELL_CLOSED || cell->requests > 0;
    bool ended = run->status == RUN_OK || run->status == RUN_OVERLOADED;
    char digits[17];
    if (!fixed || !ended)
        return json_null();
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)run->area->checksum);
    return json_string(digits);
}

/* Of a recording that came to its end, counted. */
static json_t *allocations_json(const struct cell *cell, const struct run *run) {
    if (!cell->count || !recording(run) ||
        atomic_load_explicit(&run->area->phase, memory_order_acquire) < PHASE_DRAIN)
        return json_null();
    const struct heap_count *all = &run->area->allocations;
    return json_pack("{s:o,s:o,s:o}", "calls", integer(all->calls), "bytes", integer(all->bytes),
                     "frees", integer(all->frees));
}

static void add_memory(json_t *result, const struct run *run) {
    const struct area *area = run->area;
    uint64_t peak_bytes = area ? area->rss_peak_bytes : 0;
    for (size_t i = 0; i < run->sample_count; i++)
        if (run->samples[i].bytes > peak_bytes)
            peak_bytes = run->samples[i].bytes;
    json_object_set_new(result, "rss_peak_bytes", bytes_or_null(peak_bytes));
    json_object_set_new(result, "rss_base_bytes", bytes_or_null(area ? area->rss_base_bytes : 0));
    json_t *drained = json_array();
    for (int i = 0; area && i < AREA_DRAINS; i++)
        if (area->drained_bytes[i])
            json_array_append_new(
                drained, json_pack("[f,I]", area_drains_s[i], (json_int_t)area->drained_bytes[i]));
    json_object_set_new(result, "rss_drained_bytes",
                        bytes_or_null(area ? area->drained_bytes[0] : 0));
    json_object_set_new(result, "rss_after_drain", drained);
    json_object_set_new(result, "live_bytes", bytes_or_null(area ? area->live_bytes : 0));
    json_object_set_new(result, "rss_series", area ? series_json(run) : json_array());
    double cpu_s = (double)run->usage.ru_utime.tv_sec + (double)run->usage.ru_stime.tv_sec +
                   (double)(run->usage.ru_utime.tv_usec + run->usage.ru_stime.tv_usec) * 1e-6;
    json_object_set_new(result, "cpu_s", json_real(cpu_s));
    json_object_set_new(result, "faults_minor", json_integer(run->usage.ru_minflt));
    json_object_set_new(result, "faults_major", json_integer(run->usage.ru_majflt));
}

static void add_process(json_t *result, const struct run *run) {
    const struct area *area = run->area;
    uint32_t all = area ? atomic_load_explicit(&area->interval_count, memory_order_relaxed) : 0;
    uint32_t logged = all < AREA_INTERVALS_MAX ? all : AREA_INTERVALS_MAX;
    json_object_set_new(result, "pauses", pauses_json(run, logged));
    json_object_set_new(result, "pauses_lost", integer(all - logged));
    json_object_set_new(result, "causes", area ? causes_json(area) : json_null());
    json_object_set_new(result, "noise", recording(run) ? noise_json(area) : json_null());
    json_object_set_new(result, "phases", area ? phases_json(run) : json_null());
    json_object_set_new(result, "heap_library",
                        area && *area->heap_path ? json_pack("{s:s,s:s}", "path", area->heap_path,
                                                             "version", area->heap_version)
                                                 : json_null());
    json_t *cpus = json_array();
    for (uint32_t i = 0; area && i < area->config.plan.workers; i++)
        json_array_append_new(cpus, json_integer(area->cpus[i]));
    json_object_set_new(result, "cpus", cpus);
}

json_t *result_json(const struct cell *cell, const struct run *run, json_t *context, int block,
                    int order) {
    json_t *result = json_pack("{s:s}", "schema", "tailrace/run/1"), *keys = cell_json(cell);
    json_object_update(result, keys);
    json_decref(keys);
    json_object_set_new(result, "block", block < 0 ? json_null() : json_integer(block));
    json_object_set_new(result, "order", order < 0 ? json_null() : json_integer(order));
    json_object_set_new(result, "seed", integer(cell->seed));
    json_object_set_new(result, "warmup_s", json_real(cell->warmup_s));
    json_object_set_new(result, "status", json_string(run_status_name(run->status)));
    json_object_set_new(result, "reason", *run->reason ? json_string(run->reason) : json_null());
    json_object_set_new(result, "stamps", stamps_json(cell, run));
    json_object_set_new(result, "checksum", checksum_json(cell, run));
    json_object_set_new(result, "allocations", allocations_json(cell, run));
    add_latency(result, cell, run);
    add_memory(result, run);
    add_process(result, run);
    json_t *own = json_copy(context);
    json_object_set_new(own, "load_average", json_real(run->load_average));
    if (run->area && run->area->clock_quantum_ns) {
        json_object_set_new(own, "clock", json_string(cell->tsc ? "TSC" : "CLOCK_MONOTONIC"));
        json_object_set_new(own, "clock_quantum_ns", integer(run->area->clock_quantum_ns));
        json_object_set_new(own, "clock_cost_ns", json_real(run->area->clock_cost_ns));
        json_object_set_new(own, "clock_drift", json_real(run->area->clock_drift));
    }
    json_object_set_new(own, "start_time", context_time(run->started_at));
    json_object_set_new(own, "end_time", context_time(run->ended_at));
    json_object_set_new(result, "context", own);
    return result;
}
