/* SPDX-License-Identifier: MIT */
/* load.h - the measured path: one worker's requests, each timed singly.
 *
 * Open loop: a request is due at its intended start s, starts at a >= s, ends at e. response = e -
 * s (what a user feels), service = e - a, lateness = a - s. Every scheduled request is executed and
 * recorded, however late. Closed loop: the next request starts when the last one has ended; there
 * is no intended start, so service time only. Records belong to one worker each.
 */
#ifndef TAILRACE_MEASURE_LOAD_H
#define TAILRACE_MEASURE_LOAD_H

#include "measure/histogram.h"
#include "measure/schedule.h"

#include <stdbool.h>
#include <stddef.h>

#define LOAD_INTERVALS_MAX 1024
#define LOAD_INTERVAL_NS_MIN 2000000ull
#define LOAD_SLICES_MAX 64
#define LOAD_SLICE_NS_MIN 100000000ull
#define LOAD_SLOW_NS 50000ull /* service time from which a request is looked into */

/* Of the requests due in one interval. */
struct load_interval {
    uint64_t count, max_response_ns, min_lateness_ns;
};

/* When a request was started and ended; the k-th of a worker. What it was due follows from the
 * plan. */
struct load_trace {
    uint64_t start_ns, end_ns;
};
#define LOAD_TRACE_MAX (1u << 20) /* further requests are measured but not traced */

struct load_record {
    struct histogram response, service, lateness;
    struct load_interval intervals[LOAD_INTERVALS_MAX];
    uint64_t done;             /* requests; brought up to date when an interval ends */
    uint64_t checksum, end_ns; /* the end of the last request; both known once all are done */
    /* Response time by intended start, one histogram a slice: a time series of quantiles.
     * `response` is their sum, made at the end. */
    struct histogram slices[LOAD_SLICES_MAX];
    struct load_trace trace[LOAD_TRACE_MAX]; /* of the first requests */
};
#define LOAD_RECORD_CLEARED offsetof(struct load_record, trace)

struct load_plan {
    bool open;
    enum arrivals arrivals;
    double rate;       /* open: of all workers together, per second */
    uint64_t requests; /* of all workers together; closed: 0 for as many as fit before end_ns */
    uint64_t start_ns, end_ns, interval_ns, slice_ns, seed;
    uint32_t workers;
};

struct load_target {
    void (*prepare)(void *context, uint64_t i);
    uint64_t (*execute)(void *context, uint64_t i);
    void *context;
};

/* The clock that the loop runs on; wait_until returns the time it is then. Constant function
 * pointers fold into the loop: the same code is tested on a fake clock and measured on the real
 * one. */
struct load_clock {
    uint64_t (*now)(void *context);
    uint64_t (*wait_until)(void *context, uint64_t when_ns);
    /* Told of requests whose service took LOAD_SLOW_NS or more, after they were timed. */
    void (*slow)(void *context, uint64_t start_ns, uint64_t end_ns);
    void *context;
};

/* The length of an interval such that a recording of duration_ns fits; later starts go in the last.
 */
static inline uint64_t load_interval_ns(uint64_t duration_ns) {
    uint64_t fit_ns = duration_ns / (LOAD_INTERVALS_MAX / 2) + 1;
    return fit_ns > LOAD_INTERVAL_NS_MIN ? fit_ns : LOAD_INTERVAL_NS_MIN;
}

static inline uint64_t load_slice_ns(uint64_t duration_ns) {
    uint64_t fit_ns = duration_ns / (LOAD_SLICES_MAX - 4) + 1;
    return fit_ns > LOAD_SLICE_NS_MIN ? fit_ns : LOAD_SLICE_NS_MIN;
}

/* What cannot be had from buckets and trace after the run is kept aside, its address never taken,
 * and put into the record when an interval or a slice ends. */
struct load_tally {
    uint64_t response_max_ns, lateness_min_ns;
};
#define LOAD_TALLY_EMPTY ((struct load_tally){.lateness_min_ns = UINT64_MAX})

static inline void load_tally_add(struct load_tally *tally, uint64_t response_ns,
                                  uint64_t lateness_ns) {
    if (response_ns > tally->response_max_ns)
        tally->response_max_ns = response_ns;
    if (lateness_ns < tally->lateness_min_ns)
        tally->lateness_min_ns = lateness_ns;
}

static inline __attribute__((always_inline)) void load_keep(struct load_record *record, uint64_t k,
                                                            uint64_t start_ns, uint64_t end_ns,
                                                            struct load_clock clock) {
    if (k < LOAD_TRACE_MAX)
        record->trace[k] = (struct load_trace){start_ns, end_ns};
    if (__builtin_expect(end_ns - start_ns >= LOAD_SLOW_NS, 0))
        clock.slow(clock.context, start_ns, end_ns);
}

/* Where in the time series requests due now are counted. */
struct load_place {
    struct load_interval *interval;
    struct histogram *slice;
    uint64_t interval_end_ns, slice_end_ns, next_end_ns; /* the earlier of both, 0 at first */
};

/* Moves on to where a request due at due_ns belongs and puts the tally of what came before where
 * that belongs. The last interval and slice have no end. */
void load_move(struct load_place *place, const struct load_plan *plan, struct load_record *record,
               struct load_tally tally, uint64_t done, uint64_t due_ns);

/* Puts the tally of the requests from record->done to `done` into interval and slice. */
void load_tally_flush(const struct load_place *place, struct load_record *record,
                      struct load_tally tally, uint64_t done);

/* After the run: what follows from slices and trace (sums, maxima, lateness). */
void load_complete(const struct load_plan *plan, uint32_t worker, struct load_record *record);

static inline __attribute__((always_inline)) void
load_run_open(const struct load_plan *plan, uint32_t worker, const struct load_target *target,
              struct load_record *record, struct load_clock clock) {
    const struct load_target call = *target;
    const uint64_t requests = plan->requests, workers = plan->workers;
    struct schedule schedule = schedule_make(plan->arrivals, plan->start_ns, plan->rate, plan->seed,
                                             worker, plan->workers);
    struct load_place place = {record->intervals, record->slices,
                               plan->start_ns + plan->interval_ns, plan->start_ns + plan->slice_ns,
                               0};
    struct load_tally tally = LOAD_TALLY_EMPTY;
    uint64_t checksum = 0, next_end_ns = 0, end_ns = 0, k = 0;
    struct histogram *slice = record->slices;
    for (uint64_t i = worker; i < requests; i += workers, k++) {
        call.prepare(call.context, i);
        uint64_t due_ns = schedule_next_ns(&schedule, k);
        if (__builtin_expect(due_ns >= next_end_ns, 0)) {
            load_move(&place, plan, record, tally, k, due_ns);
            tally = LOAD_TALLY_EMPTY;
            next_end_ns = place.next_end_ns;
            slice = place.slice;
        }
        uint64_t start_ns = clock.wait_until(clock.context, due_ns);
        checksum += call.execute(call.context, i);
        end_ns = clock.now(clock.context);
        histogram_count_both(slice, end_ns - due_ns, &record->service, end_ns - start_ns);
        load_tally_add(&tally, end_ns - due_ns, start_ns - due_ns);
        load_keep(record, k, start_ns, end_ns, clock);
    }
    load_tally_flush(&place, record, tally, k);
    record->checksum += checksum;
    record->end_ns = end_ns;
    load_complete(plan, worker, record);
}

static inline __attribute__((always_inline)) void
load_run_closed(const struct load_plan *plan, uint32_t worker, const struct load_target *target,
                struct load_record *record, struct load_clock clock) {
    uint64_t now_ns = clock.wait_until(clock.context, plan->start_ns), k = 0;
    for (uint64_t i = worker; plan->requests ? i < plan->requests : now_ns < plan->end_ns;
         i += plan->workers, k++) {
        target->prepare(target->context, i);
        uint64_t start_ns = clock.now(clock.context);
        record->checksum += target->execute(target->context, i);
        now_ns = clock.now(clock.context);
        record->service.buckets[histogram_index(now_ns - start_ns)]++;
        load_keep(record, k, start_ns, now_ns, clock);
    }
    record->done = k;
    record->end_ns = k > 0 ? now_ns : 0;
    load_complete(plan, worker, record);
}

static inline __attribute__((always_inline)) void
load_run(const struct load_plan *plan, uint32_t worker, const struct load_target *target,
         struct load_record *record, struct load_clock clock) {
    if (plan->open)
        load_run_open(plan, worker, target, record, clock);
    else
        load_run_closed(plan, worker, target, record, clock);
}

/* True if a record's minimum lateness never comes back to zero (at most LOAD_LATENESS_ZERO_NS, what
 * a late wake-up of a spinning worker may cost) in any interval of the last half of the schedule. A
 * schedule of fewer than LOAD_OVERLOAD_INTERVALS_MIN intervals is too short to tell. */
#define LOAD_LATENESS_ZERO_NS 10000ull
#define LOAD_OVERLOAD_INTERVALS_MIN 4
bool load_overloaded(const struct load_record *record);

#endif
