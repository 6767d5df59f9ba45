# SPDX-License-Identifier: MIT
"""Holds the paired statistics against scipy, against brute force and against simulated suites."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import wilcoxon

from tailrace_report.paired import (LEVEL, compare_logs, depth, difference, holm, p_greater,
                                    paired_logs, signed_rank_counts, verdict, walsh_averages)

SUITES = 2000
RNG = np.random.default_rng
INF = math.inf


def by_all_signs(logs):
    """One-sided p of the signed ranks of `logs` by trying every pattern of signs, in halves."""
    apart = [value for value in logs if value != 0]
    sizes = np.abs(apart)
    ranks = np.array([(sizes < size).sum() + ((sizes == size).sum() + 1) / 2 for size in sizes])
    observed = sum(rank for rank, value in zip(ranks, apart) if value > 0)
    sums = [ranks[list(signs)].sum() if any(signs) else 0.0
            for signs in product((False, True), repeat=len(apart))]
    return sum(total >= observed for total in sums) / len(sums)


def accepted(logs, shift):
    """Whether scipy's exact test at LEVEL, two-sided, does not reject that all differ by it."""
    moved = np.array(logs) - shift
    tails = [wilcoxon(moved, alternative=side, method="exact").pvalue
             for side in ("greater", "less")]
    return min(tails) > (1 - LEVEL) / 2


@pytest.mark.parametrize("n", [1, 2, 5, 8, 13, 20])
def test_one_sided_p_is_that_of_scipy(n):
    for seed in range(6):
        logs = RNG(seed).normal(0.3, 1, n)
        expected = wilcoxon(logs, alternative="greater", method="exact").pvalue
        assert p_greater(logs.tolist()) == pytest.approx(expected, rel=1e-12)
        moved = wilcoxon(logs - 0.25, alternative="greater", method="exact").pvalue
        assert p_greater(logs.tolist(), 0.25) == pytest.approx(moved, rel=1e-12)


@pytest.mark.parametrize("logs", [
    [1, 1, 1], [1, -1, 1, 2], [0, 0, 1, -2, 3, 3], [0.5, 0.5, -0.5, 1, 1, -1, 2, 0], [0, 0, 0],
    [-1, -1, -2], [INF, INF, 1, -2], [-INF, INF, INF, 0, 3, 3], [3, -3, 3, -3, 3, 3, 0, 1, 1, 9]])
def test_ties_zeros_and_infinities_are_as_by_all_patterns_of_signs(logs):
    assert p_greater(logs) == by_all_signs(logs)


def test_no_difference_at_all_is_no_evidence():
    assert p_greater([]) == p_greater([0.0] * 9) == 1.0


@pytest.mark.parametrize("n", [1, 4, 9, 14])
def test_null_distribution_counts_every_pattern_of_signs(n):
    counts = [0] * (n * (n + 1) // 2 + 1)
    for signs in product((0, 1), repeat=n):
        counts[sum(rank for rank, sign in enumerate(signs, 1) if sign)] += 1
    assert signed_rank_counts(n) == counts


def test_depth_is_that_of_the_design():
    assert [depth(n) for n in (8, 10, 12, 20)] == [2, 6, 10, 44]
    assert [depth(n) for n in range(8)] == [0] * 7 + [1], "7 blocks are the fewest with an interval"
    assert [depth(n, 0.95) for n in (5, 6, 10)] == [0, 1, 9], "as in printed tables"


@pytest.mark.parametrize("n", range(7, 21))
def test_depth_is_the_greatest_that_keeps_the_level(n):
    def outside(k):
        return 2 * sum(signed_rank_counts(n)[:k]) / 2**n

    assert outside(depth(n)) <= 1 - LEVEL < outside(depth(n) + 1)


@pytest.mark.parametrize("n", [7, 8, 10, 12])
def test_interval_is_what_the_exact_test_does_not_reject(n):
    logs = RNG(n).standard_t(2, n)
    pairs = np.add.outer(logs, logs)[np.triu_indices(n)] / 2
    edges = np.sort(pairs)
    assert walsh_averages(logs.tolist()) == pytest.approx(edges)
    between = np.concatenate(([edges[0] - 1], (edges[1:] + edges[:-1]) / 2, [edges[-1] + 1]))
    inside = [place for place, shift in enumerate(between) if accepted(logs, shift)]
    comparison = compare_logs(logs.tolist())
    assert math.log(comparison.low) == pytest.approx(edges[inside[0] - 1])
    assert math.log(comparison.high) == pytest.approx(edges[inside[-1]])


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 20])
def test_estimate_balances_the_signed_ranks(n):
    logs = RNG(50 + n).standard_t(2, n)
    estimate = math.log(compare_logs(logs.tolist()).ratio)

    def signed_ranks(shift):
        moved = logs - shift
        ranks = np.abs(moved).argsort().argsort() + 1
        return ranks[moved > 0].sum()

    balance = n * (n + 1) / 4
    assert signed_ranks(estimate - 1e-9) >= balance >= signed_ranks(estimate + 1e-9)


def test_holm_as_written_out():
    # Sorted 0.005 0.01 0.03 0.04, times 4 3 2 1: 0.02 0.03 0.06 0.04; never less than before: 0.06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    # Sorted 0.01 0.5 0.9, times 3 2 1: 0.03 1.0 0.9; never less than before: 1.0
    assert holm([0.9, 0.5, 0.01]) == pytest.approx([1.0, 1.0, 0.03])
    assert holm([]) == [] and holm([0.2]) == [0.2]
    assert holm([0.02, 0.02]) == [0.04, 0.04]


def test_holm_rejects_what_the_step_down_procedure_rejects():
    def step_down(p_values, alpha):
        order = sorted(range(len(p_values)), key=p_values.__getitem__)
        rejected = set()
        for place, index in enumerate(order):
            if p_values[index] > alpha / (len(p_values) - place):
                break
            rejected.add(index)
        return rejected

    for seed in range(50):
        p_values = RNG(seed).beta(0.3, 3, 8).tolist()
        for alpha in (0.01, 0.05, 0.2):
            assert {i for i, p in enumerate(holm(p_values)) if p <= alpha} == \
                step_down(p_values, alpha)


def test_differences_of_zero_and_of_failed_runs():
    assert difference(2, 8) == pytest.approx(math.log(4))
    assert difference(0, 0) == difference(INF, INF) == difference(7, 7) == 0
    assert difference(0, 3) == difference(3, INF) == difference(0, INF) == INF
    assert difference(3, 0) == difference(INF, 3) == difference(INF, 0) == -INF


def test_blocks_are_paired_and_unknown_values_left_out():
    a, b = {0: 1.0, 1: 2.0, 2: None, 4: INF, 3: 5.0}, {4: 1.0, 3: 5.0, 2: 3.0, 0: 2.0, 9: 1.0}
    assert paired_logs(a, b) == (math.log(2), 0.0, -INF)
    assert paired_logs({0: 1.0}, {1: 1.0}) == paired_logs({}, {}) == ()


@pytest.mark.parametrize("n", range(7))
def test_few_blocks_show_nothing(n):
    comparison = compare_logs([3.0] * n)
    assert (comparison.low, comparison.high, comparison.blocks) == (0, INF, n)
    assert comparison.detectable == INF and verdict(comparison, 0.05) == "inconclusive"
    assert comparison.ratio == (pytest.approx(math.exp(3)) if n else None)


def test_failures_on_one_side_are_a_difference():
    always = compare_logs([INF] * 8)
    assert (always.ratio, always.low, always.high) == (INF, INF, INF)
    assert verdict(always, 0.2) == "worse" and verdict(always, 0.2, True) == "better"
    never = compare_logs([-INF] * 8)
    assert (never.ratio, never.low, never.high) == (0, 0, 0) and verdict(never, 0.2) == "better"
    mixed = compare_logs([INF] * 4 + [-INF] * 4)
    assert (mixed.ratio, mixed.low, mixed.high) == (1, 0, INF)
    assert verdict(mixed, 0.2) == "inconclusive"


def test_one_failed_run_of_ten_opens_the_interval_and_leaves_the_estimate():
    logs = [0.01 * place for place in range(9)]
    comparison = compare_logs([*logs, INF])
    assert comparison.high == INF and comparison.low > 0.99 and comparison.ratio < 1.06
    assert verdict(comparison, 0.2) == "inconclusive" and comparison.detectable == INF


def test_differences_beyond_floating_point_do_not_stop_it():
    assert compare_logs([800.0] * 8).ratio == INF
    assert compare_logs([-800.0] * 8).ratio == 0


@pytest.mark.parametrize("shift, word", [(0.5, "worse"), (-0.5, "better"), (0.0, "equivalent"),
                                         (0.1, "equivalent"), (0.18, "inconclusive")])
def test_words_of_clear_cases(shift, word):
    logs = [shift + noise for noise in np.linspace(-0.05, 0.05, 10)]
    comparison = compare_logs(logs)
    assert verdict(comparison, 0.2) == word
    opposite = {"worse": "better", "better": "worse"}.get(word, word)
    assert verdict(comparison, 0.2, higher_is_better=True) == opposite
    assert verdict(compare_logs([-log for log in logs]), 0.2) == opposite


def test_effects_from_detectable_on_exclude_1_either_way():
    logs = [-0.3, -0.1, 0.0, 0.1, 0.2, 0.15, 0.05, 0.7]
    found = compare_logs(logs)

    def excludes_1(effect):
        moved = compare_logs([log + math.log(effect / found.ratio) for log in logs])
        assert moved.ratio == pytest.approx(effect)
        return moved.low > 1 or moved.high < 1

    assert excludes_1(found.detectable * 1.001) and excludes_1(1 / found.detectable / 1.001)
    assert not (excludes_1(found.detectable / 1.001) and excludes_1(1.001 / found.detectable))


HEAVY = {
    "student t, 2 degrees": lambda rng, shape: rng.standard_t(2, shape),
    "log-normal": lambda rng, shape: rng.lognormal(0, 1, shape) - rng.lognormal(0, 1, shape),
    "one run in ten disturbed": lambda rng, shape: runs(rng, shape, 0.1) - runs(rng, shape, 0.1)}


def runs(rng, shape, disturbed):
    """Logarithms of runs that spread by 16 % and of which some took up to several times as long."""
    late = (rng.random(shape) < disturbed) * np.abs(rng.normal(0, math.log(2), shape))
    return rng.normal(0, 0.16, shape) + late


@pytest.mark.parametrize("blocks", [8, 10, 20])
@pytest.mark.parametrize("tails", HEAVY)
def test_interval_covers_the_truth_in_suites_with_heavy_tails(tails, blocks):
    truth = math.log(1.3)
    suites = truth + HEAVY[tails](RNG(7), (SUITES, blocks))
    found = [compare_logs(logs) for logs in suites.tolist()]
    covered = sum(c.low <= 1.3 <= c.high for c in found) / SUITES
    assert 0.96 <= covered < 1, covered


def share(words, word):
    """How many of `words` are `word`, 0 to 1."""
    return sum(one == word for one in words) / len(words)


def simulated(factor, blocks, seed):
    """Words of SUITES suites at a margin of 20 %, B being `factor` times A in the median."""
    rng, shape = RNG(seed), (SUITES, blocks)
    logs = math.log(factor) + runs(rng, shape, 0.05) - runs(rng, shape, 0.05)
    return [verdict(compare_logs(suite), 0.2) for suite in logs.tolist()]


@pytest.mark.parametrize("blocks", [8, 10, 20])
def test_equal_arms_are_seldom_called_different(blocks):
    words = simulated(1, blocks, blocks)
    assert share(words, "worse") + share(words, "better") <= 0.02


def test_power_is_that_of_the_design():
    assert 0.80 <= share(simulated(1.5, 10, 3), "worse") <= 0.90
    assert share(simulated(1.5, 20, 4), "worse") >= 0.98
    assert share(simulated(1 / 1.5, 20, 5), "better") >= 0.98
