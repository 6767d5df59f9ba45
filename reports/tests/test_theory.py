# SPDX-License-Identifier: MIT
"""The section that holds the harness against theory: there if the manifest has it."""

import copy
import json

import pytest

from tailrace_report.page import build_report
from tailrace_report.resultset import read_result_set
from tailrace_report.shape import wrong_in_manifest
from tailrace_report.theory import theory_section

ORACLE = {
    "queue": {"scenario": "md1", "utilisation": 0.7, "agrees": True, "within_plan": True,
              "verdict": "as theory says",
              "rows": [{"name": "mean", "measured_ns": 2.2e6, "planned_ns": 2.1e6,
                        "planned_error": 0.0476, "replayed_ns": 2.2e6, "replayed_error": -0.0012,
                        "closed_form_ns": 2.167e6},
                       {"name": "p99.9", "measured_ns": None, "planned_ns": None,
                        "planned_error": None, "replayed_ns": None, "replayed_error": None,
                        "closed_form_ns": None}]},
    "stall": {"stall_ns": 4e8, "within_plan": False, "verdict": "the machine did more than stall",
              "rows": [{"name": "p99", "measured_ns": 3.7e8, "predicted_ns": 3.6e8,
                        "error": 0.0278}]}}


def test_no_oracle_no_section():
    assert theory_section({}) == [] and theory_section({"oracle": None}) == []


@pytest.mark.parametrize("broken", [1, {}, {**ORACLE, "stall": None},
                                    {**ORACLE, "queue": {**ORACLE["queue"], "rows": [1]}},
                                    {**ORACLE, "stall": {**ORACLE["stall"], "rows": [{}]}}])
def test_another_shape_is_refused(broken):
    cell = dict.fromkeys(("cell", "scenario", "strategy", "heap"), "x")
    manifest = {"schema": "tailrace/set/1", "suite": "s", "blocks": 1, "calibration": [],
                "context": {}, "cells": [cell]}
    assert wrong_in_manifest({**manifest, "oracle": ORACLE}) is None
    assert wrong_in_manifest({**manifest, "oracle": broken}) == ("oracle" if broken else None)


def test_rows_and_verdicts():
    queue, stall = theory_section({"oracle": copy.deepcopy(ORACLE)})
    assert queue["title"] == "Queue md1 at utilisation 0.7" and queue["well"]
    assert [row["name"] for row in queue["rows"]] == ["mean"], "too few samples: no row"
    assert queue["rows"][0]["error"] == "+4.76\u00a0%"
    assert queue["rows"][0]["replay"] == "−0.120\u00a0%"
    assert stall["title"].startswith("Stall of 400") and not stall["well"]
    assert stall["rows"][0]["replay"] is None and stall["verdict"] == ORACLE["stall"]["verdict"]


def test_it_is_on_the_page(curves_dir):
    path = curves_dir / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "oracle": ORACLE}))
    text = build_report(read_result_set(curves_dir))["index.html"].decode()
    assert 'id="theory"' in text and "Queue md1 at utilisation 0.7" in text
    assert "the machine did more than stall" in text
