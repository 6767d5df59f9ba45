# SPDX-License-Identifier: MIT
"""Finds where the level of a series changed: circular binary segmentation, permutation test.

The replicate is the result set: one number for each, its median over blocks. Levels are compared
on logarithms. A window of sets is held against all others, over all windows (Olshen, Venkatraman,
Lucito and Wigler, Biostatistics 2004), so that a rise that was mended later is found as well as
one that stayed; the strongest against the strongest of the series in random order, and if it
passes, its parts are searched in turn. As with E-divisive (Matteson and James, JASA 2014; MongoDB,
Apache Otava) the permutation test holds whatever the distribution is, and unlike Otava's t-test it
allows for the search. At last each change must stand between its two neighbours alone.
"""

import math
import random
from functools import lru_cache
from itertools import accumulate
from operator import sub
from statistics import median

from .paired import LEVEL, Comparison, difference, exponential

SIGNIFICANCE = 0.01  # how often a series without any change shows one
SHUFFLES = 999  # p-values are multiples of 1 / (SHUFFLES + 1)
SIDE_MIN = 2  # sets on either side of a split: one alone cannot be told from an outlier
# Windows with sets on both sides count this much: there are many more of them than of lasting
# changes, which they would hide. Simulated: a step after 20 sets is seen from the third set on,
# without this from the fourth.
INNER = 0.9
# Logarithms further from the median than this many median deviations (4 standard deviations) or
# CLIP_MIN, whichever is more, count as that far: one bad set does not hide a change, a failed one
# (infinite) has a place, and steps between histogram buckets (1 %) are not taken for all there is.
CLIP_DEVIATIONS, CLIP_MIN = 6, 0.01


def change_points(values):
    """Indices i where the level of `values` (≥ 0, infinite: failed) changed between i - 1 and i."""
    return standing(values, segments(values))


def segments(values):
    """The ends of the windows that are stronger than chance allows, ascending."""
    n = len(values)
    if n < sets_needed():
        return []
    scores = clipped(values)
    strength = strongest(scores)
    if strength <= 0 or not significant(scores, strength):
        return []
    bounds = [0, *ends(scores, strength), n]
    return sorted({*bounds[1:-1], *(first + place for first, last in zip(bounds, bounds[1:])
                                    for place in segments(values[first:last]))})


def standing(values, places):
    """Those of `places` where the levels on both sides, up to the next ones, surely differ."""
    while places:
        bounds = [0, *places, len(values)]
        shifts = [shift(values[a:b], values[b:c])
                  for a, b, c in zip(bounds, bounds[1:], bounds[2:])]
        doubtful = [(abs(difference(1, found.ratio)), place) for found, place in
                    zip(shifts, places) if found.low <= 1 <= found.high]
        if not doubtful:
            break
        places = [place for place in places if place != min(doubtful)[1]]
    return places


def clipped(values):
    """Logarithms relative to the median, pulled in to the clip distance."""
    middle = median(values)
    logs = [difference(middle, value) for value in values]
    spread = median(map(abs, logs))
    limit = max(CLIP_MIN, CLIP_DEVIATIONS * spread if math.isfinite(spread) else 0)
    scores = [min(max(log, -limit), limit) for log in logs]
    mean = sum(scores) / len(scores)
    return [score - mean for score in scores]


@lru_cache(maxsize=None)
def weights(n):
    """[(Length of a window, weight)]: weight · |its sum| is the strength of a window.

    The scores' sum being 0, it is √(length · rest / n) · |difference of means|.
    """
    return [(length, math.sqrt(n / (length * (n - length))))
            for length in range(SIDE_MIN, n - SIDE_MIN + 1)]


def strongest(scores):
    """The strength of the strongest window."""
    sums = [0.0, *accumulate(scores)]
    return max(weight * max(abs(sums[length]), abs(sums[-1 - length]),
                            INNER * max(map(abs, map(sub, sums[length:], sums))))
               for length, weight in weights(len(scores)))


def ends(scores, strength):
    """The ends of the first window of that strength, where SIDE_MIN sets or more lie beyond."""
    n, sums = len(scores), [0.0, *accumulate(scores)]
    first, last = next(
        (first, first + length) for length, weight in weights(n) for first in range(n - length + 1)
        if abs(sums[first + length] - sums[first]) * weight
        * (1 if first in (0, n - length) else INNER) >= strength * (1 - 1e-9))
    return [place for place in (first, last) if SIDE_MIN <= place <= n - SIDE_MIN]


def significant(scores, strength):
    """Whether at most SIGNIFICANCE of the series in random order are as strong; stops when not."""
    shuffled, chance = list(scores), random.Random(len(scores))
    allowed = math.floor(SIGNIFICANCE * (SHUFFLES + 1) + 1e-9) - 1
    for _ in range(SHUFFLES):
        chance.shuffle(shuffled)
        allowed -= strongest(shuffled) >= strength * (1 - 1e-9)
        if allowed < 0:
            return False
    return True


def side_needed(n):
    """The fewest sets on either side of a change that `n` sets can show, or None: none can.

    Of the C(n, side) places for that many sets both ends are as good.
    """
    return next((side for side in range(SIDE_MIN, n // 2 + 1)
                 if 2 / math.comb(n, side) <= SIGNIFICANCE), None)


@lru_cache(maxsize=None)
def sets_needed():
    """The fewest sets that can show a change at all."""
    return next(n for n in range(2 * SIDE_MIN, 1000) if side_needed(n))


def shift(before, after):
    """The Comparison of the level of `after` to that of `before`, values of independent sets.

    Hodges and Lehmann's estimate and Moses' exact interval, from the distribution of Mann and
    Whitney's statistic (Hollander, Wolfe and Chicken, 4.2 and 4.3).
    """
    logs = sorted(difference(a, b) for a in before for b in after)
    k = rank_sum_depth(len(before), len(after))
    low, high = (logs[k - 1], logs[-k]) if k else (-math.inf, math.inf)
    return Comparison(exponential(median_log(logs)), exponential(low), exponential(high),
                      len(logs))


def median_log(logs):
    """The median, of -inf and inf 0."""
    middle = median(logs)
    return 0.0 if math.isnan(middle) else middle


@lru_cache(maxsize=None)
def rank_sum_depth(m, n):
    """K: the interval runs from the K-th difference to the K-th from the end; 0: too few."""
    allowed, below, k = (1 - LEVEL) / 2 * math.comb(m + n, m), 0, 0
    for count in mann_whitney_counts(m, n):
        below += count
        if below > allowed * (1 + 1e-9):
            return k
        k += 1
    return k


def mann_whitney_counts(m, n):
    """How many of the C(m + n, m) orders of m and n values have each number 0 … mn of pairs
    in which the second is the larger: the coefficients of the Gaussian binomial."""
    counts = [1] + [0] * (m * n)
    for j in range(1, m + 1):
        for power in range(m * n, n + j - 1, -1):
            counts[power] -= counts[power - n - j]
        for power in range(j, m * n + 1):
            counts[power] += counts[power - j]
    return counts
