# SPDX-License-Identifier: MIT
"""`tailrace gate`: the order of its runs, what a side is, how it ends.

Builds are fake (fake_build.py), so that what should be found is known; one gate is of this build.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import junitparser
import pytest

HERE = Path(__file__).parent
CELLS = [{"scenario": "read-states", "strategy": "malloc"}]
QUICK = ("--budget-minutes", "0.8")  # as it is planned; fake runs take no time


@pytest.fixture
def build(tmp_path):
    """Makes a fake build; its folder."""
    def make(name, **behaviour):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(HERE / "fake_build.py", folder / "tailrace")
        (folder / "tailrace").chmod(0o755)
        (folder / "fake.json").write_text(json.dumps({"allocations": 3, "salt": name, **behaviour}))
        return folder
    return make


@pytest.fixture
def suite(tmp_path):
    """A suite of a short cell."""
    path = tmp_path / "short.json"
    path.write_text(json.dumps({"suite": "short", "blocks": 1, "load": 0.5, "duration_s": 0.05,
                                "warmup_s": 0, "cells": CELLS}))
    return path


def lines(path):
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def calls(folder):
    """What a fake build was asked to run."""
    return lines(folder / "calls.jsonl")


def gated(tailrace, suite, out, baseline, head, *more):
    """The finished gate."""
    return tailrace("gate", "--baseline", baseline, "--head", head, "--suite", suite,
                    "--out", out, *QUICK, *more)


def test_equal_builds_pass_after_the_first_look(tailrace, build, suite, tmp_path):
    out = tmp_path / "set"
    done = gated(tailrace, suite, out, build("a"), build("b"))
    assert done.status == 0, done
    manifest, runs = json.loads((out / "manifest.json").read_text()), lines(out / "runs.jsonl")
    looks = manifest["gate"]["looks"]
    assert looks == sorted(set(looks)) and 1 <= len(looks) <= 3
    assert len({run["block"] for run in runs}) in looks
    per_block = Counter((run["block"], run["pair"]) for run in runs)
    assert set(per_block.values()) == {3}, "baseline, head and again in every block"
    assert {run["arm"] for run in runs} == {"baseline", "head", "again"}
    orders = {tuple(run["cell"] for run in runs if run["block"] == block) for block in range(8)}
    assert len(orders) > 1, "the order is random"
    counters = lines(out / "counters.jsonl")
    assert len(counters) == 2 * 2 and all(run["allocations"] for run in counters)
    assert json.loads((out / "gate.json").read_text())["verdict"] == "pass"
    assert (out / "gate.md").read_text() and junitparser.JUnitXml.fromfile(str(out / "gate.xml"))
    assert not (out / "result.json").exists()


def test_a_slower_head_fails_once_fresh_blocks_confirm_it(tailrace, build, suite, tmp_path):
    out = tmp_path / "set"
    done = gated(tailrace, suite, out, build("a"), build("b", factors={"service.p99_9": 1.5}))
    assert done.status == 1 and "service-p99.9" in done.stdout, done
    blocks = {run["block"] for run in lines(out / "runs.jsonl")}
    confirm = json.loads((out / "manifest.json").read_text())["gate"]["confirm"]
    assert {block for block in blocks if block >= 1000} == set(range(1000, 1000 + confirm))
    again = tailrace("gate", "--judge", out)
    assert again.status == 1 and again.stdout == done.stdout


def test_a_faster_head_passes(tailrace, build, suite, tmp_path):
    done = gated(tailrace, suite, tmp_path / "set", build("a"),
                 build("b", factors={"service.p99_9": 0.5, "service.p50": 0.5}))
    assert done.status == 0 and "better" in done.stdout, done


def test_one_allocation_more_fails(tailrace, build, suite, tmp_path):
    done = gated(tailrace, suite, tmp_path / "set", build("a"), build("b", allocations=6))
    assert done.status == 1 and "allocations" in done.stdout, done


def test_a_build_that_cannot_count_is_gated_by_time(tailrace, build, suite, tmp_path):
    old = build("a")
    (old / "fake.json").write_text('{"salt": "a"}')
    done = gated(tailrace, suite, tmp_path / "set", old, build("b"))
    assert done.status == 0 and "no option --count" in done.stdout, done


def test_a_head_that_crashes_fails(tailrace, build, suite, tmp_path):
    done = gated(tailrace, suite, tmp_path / "set", build("a"), build("b", status="crashed"))
    assert done.status == 1, done


def test_a_baseline_that_cannot_run_is_no_finding(tailrace, build, suite, tmp_path):
    for behaviour, status in (({"exit": 3}, 3), ({"status": "crashed"}, 2), ({"exit": 2}, 2)):
        name = f"a{len(list(tmp_path.iterdir()))}"
        done = gated(tailrace, suite, tmp_path / f"{name}-set", build(name, **behaviour),
                     build(f"{name}-b"))
        assert done.status == status and len(done.sentences()) == 1, done
        assert "baseline" in done.sentences()[0]


def test_sides_of_one_build(tailrace, build, suite, tmp_path):
    fake = build("a")
    done = gated(tailrace, suite, tmp_path / "set", f"build={fake}",
                 f"build={fake},strategy=marksweep,tune=growth=50")
    assert done.status in (0, 1), done
    asked = [" ".join(call) for call in calls(fake)]
    assert any("--strategy marksweep" in call and "--tune growth=50" in call for call in asked)
    assert any("--strategy malloc" in call for call in asked)


def test_interrupted(tailrace, build, suite, tmp_path):
    """Ctrl-C ends it at once, with what was measured kept and said."""
    out = tmp_path / "set"
    slow = build("a", sleep_s=0.2)
    program = subprocess.Popen(
        [tailrace.program, "gate", "--baseline", slow, "--head", slow, "--suite", suite, "--out",
         out, *QUICK], stderr=subprocess.PIPE, text=True)
    while not (out / "runs.jsonl").exists() or not (out / "runs.jsonl").read_text():
        assert program.poll() is None
        time.sleep(0.01)
    program.send_signal(signal.SIGINT)
    said = program.communicate(timeout=60)[1]
    assert program.returncode == 130 and str(out) in said.splitlines()[-1]
    assert lines(out / "runs.jsonl")


MISTAKES = {
    "no head": (["--baseline", "{a}"], "--head"),
    "no such build": (["--baseline", "{a}", "--head", "/nowhere"], "/nowhere"),
    "a folder that is no build": (["--baseline", "{a}", "--head", "/tmp"], "no tailrace"),
    "unknown key": (["--baseline", "{a}", "--head", "colour=red"], "colour=red"),
    "no key": (["--baseline", "{a}", "--head", "heap=jemalloc,fast"], "fast"),
    "unknown strategy": (["--baseline", "{a}", "--head", "strategy=magic"], "magic"),
    "unknown heap": (["--baseline", "{a}", "--head", "heap=magic"], "magic"),
    "unknown tunable": (["--baseline", "{a}", "--head", "tune=magic=1"], "magic"),
    "unknown metric": (["--baseline", "{a}", "--head", "{a}", "--metric", "speed"], "speed"),
    "unknown suite": (["--baseline", "{a}", "--head", "{a}", "--suite", "nothing"], "nothing"),
    "no budget": (["--baseline", "{a}", "--head", "{a}", "--budget-minutes", "0"], "minutes"),
    "too small a budget": (["--baseline", "{a}", "--head", "{a}", "--budget-minutes", "0.1"],
                           "--budget-minutes"),
    "judging nothing": (["--judge", "/nowhere"], "/nowhere")}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_in_one_sentence(tailrace, build, what, tmp_path):
    words, said = MISTAKES[what]
    fake = build("a")
    done = tailrace("gate", *(word.format(a=fake) for word in words),
                    *(() if "--judge" in words else ("--out", tmp_path / "set")))
    assert said in done.only_sentence(2)
    assert not (fake / "calls.jsonl").exists(), "nothing was measured"


def test_this_build_against_itself_is_measured(tailrace, tmp_path):
    """Whatever the machine says of it: every run is there, ok, and counted alike."""
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"suite": "one", "blocks": 1, "load": 0.05, "duration_s": 0.2,
                                "warmup_s": 0.01, "cells": [{**CELLS[0], "live": 2000}]}))
    build = Path(os.environ.get("TAILRACE") or HERE.parents[1] / "build" / "tailrace").parent
    done = tailrace("gate", "--baseline", build, "--head", build, "--suite", path, "--metric",
                    "service-p50", "--budget-minutes", "1", "--out", tmp_path / "set")
    assert done.status in (0, 1), done
    runs = lines(tmp_path / "set" / "runs.jsonl")
    assert len(runs) >= 27 and {run["status"] for run in runs} <= {"ok", "overloaded"}
    counters = lines(tmp_path / "set" / "counters.jsonl")
    assert len({json.dumps(run["allocations"]) for run in counters}) == 1
    assert counters[0]["allocations"]["calls"] > 0
