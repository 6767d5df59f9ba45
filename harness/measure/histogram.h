/* SPDX-License-Identifier: MIT */
/* histogram.h - counts of durations in the HDR bucket layout, 2 significant digits.
 *
 * Layout as in HdrHistogram (Tene), lowest discernible value 1 ns: values below 256 have a bucket
 * each, above that every power of two is cut into 128, so a bucket is at most 1/128 of its value
 * wide. Values from 2^37 ns (137 s) on are counted in the last bucket; the maximum is kept exactly.
 * One writer; read it when the writer has ended. All zero bytes is an empty histogram.
 */
#ifndef TAILRACE_MEASURE_HISTOGRAM_H
#define TAILRACE_MEASURE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_HALF_BITS 7
#define HISTOGRAM_HALF (1u << HISTOGRAM_HALF_BITS)
#define HISTOGRAM_VALUE_BITS 37
#define HISTOGRAM_BUCKETS ((HISTOGRAM_VALUE_BITS - HISTOGRAM_HALF_BITS + 1) * HISTOGRAM_HALF)

struct histogram {
    uint64_t count, max_ns, sum_ns;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Of a value below 2^HISTOGRAM_VALUE_BITS. */
static inline uint32_t histogram_index_inside(uint64_t value_ns) {
    uint32_t shift =
        63 - HISTOGRAM_HALF_BITS - (uint32_t)__builtin_clzll(value_ns | (2 * HISTOGRAM_HALF - 1));
    return shift * HISTOGRAM_HALF + (uint32_t)(value_ns >> shift);
}
static inline uint32_t histogram_index(uint64_t value_ns) {
    return value_ns >> HISTOGRAM_VALUE_BITS ? HISTOGRAM_BUCKETS - 1
                                            : histogram_index_inside(value_ns);
}

/* The greatest value that is counted in a bucket: what quantiles report. */
uint64_t histogram_highest_ns(uint32_t index);

/* Adds what buckets do not tell of `count` values that were put into them directly. */
static inline void histogram_credit(struct histogram *h, uint64_t count, uint64_t sum_ns,
                                    uint64_t max_ns) {
    h->count += count;
    h->sum_ns += sum_ns;
    if (max_ns > h->max_ns)
        h->max_ns = max_ns;
}

/* Counts, and no more, two values of which the second is at most the first. */
static inline void histogram_count_both(struct histogram *a, uint64_t greater_ns,
                                        struct histogram *b, uint64_t value_ns) {
    if (__builtin_expect(greater_ns >> HISTOGRAM_VALUE_BITS != 0, 0)) {
        a->buckets[HISTOGRAM_BUCKETS - 1]++;
        b->buckets[histogram_index(value_ns)]++;
        return;
    }
    a->buckets[histogram_index_inside(greater_ns)]++;
    b->buckets[histogram_index_inside(value_ns)]++;
}

static inline void histogram_record(struct histogram *h, uint64_t value_ns) {
    h->buckets[histogram_index(value_ns)]++;
    histogram_credit(h, 1, value_ns, value_ns);
}

/* Brings the count up to what the buckets hold, where values were put into them that were not
 * credited: as if those had the mean of the others, or where none was, what their buckets say. */
void histogram_recount(struct histogram *h);

/* Adds every count of `from`. */
void histogram_add(struct histogram *into, const struct histogram *from);

/* The smallest recorded value (as its bucket's highest, at most the maximum) that at least a share
 * p of all values does not exceed; 0 of an empty histogram. 0 <= p <= 1. */
uint64_t histogram_quantile_ns(const struct histogram *h, double p);

#endif
