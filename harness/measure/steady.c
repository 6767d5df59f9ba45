/* SPDX-License-Identifier: MIT */
/* steady.c - whether a recording had settled. */
#include "measure/steady.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MIN 8

static int sign(double x) {
    return (x > 0) - (x < 0);
}

double steady_pettitt(const double *values, size_t count, size_t *at) {
    double sum = 0, greatest = 0, n = (double)count;
    *at = 0;
    for (size_t t = 0; t + 1 < count; t++) {
        for (size_t j = 0; j < count; j++)
            sum += sign(values[t] - values[j]);
        if (fabs(sum) > greatest) {
            greatest = fabs(sum);
            *at = t + 1;
        }
    }
    if (count < COUNT_MIN)
        return 1;
    return fmin(1, 2 * exp(-6 * greatest * greatest / (n * n * n + n * n)));
}

static int by_value(const void *a, const void *b) {
    return sign(*(const double *)a - *(const double *)b);
}

static double median(const double *values, size_t count) {
    double sorted[LOAD_SLICES_MAX];
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, by_value);
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

static bool series_changed(const double *values, size_t count) {
    size_t at;
    if (steady_pettitt(values, count, &at) >= STEADY_ALPHA / 2 || 2 * at < count)
        return false;
    double before = median(values, at), after = median(values + at, count - at);
    return fabs(after - before) > STEADY_CHANGE * before;
}

bool steady_changed(const struct area *area) {
    static const double shares[] = {0.5, 0.99};
    double series[2][LOAD_SLICES_MAX];
    size_t counts[2] = {0};
    for (size_t slice = 0; slice < LOAD_SLICES_MAX; slice++) {
        struct histogram all = {0};
        for (uint32_t w = 0; w < area->config.plan.workers; w++)
            histogram_add(&all, &area->records[w].slices[slice]);
        for (size_t q = 0; q < 2; q++)
            if ((double)all.count * (1 - shares[q]) >= 10)
                series[q][counts[q]++] = (double)histogram_quantile_ns(&all, shares[q]);
    }
    return series_changed(series[0], counts[0]) || series_changed(series[1], counts[1]);
}
