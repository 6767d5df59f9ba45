# SPDX-License-Identifier: MIT
"""Builds a seeded set of load and budget curves, with causes, noise and noise floors.

One scenario: every cell at four loads of the slowest's capacity and two of its own, and under six
budgets. Run as `python3 reports/tests/synthetic_curves.py DIR` to get one to look at.
"""

import json
import sys
from pathlib import Path

import numpy as np

import synthetic
from synthetic import CELLS, QUANTILES

SCENARIO, BLOCKS = "json-api", 3
LOADS = (("slowest", 0.3), ("slowest", 0.5), ("slowest", 0.7), ("slowest", 0.9), ("own", 0.5),
         ("own", 0.9))
BUDGETS = (1.25, 1.5, 2, 3, 4, 6)
FULL = 5000.0  # capacity of the slowest cell, requests per second
CAUSES = {  # strategy: {cause: share of p99.9 that goes away without it}
    "boehm": {"collector-pause": 0.82, "preemption": 0.06}, "refcount": {"free-cascade": 0.4},
    "arena": {"arena-reset": 0.3, "fault-burst": 0.1}, "malloc": {"preemption": 0.03}}


def base_name(cell):
    """A cell's name without load and budget."""
    return f"{SCENARIO}/{cell[0]}/{cell[1]}/t1"


def specs(cells, loads=LOADS, budgets=BUDGETS):
    """[(spec of the manifest, builder's cell), …]: every load of every cell, then every budget."""
    found = []
    for cell in cells:
        common = {"scenario": SCENARIO, "strategy": cell[0],
                  "family": synthetic.FAMILIES[cell[0]], "heap": cell[1],
                  "threads": 1, "live": 200000, "budget_bytes": None, "tune": None,
                  "control": cell[0] == "none", "budget_times": None}
        for of, load in loads:
            word = "own" if of == "own" else "load"
            found.append(({**common, "cell": f"{base_name(cell)}/{word}={load:g}", "load": load,
                           "load_of": of}, cell))
        for times in budgets if cell[0] not in ("none", "arena") else ():
            found.append(({**common, "cell": f"{base_name(cell)}/budget={times:g}x", "load": 0.5,
                           "load_of": "slowest", "budget_times": times,
                           "budget_bytes": int(times * smallest(cell))}, cell))
    return found


def smallest(cell):
    """The smallest workable budget in bytes."""
    return int(cell[4] * 0.6 * 2**20)


def run(spec, cell, block, order, rng):
    """One line of runs.jsonl: slower at a higher load and under a tighter budget."""
    record = synthetic.run(SCENARIO, cell, 1, order, rng, (60, 60))  # in block 1 none fails
    own = 4800 / cell[2]
    use = spec["load"] if spec["load_of"] == "own" else spec["load"] / own
    times = spec["budget_times"]
    record.update({key: spec[key] for key in (
        "cell", "load", "load_of", "budget_times", "budget_bytes")}, block=block,
        offered_rate=use * own * FULL, achieved_rate=use * own * FULL)
    factor = (1 + use / (1.02 - use)) * (1 if times is None else 1 + 0.8 / times)
    record["response_histogram"] = [[int(v * factor), n]
                                    for v, n in record["response_histogram"]]
    maximum = int(record["response_ns"]["max"] * factor)
    record["response_ns"] = synthetic.quantiles(record["response_histogram"], maximum)
    if times == 1.25 and cell[0] in ("boehm", "refcount"):
        return {**{key: record[key] for key in record if not key.endswith(("_ns", "histogram"))},
                "status": "oom", "reason": "memory ran out", "intervals": None, "causes": None,
                "noise": None}
    if use > 0.88 and cell[0] in ("boehm", "refcount", "malloc"):
        record.update(status="overloaded", reason="requests were late throughout the last half")
    record.update(causes=causes(record, cell), noise=noise(rng),
                  noise_floor_ns={"p50": cell[2], "p90": cell[2] * 1.1, "p99": cell[2] * 1.5,
                                  "p99_9": 26000 * rng.lognormal(0, 0.1),
                                  "p99_99": 60000.0, "max": 900000})
    record["response_ns"]["noise_limited"] = [] if cell[0] == "boehm" else ["p99_9"]
    return record


def causes(record, cell):
    """The object `causes`: each cause takes its share off p99.9, half of it off p99."""
    measured = {key: record["response_ns"][key] for key in QUANTILES if key != "p90"}

    def less(share):
        part = {"p50": 0, "p99": share / 2}
        return {key: value and int(value * (1 - part.get(key, share)))
                for key, value in measured.items()}
    found = CAUSES.get(cell[0], {})
    effects = [{"cause": cause, "count": 12, "total_s": 0.6, "longest_s": 0.07, "affected": 1800,
                "delay_s": 31.5, "excess_share": share, "response_without_ns": less(share),
                "max_without_ns": int(record["response_ns"]["max"] * (1 - share))}
               for cause, share in found.items()]
    return {"traced": record["requests"], "response_ns": measured,
            "response_without_all_ns": less(min(sum(found.values()), 0.9)), "effects": effects,
            "unexplained": ["p99_9"] if cell[0] in ("malloc", "refcount") else []}


def noise(rng):
    """The object `noise`."""
    return {"workers": [{"run_delay_s": 0.012 * rng.lognormal(0, 0.2), "voluntary_switches": 3,
                         "involuntary_switches": int(rng.integers(20, 90)), "faults_minor": 1234,
                         "faults_major": 0}],
            "hiccups": {"p50_ns": 61000, "p99_ns": 230000, "max_ns": 4100000, "count": 11900},
            "steal_s": 0.03, "pressure_s": None}


def write(directory, cells=CELLS, blocks=BLOCKS, **points):
    """Write the whole set into a new folder; `points` as for specs()."""
    directory = Path(directory)
    directory.mkdir(parents=True)
    rng = np.random.default_rng(5)
    plan = specs(cells, **points)
    manifest = {**synthetic.manifest(), "suite": "curves", "blocks": blocks, "load": 0.5,
                "cells": [spec for spec, _ in plan]}
    manifest["calibration"] = [
        {"cell": base_name(cell), "scenario": SCENARIO, "strategy": cell[0], "heap": cell[1],
         "capacity_rate": FULL * 4800 / cell[2], "offered_rate": FULL * 0.5, "status": "ok",
         "reason": None} for cell in cells]
    manifest["smallest"] = [
        {"cell": base_name(cell), "scenario": SCENARIO, "strategy": cell[0], "heap": cell[1],
         "smallest_bytes": smallest(cell), "status": "ok", "reason": None}
        for cell in cells if cell[0] not in ("none", "arena")]
    (directory / "manifest.json").write_text(json.dumps(manifest))
    with open(directory / "runs.jsonl", "w", encoding="utf-8") as file:
        for block in range(blocks):
            for order, index in enumerate(rng.permutation(len(plan)).tolist()):
                file.write(json.dumps(run(*plan[index], block, order, rng)) + "\n")


if __name__ == "__main__":
    write(sys.argv[1])
