# SPDX-License-Identifier: MIT
"""Suites in few words (lists, wildcards, a scenario's name), and scenarios' parameters in them."""

import json

import pytest

SMALL = {"suite": "small", "blocks": 1, "duration_s": 0.02, "warmup_s": 0}


@pytest.fixture
def bench(tailrace, tmp_path):
    """Runs cells as a suite: (the finished command, the manifest's cells, the runs)."""
    def run(*cells, **more):
        path, folder = tmp_path / "suite.json", tmp_path / "set"
        path.write_text(json.dumps({**SMALL, **more, "cells": cells}), encoding="utf-8")
        done = tailrace("bench", path, "--out", folder)
        if done.status:
            return done, None, None
        lines = (folder / "runs.jsonl").read_text(encoding="utf-8").splitlines()
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return done, manifest, [json.loads(line) for line in lines]
    return run


def test_lists_are_a_cell_each(bench):
    _, manifest, runs = bench({"scenario": ["md1", "mm1"], "strategy": ["none", "malloc"],
                               "threads": 1}, {"scenario": "md1", "strategy": "leak", "live": 20})
    assert [cell["cell"].rsplit("/t", 1)[0] for cell in manifest["cells"]] == [
        "md1/none/glibc", "md1/malloc/glibc", "mm1/none/glibc", "mm1/malloc/glibc",
        "md1/leak/glibc"]
    assert len(runs) == 5 and len(manifest["definition"]["cells"]) == 5
    assert manifest["scenarios"].keys() == {"md1", "mm1"}


def test_wildcards_are_all_of_a_kind(tailrace, bench):
    oracles = [one["name"] for one in tailrace.listed("scenarios") if one["class"] == "oracle"]
    strategies = [one["name"] for one in tailrace.listed("strategies")]
    _, manifest, runs = bench({"scenario": "oracle", "strategy": "malloc"},
                              {"scenario": "md1", "strategy": "*", "live": 10}, smoke=True)
    wanted = [(name, "malloc") for name in oracles] + [("md1", name) for name in strategies]
    assert [(cell["scenario"], cell["strategy"]) for cell in manifest["cells"]] == wanted
    assert {run["mode"] for run in runs} == {"closed"} and len(runs) == len(wanted)


@pytest.mark.parametrize("cell, told", [
    ({"scenario": []}, '"cells"'), ({"scenario": ["md1", "md1"]}, "twice"),
    ({"scenario": "*", "strategy": "no-such"}, "no-such"), ({"scenario": ["proxy", 1]}, "exists"),
    ({"scenario": "proxy", "params": "pool=worker slow=2000"}, "slow"),
    ({"scenario": "proxy", "params": "lanes=2"}, "lanes"),
    ({"scenario": "md1", "rate": 5, "load": 0.5}, "exclude"),
    ({"scenario": "md1", "rate": 0}, "rate"), ({"scenario": "nothing"}, "nothing")])
def test_mistakes_are_told(bench, cell, told):
    done, *_ = bench(cell)
    assert told in done.only_sentence(2)


def test_cells_of_other_parameters_are_another_workload(bench):
    one = {"scenario": "embedded", "live": 1}
    _, manifest, runs = bench({**one, "strategy": ["malloc", "refcount"]},
                              {**one, "params": "burst=128"})
    names = [cell["workload"] for cell in manifest["cells"]]
    assert names == ["embedded", "embedded", "embedded (burst=128)"]
    assert manifest["cells"][2]["cell"].endswith("/live=1/burst=128")
    assert {run["params"]["burst"] for run in runs} == {16, 128}
    rates = {run["workload"]: set() for run in runs}
    for run in runs:
        rates[run["workload"]].add(run["offered_rate"])
    assert all(len(rate) == 1 for rate in rates.values()), "one rate for a workload"
    assert rates["embedded"] != rates["embedded (burst=128)"], "and another for another"


def test_a_rate_of_its_own_needs_no_capacity(bench):
    done, manifest, runs = bench({"scenario": "md1", "strategy": "none", "live": 20, "rate": 5000},
                                 {"scenario": "md1", "strategy": "none", "live": 20})
    assert manifest["cells"][0]["cell"].endswith("/rate=5000") and done.status == 0
    assert [entry["cell"] for entry in manifest["calibration"]] == [manifest["cells"][1]["cell"]]
    fixed = next(run for run in runs if run["cell"] == manifest["cells"][0]["cell"])
    assert fixed["offered_rate"] == 5000 and fixed["load"] is None and fixed["requests"] == 100


def test_a_scenario_is_a_suite(tailrace):
    suites = {one["name"]: one for one in tailrace.listed("suites")}
    for scenario in tailrace.listed("scenarios"):
        assert (scenario["name"] in suites) == (scenario["class"] != "oracle"), scenario["name"]
    assert {"quick", "standard", "full", "smoke"} <= suites.keys()
    scenarios = len([one for one in tailrace.listed("scenarios") if one["class"] != "oracle"])
    assert suites["full"]["cells"] >= scenarios * 20
    assert suites["quick"]["estimate_s"] <= 330 and suites["standard"]["estimate_s"] <= 45 * 60


@pytest.mark.parametrize("arguments, told", [
    (("proxy", "--param", "pool"), "pool"), (("proxy", "--param", "pool=mine"), "shared|worker"),
    (("proxy", "--param", "slow=1001"), "1000"), (("proxy", "--param", "slow=-1"), "0 to"),
    (("proxy", "--param", "slow=0.5"), "slow"), (("proxy", "--param", "slow="), "slow"),
    (("md1", "--param", "slow=1"), "no parameter"), (("proxy", "--param"), "--param")])
def test_wrong_parameters(tailrace, arguments, told):
    assert told in tailrace("run", *arguments).only_sentence(2)


def test_help_of_a_scenario(tailrace):
    for scenario in tailrace.listed("scenarios"):
        done = tailrace("run", scenario["name"], "--help")
        assert done.status == 0 and done.stderr == ""
        assert scenario["description"] in done.stdout and scenario["source"] in done.stdout
        for param in scenario["params"]:
            assert f"--param {param['name']}=" in done.stdout and param["what"] in done.stdout
    assert "nothing" in tailrace("run", "nothing", "--help").only_sentence(2)
