# SPDX-License-Identifier: MIT
"""Holds pauses against values worked out by hand, and cells that differ in tuning or live set."""

import shutil

import pytest

from tailrace_report import curve_figures, curves, pause_figure, pauses, rows, text
from tailrace_report.cells import Cell, scenarios
from tailrace_report.resultset import read_result_set


def run(*spans, status="ok", **fields):
    """A run of 10 s with pauses (begin_s, end_s[, host_gap_s])."""
    return {"status": status, "block": 0, "duration_s": 10, "pauses": [
        dict(zip(("begin_s", "end_s", "host_gap_s"), span), cause="collector-pause")
        for span in spans], **fields}


def cell(*runs, **spec):
    """A cell of some runs."""
    return Cell({"control": False, **spec}, "cell", "", None, list(runs), None, None)


@pytest.fixture(scope="module")
def cells(collectors):
    """The cells of the small set of collectors."""
    return scenarios(read_result_set(collectors))["json-api"]


def named(label):
    """A label with plain spaces."""
    return label.replace(text.SPACE, " ")


def test_pauses_count_from_their_begin_in_the_recording_to_its_end():
    found = pauses.recorded(run((-1, 0.5, 0), (2, 3, 0.25), (9.5, 12, 4), (10, 11, 0), (4, 5)),
                            "collector-pause")
    assert found == [(1, 0.75), (0.5, 0), (1, None)]
    assert pauses.recorded({"duration_s": None, "pauses": None}, "collector-pause") == []


def test_values_are_medians_over_the_runs_that_executed_every_request():
    one = pauses.pauses_of(cell(run((1, 2, 0.5), (3, 3.5, 0), (5, 5.25, 0)), run(),
                                run((1, 5, 3.75), status="overloaded"),
                                run((1, 9, 0), status="oom")))
    assert (one.count, one.p50_s, one.longest_s, one.longest_own_s) == (1, (0.5 + 4) / 2, 4, 0.5)
    assert one.share == pytest.approx(0.175) and one.few_p50 and one.p99_s is None
    assert pauses.pauses_of(cell(run(status="oom"))) is None
    assert pauses.pauses_of(cell(run((1, 2)))).longest_own_s is None


def test_p99_needs_a_thousand_pauses_in_each_run():
    def many(number):
        return run(*((k * 1e-3, k * 1e-3 + (k + 1) * 1e-7) for k in range(number)))
    known = pauses.pauses_of(cell(many(1000), many(1000)))
    assert known.p99_s == pytest.approx(990e-7) and known.few_p99 and not known.few_p50
    assert pauses.pauses_of(cell(many(1000), many(999))).p99_s is None
    assert pauses.pauses_of(cell(many(1000), run())).p99_s is not None  # none at all says nothing


def test_rows_hold_collectors_without_a_pause_and_no_others():
    collector, other = cell(run(), family="collector"), cell(run(), family="manual")
    paused = cell(run((1, 2, 0.25), pauses_lost=3), run((1, 3, 0)), family="collector")
    stalled = cell({**run(), "pauses": [{"cause": "stall", "begin_s": 1, "end_s": 1.4}]})
    assert pauses.pause_rows([collector, other]) == []
    table = pauses.pause_rows([collector, other, paused, stalled])
    assert [(row["cause"], row["count"], row["lost"]) for row in table] == [
        ("collector", "0", 0), ("collector", "1", 3), ("stall", "1", 0)]
    assert [row["longest"] and named(row["longest"]) for row in table] == [None, "2.00 s", "400 ms"]
    assert table[2]["own"] is None and named(table[1]["share"]) == "15.0 %"


def test_tunings_are_series_and_live_sets_their_points(cells):
    assert len({one.label for one in cells}) == len(cells) == 12
    series = {named(one.series): one.style for one in cells}
    assert list(series) == [
        "boehm · glibc · defaults", "boehm · glibc · markers=1",
        "boehm · glibc · markers=2 divisor=6", "concurrent · glibc",
        "malloc · jemalloc · defaults", "malloc · jemalloc · jemalloc:decay=0"]
    assert len(set(series.values())) == len(series)
    assert named(cells[4].label) == "boehm · glibc · markers=1, live 65,536"
    assert {one.spec["live"] for one in curves.headline(cells)} == {16384}
    assert [named(one.label) for one in curves.headline(cells)] == list(series)


def test_a_series_without_the_usual_live_set_leads_with_the_nearest(cells):
    some = [one for one in cells if one.label != cells[0].label]
    lives = {named(one.series): one.spec["live"] for one in curves.headline(some)}
    assert lives["boehm · glibc · defaults"] == 65536
    assert "boehm · glibc · defaults, live 65,536" in {
        named(one.label) for one in curves.headline(some)}


def test_live_curves_and_their_table_hold_every_live_set(cells):
    lines = curves.live_lines(cells)
    assert [[x / 2**20 for x, _ in line.points] for line in lines] == [
        [1, 4, 64], [1, 4, 64], [1], [1, 4, 64], [1], [1]]
    table = rows.live_table(cells)
    assert [(row["live"], row["first"]) for row in table[:4]] == [
        ("16,384", True), ("65,536", False), ("1,048,576", False), ("16,384", True)]
    assert len(table) == 12 and named(table[1]["bytes"]) == "4.00 MiB"
    assert len(curve_figures.live(cells).axes) == 3
    one_live = [one for one in cells if one.spec["live"] == 16384]
    assert not rows.live_table(one_live) and curve_figures.live(one_live) is None


def test_a_live_set_at_which_a_cell_failed_keeps_its_place(cells):
    failed = [Cell(**{**vars(one), "runs": [{"status": "oom", "block": 0}]})
              if one.label == cells[2].label else one for one in cells]
    line = curves.live_lines(failed)[0]
    assert [x for x, _ in line.points] == [1 << 20, 4 << 20, 64 << 20]


def test_figure_has_the_median_and_the_longest_of_each_paused_cell(cells):
    axes = pause_figure.pauses(cells).axes[0]
    solid = [line for line in axes.lines if line.get_linewidth() > 0]
    longest = [line for line in axes.lines if line.get_linewidth() == 0]
    assert [len(line.get_xdata()) for line in solid] == [3, 3, 1, 3]
    for low, high in zip(solid, longest):
        assert all(low.get_ydata() < high.get_ydata())
    for cell_, y in zip(cells[:3], solid[0].get_ydata()):
        assert y == pytest.approx(pauses.pauses_of(cell_).p50_s * 1e9)
    assert pause_figure.pauses([one for one in cells if one.spec["live"] == 16384]) is None


def test_calibration_names_the_live_set(collectors, cells):
    table = rows.calibration(read_result_set(collectors).manifest, {"json-api": cells})
    assert [named(row["cell"].label) for row in table[:2]] == [
        "boehm · glibc · defaults, live 16,384", "boehm · glibc · defaults, live 65,536"]
    assert len({row["cell"].label for row in table}) == len(table)


def test_page_shows_pauses_and_live_sets(collectors, tmp_path):
    from tailrace_report.page import build_report
    directory = shutil.copytree(collectors, tmp_path / "set")
    files = build_report(read_result_set(directory))
    assert {"pauses-json-api.png", "pauses-json-api.svg", "live-json-api.png"} <= files.keys()
    page = named(files["index.html"].decode())
    for words in ("<h3>Pauses</h3>", "<h3>Live sets</h3>", "without host gap", "live 65,536",
                  "jemalloc:decay=0", "markers=2 divisor=6"):
        assert words in page
    assert len(files) % 2 == 1  # the page, and each figure twice
