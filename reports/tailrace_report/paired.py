# SPDX-License-Identifier: MIT
"""Paired comparison of two arms, block by block: estimate, exact interval, p-value, verdict.

All on differences of logarithms, L_r = ln b_r - ln a_r, one for each block r that has both. Pure
functions of numbers, of the standard library only. Sources: Hollander, Wolfe and Chicken,
"Nonparametric Statistical Methods", 3rd ed., 3.1 to 3.3 (signed rank, Hodges-Lehmann, Tukey's
interval); Holm, "A simple sequentially rejective multiple test procedure", 1979.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

LEVEL = 0.98  # of the intervals, two-sided


@lru_cache(maxsize=None)
def signed_rank_counts(n):
    """How many of the 2^n sign patterns of the ranks 1 … n have each sum of positive ranks."""
    return rank_sum_counts(tuple(range(1, n + 1)))


def rank_sum_counts(ranks):
    """How many subsets of `ranks` (whole numbers) have each sum 0 … sum(ranks)."""
    counts = [1] + [0] * sum(ranks)
    reached = 0
    for rank in ranks:
        reached += rank
        for total in range(reached, rank - 1, -1):
            counts[total] += counts[total - rank]
    return counts


def depth(n, level=LEVEL):
    """K: the interval runs from the K-th Walsh average to the K-th from the end; 0: n too small."""
    allowed, below, k = (1 - level) / 2 * 2**n, 0, 0
    for count in signed_rank_counts(n):
        below += count
        if below > allowed * (1 + 1e-9):
            return k
        k += 1
    return k


def sign_interval(values, level=LEVEL):
    """[Low, high] of the median of `values` by order statistics, exact; None: too few."""
    ordered, allowed = sorted(values), (1 - level) / 2 * 2**len(values)
    k, below = 0, 1
    while below <= allowed * (1 + 1e-9):
        k += 1
        below += math.comb(len(values), k)
    return [ordered[k - 1], ordered[-k]] if k else None


def walsh_averages(logs):
    """The averages of all pairs, each with itself as well, ascending; -inf and inf average 0."""
    return sorted(0.0 if math.isnan(total := a + b) else total / 2
                  for i, a in enumerate(logs) for b in logs[i:])


def p_greater(logs, shift=0.0):
    """P(signed rank ≥ observed) if the differences were symmetric about `shift`: one-sided p.

    Exact, given ties (midranks); differences of zero are left out (Wilcoxon's rule).
    """
    apart = [value - shift for value in logs if value != shift]
    sizes = sorted(map(abs, apart))
    doubled = [sum(s < abs(v) for s in sizes) + sum(s <= abs(v) for s in sizes) + 1 for v in apart]
    counts = rank_sum_counts(tuple(doubled))
    observed = sum(rank for rank, value in zip(doubled, apart) if value > 0)
    return sum(counts[observed:]) / 2**len(apart)


def holm(p_values):
    """Holm's adjusted p-values, in the order given: reject those at most alpha."""
    adjusted, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


@dataclass(frozen=True)
class Comparison:
    """`ratio` B/A with its interval [low, high] over `blocks` pairs; `logs` of each pair.

    `blocks` 0: nothing to compare, and the ratio is None. An interval of few blocks is
    [0, infinity]. `detectable`: the smallest ratio above 1 that so many blocks with this spread
    could have shown, infinite if none.
    """

    ratio: float
    low: float
    high: float
    blocks: int
    logs: tuple = ()

    @property
    def detectable(self):
        """The smallest ratio above 1 whose interval would have excluded 1."""
        if not self.blocks or not 0 < self.low <= self.high < math.inf:
            return math.inf
        return max(self.ratio / self.low, self.high / self.ratio)


def difference(a, b):
    """ln b - ln a of values ≥ 0, of which infinite is a failed run; 0 where they are equal."""
    if a == b:
        return 0.0
    if a == 0 or b == math.inf:
        return math.inf
    return -math.inf if b == 0 or a == math.inf else math.log(b / a)


def paired_logs(a, b):
    """The differences of the blocks that {block: value} `a` and `b` both have (None: not)."""
    return tuple(difference(a[block], b[block]) for block in sorted(a.keys() & b.keys())
                 if a[block] is not None and b[block] is not None)


def compare_logs(logs, level=LEVEL):
    """The Comparison of the differences `logs`: Hodges-Lehmann and its exact interval."""
    if not logs:
        return Comparison(None, 0.0, math.inf, 0)
    averages, k = walsh_averages(logs), depth(len(logs), level)
    low, high = (averages[k - 1], averages[-k]) if k else (-math.inf, math.inf)
    return Comparison(exponential(median(averages)), exponential(low), exponential(high),
                      len(logs), tuple(logs))


def exponential(log):
    """exp, infinite where it is beyond floating point."""
    return math.exp(log) if log < 709 else math.inf


def verdict(comparison, delta, higher_is_better=False):
    """The word: worse, better, equivalent or inconclusive; of B against A, with margin `delta`.

    worse: the interval lies above 1 and the estimate above 1 + delta. better: likewise below 1
    and 1/(1 + delta). equivalent: the interval lies inside 1/(1 + delta) … 1 + delta.
    """
    if not comparison.blocks:
        return "inconclusive"
    if comparison.low > 1 and comparison.ratio > 1 + delta:
        return "better" if higher_is_better else "worse"
    if comparison.high < 1 and comparison.ratio < 1 / (1 + delta):
        return "worse" if higher_is_better else "better"
    if comparison.low > 1 / (1 + delta) and comparison.high < 1 + delta:
        return "equivalent"
    return "inconclusive"
