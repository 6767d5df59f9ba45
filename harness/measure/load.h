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

#define LOAD_INTERVALS_MAX 1024
#define LOAD_INTERVAL_NS_MIN 2000000ull

/* Of the requests due in one interval. */
struct load_interval {
    uint64_t count, max_response_ns, min_lateness_ns;
};

struct load_record {
    struct histogram response, service, lateness;
    struct load_interval intervals[LOAD_INTERVALS_MAX];
    uint64_t done, checksum, end_ns; /* end of the last request */
};

struct load_plan {
    bool open;
    enum arrivals arrivals;
    double rate;       /* open: of all workers together, per second */
    uint64_t requests; /* of all workers together; closed: 0 for as many as fit before end_ns */
    uint64_t start_ns, end_ns, interval_ns, seed;
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
    void *context;
};

/* The length of an interval such that a recording of duration_ns fits; later starts go in the last.
 */
static inline uint64_t load_interval_ns(uint64_t duration_ns) {
    uint64_t fit_ns = duration_ns / (LOAD_INTERVALS_MAX / 2) + 1;
    return fit_ns > LOAD_INTERVAL_NS_MIN ? fit_ns : LOAD_INTERVAL_NS_MIN;
}

static inline void load_note(struct load_interval *interval, uint64_t response_ns,
                             uint64_t lateness_ns) {
    if (response_ns > interval->max_response_ns)
        interval->max_response_ns = response_ns;
    if (interval->count++ == 0 || lateness_ns < interval->min_lateness_ns)
        interval->min_lateness_ns = lateness_ns;
}

static inline __attribute__((always_inline)) void
load_run_open(const struct load_plan *plan, uint32_t worker, const struct load_target *target,
              struct load_record *record, struct load_clock clock) {
    struct schedule schedule = schedule_make(plan->arrivals, plan->start_ns, plan->rate, plan->seed,
                                             worker, plan->workers);
    struct load_interval *interval = record->intervals;
    uint64_t interval_end_ns = plan->start_ns + plan->interval_ns;
    for (uint64_t i = worker, k = 0; i < plan->requests; i += plan->workers, k++) {
        target->prepare(target->context, i);
        uint64_t due_ns = schedule_next_ns(&schedule, k);
        while (due_ns >= interval_end_ns && interval < record->intervals + LOAD_INTERVALS_MAX - 1) {
            interval++;
            interval_end_ns += plan->interval_ns;
        }
        uint64_t start_ns = clock.wait_until(clock.context, due_ns);
        record->checksum += target->execute(target->context, i);
        uint64_t end_ns = clock.now(clock.context);
        histogram_record(&record->response, end_ns - due_ns);
        histogram_record(&record->service, end_ns - start_ns);
        histogram_record(&record->lateness, start_ns - due_ns);
        load_note(interval, end_ns - due_ns, start_ns - due_ns);
        record->done++;
        record->end_ns = end_ns;
    }
}

static inline __attribute__((always_inline)) void
load_run_closed(const struct load_plan *plan, uint32_t worker, const struct load_target *target,
                struct load_record *record, struct load_clock clock) {
    uint64_t now_ns = clock.wait_until(clock.context, plan->start_ns);
    for (uint64_t i = worker; plan->requests ? i < plan->requests : now_ns < plan->end_ns;
         i += plan->workers) {
        target->prepare(target->context, i);
        uint64_t start_ns = clock.now(clock.context);
        record->checksum += target->execute(target->context, i);
        now_ns = clock.now(clock.context);
        histogram_record(&record->service, now_ns - start_ns);
        record->done++;
        record->end_ns = now_ns;
    }
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
