# SPDX-License-Identifier: MIT
"""Holds causes and noise against values worked out by hand."""

import math

import numpy as np
import pytest

from tailrace_report import causes, metrics, noise, style, text
from tailrace_report.cells import Cell


def run(p99_9=1000, status="ok", unexplained=(), noisy=(), **without):
    """A traced run: `without` has p99.9 in ns without each cause ("all" for all)."""
    left = without.pop("all", p99_9)
    return {"status": status, "block": 0,
            "response_ns": {"p99_9": p99_9, "max": 5000, "noise_limited": list(noisy)},
            "causes": {"traced": 9, "response_ns": {"p99": 400, "p99_9": p99_9},
                       "response_without_all_ns": {"p99": 400, "p99_9": left},
                       "unexplained": list(unexplained),
                       "effects": [{"cause": cause, "count": 2, "total_s": 0.5, "longest_s": 0.3,
                                    "affected": 7, "delay_s": 2, "excess_share": 0.25,
                                    "response_without_ns": {"p99": 400, "p99_9": value},
                                    "max_without_ns": 100} for cause, value in without.items()]}}


def cell(*runs):
    """A cell of some runs."""
    return Cell({"control": False}, "cell", "", None, list(runs), None, None)


def told(*runs):
    """The sentence on a cell, with plain spaces."""
    one = cell(*runs)
    return causes.sentence(one, causes.breakdown(one)).replace(text.SPACE, " ")


def test_quantiles_without_a_cause_are_medians_over_runs():
    parts = causes.breakdown(cell(run(1000, preemption=200), run(2000, preemption=400), run(900)))
    assert parts.measured == {"p99": 400, "p99_9": 1000, "max": 5000}
    assert parts.without == {"preemption": {"p99": 400, "p99_9": 400, "max": 100}}
    assert parts.share("preemption", "p99_9") == pytest.approx(0.6)
    assert parts.share("preemption", "p99") == 0


def test_failed_runs_are_infinite_and_untraced_ok_ones_blank_a_cell():
    crashed = {"status": "crashed", "block": 1}
    assert causes.breakdown(cell(run(1000, stall=200), crashed)).measured["p99_9"] == math.inf
    assert causes.breakdown(cell(run(1000), run(2000), crashed)).measured["p99_9"] == 2000
    untraced = {**run(1000), "causes": None}
    assert causes.breakdown(cell(run(1000), untraced)).measured["p99_9"] is None
    assert causes.breakdown(cell(untraced, crashed)) is None
    assert told(run(1000), crashed) == "not told: half of the runs or more ended crashed."


def test_main_cause_is_named_with_its_share():
    assert told(run(1000, **{"collector-pause": 180, "all": 180})) == (
        "82.0 % of p99.9 (1.00 µs) is collector pauses.")
    assert told(run(1000, **{"preemption": 900, "collector-pause": 500, "stall": 990,
                             "all": 300})) == (
        "50.0 % of p99.9 (1.00 µs) is collector pauses and 10.0 % is preemption, "
        "70.0 % all causes together.")
    assert told(run(1000, **{"batch-free": 400, "all": 400})) == (
        "60.0 % of p99.9 (1.00 µs) is batch frees.")


def test_every_cause_has_a_name_and_a_marker():
    assert list(causes.NAMES) == list(style.CAUSE_MARKERS)


def test_what_no_cause_explains_is_said():
    assert told(run(1000, unexplained=["p99_9"], noisy=["p99_9"], all=980)) == (
        "p99.9 (1.00 µs) is unexplained: 980 ns is left without every known cause "
        "(~ noise-limited).")
    assert told(run(1000, unexplained=["p99_9"], stall=600, all=600)) == (
        "40.0 % of p99.9 (1.00 µs) is stalls; 600 ns stays unexplained.")
    assert told(run(1000)).startswith("p99.9 (1.00 µs) owes next to nothing to a known cause")
    assert told(run(1000, **{"magic": 100, "all": 100})) == "90.0 % of p99.9 (1.00 µs) is magic."


def test_table_marks_the_strongest_cause_and_blanks_absent_ones():
    section = causes.cause_section([cell(run(1000, stall=900, preemption=200, all=100)),
                                    cell(run(3000, unexplained=["p99_9"]))])
    assert section["columns"] == ["preemption", "stalls"]
    first, second = (row["lines"][1] for row in section["rows"])
    assert [(v["text"], v["main"]) for v in first["without"]] == [
        (f"200{text.SPACE}ns", True), (f"900{text.SPACE}ns", False)]
    assert [v["text"] for v in second["without"]] == [None, None] and second["unexplained"]
    assert section["details"][0]["affected"] == "7"
    assert section["details"][0]["share"] == f"25.0{text.SPACE}%"


def test_quantile_is_noise_limited_in_half_of_the_ok_runs():
    limited, clear, failed = run(noisy=["p99_9"]), run(), run(status="oom", noisy=["p99_9"])
    assert metrics.noise_limited([limited, clear], "p99_9")
    assert not metrics.noise_limited([limited, clear, clear, failed], "p99_9")
    assert not metrics.noise_limited([limited], "p99")
    assert not metrics.noise_limited([failed], "p99_9")


def test_floor_band_spans_the_cells_and_is_cut_at_the_end():
    floors = [{"p50": 100, "p99": 1000, "p99_9": 100_000}, {"p50": 300, "p99": 500}]
    cells = [cell({"noise_floor_ns": floor}) for floor in floors]
    x, low, high = noise.floor_band(cells, 100 * math.sqrt(10))
    assert np.allclose(x, [2, 100, 316.227766])
    assert np.allclose(low, [100, 500, 500 * math.sqrt(200)])
    assert np.allclose(high, [300, 1000, 10_000])
    assert noise.floor_band([cell({"noise_floor_ns": None})], 1000) is None


def test_machine_rows_sum_workers_and_take_medians_over_runs():
    def noisy(switches, **fields):
        worker = {"involuntary_switches": switches, "run_delay_s": 0.001}
        return {"status": "ok", "noise": {"workers": [worker, worker], **fields}}
    row = noise.noise_rows([cell(noisy(1), noisy(8, steal_s=0.02, hiccups={"p99_ns": 5000}),
                                 noisy(3), {"status": "ok"}), cell({"status": "ok"})])
    assert len(row) == 1 and row[0]["involuntary"] == "6" and row[0]["pressure"] is None
    assert row[0]["run_delay"] == f"2.00{text.SPACE}ms"
    assert row[0]["steal"] == f"20.0{text.SPACE}ms"
    assert row[0]["hiccup_p99"] == f"5.00{text.SPACE}µs" and row[0]["hiccup_max"] is None
