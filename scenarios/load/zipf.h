/* SPDX-License-Identifier: MIT */
/* zipf.h - Zipf-distributed ranks without a table.
 *
 * Rejection-inversion (Hörmann, Derflinger: Rejection-inversion to generate variates from monotone
 * discrete distributions, 1996): rank k of 1..n with probability proportional to k^-s, s > 0, s !=
 * 1, about 1.1 draws a rank.
 */
#ifndef TAILRACE_SCENARIOS_ZIPF_H
#define TAILRACE_SCENARIOS_ZIPF_H

#include "base/rng.h"

struct zipf {
    double n, s, h_first, h_last, cut;
};

static inline double zipf_h(const struct zipf *z, double x) {
    return pow(x, 1 - z->s) / (1 - z->s);
}
static inline double zipf_h_inverse(const struct zipf *z, double y) {
    return pow((1 - z->s) * y, 1 / (1 - z->s));
}

static inline struct zipf zipf_make(uint64_t n, double s) {
    struct zipf z = {.n = (double)n, .s = s};
    z.h_first = zipf_h(&z, 1.5) - 1;
    z.h_last = zipf_h(&z, z.n + 0.5);
    z.cut = 2 - zipf_h_inverse(&z, zipf_h(&z, 2.5) - pow(2, -s));
    return z;
}

/* A rank in [0, n), 0 the most frequent. */
static inline uint64_t zipf_rank(const struct zipf *z, rng *random) {
    for (;;) {
        double u = z->h_last + rng_unit(random) * (z->h_first - z->h_last);
        double x = zipf_h_inverse(z, u);
        double k = floor(x + 0.5);
        k = k < 1 ? 1 : k > z->n ? z->n : k;
        if (k - x <= z->cut || u >= zipf_h(z, k + 0.5) - pow(k, -z->s))
            return (uint64_t)k - 1;
    }
}

#endif
