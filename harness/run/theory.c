/* SPDX-License-Identifier: MIT */
/* theory.c - runs the oracle scenarios and holds what was measured against what is known. */
#include "run/theory.h"

#include "base/cause.h"
#include "base/oracle.h"
#include "measure/queue.h"
#include "run/supervise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARMUP_S 0.2
#define STALL_RATE 50000
#define STALL_MS 400
#define STALL_THREADS 2
#define BRIEF_UTILISATION 0.7
#define BRIEF_S 3.0
#define PUBLISH_BEYOND 10 /* requests that must lie beyond a quantile */

struct statistic {
    const char *name;
    double p; /* negative: the mean */
};
static const struct statistic queue_rows[] = {
    {"mean", -1}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};
static const struct statistic stall_rows[] = {
    {"p99", 0.99}, {"p99.5", 0.995}, {"p99.9", 0.999}, {"p99.99", 0.9999}};
#define QUEUE_ROWS (sizeof queue_rows / sizeof *queue_rows)
#define STALL_ROWS (sizeof stall_rows / sizeof *stall_rows)

static bool publishable(uint64_t count, double p) {
    return p < 0 ? count > 0 : (double)count * (1 - p) * (1 + 1e-9) >= PUBLISH_BEYOND;
}

static json_t *real_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/* What a result says: the mean is exact, quantiles are the histogram's. */
static double measured_ns(const struct histogram *h, double p) {
    return p < 0 ? (double)h->sum_ns / (double)h->count : (double)histogram_quantile_ns(h, p);
}

static double listed_ns(const uint64_t *sorted_ns, size_t count, double p) {
    double sum_ns = 0;
    if (p >= 0)
        return (double)queue_quantile_ns(sorted_ns, count, p);
    for (size_t i = 0; i < count; i++)
        sum_ns += (double)sorted_ns[i];
    return sum_ns / (double)count;
}

static double closed_form_ns(bool exponential, double utilisation, double p) {
    const double service_ns = THEORY_SERVICE_US * 1e3;
    if (p < 0)
        return exponential ? queue_mm1_mean(service_ns, utilisation)
                           : queue_md1_mean(service_ns, utilisation);
    return exponential ? queue_mm1_quantile(service_ns, utilisation, p)
                       : queue_md1_quantile(service_ns, utilisation, p);
}

/* A finished run beside what theory makes of it. Lists are as long as `count`. */
struct comparison {
    size_t count;
    uint64_t *planned_ns, *replayed_ns;              /* response times, sorted in the end */
    double held_up_s, planned_error, replayed_error; /* the greatest of each */
};

static bool predict(const struct area *area, bool exponential, struct comparison *c) {
    const struct load_plan *plan = &area->config.plan;
    struct queue_request *requests = queue_requests(plan, &area->records[0], 0, &c->count);
    size_t count = c->count;
    uint64_t *lists = calloc(6 * count + 1, sizeof *lists), free_ns = 0;
    uint64_t *due_ns = lists + 2 * count, *planned_ns = due_ns + count;
    uint64_t *service_ns = planned_ns + count, *gap_ns = service_ns + count;
    c->planned_ns = lists;
    c->replayed_ns = lists + count;
    for (size_t i = 0; requests && lists && i < count; i++) {
        const struct queue_request *q = &requests[i];
        uint64_t could_ns = free_ns > q->due_ns ? free_ns : q->due_ns;
        due_ns[i] = q->due_ns;
        planned_ns[i] = exponential ? oracle_exponential_ns(plan->seed, i, THEORY_SERVICE_US * 1000)
                                    : THEORY_SERVICE_US * 1000;
        service_ns[i] = q->end_ns - q->start_ns;
        gap_ns[i] = q->start_ns > could_ns ? q->start_ns - could_ns : 0;
        free_ns = q->end_ns;
        c->held_up_s += ((double)(service_ns[i] + gap_ns[i]) - (double)planned_ns[i]) * 1e-9;
    }
    bool predicted = requests && lists && count > 0;
    if (predicted) {
        queue_lindley(due_ns, planned_ns, NULL, count, c->planned_ns);
        queue_lindley(due_ns, service_ns, gap_ns, count, c->replayed_ns);
        queue_sort(c->planned_ns, count);
        queue_sort(c->replayed_ns, count);
    }
    free(requests);
    return predicted;
}

static json_t *queue_row(const struct statistic *row, const struct histogram *h, bool exponential,
                         double utilisation, struct comparison *c) {
    double form_ns = closed_form_ns(exponential, utilisation, row->p);
    if (!publishable(h->count, row->p))
        return json_pack("{s:s,s:n,s:n,s:n,s:n,s:n,s:o}", "name", row->name, "measured_ns",
                         "planned_ns", "planned_error", "replayed_ns", "replayed_error",
                         "closed_form_ns", real_or_null(form_ns));
    double value_ns = measured_ns(h, row->p);
    double planned_ns = listed_ns(c->planned_ns, c->count, row->p);
    double replayed_ns = listed_ns(c->replayed_ns, c->count, row->p);
    double planned_error = value_ns / planned_ns - 1, replayed_error = value_ns / replayed_ns - 1;
    if (row->p <= 0.99) /* further out it is few requests, and whether one of them was hit */
        c->planned_error = fmax(c->planned_error, fabs(planned_error));
    c->replayed_error = fmax(c->replayed_error, fabs(replayed_error));
    return json_pack("{s:s,s:f,s:f,s:f,s:f,s:f,s:o}", "name", row->name, "measured_ns", value_ns,
                     "planned_ns", planned_ns, "planned_error", planned_error, "replayed_ns",
                     replayed_ns, "replayed_error", replayed_error, "closed_form_ns",
                     real_or_null(form_ns));
}

static void judge_queue(const struct comparison *c, char *verdict, size_t verdict_bytes) {
    if (c->replayed_error > THEORY_REPLAYED_ERROR_MAX)
        snprintf(verdict, verdict_bytes,
                 "WRONG: the recursion on the measured times is missed by %.2f %%; no noise of a "
                 "machine does that, so do not trust this harness here",
                 c->replayed_error * 100);
    else if (c->planned_error > THEORY_PLANNED_ERROR_MAX)
        snprintf(verdict, verdict_bytes,
                 "measured right (replay within %.2f %%), but the machine held requests up for "
                 "%.1f ms in all, which makes response times up to %.3g times what was planned",
                 c->replayed_error * 100, c->held_up_s * 1e3, 1 + c->planned_error);
    else
        snprintf(verdict, verdict_bytes,
                 "as theory says: within %.2f %% of the plan up to p99, within %.2f %% of the "
                 "replay",
                 c->planned_error * 100, c->replayed_error * 100);
}

static bool finished(const struct run *run, const char *what, struct error *error) {
    if (run->status == RUN_OK || run->status == RUN_OVERLOADED)
        return true;
    return error_set(error, EXIT_FINDING, "%s: %s: %s", what, run_status_name(run->status),
                     run->reason);
}

static json_t *queue_json(const struct cell *cell, const struct run *run, double utilisation,
                          struct error *error) {
    bool exponential = strcmp(cell->scenario->name, "mm1") == 0;
    const struct histogram *h = &run->area->records[0].response;
    struct comparison c = {0};
    char verdict[256];
    json_t *rows = json_array(), *object = NULL;
    if (predict(run->area, exponential, &c)) {
        for (size_t i = 0; i < QUEUE_ROWS; i++)
            json_array_append_new(rows, queue_row(&queue_rows[i], h, exponential, utilisation, &c));
        judge_queue(&c, verdict, sizeof verdict);
        object = json_pack(
            "{s:s,s:f,s:i,s:I,s:I,s:s,s:f,s:b,s:b,s:s,s:O}", "scenario", cell->scenario->name,
            "utilisation", utilisation, "service_ns", THEORY_SERVICE_US * 1000, "seed",
            (json_int_t)cell->seed, "requests", (json_int_t)h->count, "status",
            run_status_name(run->status), "held_up_s", c.held_up_s, "agrees",
            c.replayed_error <= THEORY_REPLAYED_ERROR_MAX, "within_plan",
            c.planned_error <= THEORY_PLANNED_ERROR_MAX, "verdict", verdict, "rows", rows);
    } else {
        error_set(error, EXIT_LACKING, "not enough memory to replay %zu requests", c.count);
    }
    json_decref(rows);
    free(c.planned_ns);
    return object;
}

json_t *theory_queue(const char *scenario, double utilisation, double length_s, uint64_t seed,
                     struct error *error) {
    struct cell cell;
    struct run run = {0};
    json_t *object = NULL;
    cell_defaults(&cell, find_scenario(scenario));
    cell.threads = 1;
    cell.mode = CELL_OPEN_RATE;
    cell.arrivals = ARRIVALS_POISSON;
    cell.rate = utilisation * 1e6 / THEORY_SERVICE_US;
    cell.live = THEORY_SERVICE_US;
    cell.duration_s = length_s;
    cell.warmup_s = WARMUP_S;
    cell.seed = seed;
    if (supervise(&cell, &run, error) && finished(&run, scenario, error))
        object = queue_json(&cell, &run, utilisation, error);
    run_free(&run);
    return object;
}

/* The stall as it was: from the first worker's begin to the workers' mean end, in nanoseconds; 0 if
 * none was logged. A worker that began later was away already, so its requests waited as well. */
static double stall_length_ns(const struct area *area) {
    uint32_t logged = atomic_load_explicit(&area->interval_count, memory_order_relaxed);
    uint64_t begin_ns = UINT64_MAX;
    double ends_ns = 0; /* after the start of the recording */
    int count = 0;
    for (uint32_t i = 0; i < logged && i < AREA_INTERVALS_MAX; i++) {
        const struct area_interval *interval = &area->intervals[i];
        if (interval->cause != MEM_CAUSE_STALL)
            continue;
        begin_ns = interval->begin_ns < begin_ns ? interval->begin_ns : begin_ns;
        ends_ns += (double)(interval->end_ns - area->config.plan.start_ns);
        count++;
    }
    return count > 0 ? ends_ns / count - (double)(begin_ns - area->config.plan.start_ns) : 0;
}

static json_t *stall_json(const struct run *run) {
    static struct histogram response;
    double stall_ns = stall_length_ns(run->area), error_max = 0;
    char verdict[256] = "no worker was there while all should stall: nothing can be said";
    json_t *rows = json_array();
    memset(&response, 0, sizeof response);
    for (int i = 0; i < STALL_THREADS; i++)
        histogram_add(&response, &run->area->records[i].response);
    for (size_t i = 0; i < STALL_ROWS; i++) {
        double value_ns = measured_ns(&response, stall_rows[i].p);
        double predicted_ns = stall_ns - (1 - stall_rows[i].p) * THEORY_STALL_S * 1e9;
        double off = value_ns / predicted_ns - 1;
        error_max = fmax(error_max, fabs(off));
        json_array_append_new(rows, json_pack("{s:s,s:f,s:f,s:f}", "name", stall_rows[i].name,
                                              "measured_ns", value_ns, "predicted_ns", predicted_ns,
                                              "error", off));
    }
    bool within = stall_ns > 0 && error_max <= THEORY_PLANNED_ERROR_MAX;
    if (stall_ns > 0)
        snprintf(verdict, sizeof verdict, "%s: within %.2f %% of S - (1 - p) T",
                 within ? "as theory says" : "the machine did more than stall", error_max * 100);
    return json_pack("{s:f,s:f,s:I,s:s,s:b,s:s,s:o}", "stall_ns", stall_ns, "length_s",
                     THEORY_STALL_S, "requests", (json_int_t)response.count, "status",
                     run_status_name(run->status), "within_plan", within, "verdict", verdict,
                     "rows", rows);
}

json_t *theory_stall(uint64_t seed, struct error *error) {
    struct cell cell;
    struct run run = {0};
    json_t *object = NULL;
    cell_defaults(&cell, find_scenario("stall"));
    cell.threads = STALL_THREADS;
    cell.mode = CELL_OPEN_RATE;
    cell.arrivals = ARRIVALS_FIXED;
    cell.rate = STALL_RATE;
    cell.live = STALL_MS;
    cell.duration_s = THEORY_STALL_S;
    cell.warmup_s = WARMUP_S;
    cell.seed = seed;
    if (supervise(&cell, &run, error) && finished(&run, "stall", error))
        object = stall_json(&run);
    run_free(&run);
    return object;
}

json_t *theory_all(double length_s, uint64_t seed, theory_tell *tell, struct error *error) {
    static const char *const scenarios[] = {"md1", "mm1"};
    static const double utilisations[] = {0.5, 0.7, 0.9};
    json_t *queues = json_array(), *stall = NULL;
    bool agrees = true, ran = true;
    char what[64];
    for (size_t i = 0; ran && i < 6; i++) {
        snprintf(what, sizeof what, "%s at utilisation %.1f", scenarios[i / 3],
                 utilisations[i % 3]);
        tell(what);
        json_t *queue = theory_queue(scenarios[i / 3], utilisations[i % 3], length_s, seed, error);
        ran = queue != NULL;
        agrees = agrees && json_is_true(json_object_get(queue, "agrees"));
        json_array_append_new(queues, queue);
    }
    if (ran) {
        tell("stall");
        stall = theory_stall(seed, error);
        ran = stall != NULL;
    }
    json_t *all = ran ? json_pack("{s:s,s:O,s:O,s:b}", "schema", "tailrace/theory/1", "queues",
                                  queues, "stall", stall, "agrees", agrees)
                      : NULL;
    json_decref(queues);
    json_decref(stall);
    return all;
}

json_t *theory_brief(uint64_t seed, struct error *error) {
    json_t *queue = theory_queue("md1", BRIEF_UTILISATION, BRIEF_S, seed, error);
    json_t *stall = queue ? theory_stall(seed, error) : NULL;
    json_t *brief = NULL;
    if (stall)
        brief = json_pack("{s:O,s:O,s:O}", "queue", queue, "stall", stall, "agrees",
                          json_object_get(queue, "agrees"));
    json_decref(queue);
    json_decref(stall);
    return brief;
}
