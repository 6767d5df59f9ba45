# SPDX-License-Identifier: MIT
"""Checks units and sentences, the styles of cells, and the rows of tables."""

import pytest

from tailrace_report import findings, rows, text
from tailrace_report.cells import scenarios
from tailrace_report.resultset import read_result_set
from tailrace_report.style import FAMILIES, member_style


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
    (text.rate(12_345), "12.3 k/s"), (text.rate(40), "40.0 /s"),
    (text.percent(0.7), "70.0 %"), (text.percent(1), "100 %"), (text.percent(2e-5), "0.00200 %")])
def test_other_quantities(value, shown):
    assert value == shown.replace(" ", text.SPACE)


def test_lists_in_words():
    assert [text.listed("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


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


def test_a_family_has_its_colour_and_markers_and_its_members_differ():
    colors = [member_style(family, 0).color for family in FAMILIES]
    markers = [set(kinds) for _, kinds in FAMILIES.values()]
    assert len(set(colors)) == len(FAMILIES) and len(set.union(*markers)) == sum(map(len, markers))
    for family in FAMILIES:
        styles = [member_style(family, number) for number in range(72)]
        assert len(set(styles)) == 72 and member_style(family, 72) == styles[0]
        assert len({(style.color, style.marker) for style in styles[:9]}) == 9
    assert member_style("never heard of", 1) == member_style(None, 1)


def test_colours_stand_out_from_white():
    for family in FAMILIES:
        parts = [int(member_style(family, 0).color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        luminance = sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear))
        assert 1.05 / (luminance + 0.05) >= 3, family


def test_a_cell_has_the_same_style_in_every_scenario(synthetic_set):
    first, second = scenarios(synthetic_set).values()
    styles = {cell.label: cell.style for cell in first}
    assert styles == {cell.label: cell.style for cell in second}
    assert len(set(styles.values())) == len(styles)
    assert styles[f"arena{text.SPACE}·{text.SPACE}glibc"] == member_style("arena", 0)


def test_variants_tell_cells_of_equal_strategy_and_heap_apart(synthetic_set):
    manifest = synthetic_set.manifest
    twin = {**manifest["cells"][1], "cell": "twin", "threads": 2, "tune": {"decay": 0}}
    changed = type(synthetic_set)({**manifest, "cells": [*manifest["cells"], twin]},
                                  synthetic_set.runs, False)
    labels = [cell.label for cell in scenarios(changed)["read-states"]]
    assert len(set(labels)) == len(labels)
    assert labels[-1].replace(text.SPACE, " ") == "malloc · glibc · 2 threads, decay=0"
