# SPDX-License-Identifier: MIT
"""Holds the statistics against values worked out by hand."""

import math

import numpy as np
import pytest

from tailrace_report import stats
from tailrace_report.layout import spread


def run(p99_9=None, status="ok", block=0, low=(), **fields):
    """A run with as much in it as a test needs."""
    return {"status": status, "block": block,
            "response_ns": {"p50": 1, "p99_9": p99_9, "max": 9, "low_samples": list(low)}, **fields}


def test_median_over_runs_is_of_the_per_run_quantile():
    quantile = stats.cell_quantile([run(10), run(40), run(30), run(90)], "p99_9")
    assert (quantile.value, quantile.best, quantile.worst) == (35, 10, 90)


@pytest.mark.parametrize("status", ["crashed", "oom", "timeout", "overloaded"])
def test_failed_runs_rank_as_infinite(status):
    failed = run(1, status)
    assert stats.cell_quantile([run(10), run(20), failed], "p99_9").value == 20
    assert stats.cell_quantile([run(10), run(20), failed], "p99_9").worst == math.inf
    assert stats.cell_quantile([run(10), failed], "p99_9").value == math.inf
    assert stats.cell_quantile([run(10), failed, failed], "p99_9").value == math.inf


def test_quantile_is_blank_unless_every_ok_run_has_it():
    assert stats.cell_quantile([run(10), run(None), run(20)], "p99_9").value is None
    assert stats.cell_quantile([run(None), run(5, "oom")], "p99_9").value == math.inf
    assert stats.cell_quantile([], "p99_9").value is None


def test_low_samples_of_one_ok_run_mark_the_cell():
    assert stats.cell_quantile([run(10), run(20, low=["p99_9"])], "p99_9").low
    assert not stats.cell_quantile([run(10), run(20, low=["p99_99"])], "p99_9").low
    assert not stats.cell_quantile([run(10), run(20, "oom", low=["p99_9"])], "p99_9").low


def test_other_fields_are_medians_over_runs_that_executed_every_request():
    runs = [run(rate=1.0), run(rate=3.0, status="overloaded"), run(rate=900.0, status="crashed"),
            run(rate=None)]
    assert stats.median_of(runs, "rate") == 2.0
    assert stats.median_of(runs[2:], "rate") is None


def test_curve_holds_the_quantiles_of_the_histogram():
    one_to_thousand = run(response_histogram=[[v, 1] for v in range(1, 1001)])
    curve = stats.run_curve(one_to_thousand, np.array([2, 4, 10, 50, 100, 101, 1000]))
    assert curve[:5].tolist() == [500, 750, 900, 980, 990]
    assert np.isnan(curve[5:]).all(), "fewer than 10 of 1000 samples lie beyond p > 99 %"


def test_curve_grid_ends_where_ten_samples_lie_beyond():
    runs = [run(response_histogram=[[5, 600], [7, 400]]), run(response_histogram=[[5, 5000]])]
    grid = stats.curve_grid(runs)
    assert (grid[0], grid[-1]) == (2, 500)
    assert stats.curve_grid([run(response_histogram=[[5, 20]])]) is None
    assert stats.curve_grid([]) is None


def test_median_curve_ranks_failures_and_is_cut_at_the_shortest_run():
    grid = np.array([2, 10, 100])
    runs = [run(response_histogram=[[value, count]])
            for value, count in ((10, 1000), (20, 1000), (30, 500))]
    middle = stats.median_curve(runs, grid)
    assert middle[:2].tolist() == [20, 20] and np.isnan(middle[2])
    failed = run(status="crashed")
    assert stats.median_curve([*runs[:2], failed], grid).tolist() == [20, 20, 20]
    assert np.isnan(stats.median_curve([runs[0], failed], grid)).all()


def test_representative_run_has_the_lower_median():
    runs = [run(value, block=block, intervals={"width_s": 1})
            for block, value in enumerate([70, 10, 50, 30])]
    assert stats.representative(runs)["block"] == 3
    assert stats.representative(runs[:3])["block"] == 2


def test_representative_run_counts_failures_as_slowest_but_must_be_drawable():
    series = {"width_s": 1}
    ok = [run(10, block=0, intervals=series), run(20, block=1, intervals=series)]
    crashed = [run(None, "crashed", block=block) for block in (2, 3, 4)]
    overloaded = [run(99, "overloaded", block=7, intervals=series)]
    assert stats.representative(ok + crashed[:1])["block"] == 1
    assert stats.representative(ok + crashed)["block"] == 1
    assert stats.representative(overloaded)["block"] == 7
    assert stats.representative(crashed) is None


def test_representative_run_falls_back_to_a_quantile_that_all_have():
    runs = [{"status": "ok", "block": block, "intervals": {"width_s": 1},
             "response_ns": {"p99_9": p99_9, "p99": p99}}
            for block, (p99_9, p99) in enumerate([(None, 9), (5, 1), (7, 4)])]
    assert stats.ranking_key(runs) == "p99"
    assert stats.representative(runs)["block"] == 2


def test_pauses_are_clipped_to_the_recording():
    spans = [(-3, -1), (-1, 0.5), (2, 3), (9.5, 12), (10, 11)]
    paused = {"duration_s": 10, "pauses": [
        {"cause": "collector-pause", "begin_s": b, "end_s": e} for b, e in spans]}
    assert stats.clipped_pauses(paused) == {"collector-pause": [(0, 0.5), (2, 3), (9.5, 10)]}


def test_checksums_are_compared_at_equal_seed_and_request_count():
    def summed(checksum, seed=1, requests=100, status="ok"):
        return run(checksum=checksum, seed=seed, requests=requests, status=status)

    agreeing = [summed("a"), summed("a"), summed("b", seed=2), summed("c", requests=7),
                summed(None), summed("z", status="crashed")]
    result = stats.compare_checksums(agreeing)
    assert (result.compared, result.groups, result.odd) == (2, 1, [])
    odd = summed("b", status="overloaded")
    assert stats.compare_checksums([*agreeing, odd]).odd == [(odd, "a")]
    tie = [summed("a"), summed("b")]
    assert stats.compare_checksums(tie).odd == [(tie[0], None), (tie[1], None)]


def test_labels_are_moved_apart_and_no_further_than_needed():
    assert spread([0.9, 0.1], 0.2, 0, 1) == [0.9, 0.1]
    assert spread([0.5, 0.5], 0.2, 0, 1) == pytest.approx([0.4, 0.6])
    assert spread([-1, 0.05, 1], 0.2, 0, 1) == pytest.approx([0, 0.2, 1])
    assert spread([1, 1, 1], 0.2, 0, 1) == pytest.approx([0.6, 0.8, 1])
    crowded = sorted(spread([0.3] * 9, 0.2, 0, 1))
    assert np.allclose(np.diff(crowded), 0.125) and crowded[0] >= 0 and crowded[-1] <= 1 + 1e-9
