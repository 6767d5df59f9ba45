/* SPDX-License-Identifier: MIT */
/* causes.h - what made the tail: the run replayed without each cause.
 *
 * From every traced request it is known when it was due, when service began and ended, so also how
 * long after it could have begun it did (the gap). A cause's intervals are taken out of service
 * times and gaps, and the queue is computed again by Lindley's recursion: so a request that only
 * waited behind one that was held up is charged to the cause as well. What a cause explains of a
 * quantile is how much lower that quantile is without it.
 */
#ifndef TAILRACE_MEASURE_CAUSES_H
#define TAILRACE_MEASURE_CAUSES_H

#include "base/cause.h"
#include "measure/area.h"

#define CAUSES_QUANTILES 4 /* p50 p99 p99.9 p99.99 */

struct cause_effect {
    uint64_t count; /* intervals that overlap the recording */
    double total_s, longest_s;
    uint64_t without_ns[CAUSES_QUANTILES]; /* response quantiles with this cause taken out */
    uint64_t max_without_ns;
    /* Requests that this cause made later by more than 1 us, by how much in total, and how much of
     * their response beyond the median that is (0 to 1). */
    uint64_t affected;
    double delay_s, excess_share;
};

struct causes {
    uint64_t requests;                      /* traced */
    uint64_t measured_ns[CAUSES_QUANTILES]; /* exact, of the traced requests */
    uint64_t bare_ns[CAUSES_QUANTILES];     /* with all causes taken out */
    struct cause_effect effects[MEM_CAUSE_COUNT];
};

extern const double causes_quantiles[CAUSES_QUANTILES];
const char *cause_name(enum mem_cause cause);

/* Fills *causes from a finished open-loop run; false where nothing was traced or memory ran out. */
bool causes_find(const struct area *area, struct causes *causes);

#endif
