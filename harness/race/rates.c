/* SPDX-License-Identifier: MIT */
/* rates.c - how sure a count of hits in runs is. */
#include "race/rates.h"

#include <math.h>

#define Z95 1.959963984540054

struct rate_interval rate_wilson(uint32_t hits, uint32_t runs) {
    if (runs == 0)
        return (struct rate_interval){0, 1};
    double n = runs, p = hits / n, z2 = Z95 * Z95;
    double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    return (struct rate_interval){fmax(0, middle - half), fmin(1, middle + half)};
}

double rate_runs_for(double p, double confidence) {
    if (p <= 0)
        return INFINITY;
    return p >= 1 ? 1 : fmax(1, ceil(log(1 - confidence) / log(1 - p)));
}

double rate_unseen(uint32_t runs) {
    return runs ? 1 - pow(0.05, 1.0 / runs) : 1;
}
