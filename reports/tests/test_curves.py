# SPDX-License-Identifier: MIT
"""Checks which cells lead, which make a curve, in what order, and that failed points stay."""

import math

import pytest

from tailrace_report import curve_figures, curves, rows, text
from tailrace_report.cells import scenarios
from tailrace_report.resultset import read_result_set
from tailrace_report.stats import cell_quantile


@pytest.fixture(scope="module")
def cells(curves):  # the fixture of conftest
    """The cells of the small set of curves."""
    return scenarios(read_result_set(curves))["json-api"]


def named(cell):
    """A cell's label with plain spaces."""
    return cell.label.replace(text.SPACE, " ")


def test_headline_is_the_load_nearest_to_half_without_a_budget(cells):
    chosen = curves.headline(cells)
    assert [named(cell) for cell in chosen] == ["none · glibc", "refcount · glibc", "boehm · glibc"]
    assert {(c.spec["load"], c.spec["load_of"], c.spec["budget_times"]) for c in chosen} == {
        (0.6, "slowest", None)}


def test_headline_of_a_set_without_loads_is_every_cell(pristine):
    for group in scenarios(read_result_set(pristine)).values():
        assert curves.headline(group) == group
        assert not curves.load_cells(group) and not curves.budget_cells(group)


def test_labels_are_unique_and_series_share_a_style(cells):
    assert len({cell.label for cell in cells}) == len(cells) == 16
    assert len({cell.style for cell in cells}) == len({cell.series for cell in cells}) == 3
    assert "refcount · glibc · own load 0.5, no budget" in map(named, cells)
    assert "boehm · glibc · load 0.5, 1.25× budget" in map(named, cells)


def test_curve_points_ascend_and_own_loads_are_apart(cells):
    slowest, own = curves.load_lines(cells, "slowest"), curves.load_lines(cells, "own")
    assert [[x for x, _ in line.points] for line in slowest] == [[0.3, 0.6, 0.9]] * 3
    assert [[x for x, _ in line.points] for line in own] == [[0.5]] * 3
    assert [[x for x, _ in line.points] for line in curves.budget_lines(cells)] == [[1.25, 4]] * 2
    sizes = curves.budget_lines(cells, "budget_bytes")
    assert [x for x, _ in sizes[0].points] == [124256255, 397620016]


def test_failed_points_are_drawn_in_the_band_not_dropped(cells):
    failed = [cell for line in curves.load_lines(cells, "slowest") for cell in line.cells
              if cell_quantile(cell.runs, "p99").value == math.inf]
    assert [named(cell) for cell in failed] == ["boehm · glibc · load 0.9, no budget"]
    assert hollow(curve_figures.load(cells)) == [1, 0] * 3
    assert hollow(curve_figures.budget(cells)) == [2, 2] * 2  # both ran out of memory at 1.25×


def hollow(figure):
    """Number of hollow markers in each of a figure's axes; all lie above every finite tick."""
    counts = []
    for axes in figure.axes:
        found = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
        ticks = axes.yaxis.get_major_locator()()
        assert all(line.get_ydata()[0] > max(ticks) for line in found)
        counts.append(len(found))
    return counts


def test_one_multiple_makes_no_curve_but_stays_in_the_table(cells):
    some = [cell for cell in cells if cell.spec["budget_times"] != 4]
    assert curves.budget_lines(some) == [] and curve_figures.budget(some) is None
    assert [row["times"] for row in rows.budget_table(some)] == ["1.25×"] * 2


def test_tables_hold_every_point_of_the_curves(cells):
    load, budget = rows.load_table(cells), rows.budget_table(cells)
    assert [(row["load"], row["of"], row["first"]) for row in load[:5]] == [
        ("0.3", "slowest", True), ("0.6", "slowest", False), ("0.9", "slowest", False),
        ("0.5", "own", False), ("0.3", "slowest", True)]
    assert len(load) == 12
    assert [(row["times"], row["failed"]) for row in budget] == [
        ("1.25×", "oom"), ("4×", None)] * 2


def test_smallest_and_calibrated_cells_are_found_by_their_base_name(curves, cells):
    manifest = read_result_set(curves).manifest
    table = rows.smallest(manifest, "json-api", cells)
    assert [(named(row["cell"]), row["size"].replace(text.SPACE, " ")) for row in table] == [
        ("refcount · glibc", "94.8 MiB"), ("boehm · glibc", "246 MiB")]
    calibrated = rows.calibration(manifest, {"json-api": cells})
    assert [row["name"] for row in calibrated if row["slowest"]] == ["json-api/boehm/glibc/t1"]
    assert named(calibrated[-1]["cell"]) == "boehm · glibc"
