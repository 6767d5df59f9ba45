# SPDX-License-Identifier: MIT
"""`tailrace bench` and `report`: a result set is complete, or valid and completed by --resume."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

BLOCKS = 3
READ, PROXY = {"scenario": "read-states", "live": 2000}, {"scenario": "proxy"}
SUITE = {"suite": "tiny", "blocks": BLOCKS, "seed": 7, "load": 0.2, "arrivals": "poisson",
         "duration_s": 0.1, "warmup_s": 0.02,
         "cells": [READ | {"strategy": "none"}, READ | {"strategy": "malloc"},
                   READ | {"strategy": "arena"}, PROXY | {"strategy": "malloc"}]}
CELLS = ["read-states/none/glibc/t1/live=2000", "read-states/malloc/glibc/t1/live=2000",
         "read-states/arena/glibc/t1/live=2000", "proxy/malloc/glibc/t1"]
RUNS = BLOCKS * len(CELLS)


def write_suite(folder, **changes):
    """A suite file; every cell has one worker, however many processors there are."""
    suite = SUITE | changes
    suite["cells"] = [cell | {"threads": 1} for cell in suite["cells"]]
    (folder / "suite.json").write_text(json.dumps(suite))
    return folder / "suite.json"


def read_runs(folder):
    """Every line of runs.jsonl; each must be whole."""
    text = (folder / "runs.jsonl").read_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def read_manifest(folder):
    """The manifest."""
    return json.loads((folder / "manifest.json").read_text())


def orders(runs):
    """Block -> the names of its cells in their order."""
    runs = sorted(runs, key=lambda run: (run["block"], run["order"]))
    return [[run["cell"] for run in runs if run["block"] == block] for block in range(BLOCKS)]


def hold_to_complete(folder, complete):
    """The set has every run once, in the order of the finished set of the same seed."""
    runs = read_runs(folder)
    assert orders(runs) == orders(read_runs(complete)) and len(runs) == RUNS
    assert read_manifest(folder)["context"]["end_time"] is not None


@pytest.fixture(scope="module")
def complete(program, tmp_path_factory):
    """A finished result set, not to be changed."""
    folder = tmp_path_factory.mktemp("bench")
    done = program("bench", write_suite(folder), "--out", folder / "new" / "set")
    assert done.status == 0, done
    assert done.stdout == f"{folder / 'new' / 'set'}\n", done
    assert done.sentences() == []
    return folder / "new" / "set"


def redefine(folder, **changes):
    """Changes the suite that --resume goes by."""
    manifest = read_manifest(folder)
    manifest["definition"] |= changes
    (folder / "manifest.json").write_text(json.dumps(manifest))


def make_begun(complete, folder):
    """A copy of the finished set in which only the calibration is done."""
    folder.mkdir()
    manifest = read_manifest(complete)
    manifest["context"]["end_time"] = None
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def begun(complete, tmp_path):
    """A result set in which only the calibration is done."""
    return make_begun(complete, tmp_path / "set")


def test_every_run_is_there_once(complete):
    runs = read_runs(complete)
    assert {(run["block"], run["cell"]) for run in runs} == {
        (block, cell) for block in range(BLOCKS) for cell in CELLS}
    assert len(runs) == RUNS
    assert {path.name for path in complete.iterdir()} == {"manifest.json", "runs.jsonl", "hlog"}


def test_blocks_are_in_random_order(complete):
    runs = read_runs(complete)
    for block in range(BLOCKS):
        places = [run["order"] for run in runs if run["block"] == block]
        assert places == list(range(len(CELLS))), "lines are in the order of the runs"
    assert len({tuple(order) for order in orders(runs)}) > 1
    assert [run["block"] for run in runs] == sorted(run["block"] for run in runs)


def test_another_seed_gives_other_orders_and_inputs(tailrace, complete, begun):
    redefine(begun, seed=8)
    assert tailrace("bench", "--resume", "--out", begun).status == 0
    runs, others = read_runs(complete), read_runs(begun)
    assert orders(runs) != orders(others)
    assert {run["seed"] for run in runs} == {7, 8, 9}
    assert {run["seed"] for run in others} == {8, 9, 10}


def test_manifest_is_complete(complete, promised):
    manifest = read_manifest(complete)
    assert promised["manifest"] <= manifest.keys()
    assert manifest["schema"] == "tailrace/set/1"
    for key in ("suite", "blocks", "seed", "load", "duration_s", "warmup_s"):
        assert manifest[key] == SUITE[key], key
    assert promised["context"] <= manifest["context"].keys()
    assert manifest["context"]["start_time"] <= manifest["context"]["end_time"]
    assert [cell["cell"] for cell in manifest["cells"]] == CELLS
    for cell in manifest["cells"]:
        assert promised["manifest.cells[]"] <= cell.keys()
        assert cell["control"] == (cell["strategy"] == "none")
    assert [one["cell"] for one in manifest["calibration"]] == CELLS
    for one in manifest["calibration"]:
        assert promised["manifest.calibration[]"] <= one.keys()
        supported = "arena" not in one["cell"]
        assert one["status"] == ("ok" if supported else "unsupported")
        assert (one["capacity_rate"] > 0) == supported == (one["reason"] is None)


def test_runs_have_every_promised_key(complete, promised):
    for run in read_runs(complete):
        assert promised["run"] <= run.keys()
        assert run["context"]["start_time"] <= run["context"]["end_time"]


def test_a_block_computes_the_same_on_every_cell(complete):
    for block in range(BLOCKS):
        for scenario in ("read-states", "proxy"):
            same = {run["checksum"] for run in read_runs(complete)
                    if run["block"] == block and run["scenario"] == scenario
                    and run["status"] != "unsupported"}
            assert len(same) == 1 and None not in same, (block, scenario)
    firsts = {run["checksum"] for run in read_runs(complete) if run["scenario"] == "proxy"}
    assert len(firsts) == BLOCKS, "each block has a seed of its own"


def test_the_rate_comes_from_the_slowest_cell(complete):
    """The null control (none) is left aside: what it could do is no strategy's business."""
    capacity = {one["cell"]: one for one in read_manifest(complete)["calibration"]}
    for scenario, slowest in (("read-states", CELLS[1]), ("proxy", CELLS[3])):
        rate = 0.2 * capacity[slowest]["capacity_rate"]
        for run in read_runs(complete):
            if run["scenario"] == scenario and run["status"] != "unsupported":
                assert run["offered_rate"] == pytest.approx(rate, rel=1e-6)
                assert run["requests"] == pytest.approx(0.1 * rate, abs=1)
                assert capacity[run["cell"]]["offered_rate"] == pytest.approx(rate, rel=1e-6)


def test_an_unsupported_cell_is_recorded_in_each_block(complete):
    runs = [run for run in read_runs(complete) if run["cell"] == CELLS[2]]
    assert len(runs) == BLOCKS
    for run in runs:
        assert run["status"] == "unsupported" and "reclaim" in run["reason"]


def test_cells_have_tunings_and_durations_of_their_own(tailrace, tmp_path):
    arena = PROXY | {"strategy": "arena"}
    suite = write_suite(tmp_path, blocks=1, cells=[
        arena, arena | {"tune": "chunk=4096  keep=0", "duration_s": 0.3}])
    assert tailrace("bench", suite, "--out", tmp_path / "out").status == 0
    lines = (tmp_path / "out" / "runs.jsonl").read_text().splitlines()
    runs = {run["cell"]: run for run in map(json.loads, lines)}
    plain, tuned = runs["proxy/arena/glibc/t1"], runs["proxy/arena/glibc/t1/chunk=4096 keep=0"]
    assert plain["tune"] == {} and tuned["tune"] == {"chunk": 4096, "keep": 0}
    assert tuned["requests"] == pytest.approx(3 * plain["requests"], abs=3)
    assert tuned["offered_rate"] == plain["offered_rate"]
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["duration_s"] == 0.1


def test_manifest_has_the_budgets_that_were_found(tailrace, tmp_path, unsanitized):
    suite = write_suite(tmp_path, blocks=1, cells=[
        PROXY, PROXY | {"budget_times": 2}, PROXY | {"budget_times": 4}])
    assert tailrace("bench", suite, "--out", tmp_path / "out").status == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    smallest = manifest["smallest"][0]["smallest_bytes"]
    assert smallest and [cell["budget_bytes"] for cell in manifest["cells"]] == [
        None, 2 * smallest, 4 * smallest]


def test_only_and_blocks_choose_runs(tailrace, tmp_path):
    done = tailrace("bench", write_suite(tmp_path), "--out", tmp_path / "set", "--blocks", "1",
                    "--only", "proxy/*")
    assert done.status == 0, done
    assert [run["cell"] for run in read_runs(tmp_path / "set")] == [CELLS[3]]
    manifest = read_manifest(tmp_path / "set")
    assert manifest["blocks"] == 1 and len(manifest["cells"]) == 1
    again = tailrace("bench", "--resume", "--out", tmp_path / "set")
    assert again.status == 0 and len(read_runs(tmp_path / "set")) == 1, again


def test_a_crash_is_recorded_and_the_suite_goes_on(tailrace, complete, begun):
    running = tailrace.start("bench", "--resume", "--out", begun)
    running.kill_worker()
    done = running.wait()
    assert done.status == 0, done
    hold_to_complete(begun, complete)
    crashed = [run for run in read_runs(begun) if run["status"] == "crashed"]
    assert len(crashed) == 1 and "signal 9" in crashed[0]["reason"]
    assert f"{crashed[0]['cell']}: crashed: " in done.stderr


def test_a_crash_while_calibrating_leaves_the_other_cells(tailrace, tmp_path):
    """The crashed cell has no capacity; its runs go at the rate of the others."""
    cells = [PROXY | {"strategy": "malloc"}, PROXY | {"strategy": "arena"}]
    running = tailrace.start("bench", write_suite(tmp_path, cells=cells, blocks=1), "--out",
                             tmp_path / "set")
    running.kill_worker()
    assert running.wait().status == 0
    first, second = read_manifest(tmp_path / "set")["calibration"]
    assert first["status"] == "crashed" and first["capacity_rate"] == 0 and first["reason"]
    assert second["status"] == "ok"
    runs = read_runs(tmp_path / "set")
    assert [run["status"] in ("ok", "overloaded") for run in runs] == [True, True]
    for run in runs:
        assert run["offered_rate"] == pytest.approx(0.2 * second["capacity_rate"], rel=1e-6)


def interrupted_in(tailrace, words, *arguments):
    """A bench that was sent Ctrl-C once it had told `words`."""
    running = tailrace.start("bench", *arguments)
    tailrace.wait_for(lambda: words in running.stderr(), words)
    workers = running.workers()
    done = running.interrupt()
    assert not any(map(tailrace.is_alive, workers))
    assert done.status == 130 and done.stdout == "", done
    assert len(done.sentences()) == 1 and "--resume --out" in done.sentences()[0], done


def test_an_interrupted_suite_is_valid_and_resumed(tailrace, complete, begun):
    redefine(begun, duration_s=0.5)  # so that Ctrl-C does not come too late
    interrupted_in(tailrace, f"measured 2/{RUNS}", "--resume", "--out", begun)
    redefine(begun, duration_s=0.1)
    before = (begun / "runs.jsonl").read_text()
    assert 2 <= len(read_runs(begun)) < RUNS
    assert read_manifest(begun)["context"]["end_time"] is None
    done = tailrace("bench", "--resume", "--out", begun)
    assert done.status == 0 and done.sentences() == [], done
    assert "calibrated" not in done.stderr
    assert (begun / "runs.jsonl").read_text().startswith(before), "no run is repeated"
    hold_to_complete(begun, complete)
    text = (begun / "runs.jsonl").read_text()
    assert tailrace("bench", "--resume", "--out", begun).status == 0
    assert (begun / "runs.jsonl").read_text() == text, "there is nothing left to do"


def test_an_interrupted_calibration_is_resumed(tailrace, tmp_path):
    cells = [PROXY | {"strategy": "malloc"}, PROXY | {"strategy": "arena"}]
    folder = tmp_path / "set"
    suite = write_suite(tmp_path, cells=cells)
    interrupted_in(tailrace, "calibrated 1/2", suite, "--out", folder)
    first = read_manifest(folder)["calibration"]
    assert tailrace("bench", "--resume", "--out", folder).status == 0
    calibration = read_manifest(folder)["calibration"]
    assert len(calibration) == 2 and len(read_runs(folder)) == 2 * BLOCKS
    assert first, "the first cell was calibrated before the interrupt"
    for before, after in zip(first, calibration):
        assert before.items() <= after.items()


@pytest.mark.parametrize("torn", ["{", '{"schema":"tailrace/run/1","cell":"read-st', "whole"])
def test_a_torn_last_line_is_cut_and_repeated(tailrace, complete, begun, torn):
    lines = (complete / "runs.jsonl").read_text().splitlines(keepends=True)
    last = lines[-1].rstrip("\n") if torn == "whole" else torn
    (begun / "runs.jsonl").write_text("".join(lines[:-1]) + last)
    done = tailrace("bench", "--resume", "--out", begun)
    assert done.status == 0, done
    text = (begun / "runs.jsonl").read_text()
    assert text.startswith("".join(lines[:-1])) and text != "".join(lines)
    hold_to_complete(begun, complete)


@pytest.mark.parametrize("line", ["hello", "{}", "[]", "", '{"cell": "proxy/x", "block": 0}',
                                  f'{{"cell": "{CELLS[3]}", "block": {BLOCKS}}}',
                                  f'{{"cell": "{CELLS[3]}", "block": -1}}',
                                  f'{{"cell": "{CELLS[3]}"}}'])
def test_a_foreign_line_is_told_and_nothing_is_touched(tailrace, begun, line):
    (begun / "runs.jsonl").write_text(line + "\n")
    assert "runs.jsonl" in tailrace("bench", "--resume", "--out", begun).only_sentence(2)
    assert (begun / "runs.jsonl").read_text() == line + "\n"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"definition": {"suite": "x"}}'])
def test_a_broken_manifest_is_told(tailrace, begun, text):
    (begun / "manifest.json").write_text(text)
    tailrace("bench", "--resume", "--out", begun).only_sentence(2)
    assert (begun / "manifest.json").read_text() == text


def test_a_full_disk_leaves_whole_lines_and_is_resumed(tailrace, complete, small_disk):
    """There is room for the manifest and its successor, and for half of what the runs leave."""
    def pages(paths):
        return sum(-(-path.stat().st_size // 4096) * 4096 for path in paths)
    disk = small_disk(8 << 20)
    make_begun(complete, disk / "set")
    room = 2 * pages([complete / "manifest.json"]) + pages(
        [complete / "runs.jsonl", *(complete / "hlog").iterdir()]) // 2
    (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - room))
    done = tailrace("bench", "--resume", "--out", disk / "set")
    assert done.status == 2 and done.stdout == "" and len(done.sentences()) == 1, done
    assert re.search(r"/set/(runs\.jsonl|hlog/\S+\.hlog): No space left on device",
                     done.sentences()[0])
    before = (disk / "set" / "runs.jsonl").read_text()
    assert 1 <= len(read_runs(disk / "set")) < RUNS
    assert not list((disk / "set").glob("*.part"))
    (disk / "filler").unlink()
    assert tailrace("bench", "--resume", "--out", disk / "set").status == 0
    assert (disk / "set" / "runs.jsonl").read_text().startswith(before)
    hold_to_complete(disk / "set", complete)


def test_a_disk_full_from_the_beginning(tailrace, tmp_path, small_disk):
    disk = small_disk(1 << 20)
    (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free))
    done = tailrace("bench", write_suite(tmp_path), "--out", disk / "set")
    assert "manifest.json: No space left on device" in done.only_sentence(2)
    assert list((disk / "set").iterdir()) == []


PACKAGES = ("python3-matplotlib", "python3-numpy", "python3-jinja2")


def can_report():
    """True if a Python is there that the report will find and that has what it needs."""
    for python in (os.environ.get("TAILRACE_PYTHON"), "python3", "/usr/bin/python3"):
        if python and shutil.which(python) and subprocess.run(
                [python, "-c", "import matplotlib, numpy, jinja2"], capture_output=True,
                check=False).returncode == 0:
            return True
    return False


def test_report_of_a_finished_set(tailrace, complete, tmp_path):
    if not can_report():
        pytest.skip(f"no Python here has what the report needs: {' '.join(PACKAGES)}")
    folder = Path(shutil.copytree(complete, tmp_path / "set"))
    done = tailrace("report", folder)
    assert done.status == 0 and done.stdout == f"{folder / 'index.html'}\n", done
    page = (folder / "index.html").read_text()
    for cell in (CELLS[1], CELLS[3]):
        scenario, strategy = cell.split("/")[:2]
        assert scenario in page and strategy in page
    assert list(folder.glob("*.png")) and list(folder.glob("*.svg"))
    for name in ("manifest.json", "runs.jsonl"):
        assert (folder / name).read_bytes() == (complete / name).read_bytes(), name


def test_report_of_a_broken_set(tailrace, tmp_path):
    if not can_report():
        pytest.skip(f"no Python here has what the report needs: {' '.join(PACKAGES)}")
    (tmp_path / "manifest.json").write_text("{")
    done = tailrace("report", tmp_path)
    assert done.status == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1, done


def test_report_without_its_libraries_names_their_packages(tailrace, complete, tmp_path):
    """No Python is in PATH, and any other meets a matplotlib that cannot be imported."""
    (tmp_path / "matplotlib.py").write_text('raise ImportError("hidden by a test")\n')
    sentence = tailrace("report", complete, env={
        "TAILRACE_PYTHON": "/bin/false", "PATH": str(tmp_path), "PYTHONPATH": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1"}).only_sentence(3)
    assert all(package in sentence for package in PACKAGES)
    assert not (complete / "index.html").exists()
