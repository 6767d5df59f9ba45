# SPDX-License-Identifier: MIT
"""Checks what figures show: ratios and verdicts, the front, the heat map, the objective, limits."""

import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from runs import STEADY, cell, times

from tailrace_report import curve_figures, figures, slo
from tailrace_report.cells import scenarios
from tailrace_report.heat_figure import heat
from tailrace_report.metrics import METRICS
from tailrace_report.overview_figure import overview
from tailrace_report.pareto_figure import front, pareto, points
from tailrace_report.ratio_figure import base_of, compared, forest
from tailrace_report.rendering import rendered
from tailrace_report.resultset import read_result_set
from tailrace_report.text import SPACE

ODD = "a$b$ {x}_^ <&> \\frac ∂"


def texts(figure):
    """Every text of a figure with plain spaces, each once."""
    import matplotlib.text
    return {text.get_text().replace(SPACE, " ")
            for text in figure.findobj(matplotlib.text.Text)} - {""}


def test_forest_compares_with_malloc_on_glibc_or_the_first_that_works():
    cells = [cell("none", STEADY), cell("arena", times(2, STEADY)), cell("malloc", STEADY)]
    assert base_of(cells).label == "malloc · glibc"
    assert base_of(cells[:2]).label == "arena · glibc" and base_of(cells[:1]) is None
    assert base_of([cell("malloc", ["oom"] * 8), cells[1]]).label == "arena · glibc"
    assert forest(cells[:1]) is None and forest([]) is None and forest(cells[1:2]) is None


def test_forest_says_ratio_interval_and_verdict_in_each_column():
    cells = [cell("malloc", STEADY), cell("arena", times(2, STEADY), 30),
             cell("boehm", ["overloaded"] * 10)]
    by_metric = {metric.name: [(one.label, word) for one, _, word in rows]
                 for metric, rows in compared(cells)}
    assert by_metric == {name: [("arena · glibc", "worse"), ("boehm · glibc", "worse")]
                         for name in ("p99.9", "p99", "p50", "rss-peak")}
    shown = texts(forest(cells))
    assert {"2.00 (2.00 to 2.00) worse", "3.00 (3.00 to 3.00) worse", "∞, failed",
            "p99.9, ±20 %", "rss-peak, ±5 %"} <= shown
    few = texts(forest([cell("malloc", STEADY[:3]), cell("arena", times(2, STEADY[:3]))]))
    assert "2.00 (no interval) inconclusive" in few


def test_front_holds_what_nothing_beats_in_both():
    cells = [cell("none", times(0.1, STEADY), 1), cell("a", times(5, STEADY), 10),
             cell("b", times(3, STEADY), 20), cell("c", times(4, STEADY), 30),
             cell("d", STEADY, 40), cell("e", ["oom"] * 10, 1)]
    found = points(cells, METRICS["p99.9"])
    assert [point.cell.spec["strategy"] for point in front(found)] == ["a", "b", "d"]
    assert found[1].tail == 500_000 and found[1].tail_range == (485_000, 515_000)
    assert found[1].rss_range == (10 * 2**20, 10 * 2**20)
    shown = texts(pareto(cells))
    assert "failed, no point:\ne · glibc: oom" in shown and "none · glibc (null control)" in shown
    assert pareto(cells[:1]) is None and pareto(cells[-1:]) is None


def test_failed_cells_beside_the_front_are_limited():
    cells = [cell("a", STEADY), cell("b", STEADY)] + [cell(f"x{i}", ["oom"] * 8) for i in range(30)]
    assert any(text.endswith("x10 · glibc: oom\n19 more") for text in texts(pareto(cells)))


def series(values, width_s=0.5):
    """The field `intervals`."""
    return {"intervals": {"width_s": width_s, "max_response_ns": values}}


def test_heat_map_has_a_row_per_run_and_blanks_where_no_request_was_due():
    cells = [cell("a", STEADY[:3], **series([1000, None, 9e6])),
             cell("b", STEADY[:2], **series([2000, 3000, 1e6]))]
    figure = heat(cells)
    images = [image for axes in figure.axes for image in axes.images][:2]
    data = np.ma.filled(images[0].get_array().astype(float), np.nan)
    assert data.shape == (3, 3) and np.isnan(data[:, 1]).all() and (data[:, 2] == 9e6).all()
    assert images[0].norm is images[1].norm and images[0].norm.vmax == 9e6
    assert {"a · glibc", "3 runs", "2 runs", "1 µs", "1 ms"} <= texts(figure)


def test_long_series_are_merged_by_their_maximum():
    values = [1000] * 1000
    values[777] = 5e7
    figure = heat([cell("a", STEADY[:2], **series(values, 0.001))])
    image = figure.axes[0].images[0]
    assert image.get_array().shape == (2, 250) and image.get_array().max() == 5e7
    assert image.get_extent()[1] == pytest.approx(1.0)


def test_no_heat_map_of_single_runs():
    assert heat([cell("a", STEADY[:1], **series([1000, 2000]))]) is None
    assert heat([cell("a", STEADY[:2], **series([None, None]))]) is None and heat([]) is None


def loaded(name, tails_us, of="slowest"):
    """Cells of one series at the loads 0.1, 0.2, …"""
    cells = []
    for number, tail in enumerate(tails_us, 1):
        one = cell(name, [tail] * 3, variant=f"load 0.{number}")
        one.spec.update(load=number / 10, load_of=of)
        cells.append(replace(one, series=name))
    return cells


def test_the_objective_is_met_up_to_the_first_load_that_misses_it():
    cells = [*loaded("a", [50, 60, 70]), *loaded("b", [50, 900, 70]), *loaded("c", [500, 50, 50]),
             *loaded("d", [50, "overloaded", 50]), *loaded("e", [50, None, 50])]
    assert slo.slo_sentences(cells, 100_000) == [
        f"p99.9 stays within the objective of 100{SPACE}µs, by load of the slowest cell's "
        "capacity: up to 0.3, the highest measured: a; up to 0.1: b, d, e; "
        "at no load measured: c."]
    assert slo.slo_sentences(cells, None) == [] == slo.slo_sentences(cells[:1], 100_000)
    assert "cell's own capacity" in slo.slo_sentences(loaded("a", [1, 2], "own"), 100_000)[0]


def test_the_objective_is_a_line_in_the_row_of_p99_9_alone():
    cells = [*loaded("a", [50, 60, 70]), *loaded("b", [50, 900, 70])]
    axes = curve_figures.load(cells, 1e6).axes
    lines = [[line for line in one.lines if set(line.get_ydata()) == {1e6}] for one in axes]
    assert list(map(len, lines)) == [0, 0, 1]
    assert "objective 1.00 ms" in texts(curve_figures.load(cells, 1e6))
    assert not any("objective" in text for text in texts(curve_figures.load(cells)))
    assert axes[-1].get_ylim()[1] > 1e6


@pytest.mark.parametrize("manifest, known", [
    ({}, None), ({"definition": {}}, None), ({"definition": {"slo_us": 250}}, 250_000)])
def test_objective_of_a_manifest(manifest, known):
    assert slo.slo_ns(manifest) == known


def test_overview_has_a_line_per_cell_or_per_scenario():
    few = {"s": [cell("a", STEADY), cell("b", times(2, STEADY)), cell("c", ["oom"] * 10)]}
    shown = texts(overview(few))
    assert {"s", "a", "b", "c", "p99.9 100 µs", "2.00 × (2.00 to 2.00)", "oom",
            "hollow, at the end: failed"} <= shown
    many = {f"s{i}": few["s"] for i in range(30)}
    shown = texts(overview(many))
    assert {"s0", "s29", "a, 100 µs", "b, 2.00 ×", "lowest", "highest"} <= shown
    assert overview(many).get_figheight() < 15
    assert any("20 more scenarios are left out" in text for text in texts(
        overview({f"s{i}": few["s"] for i in range(60)})))


def test_overview_without_anything_to_rank():
    assert overview({}) is None and overview({"s": [cell("none", STEADY)]}) is None
    assert overview({"s": [cell("a", ["oom"] * 8)]}) is None
    assert isinstance(overview({"s": [cell("a", STEADY)]}), Figure)


def test_infinite_and_unpaired_ratios_are_drawn_or_said():
    late = cell("late", STEADY)
    for run in late.runs:
        run["block"] += 50
    half = cell("half", times(3, STEADY[:6]) + ["oom"] * 4)
    shown = texts(overview({"s": [cell("a", STEADY), half, late]}))
    assert "no block that both have" in shown and any(text.startswith("∞ × (") for text in shown)


def many_cells(number):
    """Cells of rising p99.9, the null control first."""
    return [cell("none", times(0.1, STEADY[:2]))] + [
        cell(f"c{i}", times(1 + i, STEADY[:2]), **series([1000, 2000]),
             response_histogram=[[1000 * (1 + i), 500]]) for i in range(number)]


def test_many_cells_are_thinned_evenly_and_told():
    cells = many_cells(60)
    kept = figures.legible(cells, 24)
    names = [one.spec["strategy"] for one in kept]
    assert len(kept) == 24 and names[:2] == ["none", "c0"] and names[-1] == "c59"
    gaps = np.diff([int(name[1:]) for name in names[1:]])
    assert gaps.min() >= 2 and gaps.max() <= 3
    drawn = figures.figures(cells, cells)
    assert drawn.keys() == {"percentiles", "heat", "forest", "pareto"}
    for what, figure in drawn.items():
        left_out = 37 if what in ("percentiles", "heat") else 1
        assert any(text.startswith(f"{left_out} of 61 cells are left out")
                   for text in texts(figure)), what
        assert figure.get_figheight() < 27
    assert not any("left out" in text for text in texts(figures.figures(
        cells[:9], cells[:9])["heat"]))


def test_odd_names_are_drawn_as_they_are():
    cells = [cell("malloc", STEADY), cell(ODD, times(2, STEADY), heap="/tmp/$\\alpha$.so")]
    for figure in (forest(cells), pareto(cells), overview({ODD: cells})):
        assert any(ODD in text for text in texts(figure))
        assert rendered(figure, "svg")


def test_every_figure_of_a_real_shape_can_be_rendered(pristine):
    for cells in scenarios(read_result_set(pristine)).values():
        drawn = figures.figures(cells, cells)
        assert {"percentiles", "intervals", "heat", "memory", "forest", "pareto"} == set(drawn)
        assert "drain" in texts(drawn["memory"])
        pauses = [patch for axes in drawn["intervals"].axes for patch in axes.collections
                  if type(patch).__name__ == "BrokenBarHCollection" and len(patch.get_paths())]
        assert len(pauses) == 1 and math.isfinite(drawn["intervals"].get_figheight())
