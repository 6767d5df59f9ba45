# SPDX-License-Identifier: MIT
"""What compare-heaps says of a program's runs: verdicts, the best heap, failed runs, rare calls."""

import json
import math
import re

import pytest

from tailrace_report.command_compare_heaps import markdown, terminal
from tailrace_report.heaps import compare_heaps, sentences
from tailrace_report.resultset import ReportError, read_result_set

BLOCKS = 10


def write_set(folder, walls, calls=10**6, **changes):
    """A result set of {heap: [wall_s or a status, …]}; `changes` go into every run."""
    def keys(heap):
        return {"cell": f"p/{heap}", "scenario": "p", "strategy": "program", "heap": heap}

    manifest = {"schema": "tailrace/set/1", "suite": "compare-heaps", "blocks": BLOCKS,
                "load": None, "cells": [keys(heap) for heap in walls], "calibration": [],
                "context": {}, "program": {"heap_calls": calls}}
    runs = [{"schema": "tailrace/run/1", **keys(heap), "block": block,
             "status": one if isinstance(one, str) else "ok",
             "reason": "it broke" if isinstance(one, str) else None,
             "wall_s": None if isinstance(one, str) else one, "cpu_s": 0.5, "faults_major": 0,
             **changes}
            for heap, of in walls.items() for block, one in enumerate(of)]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "runs.jsonl").write_text("".join(json.dumps(run) + "\n" for run in runs))
    return folder


def compared(folder, walls, **options):
    """The Heaps of such a set."""
    return compare_heaps(read_result_set(write_set(folder, walls, **options)), folder)


def around(middle):
    """Ten values about `middle`, up to 1 % apart."""
    return [middle * (1 + (block * 7 % 10 - 5) / 1000) for block in range(BLOCKS)]


def said(heaps):
    """All sentences as one text."""
    return "\n".join(f"{heading}: {one}" for heading, told in sentences(heaps) for one in told)


WALLS = {"glibc": around(1.0), "fast": around(0.5), "alike": around(1.001), "slow": around(2.0)}


def test_verdicts_and_the_best(tmp_path):
    heaps = compared(tmp_path, WALLS)
    words = {heap: finding.word for metric, found in heaps.findings.items()
             if metric.name == "wall" for heap, finding in found.items()}
    assert words == {"fast": "better", "alike": "equivalent", "slow": "worse"}
    assert "wall: lowest under fast, 500" in said(heaps)
    assert "0.500 (0.500 to 0.500) times glibc's; all others are higher." in said(heaps)
    assert heaps.silent == ["faults-major"] and "rss-peak" not in said(heaps)


def test_the_first_heap_is_the_reference(tmp_path):
    text = terminal(compared(tmp_path, dict(reversed(WALLS.items()))), False)
    assert "ratios to slow" in text
    assert re.search(r"^  slow +\S+\ss +1  reference$", text, re.M)


def test_a_failed_run_is_not_dropped(tmp_path):
    heaps = compared(tmp_path, {"glibc": around(1.0), "bad": ["crashed"] * 9 + [0.1]})
    finding = next(iter(heaps.findings.values()))["bad"]
    assert finding.word == "worse" and finding.comparison.ratio == math.inf
    assert "9 of 10 runs under bad, the last so: it broke." in said(heaps)


def test_an_unsupported_heap_is_left_out(tmp_path):
    heaps = compared(tmp_path, {**WALLS, "none": ["unsupported"] * BLOCKS})
    assert "none" not in heaps.runs and "none: it broke." in said(heaps)
    with pytest.raises(ReportError, match="fewer than two heaps"):
        compared(tmp_path, {"glibc": around(1.0), "none": ["unsupported"] * BLOCKS})


def test_few_blocks_tell_nothing(tmp_path):
    heaps = compared(tmp_path, {heap: of[:6] for heap, of in WALLS.items()})
    assert "wall: no difference can be told from 6 blocks; 7 are the fewest." in said(heaps)
    assert "6 of 10 blocks" in terminal(heaps, False)


@pytest.mark.parametrize("calls, rare", [(499, True), (501, False), (None, None)])
def test_rare_heap_calls_are_told(tmp_path, calls, rare):
    text = said(compared(tmp_path, WALLS, calls=calls))
    assert ("so rarely" in text) == bool(rare) and ("Heap calls" in text) == (rare is not None)


def test_markdown_is_one_table_of_equal_rows(tmp_path):
    text = markdown(compared(tmp_path, {"a|b": around(1.0), "<i>": around(1.0)}))
    rows = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1 and "<i>" not in text


@pytest.mark.parametrize("content", ["", "nonsense\nmore\n", None])
def test_a_log_that_cannot_be_read(tmp_path, content):
    write_set(tmp_path, WALLS, hlog="log")
    if content is not None:
        (tmp_path / "log").write_text(content)
    with pytest.raises(ReportError, match="log"):
        read_result_set(tmp_path)


def test_a_set_of_bench_is_refused(tmp_path):
    write_set(tmp_path, WALLS)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    del manifest["program"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ReportError, match="not what compare-heaps wrote"):
        compare_heaps(read_result_set(tmp_path), tmp_path)
