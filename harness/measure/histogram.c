/* SPDX-License-Identifier: MIT */
/* histogram.c - merging histograms and reading quantiles from them. */
#include "measure/histogram.h"

#include <assert.h>
#include <math.h>

uint64_t histogram_highest_ns(uint32_t index) {
    assert(index < HISTOGRAM_BUCKETS);
    uint32_t shift = index < 2 * HISTOGRAM_HALF ? 0 : index / HISTOGRAM_HALF - 1;
    uint64_t sub = index - shift * HISTOGRAM_HALF;
    return ((sub + 1) << shift) - 1;
}

void histogram_add(struct histogram *into, const struct histogram *from) {
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    into->count += from->count;
    into->sum_ns += from->sum_ns;
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
}

uint64_t histogram_quantile_ns(const struct histogram *h, double p) {
    assert(p >= 0 && p <= 1);
    /* p is a decimal rounded to binary: without the slack 0.99 of 100 would ask for the 100th value
     */
    double rank = ceil(p * (double)h->count * (1 - 1e-12));
    uint64_t seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > 0 && (double)seen >= rank) {
            uint64_t value_ns = histogram_highest_ns(i);
            return value_ns < h->max_ns && i < HISTOGRAM_BUCKETS - 1 ? value_ns : h->max_ns;
        }
    }
    return h->max_ns;
}

void histogram_recount(struct histogram *h) {
    uint64_t count = 0, highest_ns = 0;
    double sum_ns = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (h->buckets[i])
            highest_ns = histogram_highest_ns(i);
        count += h->buckets[i];
        sum_ns += (double)h->buckets[i] * (double)histogram_highest_ns(i);
    }
    if (count <= h->count)
        return;
    if (h->count > 0)
        sum_ns = (double)h->sum_ns / (double)h->count * (double)count;
    h->sum_ns = (uint64_t)sum_ns;
    h->count = count;
    if (histogram_index(h->max_ns) < histogram_index(highest_ns))
        h->max_ns = highest_ns;
}
