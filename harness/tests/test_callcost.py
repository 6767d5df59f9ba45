# SPDX-License-Identifier: MIT
"""`benches/callcost/run`: everything that is listed is told of, whatever the times are."""

import json
import math
import os
import signal
import subprocess
import sys

import pytest

CLAIMS = 6
ENVIRONMENT = dict(os.environ, TAILRACE_PYTHON=sys.executable)  # no search for one
FILES = {"callcost.json", "callcost.md", "callcost.png", "callcost.svg"}


def command(program, *arguments):
    """The command line; the programs are those beside the one under test."""
    run = program.repository / "benches" / "callcost" / "run"
    return [str(run), "--build", str(program.program.parent), *map(str, arguments)]


def run_callcost(program, *arguments):
    """Runs it to its end."""
    return subprocess.run(command(program, *arguments), stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=120, check=False, env=ENVIRONMENT)


@pytest.fixture(scope="module")
def done(program, tmp_path_factory):
    """(Finished command, folder): a tiny round of every strategy on the C library's heap."""
    folder = tmp_path_factory.mktemp("callcost") / "new"
    return run_callcost(program, "--rounds", 1, "--time-us", 100, "--only", "*/glibc",
                        "--out", folder), folder


@pytest.fixture(scope="module")
def summary(done):
    """Its callcost.json."""
    finished, folder = done
    assert finished.returncode == 0, finished
    return json.loads((folder / "callcost.json").read_text())


def test_all_files_are_written(done, summary):
    finished, folder = done
    assert {path.name for path in folder.iterdir()} == FILES
    assert all(path.stat().st_size > 0 for path in folder.iterdir())
    assert finished.stdout.startswith((folder / "callcost.md").read_text())
    assert summary["rounds"] == 1 and not summary["interrupted"]


def test_every_strategy_has_times_or_a_reason(summary, tailrace):
    cells = {cell["strategy"]: cell for cell in summary["cells"]}
    for one in tailrace.listed("strategies"):
        cell = cells[one["name"]]
        ways = {way["mode"]: way for way in cell["ways"]}
        lacks = {lack["mode"] for lack in cell["lacks"]}
        assert cell["reason"] is None, cell["reason"]
        assert {"each", "at-once", "handoff", "keep-own", "keep-other", "keep-both"} == \
            (ways.keys() | lacks) - {"scope"}
        assert not ways.keys() & lacks
        assert "each" in ways or "scope" in ways
        assert all(way["ns"] or way["reason"] for way in cell["ways"])
        assert any(way["ns"] for way in cell["ways"])


def test_collectors_say_how_often_they_collected(summary):
    for cell in summary["cells"]:
        for way in cell["ways"]:
            collects = cell["family"] == "collector" or cell["bare"] == "boehm"
            assert (way["collections"] is not None) == (collects and way["ns"] is not None)


def test_numbers_are_finite_and_in_order(summary):
    ratios = 0
    for cell in summary["cells"]:
        for way in cell["ways"]:
            for name in ("ns", "ratio"):
                if way[name]:
                    middle = [way[name][key] for key in ("min", "q1", "median", "q3", "max")]
                    assert middle == sorted(middle) and middle[0] > 0
                    assert all(map(math.isfinite, middle))
            ratios += way["ratio"] is not None
            assert (way["ratio"] is None) == (way["bare"] is None)
    assert ratios > len(summary["cells"])


def test_claims_are_told(done, summary):
    assert len(summary["claims"]) == CLAIMS
    for claim in summary["claims"]:
        line = next(line for line in done[0].stdout.splitlines() if f"- {claim['name']}:" in line)
        assert claim["verdict"] in ("met", "missed", "not measured")
        assert f": {claim['verdict']}" in line
    known = {claim["name"]: claim for claim in summary["claims"]}
    assert known["arena to store-only loop, 100 a scope"]["ratio"]
    assert known["refcount keep and drop to GAtomicRcBox"]["ratio"]


def test_a_heap_is_preloaded(tailrace, tmp_path):
    heap = next((heap for heap in tailrace.listed("heaps")
                 if heap["installed"] and heap["library"]), None)
    if not heap:
        pytest.skip("no heap but the C library's is installed")
    done = run_callcost(tailrace, "--rounds", 2, "--time-us", 100, "--out", tmp_path,
                        "--only", f"malloc/{heap['name']}")
    assert done.returncode == 0, done
    cells = json.loads((tmp_path / "callcost.json").read_text())["cells"]
    assert [cell["reason"] for cell in cells] == [None] * len(cells)
    # both on the heap: the strategy, and the bare library
    assert [cell["heap"] for cell in cells] == [heap["name"]] * 2 + ["glibc"]
    assert {way["ns"]["rounds"] for cell in cells for way in cell["ways"] if way["ns"]} == {2}


def test_an_interrupted_run_keeps_what_was_measured(tailrace, tmp_path):
    with open(tmp_path / "said", "w") as said:
        process = subprocess.Popen(
            command(tailrace, "--rounds", 500, "--time-us", 100, "--only", "malloc/glibc",
                    "--out", tmp_path / "out"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
            env=ENVIRONMENT)
    try:
        tailrace.wait_for(lambda: "round 2" in (tmp_path / "said").read_text(), "round 2")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
    summary = json.loads((tmp_path / "out" / "callcost.json").read_text())
    assert summary["interrupted"] and 2 <= summary["rounds"] < 500


@pytest.mark.parametrize("arguments", [("--rounds", "0"), ("--rounds", "x"), ("--seed", "-1"),
                                       ("--only", "nothing"), ("--unknown",), ("word",),
                                       ("--out", "/proc/callcost")])
def test_bad_arguments(tailrace, arguments):
    done = run_callcost(tailrace, *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("callcost: ")


def test_missing_programs(tailrace, tmp_path):
    done = subprocess.run([str(tailrace.repository / "benches/callcost/run"), "--build", tmp_path],
                          capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 3 and len(done.stderr.splitlines()) == 1
    (tmp_path / "tailrace").symlink_to(tailrace.program)
    done = subprocess.run([str(tailrace.repository / "benches/callcost/run"), "--build", tmp_path],
                          capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 3 and len(done.stderr.splitlines()) == 1


def test_programs_take_modes_and_sizes(program):
    callcost = program.program.parent / "callcost-malloc"
    done = subprocess.run([callcost, "--mode", "each", "--size", "64", "--time-us", "100"],
                          capture_output=True, text=True, check=False)
    about, *lines = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0 and about["program"] == "callcost-malloc"
    assert [(line["mode"], line["size"], line["batch"]) for line in lines] == [
        ("each", 64, 100), ("each", 64, 10000)]
    assert all(line["elapsed_ns"] >= 100_000 for line in lines)
    for arguments in (["--mode", "nothing"], ["--size", "0"], ["--unknown"], ["word"]):
        done = subprocess.run([callcost, *arguments], capture_output=True, check=False,
                              env=dict(os.environ, LC_ALL="C"))
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
