# SPDX-License-Identifier: MIT
"""Builds small result sets whose truth is known: each cell's values are a base times a factor.

Runs spread by 5 % around it; no histograms, as nothing here is drawn from them.
"""

import json
import random
from pathlib import Path

CONTEXT = {"command": "tailrace bench", "commit": "0123abc", "cpu_model": "Example CPU",
           "cores": 2, "kernel": "6.1.0", "governor": "unknown", "compiler": "gcc 12.2.0",
           "load_average": 0.4, "start_time": "2026-01-02T03:04:05Z",
           "end_time": "2026-01-02T03:34:05Z"}
BASE_NS = {"p50": 2e3, "p90": 4e3, "p99": 3e4, "p99_9": 2e5, "p99_99": None}
SPREAD = 0.05


def spec(cell, **more):
    """The manifest's entry of a cell WORKLOAD/STRATEGY/HEAP[/…]."""
    workload, strategy, heap = cell.split("/")[:3]
    return {"cell": cell, "scenario": workload, "workload": workload, "strategy": strategy,
            "family": strategy, "heap": heap, "threads": 1, "live": 100, "budget_bytes": None,
            "tune": {}, "params": {}, "load": 0.5, "load_of": "slowest", "budget_times": None,
            "control": strategy == "none", **more}


def run(entry, block, factor, rng):
    """One line of runs.jsonl: `factor` times the base in latency, memory as it is."""
    def quantiles(base):
        drawn = factor * rng.lognormvariate(0, SPREAD)
        return {key: value and value * base * drawn for key, value in BASE_NS.items()}

    return {**entry, "schema": "tailrace/run/1", "block": block, "order": 0, "seed": block + 1,
            "mode": "open", "arrivals": "poisson", "offered_rate": 9000.0,
            "achieved_rate": 9000.0, "duration_s": 1.0, "requests": 9000, "status": "ok",
            "reason": None, "stamps": [], "checksum": f"{block:016x}",
            "response_ns": quantiles(1.0), "service_ns": quantiles(0.5),
            "rss_peak_bytes": int(2**25 * rng.lognormvariate(0, 0.005)),
            "heap_library": {"path": "/lib/x.so", "version": "1"}, "context": {}}


def write(directory, factors, blocks=10, seed=1, change=None, more=None, **context):
    """Write a set of {cell: factor}; `change(run)` may alter each run, `more` {cell: spec keys}."""
    directory, rng = Path(directory), random.Random(seed)
    entries = [spec(cell, **(more or {}).get(cell, {})) for cell in factors]
    runs = [run(entry, block, factors[entry["cell"]], rng)
            for block in range(blocks) for entry in entries]
    for one in runs:
        if change:
            change(one)
    directory.mkdir(parents=True)
    (directory / "manifest.json").write_text(json.dumps(
        {"schema": "tailrace/set/1", "suite": "quick", "blocks": blocks, "seed": seed, "load": 0.5,
         "duration_s": 1.0, "warmup_s": 0.1, "cells": entries, "calibration": [],
         "context": {**CONTEXT, **context}}))
    (directory / "runs.jsonl").write_text("".join(json.dumps(one) + "\n" for one in runs))
    return directory
