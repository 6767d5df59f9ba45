/* SPDX-License-Identifier: MIT */
/* rates.h - how sure a count of hits in runs is.
 *
 * Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
 * JASA 22 (1927). Pure functions, safe from any thread.
 */
#ifndef TAILRACE_RACE_RATES_H
#define TAILRACE_RACE_RATES_H

#include <stdint.h>

struct rate_interval {
    double low, high; /* shares, 0 to 1 */
};

/* Wilson's 95 % interval of hits out of runs; 0 to 1 where there were none. */
struct rate_interval rate_wilson(uint32_t hits, uint32_t runs);

/* Runs until a bug that shows in a share p of them shows with `confidence`, at least 1; infinity
 * for p = 0. */
double rate_runs_for(double p, double confidence);

/* Above what share p a bug that showed in none of n runs is ruled out at 95 %: 1 - 0.05^(1/n). */
double rate_unseen(uint32_t runs);

#endif
