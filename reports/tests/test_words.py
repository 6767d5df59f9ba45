# SPDX-License-Identifier: MIT
"""Checks units and sentences, the styles of cells, and the rows of tables."""

import pytest

from tailrace_report import findings, rows, text
from tailrace_report.cells import Cell, distinct_styles, scenarios
from tailrace_report.resultset import read_result_set
from tailrace_report.style import STYLES


@pytest.fixture(scope="module")
def synthetic_set(pristine):
    """The synthetic result set, read."""
    return read_result_set(pristine)


@pytest.mark.parametrize("ns, shown", [
    (0, "0 ns"), (25, "25 ns"), (999, "999 ns"), (999.6, "1.00 µs"), (1234, "1.23 µs"),
    (99_960, "100 µs"), (12_345_678, "12.3 ms"), (999_600_000, "1.00 s"), (65.4e9, "65.4 s")])
def test_durations_have_three_digits_and_a_unit(ns, shown):
    assert text.duration(ns) == shown.replace(" ", text.SPACE)


@pytest.mark.parametrize("value, shown", [
    (text.size(512 * 2**20), "512 MiB"), (text.size(3 * 2**29), "1.50 GiB"),
    (text.rate(12_345), "12.3 k/s"), (text.rate(40), "40.0 /s"), (text.times(5012), "5,010 times"),
    (text.percent(0.7), "70.0 %"), (text.percent(1), "100 %"), (text.percent(2e-5), "0.00200 %")])
def test_other_quantities(value, shown):
    assert value == shown.replace(" ", text.SPACE)


def test_lists_in_words():
    assert [text.listed("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def ranked_cells(values):
    """{label: (p99.9, status of the only run)} as cells of one scenario; `none` is the control."""
    return [Cell({"control": name == "none"}, name, "", None, [
        {"status": status, "block": 0, "response_ns": {"p99_9": value}}], None, None)
        for name, (value, status) in values.items()]


def test_summary_names_lowest_and_highest_without_the_control():
    cells = ranked_cells({"none": (1, "ok"), "arena": (2000, "ok"), "malloc": (3000, "ok"),
                          "boehm": (9000, "ok"), "leak": (5, "oom")})
    sentence = findings.scenario_summary("kv", cells).replace(text.SPACE, " ")
    assert sentence == (
        "In kv, arena had the lowest p99.9 response time (2.00 µs) and boehm the highest "
        "(9.00 µs), 4.50 times as long; leak (oom) failed in half of the runs or more.")


@pytest.mark.parametrize("values", [
    {"none": (1, "ok"), "malloc": (5, "ok")}, {"malloc": (None, "ok"), "arena": (5, "ok")},
    {"malloc": (5, "crashed"), "arena": (5, "ok")}, {"malloc": (5, "ok"), "arena": (5, "ok")}])
def test_summary_says_nothing_where_there_is_nothing_to_say(values):
    assert findings.scenario_summary("kv", ranked_cells(values)) is None


def test_every_failure_is_told_once_with_its_blocks(synthetic_set):
    told = {(p["label"].replace(text.SPACE, " "), p["scenario"], p["status"], p["blocks"])
            for p in findings.problems(scenarios(synthetic_set))}
    assert told == {
        ("malloc · mimalloc", "read-states", "crashed", "block 3"),
        ("arena · glibc", "read-states", "unsupported", "every block"),
        ("refcount · glibc", "json-api", "overloaded", "blocks 0, 2, 3, 4, 5, 6 and 7"),
        ("boehm · glibc", "json-api", "oom", "block 6")}


def test_stamps_are_explained_and_unknown_ones_kept(synthetic_set):
    stamps = {s["word"]: s for s in findings.stamps(scenarios(synthetic_set))}
    assert set(stamps) == {"oversubscribed", "full-moon", "overloaded"}
    assert stamps["full-moon"]["meaning"] is None
    assert stamps["oversubscribed"]["meaning"] and stamps["overloaded"]["meaning"]
    assert stamps["oversubscribed"]["where"].startswith("16 runs: ")


def test_coverage_counts_runs_of_cells_that_can_run(synthetic_set):
    first = findings.coverage(synthetic_set, scenarios(synthetic_set))[0]
    assert first == "104 of 104 planned runs are recorded (8 blocks of 13 cells)."


def test_headline_row_of_a_failed_and_of_a_sound_cell(synthetic_set):
    table = {row["cell"].spec["cell"]: row
             for cells in scenarios(synthetic_set).values() for row in rows.headline(cells)}
    refcount = table["json-api/refcount/glibc"]
    assert refcount["failed"] == "overloaded"
    assert refcount["statuses"] == ["1 ok", "7 overloaded"]
    malloc = table["json-api/malloc/glibc"]
    assert malloc["failed"] is None and malloc["quantiles"]["p99_9"]["low"]
    assert malloc["quantiles"]["p99_99"]["text"] is None
    assert malloc["offered"] == f"2.50{text.SPACE}k/s"
    assert table["read-states/malloc/mimalloc"]["quantiles"]["p99_9"]["range"].endswith("– ∞")


def test_calibration_derives_the_offered_rate_from_the_slowest_cell(synthetic_set):
    table = [row for row in rows.calibration(synthetic_set.manifest, scenarios(synthetic_set))
             if row["scenario"] == "read-states"]
    assert [row["name"] for row in table if row["slowest"]] == ["read-states/boehm/glibc"]
    assert {row["offered"] for row in table} == {f"9.00{text.SPACE}k/s", None}
    assert table[-1]["share"] == f"70.0{text.SPACE}%"


def test_styles_are_distinct_in_a_scenario_and_kept_between_them():
    styles = {}
    first = distinct_styles(list("abcdefgh"), styles)
    second = distinct_styles(["x", "c", "a", "i", "j"], styles)
    assert second["a"] == first["a"] and second["c"] == first["c"]
    assert len(set(second.values())) == 5
    assert len(set(STYLES)) == 64


def test_styles_of_one_colour_differ_in_marker_and_dash():
    for color in {style.color for style in STYLES}:
        same = [style for style in STYLES if style.color == color]
        assert len({style.marker for style in same}) == len(same) == 8
        assert len({style.dash for style in same}) == 8


def test_variants_tell_cells_of_equal_strategy_and_heap_apart(synthetic_set):
    manifest = synthetic_set.manifest
    twin = {**manifest["cells"][1], "cell": "twin", "threads": 2, "tune": {"decay": 0}}
    changed = type(synthetic_set)({**manifest, "cells": [*manifest["cells"], twin]},
                                  synthetic_set.runs, False)
    labels = [cell.label for cell in scenarios(changed)["read-states"]]
    assert len(set(labels)) == len(labels)
    assert labels[-1].replace(text.SPACE, " ") == "malloc · glibc · 2 threads, decay=0"
