# SPDX-License-Identifier: MIT
"""Checks the page of a race matrix: what it says and shows, what it copes with and refuses."""

import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest

import synthetic_race
from tailrace_report import race_summary, race_tables
from tailrace_report.race_matrix import best_rate, build_matrix, by_case, catchers, unmet, wilson
from tailrace_report.race_panels import SAMPLE_BYTES
from tailrace_report.race_set import RaceSet, read_race_set
from tailrace_report.text import SPACE
from test_report import refused, report, without_script


@pytest.fixture(scope="session")
def pristine_matrix(tmp_path_factory):
    """The folder of the synthetic matrix, built once; not to be changed."""
    directory = tmp_path_factory.mktemp("races") / "set"
    synthetic_race.write(directory)
    return directory


@pytest.fixture
def race_dir(pristine_matrix, tmp_path):
    """A copy of the synthetic matrix to do with as a test likes."""
    return Path(shutil.copytree(pristine_matrix, tmp_path / "set"))


@pytest.fixture(scope="module")
def made(pristine_matrix, tmp_path_factory):
    """A folder with the page in it, and the page's text."""
    directory = Path(shutil.copytree(pristine_matrix, tmp_path_factory.mktemp("made") / "set"))
    return directory, page_of(directory)


@pytest.fixture(scope="module")
def matrix(pristine_matrix):
    """The synthetic matrix in memory."""
    return build_matrix(read_race_set(pristine_matrix))


def page_of(directory):
    """Make the report of a folder; its page's text."""
    result = report(directory)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{directory / 'index.html'}\n"
    return (directory / "index.html").read_text()


def words_of(page):
    """The page as a reader sees it, in one line."""
    text = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", "", text)).replace(SPACE, " ").split())


def edit_cells(directory, change):
    """Apply `change` to every cell; those for which it gives False go."""
    path = directory / "cells.jsonl"
    cells = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(c) + "\n" for c in cells if change(c) is not False))


def edit_manifest(directory, change):
    """Apply `change` to the manifest."""
    manifest = json.loads((directory / "manifest.json").read_text())
    change(manifest)
    (directory / "manifest.json").write_text(json.dumps(manifest))


def tiny(cells, **case):
    """The matrix of one case under TSan, without a tool and in Rust, with these cells."""
    case = {"name": "one", "class": "data_race", "sees": "T", "rust": "rejects E0499",
            "modes": ["plain"], **case}
    detectors = [{"name": name, "available": True} for name in ("native", "tsan", "rustc")]
    cells = [{"case": "one", "mode": "plain", "reason": "", "twin": None, **cell}
             for cell in cells]
    return build_matrix(RaceSet({"cases": [case], "detectors": detectors}, cells, False, 0))


def tsan(schedule, hits, runs, **more):
    """A cell of TSan."""
    return {"detector": "tsan", "schedule": schedule, "expected": True,
            "verdict": "detected" if hits else "silent", "bug": {"hits": hits, "runs": runs},
            **more}


def test_page_needs_nothing_but_itself(made):
    directory, page = made
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    assert not re.findall("<script.{9}|url\\([^#].{9}|@import.{9}", without_script(page))
    assert {p.name for p in directory.iterdir()} == {
        "manifest.json", "cells.jsonl", "index.html", "schedules.png", "schedules.svg"}


def test_every_link_leads_somewhere_and_every_cell_opens(made, matrix):
    _, page = made
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', page)
    assert set(links) <= set(ids)
    opening = re.findall(r'<a class="cell [^>]*href="#([^"]+)"', page)
    assert len(opening) == sum(1 for row in matrix.rows for cell, column
                               in zip(row.cells, matrix.columns) if cell
                               and (column.name != "rustc" or cell["mode"] == row.mode))


def test_cells_have_symbol_share_and_marks(made):
    _, page = made
    for symbol in "●◐✕∞○·⊘–":
        assert f"<b>{symbol}</b>" in page, symbol
    assert re.search(r"<b>●</b><em>\d+%</em>", page)
    assert re.search(r'title="Helgrind, detected, twin reported"[^>]*><b>●</b><sup class="fp">▲',
                     page)
    assert re.search(r'title="DRD, silent, expected, not seen"[^>]*><b>·</b><sup class="un">!',
                     page)


def test_halves_and_classes_stand_in_their_order(made):
    _, page = made
    text = words_of(page)
    order = ["What Rust prevents", "Data races", "Lifetimes", "Iterator invalidation",
             "What Rust does not prevent", "Locks, progress, leaks"]
    places = [text.index(one) for one in order]
    assert places == sorted(places)
    assert text.index("counter_rmw") < places[4] < text.index("treiber_aba", places[4])


def test_paragraph_agrees_with_a_count_of_its_own(made, pristine_matrix):
    _, page = made
    cells = [json.loads(line) for line in (pristine_matrix / "cells.jsonl").open()]
    cases = synthetic_race.cases()
    caught = {}
    for cell in cells:
        if cell["verdict"] == "detected" and cell["detector"] not in ("native", "rustc"):
            caught.setdefault(cell["case"], set()).add(cell["detector"])
    rejected = [case["name"] for case in cases if case["rust"].startswith("rejects")]
    text = words_of(page)
    assert f"Of {len(cases)} seeded bugs, C's tools catch {len(caught)}:" in text
    alone = sum(len(tools) == 1 for tools in caught.values())
    assert f"{alone} of them are caught by one tool alone" in text
    assert f"{len(cases) - len(caught)} are caught by none" in text
    assert f"Rust rejects {len(rejected)}, turns 4 into a panic" in text
    assert (f"Of the {len(rejected)} that Rust rejects, C's tools catch "
            f"{sum(name in caught for name in rejected)}") in text
    assert "It did otherwise than the case says in treiber_aba." in text
    assert "False positives on the correct twins: Helgrind 3 of 72, DRD 2 of 72" in text


def test_gains_are_the_rare_races_that_schedules_find(made, matrix):
    _, page = made
    table = race_tables.gains(matrix)
    assert len(table) > 5
    for one in table:
        cells = {cell["schedule"]: cell["bug"] for cell in matrix.of(one["row"], "tsan")}
        shares = {name: bug["hits"] / bug["runs"] for name, bug in cells.items()}
        best = shares.pop(one["schedule"])
        assert shares.pop("plain") < 0.05 and best > 0.3 and best >= max(shares.values())
        assert one["seed"] == str(cells[one["schedule"]]["first_seed"])
        assert one["seed"] in page


@pytest.mark.parametrize("plain, best, gain, apart", [
    ((0, 200), (100, 200), True, True), ((0, 4), (2, 5), True, False),
    ((10, 200), (100, 200), False, True), ((9, 200), (60, 200), False, True)])
def test_a_gain_is_from_under_5_to_over_30_per_cent(plain, best, gain, apart):
    one = tiny([tsan("plain", *plain), tsan("walk", *best)])
    table = race_tables.gains(one)
    assert len(table) == gain and all(row["apart"] == apart for row in table)


def test_wilson_intervals():
    assert wilson(0, 0) == (0, 1)
    assert wilson(0, 30) == pytest.approx((0, 0.11351), abs=1e-5)
    assert wilson(15, 30) == pytest.approx((0.33154, 0.66846), abs=1e-5)


@pytest.mark.parametrize("fraction, text", [
    (0, "0 %"), (1, "100 %"), (0.9999, "99.9 %"), (0.5, "50 %"), (0.05, "5.0 %"),
    (0.005, "0.50 %"), (1e-9, "0.01 %")])
def test_shares_are_never_rounded_to_none_or_all(fraction, text):
    assert race_summary.share(fraction) == text.replace(" ", SPACE)


def test_an_expectation_is_met_under_any_schedule():
    names = ("plain", "delay", "walk", "pct2", "pct3", "pct4")
    met = tiny([tsan(name, int(name == "walk"), 9) for name in names])
    missed = tiny([tsan(name, 0, 9) for name in names])
    unable = tiny([tsan(name, 0, 9, verdict="unsupported", bug=None) for name in names])
    awaited = tiny([tsan("plain", 0, 9)])
    for one, told in ((met, False), (missed, True), (unable, False), (awaited, False)):
        cells = one.of(one.rows[0], "tsan")
        assert {unmet(one.rows[0], one, cell) for cell in cells if cell} == {told}


def test_what_the_program_shows_itself_is_no_catch_but_meets_its_letter():
    cells = [{"detector": "native", "schedule": "plain", "verdict": "silent", "expected": True,
              "bug": {"runs": 9}},
             tsan("plain", 0, 9, verdict="oracle-only", expected=False)]
    one = tiny(cells, sees="O", rust="accepts")
    row = one.rows[0]
    assert not unmet(row, one, row.cells[0]) and catchers([row], one) == []
    assert race_summary.summary(one)[0][-1] == (
        "1 is caught by none; of these, 1 fails a check of its own.")


def test_best_rate_is_that_of_tools_only(matrix):
    rows = by_case(matrix)["publish_plain_flag"]
    assert best_rate(rows, matrix) >= best_rate(rows, matrix, ("plain", "none"))
    assert best_rate(by_case(matrix)["deadlock_abba"], matrix) == 0


def test_rust_that_is_not_here_is_told_from_the_manifest(tmp_path):
    synthetic_race.write(tmp_path / "set", rustc=False)
    text = words_of(page_of(tmp_path / "set"))
    assert "as the cases say: its compiler was not run here" in text
    assert "not run: rustc is not installed" in text and "Interrupted" not in text


def test_interrupted_run_is_told_at_the_top(race_dir):
    path = race_dir / "cells.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:300]) + lines[300][:200])
    page = page_of(race_dir)
    text = words_of(page)
    assert text.index("Interrupted: ") < text.index("seeded bugs") < text.index("Matrix Each")
    missing, planned = re.search(r"Interrupted: ([\d,]+) of ([\d,]+) cells", text).groups()
    reading = sum(json.loads(line)["schedule"] == "none" for line in lines[300:])
    assert int(planned.replace(",", "")) - int(missing.replace(",", "")) == 300
    assert len(lines) - 300 - reading < int(missing.replace(",", "")) <= len(lines) - 300
    assert "last line of cells.jsonl was torn" in text and 'class="cell missing"' in page


def test_whole_run_is_not_called_interrupted(made):
    assert "Interrupted" not in made[1] and "was torn" not in made[1]


@pytest.mark.parametrize("content", [None, "", "\n\n", '{"torn'])
def test_no_cell_at_all_gives_a_page(race_dir, content):
    (race_dir / "cells.jsonl").unlink()
    if content is not None:
        (race_dir / "cells.jsonl").write_text(content)
    text = words_of(page_of(race_dir))
    assert "No cell is recorded" in text and "counter_rmw" in text
    assert not (race_dir / "schedules.png").exists()


def test_empty_set_gives_a_page(race_dir):
    edit_manifest(race_dir, lambda manifest: manifest.update(cases=[], detectors=[], context=None))
    (race_dir / "cells.jsonl").write_text("")
    assert "The manifest names no case." in words_of(page_of(race_dir))


def test_odd_characters_are_escaped_or_replaced(race_dir):
    odd = "<script>alert(1)</script> $x_1$ \x00\x1b[31m \ud800 \u202e \"'& 試験"

    def rename(cell):
        cell["case"] = odd if cell["case"] == "publish_plain_flag" else cell["case"]
        for part in filter(None, (cell["bug"], cell["twin"])):
            for key in ("kind", "message", "sample"):
                part[key] = odd if part.get(key) else None
        cell["reason"] = odd

    def rename_case(manifest):
        manifest["command"] = manifest["context"]["cpu_model"] = odd
        for case in manifest["cases"]:
            case["what"] = case["class"] = odd
            case["name"] = odd if case["name"] == "publish_plain_flag" else case["name"]
    edit_cells(race_dir, rename)
    edit_manifest(race_dir, rename_case)
    page = without_script(page_of(race_dir))
    assert not re.findall("<script.{9}", page) and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", page) and "試験" in page


def test_absent_numbers_are_left_out(race_dir):
    def empty(cell):
        cell["bug"] = cell["bug"] and dict.fromkeys(cell["bug"])
        cell["twin"] = cell["twin"] and {}
        cell.pop("reason"), cell.pop("expected")
    edit_cells(race_dir, empty)
    assert "None" not in words_of(page_of(race_dir)).replace("on a None value", "")
    edit_cells(race_dir, lambda cell: cell.update(bug=None, twin=None))
    page_of(race_dir)


def test_full_size_stays_under_5_mb(race_dir):
    manifest = json.loads((race_dir / "manifest.json").read_text())
    manifest["cases"] = [{**manifest["cases"][0], "name": f"case_with_a_long_name_{i}"}
                         for i in range(65)]
    names = [*manifest["detectors"], *({"name": f"tool{i}", "available": True} for i in range(3))]
    manifest["detectors"] = [{**one, "available": True} for one in names]
    template = synthetic_race.cell(synthetic_race.cases()[0], "plain", "tsan", "plain")
    template["bug"]["sample"] = "<&>" * 3000
    template["twin"].update(reports=3, sample="\"é" * 4000)
    with (race_dir / "cells.jsonl").open("w") as file:
        for case in manifest["cases"]:
            for one in manifest["detectors"]:
                for schedule in synthetic_race.SCHEDULES if one["name"] == "tsan" else ["plain"]:
                    file.write(json.dumps({**template, "case": case["name"], "schedule": schedule,
                                           "detector": one["name"]}) + "\n")
    (race_dir / "manifest.json").write_text(json.dumps(manifest))
    page = page_of(race_dir)
    assert page.count('class="cell ') > 65 * 20 and len(page.encode()) < 5e6


def test_a_sample_is_cut_at_4_kb_and_says_so(race_dir):
    def lengthen(cell):
        if cell["case"] == "stack_escape" and (cell["bug"] or {}).get("sample"):
            cell["bug"]["sample"] = "y" * 10_000
    edit_cells(race_dir, lengthen)
    page = page_of(race_dir)
    assert max(map(len, re.findall("y+", page))) == SAMPLE_BYTES and "… cut here" in page


def test_the_last_of_repeated_cells_counts(race_dir):
    path = race_dir / "cells.jsonl"
    first = json.loads(path.read_text().splitlines()[0])
    first.update(verdict="masked", reason="this one counts")
    path.write_text(path.read_text() + json.dumps(first) + "\n")
    text = words_of(page_of(race_dir))
    assert "1 line of cells.jsonl repeated a cell" in text and "this one counts" in text


def test_a_twin_that_fails_is_told_at_the_top(race_dir):
    def fail(cell):
        if (cell["case"], cell["detector"]) == ("wrong_lock", "native"):
            cell["twin"]["hangs"] = 2
    edit_cells(race_dir, fail)
    assert "The correct twin of wrong_lock (plain) hung under no tool." in words_of(
        page_of(race_dir))


def test_same_input_gives_the_same_page(made, race_dir):
    directory, page = made
    assert page_of(race_dir) == page
    assert (race_dir / "schedules.png").read_bytes() == (directory / "schedules.png").read_bytes()


@pytest.mark.parametrize("change, words", [
    ({"schema": "tailrace/race-cell/9"}, "schema"), ({"verdict": "perhaps"}, "perhaps"),
    ({"case": "unheard-of"}, "unheard-of"), ({"detector": "dowser"}, "dowser"),
    ({"bug": {"runs": "many"}}, "bug"), ({"bug": {"runs": 1, "hits": 2}}, "bug"),
    ({"bug": {"wilson": [1]}}, "bug"), ({"bug": {"where": [3]}}, "bug"),
    ({"twin": [1]}, "twin"), ({"rust": "accepts"}, "rust"), ({"mode": None}, "mode")])
def test_a_cell_that_is_not_as_the_format_says_is_refused(race_dir, change, words):
    lines = (race_dir / "cells.jsonl").read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), **change})
    (race_dir / "cells.jsonl").write_text("\n".join(lines))
    sentence = refused(report(race_dir))
    assert words in sentence and "line 2 " in sentence


@pytest.mark.parametrize("change, words", [
    ({"cases": None}, "cases"), ({"cases": [{"name": "x"}]}, "cases"),
    ({"detectors": [{}]}, "detectors"), ({"context": 1}, "context"),
    ({"cases": [{"name": "x", "class": "y"}] * 2}, "twice")])
def test_a_manifest_that_is_not_as_the_format_says_is_refused(race_dir, change, words):
    edit_manifest(race_dir, lambda manifest: manifest.update(change))
    assert words in refused(report(race_dir))


def test_a_garbled_line_in_the_middle_is_refused(race_dir):
    lines = (race_dir / "cells.jsonl").read_text().splitlines()
    lines[4] = lines[4][:50]
    (race_dir / "cells.jsonl").write_text("\n".join(lines))
    assert "line 5 is not valid JSON" in refused(report(race_dir))
