# SPDX-License-Identifier: MIT
"""Runs the deciding half of the gate as `tailrace gate` does: words, files, exit status."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import synthetic_gate
from synthetic_gate import GATE, PAIRS, counters, runs, write
from tailrace_report import gate_words
from tailrace_report.text import SPACE
from test_report import edit_lines, edit_runs, refused

ODD = 'a|b <i>&"\'`*_é%\n::error::x\u202e\x1b[31m'


def gate(*words, **env):
    """Run `gate` with `words`; the job's variables are those of `env` alone. Spaces are plain."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    result = subprocess.run(
        [sys.executable, "-m", "tailrace_report", "gate", *map(str, words)], text=True,
        env={**clean, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1",
             **env}, capture_output=True)
    result.stdout = result.stdout.replace(SPACE, " ")
    return result


def change(ratio):
    """A ratio as the text has it, with plain spaces."""
    return gate_words.change(ratio).replace(SPACE, " ")


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A gate whose head has 1.5 times the p99.9 in the first pair, judged; not to be changed."""
    directory = write(tmp_path_factory.mktemp("slow") / "set", runs(1, {"p99_9": 1.5}), counters())
    return directory, gate(directory, "--final")


@pytest.fixture(scope="module")
def same(tmp_path_factory):
    """A gate of a build against its copy; not to be changed."""
    return write(tmp_path_factory.mktemp("same") / "set", runs(1), counters())


def result_of(directory):
    """gate.json, in which nothing may be NaN or Infinity."""
    return json.loads((directory / "gate.json").read_text(), parse_constant=pytest.fail)


def row_of(directory, metric, pair=PAIRS[0]):
    """The row of a metric in gate.json."""
    result = result_of(directory)
    return next(row for row in result["metrics"] + result["failures"] + result["counters"]
                if (row["pair"], row["metric"]) == (pair, metric))


def test_looks_say_one_word(slow, same):
    assert (gate(slow[0], "--look", 1).stdout, gate(same, "--look", 1).stdout) == \
        ("confirm\n", "pass\n")


def test_a_look_needs_its_own_blocks_only(tmp_path):
    directory = write(tmp_path / "set", runs(1, {"p99_9": 1.5}, blocks=range(12)))
    assert gate(directory, "--look", 1).stdout == "confirm\n"
    assert "12 of the 18 blocks" in refused(gate(directory, "--look", 2))
    assert "0 of the 12 blocks for confirmation" in refused(gate(directory, "--final"))
    assert not (directory / "gate.json").exists()
    edit_lines(directory, lambda lines: lines[:-1])
    assert "11 of the 12 blocks" in refused(gate(directory, "--look", 1)), "its last run is missing"


def test_a_gate_that_must_go_on_is_not_complete(tmp_path):
    directory = write(tmp_path / "set", runs(2, {"p99_9": 1.3}, blocks=range(12)))
    assert gate(directory, "--look", 1).stdout == "continue\n"
    assert "12 of the 18 blocks that it needs" in refused(gate(directory, "--final"))


def test_a_failing_gate(slow):
    directory, result = slow
    assert result.returncode == 1 and not result.stderr
    first = result.stdout.splitlines()[0]
    assert re.fullmatch(rf"gate: FAIL  {PAIRS[0]}  service-p99\.9 \+5\d % \[\+\d+ %, \+\d+ %\], "
                        r"margin 20 %; confirmed \+\d+ % \[\+\d+ %, \+\d+ %\]", first), first
    row = row_of(directory, "service-p99.9")
    assert row["verdict"] == "worse" and row["ratio"] == pytest.approx(1.5, rel=0.1)
    assert change(row["ratio"]) in first and change(row["confirmation"]["low"]) in first
    whole = result_of(directory)
    assert (whole["verdict"], whole["look"], whole["confirmation_blocks"]) == ("fail", 1, 12)
    assert "A/A of this machine in the same blocks: service-p50 within ±" in result.stdout
    assert "after 12 of 26 blocks and 12 fresh blocks for confirmation" in result.stdout


def test_metrics_are_known_beforehand():
    known = gate("--check-metrics", *GATE["metrics"], "p99.9", "allocations")
    assert (known.returncode, known.stdout, known.stderr) == (0, "", "")
    assert '"speed" is no metric' in refused(gate("--check-metrics", "p50", "speed"))


def test_a_passing_gate_says_the_same_when_asked_again(same, tmp_path):
    directory = Path(shutil.copytree(same, tmp_path / "set"))
    result, files = gate(directory, "--final"), []
    assert result.returncode == 0 and result.stdout.startswith("gate: PASS  of 12 comparisons ")
    names = ("gate.json", "gate.md", "gate.xml")
    files.append([(directory / name).read_bytes() for name in names])
    assert gate(directory).stdout == result.stdout
    files.append([(directory / name).read_bytes() for name in names])
    assert files[0] == files[1] and result_of(directory)["verdict"] == "pass"


def test_inconclusive_says_what_it_could_have_shown(same, tmp_path):
    directory = Path(shutil.copytree(same, tmp_path / "set"))
    text = gate(directory, "--final").stdout
    row = row_of(directory, "service-p99.9", PAIRS[1])
    assert row["verdict"] == "inconclusive" and row["could_show"] > 1 + row["margin"] > 1.2
    assert f"could have shown {change(row['could_show'])} or more)" in text


def test_a_metric_that_cannot_fail_is_told(tmp_path):
    made = synthetic_gate.manifest({**GATE, "looks": [6]})
    directory = write(tmp_path / "set", runs(1, {"p50": 3}), made=made)
    text = gate(directory, "--final").stdout
    assert f"{PAIRS[0]}: service-p50 cannot fail with so few blocks: 6, and 10 are needed" in text
    assert row_of(directory, "service-p50")["can_fail"] is False


def test_counters_fail_without_statistics(tmp_path):
    directory = write(tmp_path / "set", runs(1), counters(head=5))
    result = gate(directory, "--final")
    assert result.returncode == 1
    assert f"gate: FAIL  {PAIRS[0]}  allocations 2.5 to 5 per request (+100 %), margin 1 %" in \
        result.stdout
    (directory / "counters.jsonl").unlink()
    result = gate(directory, "--final")
    assert result.returncode == 0 and "Allocations were not counted" in result.stdout


def test_a_crashing_head_fails_and_shows_as_failed(tmp_path):
    lines = runs(1)
    for run in lines:
        if run["arm"] == "head" and run["pair"] == PAIRS[1]:
            run.update(status="crashed", reason="the worker died of signal 11", service_ns=None)
    directory = write(tmp_path / "set", lines, counters())
    result = gate(directory, "--final")
    assert result.returncode == 1
    assert (f"gate: FAIL  {PAIRS[1]}  failed runs: head 12, baseline 0, again 0 of 12 runs each "
            "(crashed: the worker died of signal 11); confirmed head 12") in result.stdout
    assert row_of(directory, "service-p50", PAIRS[1])["ratio"] == "infinite"
    assert row_of(directory, "service-p50", PAIRS[0])["verdict"] == "equivalent"


def test_a_baseline_that_crashes_as_well_is_told(tmp_path):
    lines = runs(1)
    for run in lines:
        if run["block"] == 4 and run["arm"] in ("head", "again"):
            run.update(status="crashed", reason="signal 6", service_ns=None)
    directory = write(tmp_path / "set", lines, counters())
    assert "the baseline's own build fails as well" in gate(directory, "--final").stdout


def test_host_is_told_and_does_not_fail(tmp_path):
    directory = write(tmp_path / "set", runs(1, {"p50": 2}, {"p50": 1.3}, tails=0), counters())
    result = gate(directory, "--final", GITHUB_ACTIONS="true")
    assert result.returncode == 0 and "so it is the host" in result.stdout
    assert row_of(directory, "service-p50")["verdict"] == "host"
    assert "::notice title=service-p50 host::" in result.stdout


def test_unconfirmed_is_told_and_does_not_fail(tmp_path):
    early, late = runs(1, {"p50": 2}, blocks=range(26)), runs(2, blocks=range(1000, 1012))
    directory = write(tmp_path / "set", early + late, counters())
    result = gate(directory, "--final")
    assert result.returncode == 0 and "unconfirmed, which does not fail the gate" in result.stdout
    assert row_of(directory, "service-p50")["verdict"] == "unconfirmed"


def test_github_gets_annotations_and_a_summary(slow, tmp_path):
    page = tmp_path / "summary.md"
    page.write_text("before\n")
    directory = Path(shutil.copytree(slow[0], tmp_path / "set"))
    result = gate(directory, "--final", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(page))
    errors = [line for line in result.stdout.splitlines() if line.startswith("::")]
    assert len(errors) == 1 and result.returncode == 1
    assert errors[0].startswith(f"::error title=service-p99.9 worse::{PAIRS[0]}: service-p99.9 +5")
    assert " %25 [" in errors[0]
    assert page.read_text() == "before\n" + (directory / "gate.md").read_text()


def odd_gate(directory):
    """A failing gate whose pairs and arms are called something odd."""
    lines, made = runs(1, {"p50": 2}), synthetic_gate.manifest({**GATE, "baseline": ODD})
    for record in (*lines, *made["cells"]):
        record["pair"] = record["pair"].replace(PAIRS[0], ODD)
    return write(directory, lines, counters(), made)


def test_junit_is_read_by_junitparser(tmp_path):
    junitparser = pytest.importorskip("junitparser", reason="install python3-junitparser")
    directory = odd_gate(tmp_path / "set")
    assert gate(directory, "--final").returncode == 1
    suites = list(junitparser.JUnitXml.fromfile(str(directory / "gate.xml")))
    cases = list(suites[0])
    assert (suites[0].tests, suites[0].failures, len(cases)) == (12, 1, 12)
    bad = next(case for case in cases if case.result)
    assert bad.name == "service-p50" and bad.classname.startswith("a|b <i>&\"'`*_é% ::error::x")
    assert isinstance(bad.result[0], junitparser.Failure)
    assert "confirmed +" in bad.result[0].message


def test_odd_names_break_nothing(tmp_path):
    directory = odd_gate(tmp_path / "set")
    result = gate(directory, "--final", GITHUB_ACTIONS="true")
    assert sum(line.startswith("::") for line in result.stdout.splitlines()) == 1
    text = (directory / "gate.md").read_text()
    assert "\x1b" not in text + result.stdout and "\u202e" not in text + result.stdout
    bars = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert bars == {8} and "<i>" not in text


@pytest.mark.parametrize("change_gate, sentence", [
    ({"metrics": ["p98"]}, '"p98" is no metric'), ({"looks": [12, 12]}, "gate.looks"),
    ({"looks": []}, "gate.looks"), ({"alpha": 1.5}, "gate.alpha"), ({"confirm": 0}, "gate.confirm"),
    ({"head": None}, "gate.head"), ({"metrics": []}, "gate.metrics")])
def test_a_manifest_that_is_wrong_is_refused(same, tmp_path, change_gate, sentence):
    made = synthetic_gate.manifest({**GATE, **change_gate})
    directory = write(tmp_path / "set", runs(1, blocks=range(1)), made=made)
    assert sentence in refused(gate(directory, "--final"))


def test_what_is_no_gate_is_refused(same, tmp_path):
    directory = write(tmp_path / "set", [])
    assert "holds no run" in refused(gate(directory, "--look", 1))
    made = synthetic_gate.manifest()
    made["cells"].pop()
    directory = write(tmp_path / "arms", runs(1, blocks=range(1))[:3], made=made)
    assert "arms of a pair" in refused(gate(directory, "--final"))
    del made["gate"]
    directory = write(tmp_path / "none", runs(1, blocks=range(1))[:3], made=made)
    assert "wrong or missing gate" in refused(gate(directory, "--final"))
    assert "there is no look 4" in refused(gate(same, "--look", 4))
    assert "there is no look 0" in refused(gate(same, "--look", 0))
    assert "one folder" in refused(gate(same, same, "--final"))
    assert "needs the folder" in refused(gate())
    assert "draws nothing" in refused(gate(same, "--resample", 0))


def test_counters_that_are_wrong_are_refused(tmp_path):
    directory = write(tmp_path / "set", runs(1), [{"pair": PAIRS[0], "arm": "head"}])
    assert "counters.jsonl line 1 is not as the format says" in refused(gate(directory, "--final"))


def test_every_run_failed_is_no_pass(tmp_path):
    directory = write(tmp_path / "set", runs(1))
    edit_runs(directory, lambda run: run.update(status="oom", reason="memory ran out",
                                                service_ns=None))
    for mode in (("--look", 1), ("--final",)):
        sentence = refused(gate(directory, *mode))
        assert "nothing could be compared" in sentence and "oom: memory ran out" in sentence


def test_a_metric_nobody_measured_is_told(tmp_path):
    directory = write(tmp_path / "set", runs(1), made=synthetic_gate.manifest(
        {**GATE, "metrics": ["service-p50", "p99"]}))
    assert gate(directory, "--final").returncode == 0
    assert row_of(directory, "p99")["why"].startswith("not measured")
    assert '<skipped message="not measured' in (directory / "gate.xml").read_text()


def test_resampling_tells_the_rate_with_its_interval(same, slow):
    result = gate(same, "--resample", 100)
    assert result.returncode == 0 and result.stdout == gate(same, "--resample", 100).stdout
    assert re.match(r"resampled: 0 of 100 gates failed, 0 % \[0 %, 3\.70 %\]; \d+ went to "
                    r"confirmation\nrecorded: 0 of 1 gate failed ", result.stdout)
    both = gate(same, slow[0], "--resample", 50, "--seed", 2).stdout
    assert "recorded: 1 of 2 gates failed" in both and "only if head is a copy" in both
