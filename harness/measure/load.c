/* SPDX-License-Identifier: MIT */
/* load.c - judging a finished record. */
#include "measure/load.h"

bool load_overloaded(const struct load_record *record) {
    int last = LOAD_INTERVALS_MAX - 1;
    while (last >= 0 && record->intervals[last].count == 0)
        last--;
    if (last + 1 < LOAD_OVERLOAD_INTERVALS_MIN)
        return false;
    for (int i = (last + 1) / 2; i <= last; i++)
        if (record->intervals[i].count > 0 &&
            record->intervals[i].min_lateness_ns <= LOAD_LATENESS_ZERO_NS)
            return false;
    return true;
}

void load_tally_flush(const struct load_place *place, struct load_record *record,
                      struct load_tally tally, uint64_t done) {
    struct load_interval *interval = place->interval;
    uint64_t count = done - record->done;
    record->done = done;
    if (count == 0)
        return;
    if (tally.response_max_ns > place->slice->max_ns)
        place->slice->max_ns = tally.response_max_ns;
    if (tally.response_max_ns > interval->max_response_ns)
        interval->max_response_ns = tally.response_max_ns;
    if (interval->count == 0 || tally.lateness_min_ns < interval->min_lateness_ns)
        interval->min_lateness_ns = tally.lateness_min_ns;
    interval->count += count;
}

void load_move(struct load_place *place, const struct load_plan *plan, struct load_record *record,
               struct load_tally tally, uint64_t done, uint64_t due_ns) {
    load_tally_flush(place, record, tally, done);
    while (due_ns >= place->interval_end_ns) {
        bool last = ++place->interval == record->intervals + LOAD_INTERVALS_MAX - 1;
        place->interval_end_ns = last ? UINT64_MAX : place->interval_end_ns + plan->interval_ns;
    }
    while (due_ns >= place->slice_end_ns) {
        bool last = ++place->slice == record->slices + LOAD_SLICES_MAX - 1;
        place->slice_end_ns = last ? UINT64_MAX : place->slice_end_ns + plan->slice_ns;
    }
    place->next_end_ns =
        place->interval_end_ns < place->slice_end_ns ? place->interval_end_ns : place->slice_end_ns;
}

void load_complete(const struct load_plan *plan, uint32_t worker, struct load_record *record) {
    struct schedule schedule = schedule_make(plan->arrivals, plan->start_ns, plan->rate, plan->seed,
                                             worker, plan->workers);
    for (int i = 0; plan->open && i < LOAD_SLICES_MAX; i++) {
        histogram_recount(&record->slices[i]);
        histogram_add(&record->response, &record->slices[i]);
    }
    record->response.count = record->response.sum_ns = 0; /* exact ones from the trace */
    for (uint64_t k = 0; k < record->done && k < LOAD_TRACE_MAX; k++) {
        uint64_t start_ns = record->trace[k].start_ns, end_ns = record->trace[k].end_ns;
        histogram_credit(&record->service, 1, end_ns - start_ns, end_ns - start_ns);
        if (!plan->open)
            continue;
        uint64_t due_ns = schedule_next_ns(&schedule, k);
        histogram_record(&record->lateness, start_ns - due_ns);
        histogram_credit(&record->response, 1, end_ns - due_ns, end_ns - due_ns);
    }
    histogram_recount(&record->service);
    histogram_recount(&record->response);
}
