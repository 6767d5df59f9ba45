# SPDX-License-Identifier: MIT
"""`tailrace race`: the matrix of seeded bugs, and what is wrong with arguments."""

import json
import re
import shutil

import pytest

CLASSES = {"data_race", "lifetime", "iterator", "bad_free", "bounds", "rust_accepts", "misuse"}
OUTCOMES = r"rejects E\d{4}|panics \S.*|accepts|needs-unsafe"
FEW = ("counter_rmw", "uaf_ordered", "signed_overflow", "heap_leak")
VERDICTS = {"detected", "misplaced", "crash-only", "hang-only", "oracle-only", "silent", "masked",
            "unsupported"}


def cells_of(folder):
    """case/mode/detector/schedule -> cell."""
    lines = [json.loads(line) for line in (folder / "cells.jsonl").read_text().splitlines()]
    return {"/".join(one[key] for key in ("case", "mode", "detector", "schedule")): one
            for one in lines}


def test_every_case_is_there_with_its_twin(tailrace):
    cases = tailrace.listed("cases")
    letters = {one["letter"] for one in tailrace.listed("detectors")} | {"X"}
    folder = tailrace.repository / "scenarios" / "races"
    assert len(cases) >= 50
    for one in cases:
        source = (folder / f"{one['name']}.c").read_text()
        assert re.search(r"/\* (RACE|FAULT) \w \*/$", source, re.M), one
        assert one["class"] in CLASSES and set(one["sees"]) <= letters, one
        assert re.fullmatch(OUTCOMES, one["rust"]), one
        assert (folder / f"{one['name']}.rs").exists() == (one["rust"] != "needs-unsafe"), one
    names = {one["name"] for one in cases}
    assert {path.stem for path in folder.glob("*.c")} == names
    assert {path.stem for path in folder.glob("*.rs")} <= names


@pytest.fixture(scope="module")
def matrix(program, tmp_path_factory):
    """A small matrix: four cases, dynamic detectors that need no more than clang, two runs."""
    folder = tmp_path_factory.mktemp("matrix") / "set"
    done = program("race", *FEW, "--runs", "2", "--out", folder, "--detector", "native",
                   "--detector", "tsan", "--detector", "asan", "--detector", "ubsan",
                   "--detector", "rustc")
    if "unsupported" in done.stderr and not shutil.which("clang-19"):
        pytest.skip("no clang with its sanitizers")
    assert done.status == 0 and done.stdout == f"{folder}\n", done
    return folder


def test_the_matrix_has_every_cell(matrix):
    manifest = json.loads((matrix / "manifest.json").read_text())
    cells = cells_of(matrix)
    assert manifest["schema"] == "tailrace/race-matrix/1"
    assert [one["name"] for one in manifest["cases"]] == list(FEW)
    assert len(cells) == len(FEW) * (6 + 4), "six schedules of tsan, four detectors with one"
    assert {one["verdict"] for one in cells.values()} <= VERDICTS
    assert not (matrix / "work").exists()


def test_defects_are_found_where_they_are_and_twins_are_silent(matrix):
    cells = cells_of(matrix)
    for cell in ("counter_rmw/plain/tsan/plain", "uaf_ordered/plain/tsan/plain",
                 "uaf_ordered/plain/asan/none", "signed_overflow/plain/ubsan/none",
                 "heap_leak/plain/asan/none"):
        bug = cells[cell]["bug"]
        assert cells[cell]["verdict"] == "detected" and bug["hits"] == bug["runs"] == 2, cell
        assert any(place["marked"] for place in bug["where"]), cell
        assert bug["sample"] and bug["kind"], cell
    for name, one in cells.items():
        if one["detector"] in ("tsan", "asan", "ubsan") and one["verdict"] != "unsupported":
            assert one["twin"]["reports"] == 0 and one["twin"]["hangs"] == 0, name


def test_a_cell_that_nothing_was_seen_in_says_so(matrix):
    silent = cells_of(matrix)["heap_leak/plain/ubsan/none"]
    assert silent["verdict"] == "silent" and not silent["expected"]
    assert silent["bug"]["wilson"][0] == 0 and silent["bug"]["runs_999"] is None


def test_a_matrix_goes_on_where_it_was_interrupted(matrix, tailrace, tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(matrix, folder)
    lines = (folder / "cells.jsonl").read_text().splitlines(keepends=True)
    (folder / "cells.jsonl").write_text("".join(lines[:-2]) + lines[-2][:50])
    refused = tailrace("race", "--out", folder).only_sentence(2)
    assert "--resume" in refused
    done = tailrace("race", "--out", folder, "--resume")
    assert done.status == 0, done
    assert set(cells_of_whole_lines(folder)) == set(cells_of(matrix))


def cells_of_whole_lines(folder):
    """As cells_of, past a line that was cut off."""
    found = []
    for line in (folder / "cells.jsonl").read_text().splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return ["/".join(one[key] for key in ("case", "mode", "detector", "schedule"))
            for one in found]


def test_ctrl_c_leaves_a_set_that_can_be_resumed(tailrace, tmp_path):
    running = tailrace.start("race", "counter_rmw", "--runs", "5", "--detector", "native",
                             "--detector", "tsan", "--out", tmp_path / "set")
    tailrace.wait_for(lambda: "cell 1/" in running.stderr(), "the first cell")
    done = running.interrupt()
    assert done.status in (0, 130), done
    if done.status == 130:
        assert "--resume" in done.sentences()[-1]
        assert tailrace("race", "--resume", "--out", tmp_path / "set").status == 0
    assert len(cells_of(tmp_path / "set")) == 7


MISTAKES = {
    "unknown case": (["race", "nowhere"], '"nowhere"'),
    "unknown detector": (["race", "--detector", "eyes"], '"eyes"'),
    "no runs": (["race", "--runs", "0"], "--runs"),
    "runs of no number": (["race", "--runs", "many"], "--runs"),
    "resume without a set": (["race", "--resume"], "--resume"),
    "resume of no set": (["race", "--resume", "--out", "/nowhere"], "/nowhere"),
    "gate option without a program": (["race", "--budget", "5"], "--source"),
    "no program": (["race", "--"], "program"),
    "program that is not there": (["race", "--", "/nowhere/prog"], "/nowhere/prog"),
    "source that is not there": (["race", "--source", "/nowhere/f.c"], "/nowhere/f.c"),
    "cases with a program": (["race", "counter_rmw", "--", "true"], "cases"),
    "resume of a gate": (["race", "--resume", "--", "true"], "--resume"),
    "seed of no number": (["race", "--replay", "one", "--", "true"], "--replay"),
    "negative budget": (["race", "--budget", "-1", "--", "true"], "--budget"),
    "confidence of 1": (["race", "--confidence", "1", "--", "true"], "--confidence"),
    "baseline that is not there": (["race", "--runs", "1", "--baseline", "/nowhere/b.json",
                                    "--detector", "native", "--", "true"], "/nowhere/b.json"),
    "unknown option": (["race", "--wish"], "--wish"),
    "rustc on a program": (["race", "--detector", "rustc", "--", "true"], "rustc"),
    "static detector without sources": (["race", "--detector", "fanalyzer", "--", "true"],
                                        "--source"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_in_one_sentence(tailrace, what):
    arguments, words = MISTAKES[what]
    done = tailrace(*arguments)
    assert done.status == 2 and done.stdout == "", done
    assert len(done.sentences()) == 1 and words in done.sentences()[0], done


def test_help_tells_of_both_uses(tailrace):
    done = tailrace("race", "--help")
    assert done.status == 0 and "--source" in done.stdout and "CASE" in done.stdout


def fingerprints(tailrace, source, out, *options):
    """Of the findings that a gate makes in a source: fingerprint -> locations."""
    done = tailrace("race", *options, "--json", out, "--source", source,
                    env={"CPPFLAGS": f"-DBUG=1 -I{tailrace.repository}/scenarios"})
    assert done.status == 1, done
    findings = json.loads(out.read_text())["findings"]
    return {one["fingerprint"]: {place["line"] for place in one["locations"]} for one in findings}


def test_a_finding_is_known_again_after_edits_and_under_other_schedules(tailrace, tmp_path):
    original = tailrace.repository / "scenarios" / "races" / "counter_rmw.c"
    edited = tmp_path / "counter_rmw.c"
    edited.write_text("/* new */\n" * 10 + original.read_text())
    here = fingerprints(tailrace, original, tmp_path / "a.json", "--runs", "24")
    there = fingerprints(tailrace, edited, tmp_path / "b.json", "--runs", "24")
    assert len(here) == 1 and set(here) == set(there), "one race, however often it is found"
    assert {line + 10 for line in here.popitem()[1]} & there.popitem()[1]


def test_a_seed_shows_a_finding_again(tailrace, tmp_path):
    source = tailrace.repository / "scenarios" / "races" / "atomicity_violation_locked.c"
    environment = {"CPPFLAGS": f"-DBUG=1 -I{tailrace.repository}/scenarios"}
    out = tmp_path / "race.json"
    done = tailrace("race", "--json", out, "--source", source, env=environment)
    assert done.status == 1, done
    seed = json.loads(out.read_text())["findings"][0]["first_seed"]
    again = tailrace("race", "--json", out, "--replay", seed, "--runs", "5", "--source", source,
                     env=environment)
    assert again.status == 1, again
    assert json.loads(out.read_text())["findings"][0]["hits"] == 5
