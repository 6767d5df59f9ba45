# SPDX-License-Identifier: MIT
"""The suite smoke: every scenario runs on every strategy, or says why not, and computes the same.

In a sanitizer build a report ends the worker with a status other than 0, which counts as crashed:
there, that each scenario is clean on each strategy is what the status says.
"""

import json

import pytest


def smoke_suite(tailrace):
    """The suite as it is shipped."""
    path = tailrace.repository / "benches" / "smoke.json"
    suite = json.loads(path.read_text(encoding="utf-8"))
    assert suite["cells"] == [{"scenario": "*", "strategy": "*"}], "everything"
    return suite


def runs_of(tailrace, folder, scenarios, strategy):
    """{scenario: its run} of the suite's cells of a class of scenarios, or one, on a strategy."""
    suite = {**smoke_suite(tailrace), "cells": [{"scenario": scenarios, "strategy": strategy}]}
    folder.mkdir()
    path = folder / "suite.json"
    path.write_text(json.dumps(suite), encoding="utf-8")
    done = tailrace("bench", path, "--out", folder / "set")
    assert done.status == 0, done
    lines = (folder / "set" / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    return {run["scenario"]: run for run in map(json.loads, lines)}


def by_name(tailrace, kind):
    """{name: what `list` says of it}."""
    return {one["name"]: one for one in tailrace.listed(kind)}


def missing_needs(scenario, strategy):
    """What the scenario needs that the strategy does not provide."""
    leaked = {"cycles"} if strategy["leaks"] == "rings" else set()
    return set(scenario["needs"]) - set(strategy["provides"]) - leaked


@pytest.fixture(scope="module")
def expected(program, tmp_path_factory):
    """Scenario -> its checksum on the plainest strategy, over malloc, that can run it."""
    known, strategies = {}, by_name(program, "strategies")

    def checksum(scenario):
        name = scenario["name"]
        if name not in known:
            plain = next(one for one in ("malloc", "refcount", "leak")
                         if not missing_needs(scenario, strategies[one]))
            folder = tmp_path_factory.mktemp("expected") / "set"
            known[name] = runs_of(program, folder, name, plain)[name]["checksum"]
            assert known[name] and known[name] != 16 * "0"
        return known[name]
    return checksum


@pytest.mark.parametrize("of_class", ["service", "stress", "oracle"])
def test_smoke(tailrace, tmp_path, of_class, listed_strategy, expected):
    strategy = by_name(tailrace, "strategies")[listed_strategy]
    wanted = {name: one for name, one in by_name(tailrace, "scenarios").items()
              if one["class"] == of_class}
    runs = runs_of(tailrace, tmp_path / "cells", of_class, listed_strategy)
    assert runs.keys() == wanted.keys()
    for name, run in runs.items():
        missing, reason = missing_needs(wanted[name], strategy), run["reason"] or ""
        if "ThreadSanitizer" in reason:
            pytest.skip(reason)
        assert run["status"] == ("unsupported" if missing else "ok"), (name, reason)
        if missing:
            assert any(f"needs {need} (" in reason for need in missing), reason
            assert listed_strategy in reason and run["checksum"] is None
        else:
            assert run["checksum"] == expected(wanted[name]), name
            assert ("leaks" in run["stamps"]) == (
                strategy["leaks"] == "everything"
                or strategy["leaks"] == "rings" and "cycles" in wanted[name]["needs"]), name


def test_every_description_says_how_to_read_it(tailrace):
    for scenario in tailrace.listed("scenarios"):
        last = " ".join(scenario["description"].split("\n\n")[-1].split())
        assert last.startswith("Stresses ") and ". Read " in last, scenario["name"]
        assert scenario["source"] and scenario["live_unit"] and scenario["live"] > 0
        for param in scenario["params"]:
            assert param["what"] and param["unit"] and param["low"] <= param["default"], param
            assert param["default"] <= param["high"], param
