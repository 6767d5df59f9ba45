# SPDX-License-Identifier: MIT
"""Builds seeded gate folders: 2 pairs × 3 arms, four metrics of which those of a run go together.

Run as `python3 reports/tests/synthetic_gate.py DIR [FACTOR]` to get one to look at, in which
head's service p99.9 in the first pair is FACTOR times the baseline's.
"""

import json
import math
import random
import sys
from pathlib import Path

from synthetic import CONTEXT

PAIRS = ("read-states/malloc/glibc/t1", "proxy/malloc/glibc/t1")
ARMS = ("baseline", "head", "again")
GATE = {"baseline": "build/a", "head": "build/b", "looks": [12, 18, 26], "confirm": 12,
        "alpha": 0.01, "metrics": ["service-p50", "service-p99", "service-p99.9", "cpu"]}
SPREAD = {"p50": (800, 0.02), "p99": (4e3, 0.06), "p99_9": (2e4, 0.16), "cpu": (1.5, 0.02)}
CONFIRMING = range(1000, 1000 + GATE["confirm"])


def cell_name(pair, arm):
    """The name of a cell."""
    return f"{pair}/{arm}"


def manifest(gate=GATE, pair_names=PAIRS):
    """The manifest of a gate's result set."""
    cells = [{"cell": cell_name(pair, arm), "pair": pair, "arm": arm, "scenario": "read-states",
              "strategy": "malloc", "heap": "glibc"} for pair in pair_names for arm in ARMS]
    return {"schema": "tailrace/set/1", "suite": "gate", "blocks": GATE["looks"][-1], "seed": 1,
            "load": 0.5, "cells": cells, "calibration": [], "context": CONTEXT, "gate": gate}


def run(pair, arm, block, values, **fields):
    """A line of runs.jsonl; `values`: {"p50": ns, …, "cpu": seconds}."""
    quantiles = {key: value for key, value in values.items() if key != "cpu"}
    return {"schema": "tailrace/run/1", "cell": cell_name(pair, arm), "pair": pair, "arm": arm,
            "block": block, "mode": "open", "status": "ok", "reason": None, "requests": 100000,
            "service_ns": quantiles, "cpu_s": values.get("cpu"), **fields}


def values(rng, level, factors, tails):
    """Seeded values of one run: lognormal about `level`, `tails` of them with a Pareto excess."""
    common, found = rng.gauss(0, 1), {}
    for key, (middle, spread) in SPREAD.items():
        z = 0.7 * common + 0.71 * rng.gauss(0, 1)
        if rng.random() < tails:
            z += rng.paretovariate(1.5)
        found[key] = middle * math.exp(level + spread * z) * factors.get(key, 1)
    return found


def runs(seed, head=None, again=None, blocks=(*range(26), *CONFIRMING), tails=0.05, drift=0.0):
    """All runs of a gate; `head`, `again`: {metric's key: factor} in the first pair.

    Blocks differ in level (log-sd 0.1), which all arms share, and drift by `drift` per block.
    """
    rng, lines = random.Random(seed), []
    for place, block in enumerate(blocks):
        for pair in PAIRS:
            level = rng.gauss(0, 0.1) + drift * place
            factors = {"head": head or {}, "again": again or {}} if pair == PAIRS[0] else {}
            lines += [run(pair, arm, block, values(rng, level, factors.get(arm, {}), tails))
                      for arm in ARMS]
    return lines


def counters(head=2.5, base=2.5):
    """The lines of counters.jsonl: so many allocations per request, 100 bytes each."""
    return [{"pair": pair, "arm": arm, "block": block, "status": "ok", "reason": None,
             "requests": 1000, "allocations": {"calls": int(1000 * each), "frees": 0,
                                               "bytes": int(100000 * each)}}
            for pair in PAIRS for arm, each in (("baseline", base), ("head", head))
            for block in (0, 1)]


def write(directory, lines, counted=None, made=None):
    """Write a gate's folder."""
    directory = Path(directory)
    directory.mkdir(parents=True)
    (directory / "manifest.json").write_text(json.dumps(made or manifest()))
    (directory / "runs.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    if counted is not None:
        (directory / "counters.jsonl").write_text(
            "".join(f"{json.dumps(line)}\n" for line in counted))
    return directory


if __name__ == "__main__":
    write(sys.argv[1], runs(1, {"p99_9": float((*sys.argv, 1)[2])}), counters())
