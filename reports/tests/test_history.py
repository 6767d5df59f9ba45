# SPDX-License-Identifier: MIT
"""Changes of a history are found where they are and not elsewhere; it is told and drawn so."""

import json
import math
import random
import re
import sqlite3
from pathlib import Path
from statistics import median
from xml.etree import ElementTree

import pytest
from history_command import shown, tailrace
from scipy import stats
from synthetic_history import CELLS, write_set, write_sets
from tailrace_report import history_changes, paired
from tailrace_report.history_figure import unused
from tailrace_report.history_series import Counter, Point, point_of, places
from tailrace_report.metrics import METRICS

MALLOC = CELLS[1]


@pytest.fixture(scope="module")
def stepped(tmp_path_factory):
    """A history of 20 sets: malloc 30 % worse from day 10 on, boehm and none 50 % from day 14."""
    folder = tmp_path_factory.mktemp("stepped")
    sets = write_sets(folder / "sets", {MALLOC: [(10, 1.3)], CELLS[0]: [(14, 1.5)],
                                        CELLS[2]: [(14, 1.5)]}, between=0.02)
    # Not in the order of time: the history puts them right.
    tailrace("add", folder / "h.db", *sets[10:], *sets[:10])
    return folder / "h.db"


def series(chance, sets=20, step=1.0, at=10):
    """Medians of sets of 8 blocks: 5 % between the sets, 3 % within."""
    found = []
    for place in range(sets):
        level = 1e5 * chance.lognormvariate(0, 0.05) * (step if place >= at else 1)
        found.append(median(level * chance.lognormvariate(0, 0.03) for _ in range(8)))
    return found


def test_stable_series_show_a_change_in_two_of_a_hundred_at_most():
    chance = random.Random(20260101)
    alarms = sum(bool(history_changes.change_points(series(chance))) for _ in range(600))
    assert alarms <= 12


@pytest.mark.parametrize("sets, step, at", [(20, 1.3, 10), (20, 1 / 1.3, 10), (24, 1.3, 20)])
def test_steps_are_found_at_their_place(sets, step, at):
    chance = random.Random(7 * sets)
    found = [history_changes.change_points(series(chance, sets, step, at)) for _ in range(30)]
    assert sum(any(abs(place - at) <= 1 for place in one) for one in found) >= 27
    assert sum(len(one) == 1 for one in found) >= 27


def test_rise_that_was_mended_is_found():
    chance = random.Random(3)
    found = [history_changes.change_points(series(chance, 13, 1.3, 7) + series(chance, 7))
             for _ in range(20)]
    assert sum(len(one) == 2 and abs(one[0] - 7) <= 1 and abs(one[1] - 13) <= 1
               for one in found) >= 18


def test_changes_of_series_that_fail_or_stand_still():
    find = history_changes.change_points
    assert find([5.0] * 40) == [] and find([math.inf] * 40) == [] and find([0.0] * 40) == []
    assert find([5.0] * 8 + [math.inf] * 8) == [8] and find([0.0] * 8 + [3.0] * 8) == [8]
    assert find([5.0] * 9 + [9.0] + [5.0] * 9) == []
    needed = history_changes.sets_needed()
    assert needed == 10 and history_changes.side_needed(needed - 1) is None
    assert find([1.0] * (needed // 2) + [2.0] * (needed - needed // 2)) == [5]
    assert find([1.0] * 4 + [2.0] * 5) == []


def test_intervals_are_those_of_scipy():
    for m, n in ((2, 19), (3, 9), (5, 5), (8, 12), (20, 20)):
        counts = history_changes.mann_whitney_counts(m, n)
        assert sum(counts) == math.comb(m + n, m)
        tail = [stats.mannwhitneyu(range(m), [x - 0.5 - k for x in range(n)], method="exact",
                                   alternative="less").pvalue for k in (0, m // 2)]
        for k, p in zip((0, m // 2), tail):
            u = stats.mannwhitneyu(range(m), [x - 0.5 - k for x in range(n)]).statistic
            assert sum(counts[:int(u) + 1]) / math.comb(m + n, m) == pytest.approx(p)
    values = [9.0, 1, 8, 2, 7, 3, 6, 4]
    assert paired.sign_interval(values) == [1, 9]
    assert paired.sign_interval(values[:6]) is None
    k = next(k for k in range(40) if stats.binom.cdf(k, 40, 0.5) > 0.01)
    assert paired.sign_interval(range(40)) == [k - 1, 40 - k]


def test_interval_of_a_change_covers_the_truth():
    chance = random.Random(12)
    covered = 0
    for _ in range(300):
        made = series(chance, 20, 1.3)
        found = history_changes.shift(made[:10], made[10:])
        covered += found.low <= 1.3 <= found.high
    assert covered >= 288
    assert history_changes.shift([1.0, 1], [2.0, 2]).high == math.inf
    assert history_changes.shift([math.inf] * 9, [2.0] * 9).ratio == 0


def test_show_tells_the_changes(stepped):
    found = shown(stepped)
    malloc = found[MALLOC, "service-p99.9"]
    assert [one["commit"] for one in malloc["sets"]] == [f"abc10{k:02x}99ee0" for k in range(20)]
    change, = malloc["changes"]
    assert (change["set"], change["word"], change["also"]) == (10, "worse", [])
    assert change["low"] < 1.3 < change["high"] and change["low"] > 1.2
    control, = change["controls"]
    assert control["cell"] == CELLS[0]
    before, after = (median(one["median"] for one in part)
                     for part in (malloc["sets"][:10], malloc["sets"][10:]))
    assert change["before"] == before and change["after"] == after
    told = re.fullmatch(
        r"(\S+) (\S+): ([\d.]+) µs → ([\d.]+) µs \(\+(\d+) % \[\+(\d+) %, \+(\d+) %\]\) between "
        r"commits abc1009 and abc100a, 2026-01-11: worse; null control (\S+) .*",
        change["sentence"].replace("\u00a0", " "))
    assert told and told[1] == MALLOC and told[8] == CELLS[0]
    assert float(told[3]) == pytest.approx(before / 1000, rel=0.01)
    assert float(told[4]) == pytest.approx(after / 1000, rel=0.01)
    assert int(told[5]) == round(100 * (change["ratio"] - 1))
    for cell in (CELLS[0], CELLS[2]):
        (change,) = found[cell, "p99"]["changes"]
        assert (change["set"], change["word"]) == (14, "host")


def test_show_as_text_and_markdown(stepped):
    text = tailrace("show", stepped, "--cell", "*/malloc/*", "--metric", "p99_9")
    assert "Example CPU, 2 cores · suite nightly · 20 result sets, 2026-01-01 to 2026-01-20" in text
    assert text.count("abc100a") == 2 and "at least 3 sets on either side" in text
    assert "null control: read-states/none/glibc/t1" in text and "boehm" not in text
    assert "different times" in text and "interleaves" in text
    table = tailrace("show", stepped, "--cell", MALLOC, "--markdown").split("\n")
    lines = [line for line in table if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1 and len(lines) == 5 * 22


def test_words_of_a_change(tmp_path):
    """The same commit cannot be to blame; what else differs is told; small ones are small."""
    tell = {10: {"kernel": "6.2.0"}}
    for day in range(20):
        write_set(tmp_path / f"{day}", day, lambda cell, d=day: 5000 * (1.3 if d >= 10 else 1),
                  between=0.01, cells=CELLS[1:2], commit="abc1000", **tell.get(day, {}))
    tailrace("add", tmp_path / "h.db", *(tmp_path / f"{day}" for day in range(20)))
    change, = shown(tmp_path / "h.db")[MALLOC, "p50"]["changes"]
    assert change["word"] == "host" and "null control not in these sets" in change["sentence"]
    assert change["also"] == ["the commit is the same", "kernel 6.1.0 → 6.2.0"]
    sets = write_sets(tmp_path / "small", {MALLOC: [(10, 1.03)]}, between=0.002)
    tailrace("add", tmp_path / "small.db", *sets)
    assert shown(tmp_path / "small.db")[MALLOC, "p99"]["changes"][0]["word"] == "small"


def test_deterministic_metric_changes_at_once():
    assert places(METRICS["allocations"], [5.0, 5.0, 6.0, 6.0, 6.01]) == [2]
    assert places(METRICS["p50"], [5.0, 5.0, 6.0, 6.0]) == []


def test_failed_runs_are_kept_as_what_they_are(tmp_path):
    def status(cell, block):
        return "oom" if "boehm" in cell or "malloc" in cell and block < 3 else "ok"

    sets = [write_set(tmp_path / f"{day}", day, status=status) for day in range(2)]
    sets.append(write_set(tmp_path / "2", 2, status=lambda cell, block: "crashed"))
    said = tailrace("add", tmp_path / "h.db", *sets)
    assert "failed: 11 oom" in said and "failed: 24 crashed" in said
    with sqlite3.connect(tmp_path / "h.db") as connection:
        assert connection.execute("SELECT count(*) FROM value JOIN run USING (set_id, cell_id, "
                                  "block) WHERE status <> 'ok'").fetchone() == (0,)
    found = shown(tmp_path / "h.db")
    assert all("boehm" not in cell for cell, _ in found)
    first, _, last = found[MALLOC, "p99"]["sets"]
    assert first["statuses"] == {"oom": 3, "ok": 5} and first["median"] > 0
    assert first["interval"][0] > 0 and first["interval"][1] == "infinite"
    assert last["median"] == "infinite" and last["statuses"] == {"crashed": 8}
    text = tailrace("show", tmp_path / "h.db", "--cell", MALLOC, "--metric", "p99")
    assert "failed [failed, failed]" in text and "5 ok, 3 oom" in text
    assert (MALLOC, "rate") not in found


def test_cell_that_begins_to_fail(tmp_path):
    sets = [write_set(tmp_path / f"{day}", day, cells=(MALLOC,), status=lambda cell, block, day=day:
                      "oom" if 6 <= day < 12 else "ok") for day in range(20)]
    tailrace("add", tmp_path / "h.db", *sets)
    fails, works = shown(tmp_path / "h.db", "--metric", "p99")[MALLOC, "p99"]["changes"]
    assert (fails["set"], fails["after"], fails["low"], fails["word"]) == (
        6, "infinite", "infinite", "worse")
    assert (works["set"], works["before"], works["word"]) == (12, "infinite", "better")
    assert "→ failed (fails)" in fails["sentence"] and "(works again)" in works["sentence"]


def test_point_of_a_metric_that_runs_do_not_have():
    blocks = {0: ("ok", 1.0), 1: ("crashed", None)}
    assert point_of(None, blocks, {}, METRICS["p50"]) is None
    assert point_of(None, blocks, {0: 7.0}, METRICS["p50"]) == Point(
        None, [7.0, math.inf], Counter(ok=1, crashed=1), True, 1.0)
    assert point_of(None, blocks, {0: 7.0}, METRICS["rate"]).values == [7.0, 0.0]


def test_machines_and_suites_are_kept_apart(tmp_path):
    sets = [write_set(tmp_path / f"{day}", day, cpu_model=f"CPU {'AB'[day % 2]}", kernel=f"6.{day}")
            for day in range(4)]
    tailrace("add", tmp_path / "h.db", *sets)
    text = tailrace("show", tmp_path / "h.db")
    assert text.count("CPU A, 2 cores · suite nightly · 2 result sets") == 1
    assert text.count("CPU B, 2 cores · suite nightly · 2 result sets") == 1
    only = json.loads(tailrace("show", tmp_path / "h.db", "--json", "--machine", "cpu b"))
    assert {one["machine"] for one in only["series"]} == {"CPU B, 2 cores"}
    written = tailrace("plot", tmp_path / "h.db", "--metric", "p50", "--out", tmp_path / "figures")
    assert sorted(Path(line).name for line in written.split("\n") if line) == [
        f"history-read-states-p50{number}.{kind}" for number in ("-2", "")
        for kind in ("png", "svg")]
    assert unused("a", ["a", "a-2"]) == "a-3"


def test_cells_of_one_name_that_differ_are_told_apart(tmp_path):
    sets = [write_set(tmp_path / f"{day}", day, cells=(MALLOC,)) for day in range(2)]
    manifest = (sets[1] / "manifest.json").read_text().replace('"live": 1000', '"live": 2000')
    (sets[1] / "manifest.json").write_text(manifest)
    tailrace("add", tmp_path / "h.db", *sets)
    assert [cell for cell, metric in shown(tmp_path / "h.db") if metric == "p50"] == [
        f"{MALLOC} (live 1000)", f"{MALLOC} (live 2000)"]


def test_odd_names(tmp_path):
    cells = ("we|rd/$x_1$/<b>`&\n/é" + "x" * 200, "we|rd/none/*_*", "../../etc/%s/{}")
    sets = [write_set(tmp_path / f"{day}", day, cells=cells, commit="$\\frac{a\n|`<i>") for day in
            range(2)]
    file = tmp_path / "a b?#%.db"
    tailrace("add", file, *sets)
    text = tailrace("show", file)
    assert "<b>`&\ufffd/é" in text and "$\\frac{a\ufffd|`<i>" in text
    markdown = tailrace("show", file, "--markdown")
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 7 for line in markdown.split("\n")
               if line.startswith("|"))
    assert set(cell for cell, _ in shown(file)) == set(cells)
    tailrace("plot", file, "--out", tmp_path / "figures", "--metric", "p50")
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} == {".png", ".svg"}
    assert all(path.name.startswith("history-") for path in (tmp_path / "figures").iterdir())


def test_plot_draws_what_there_is(stepped, tmp_path):
    out = tmp_path / "one.png"
    said = tailrace("plot", stepped, "--out", out, "--metric", "p99.9")
    assert said.split() == [str(out.with_suffix(".svg")), str(out)]
    assert out.read_bytes().startswith(b"\x89PNG") and out.stat().st_size > 20000
    ElementTree.parse(out.with_suffix(".svg"))
    again = tmp_path / "again.png"
    tailrace("plot", stepped, "--out", again, "--metric", "p99.9")
    assert again.with_suffix(".svg").read_bytes() == out.with_suffix(".svg").read_bytes()
    said = tailrace("plot", stepped, "--out", tmp_path / "two.png", "--metric", "p50", "--metric",
                    "p99", status=2)
    assert "these are 2 figures" in said and not (tmp_path / "two.png").exists()


def test_plot_of_zeros_and_of_failures(tmp_path):
    """Values of 0 are values, with a linear axis; failed closed-loop runs have a rate of 0."""
    sets = [write_set(tmp_path / f"{day}", day, status=lambda cell, block, day=day:
                      "crashed" if day == 1 or block == 0 else "ok") for day in range(3)]
    for directory in sets:
        runs = [json.loads(line) for line in open(directory / "runs.jsonl", encoding="utf-8")]
        for run in runs:
            run |= {"mode": "closed", "achieved_rate": 5e4, "faults_minor": 0, "response_ns": None}
        (directory / "runs.jsonl").write_text("".join(json.dumps(run) + "\n" for run in runs))
    tailrace("add", tmp_path / "h.db", *sets)
    tailrace("plot", tmp_path / "h.db", "--out", tmp_path / "figures", "--metric", "faults",
             "--metric", "rate")
    assert len(list((tmp_path / "figures").iterdir())) == 4
    found = shown(tmp_path / "h.db", "--metric", "rate", "--metric", "faults", "--metric", "p99")
    assert [one["median"] for one in found[MALLOC, "rate"]["sets"]] == [5e4, 0, 5e4]
    assert [one["median"] for one in found[MALLOC, "faults"]["sets"]] == [0, "infinite", 0]
    assert (MALLOC, "p99") not in found


def test_nothing_to_show_is_said(stepped, tmp_path):
    for action in (("show",), ("plot", "--out", tmp_path / "figures")):
        for choice in (("--cell", "no such"), ("--metric", "rate"), ("--machine", "Z80")):
            assert "has nothing of that" in tailrace(action[0], stepped, *action[1:], *choice,
                                                     status=2)
        assert 'there is no metric "p98"' in tailrace(action[0], stepped, *action[1:], "--metric",
                                                      "p98", status=2)
    assert not (tmp_path / "figures").exists()
    for wrong in ((), ("mend",), ("add", stepped), ("show",), ("plot", stepped),
                  ("show", stepped, "--json", "--markdown")):
        assert "--help" in tailrace(*wrong, status=2)
    assert "add|show|plot" in tailrace("--help")


def test_python_alone_is_enough_but_for_figures(stepped, tmp_path):
    """Without site-packages there is no numpy."""
    alone = ("-S", "-s")
    assert "worse" in tailrace("show", stepped, "--metric", "p99", python=alone)
    tailrace("add", tmp_path / "h.db", write_set(tmp_path / "set", 1), python=alone)
    said = tailrace("plot", stepped, "--out", tmp_path / "figures", python=alone, status=3)
    assert "matplotlib is missing" in said and not (tmp_path / "figures").exists()
