/* SPDX-License-Identifier: MIT */
/* causes.c - replays a run without each cause. */
#include "measure/causes.h"

#include "measure/queue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AFFECTED_NS 1000
#define GIVE_WAY_NEAR 8            /* intervals before one that may still reach into it */
#define ALL_CAUSES MEM_CAUSE_COUNT /* as a cause: every one of them */

const double causes_quantiles[CAUSES_QUANTILES] = {0.5, 0.99, 0.999, 0.9999};

const char *cause_name(enum mem_cause cause) {
    static const char *const names[MEM_CAUSE_COUNT] = {
        "collector-pause", "collector-assist", "free-cascade", "ring-search", "batch-free",
        "arena-reset",     "fault-burst",      "preemption",   "stall"};
    return names[cause];
}

/* A run as its workers' requests, one behind the other, and the causes' intervals in order. */
struct replay {
    struct queue_request *requests[AREA_WORKERS_MAX];
    size_t counts[AREA_WORKERS_MAX], count;
    uint32_t workers;
    struct area_interval *intervals;
    size_t interval_count;
    uint64_t *response_ns, *without_ns, *sorted_ns;
};

static int by_begin(const void *a, const void *b) {
    const struct area_interval *x = a, *y = b;
    return (x->begin_ns > y->begin_ns) - (x->begin_ns < y->begin_ns);
}

static bool concerns(const struct area_interval *interval, uint32_t cause, uint32_t worker) {
    return (cause == ALL_CAUSES || interval->cause == cause) &&
           (interval->worker < 0 || (uint32_t)interval->worker == worker);
}

/* How much of [begin, end) lies in intervals of the cause. *from: the first interval that may still
 * reach this far; it only moves on, as begin does from call to call. Overlaps count once. */
static uint64_t covered_ns(const struct replay *r, uint32_t cause, uint32_t worker, size_t *from,
                           uint64_t begin_ns, uint64_t end_ns) {
    uint64_t covered = 0, at_ns = begin_ns;
    while (*from < r->interval_count && r->intervals[*from].end_ns <= begin_ns)
        (*from)++;
    for (size_t i = *from; i < r->interval_count && r->intervals[i].begin_ns < end_ns; i++) {
        const struct area_interval *interval = &r->intervals[i];
        uint64_t stop_ns = interval->end_ns < end_ns ? interval->end_ns : end_ns;
        uint64_t start_ns = interval->begin_ns > at_ns ? interval->begin_ns : at_ns;
        if (concerns(interval, cause, worker) && stop_ns > start_ns) {
            covered += stop_ns - start_ns;
            at_ns = stop_ns;
        }
    }
    return covered;
}

/* Response times of one worker's requests with a cause taken out. */
static void replay_worker(const struct replay *r, uint32_t worker, uint32_t cause,
                          uint64_t *out_ns) {
    const struct queue_request *requests = r->requests[worker];
    uint64_t free_ns = 0, was_free_ns = 0;
    size_t from = 0;
    for (size_t i = 0; i < r->counts[worker]; i++) {
        const struct queue_request *q = &requests[i];
        uint64_t could_ns = was_free_ns > q->due_ns ? was_free_ns : q->due_ns;
        uint64_t gap_ns = q->start_ns > could_ns ? q->start_ns - could_ns : 0;
        uint64_t service_ns = q->end_ns - q->start_ns;
        gap_ns -= covered_ns(r, cause, worker, &from, q->start_ns - gap_ns, q->start_ns);
        service_ns -= covered_ns(r, cause, worker, &from, q->start_ns, q->end_ns);
        free_ns = (free_ns > q->due_ns ? free_ns : q->due_ns) + gap_ns + service_ns;
        was_free_ns = q->end_ns;
        out_ns[i] = free_ns - q->due_ns;
    }
}

static void replay_all(const struct replay *r, uint32_t cause, uint64_t *out_ns) {
    for (uint32_t worker = 0; worker < r->workers; worker++) {
        replay_worker(r, worker, cause, out_ns);
        out_ns += r->counts[worker];
    }
}

static void take_quantiles(const struct replay *r, const uint64_t *values_ns,
                           uint64_t *quantiles_ns, uint64_t *max_ns) {
    memcpy(r->sorted_ns, values_ns, r->count * sizeof *values_ns);
    queue_sort(r->sorted_ns, r->count);
    for (int i = 0; i < CAUSES_QUANTILES; i++)
        quantiles_ns[i] = queue_quantile_ns(r->sorted_ns, r->count, causes_quantiles[i]);
    *max_ns = r->sorted_ns[r->count - 1];
}

static void sum_intervals(const struct replay *r, const struct load_plan *plan, uint32_t cause,
                          uint64_t end_ns, struct cause_effect *effect) {
    for (size_t i = 0; i < r->interval_count; i++) {
        const struct area_interval *interval = &r->intervals[i];
        double length_s = (double)(interval->end_ns - interval->begin_ns) * 1e-9;
        if (interval->cause != cause || interval->end_ns <= plan->start_ns ||
            interval->begin_ns >= end_ns)
            continue;
        effect->count++;
        effect->total_s += length_s;
        if (length_s > effect->longest_s)
            effect->longest_s = length_s;
    }
}

static void find_effect(const struct replay *r, uint32_t cause, uint64_t median_ns,
                        struct cause_effect *effect) {
    double excess_ns = 0, delay_ns = 0;
    replay_all(r, cause, r->without_ns);
    for (size_t i = 0; i < r->count; i++) {
        uint64_t response_ns = r->response_ns[i], without_ns = r->without_ns[i];
        if (response_ns < without_ns + AFFECTED_NS)
            continue;
        effect->affected++;
        delay_ns += (double)(response_ns - without_ns);
        excess_ns += response_ns > median_ns ? (double)(response_ns - median_ns) : 0;
    }
    effect->delay_s = delay_ns * 1e-9;
    effect->excess_share = excess_ns > 0 ? fmin(1, delay_ns / excess_ns) : 0;
    take_quantiles(r, r->without_ns, effect->without_ns, &effect->max_without_ns);
}

/* A slow request is charged whole to what is inferred of it (faults, preemption): what a logged
 * cause covers of it is that cause's. Shortens inferred intervals to their longest free part. */
static void give_way(struct replay *r) {
    for (size_t i = 0; i < r->interval_count; i++) {
        struct area_interval *one = &r->intervals[i];
        if (one->cause != MEM_CAUSE_FAULTS && one->cause != MEM_CAUSE_PREEMPTION)
            continue;
        for (size_t k = i > GIVE_WAY_NEAR ? i - GIVE_WAY_NEAR : 0; k < r->interval_count; k++) {
            const struct area_interval *other = &r->intervals[k];
            if (other->begin_ns >= one->end_ns)
                break;
            if (other->cause == MEM_CAUSE_FAULTS || other->cause == MEM_CAUSE_PREEMPTION ||
                other->end_ns <= one->begin_ns ||
                !concerns(other, other->cause, (uint32_t)one->worker))
                continue;
            uint64_t before_ns =
                other->begin_ns > one->begin_ns ? other->begin_ns - one->begin_ns : 0;
            uint64_t after_ns = one->end_ns > other->end_ns ? one->end_ns - other->end_ns : 0;
            if (before_ns >= after_ns)
                one->end_ns = one->begin_ns + before_ns;
            else
                one->begin_ns = other->end_ns;
        }
    }
}

static bool gather(const struct area *area, struct replay *r) {
    const struct load_plan *plan = &area->config.plan;
    uint32_t logged = atomic_load_explicit(&area->interval_count, memory_order_relaxed);
    r->workers = plan->workers;
    r->interval_count = logged < AREA_INTERVALS_MAX ? logged : AREA_INTERVALS_MAX;
    for (uint32_t w = 0; w < r->workers; w++) {
        r->requests[w] = queue_requests(plan, &area->records[w], w, &r->counts[w]);
        if (!r->requests[w])
            return false;
        r->count += r->counts[w];
    }
    r->intervals = malloc((r->interval_count + 1) * sizeof *r->intervals);
    r->response_ns = calloc(3 * r->count + 1, sizeof *r->response_ns);
    if (!r->intervals || !r->response_ns || r->count == 0)
        return false;
    r->without_ns = r->response_ns + r->count;
    r->sorted_ns = r->without_ns + r->count;
    memcpy(r->intervals, area->intervals, r->interval_count * sizeof *r->intervals);
    qsort(r->intervals, r->interval_count, sizeof *r->intervals, by_begin);
    give_way(r);
    qsort(r->intervals, r->interval_count, sizeof *r->intervals, by_begin);
    for (size_t w = 0, at = 0; w < r->workers; w++)
        for (size_t i = 0; i < r->counts[w]; i++)
            r->response_ns[at++] = r->requests[w][i].end_ns - r->requests[w][i].due_ns;
    return true;
}

bool causes_find(const struct area *area, struct causes *causes) {
    struct replay r = {0};
    uint64_t max_ns, end_ns = 0;
    *causes = (struct causes){0};
    bool gathered = gather(area, &r);
    for (uint32_t w = 0; gathered && w < r.workers; w++)
        if (area->records[w].end_ns > end_ns)
            end_ns = area->records[w].end_ns;
    if (gathered) {
        causes->requests = r.count;
        take_quantiles(&r, r.response_ns, causes->measured_ns, &max_ns);
        replay_all(&r, ALL_CAUSES, r.without_ns);
        take_quantiles(&r, r.without_ns, causes->bare_ns, &max_ns);
    }
    for (uint32_t cause = 0; gathered && cause < MEM_CAUSE_COUNT; cause++) {
        struct cause_effect *effect = &causes->effects[cause];
        sum_intervals(&r, &area->config.plan, cause, end_ns, effect);
        if (effect->count > 0)
            find_effect(&r, cause, causes->measured_ns[0], effect);
    }
    for (uint32_t w = 0; w < r.workers; w++)
        free(r.requests[w]);
    free(r.intervals);
    free(r.response_ns);
    return gathered;
}
