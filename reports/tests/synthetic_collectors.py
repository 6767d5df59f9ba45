# SPDX-License-Identifier: MIT
"""Builds a seeded set of collectors that differ in tuning, at several live sets.

Run as `python3 reports/tests/synthetic_collectors.py DIR` to get one to look at.
"""

import json
import sys
from pathlib import Path

import numpy as np

import synthetic

SCENARIO, BLOCKS = "json-api", 2
LIVES = (16384, 65536, 1048576)  # nodes of 64 bytes
CELLS = (  # strategy, heap, tune, pause in ns per node, live sets
    ("boehm", "glibc", {}, 60, LIVES), ("boehm", "glibc", {"markers": 1}, 100, LIVES),
    ("boehm", "glibc", {"markers": 2, "divisor": 6}, 55, LIVES[:1]),
    ("concurrent", "glibc", {}, 0.02, LIVES),
    ("malloc", "jemalloc", {}, None, LIVES[:1]),
    ("malloc", "jemalloc", {"jemalloc:decay": 0}, None, LIVES[:1]))


def specs():
    """[(spec of the manifest, pause in ns per node), …]."""
    found = []
    for strategy, heap, tune, pause, lives in CELLS:
        for live in lives:
            name = "/".join((SCENARIO, strategy, heap, "t1", f"live={live}",
                             " ".join(f"{key}={value}" for key, value in tune.items())))
            found.append(({"cell": name.rstrip("/"), "scenario": SCENARIO, "strategy": strategy,
                           "family": "manual" if pause is None else "collector", "heap": heap,
                           "threads": 1, "live": live, "budget_bytes": None, "tune": tune,
                           "control": False, "load": 0.5, "load_of": "own"}, pause))
    return found


def run(spec, pause, block, order, rng):
    """One line of runs.jsonl: 40 pauses, the first before the recording, the last cut by its end.
    """
    kind = ("malloc", spec["heap"], 2600, 1.0, 150)
    record = synthetic.run(SCENARIO, kind, 0, order, rng, (60, 60))
    begins_s = np.linspace(-0.001, synthetic.DURATION_S - 1e-9, 40).tolist()
    lengths_s = (spec["live"] * 1e-9 * (pause or 0) * rng.lognormal(0, 0.2, 40)).tolist()
    record.update({key: spec[key] for key in ("cell", "strategy", "family", "heap", "live", "tune",
                                              "load", "load_of")}, block=block,
                  live_bytes=64 * spec["live"], pauses=[
                      {"cause": "collector-pause", "begin_s": begin_s, "end_s": begin_s + length_s,
                       "host_gap_s": length_s / 4}
                      for begin_s, length_s in zip(begins_s, lengths_s) if pause])
    return record


def write(directory):
    """Write the whole set into a new folder."""
    directory = Path(directory)
    directory.mkdir(parents=True)
    rng = np.random.default_rng(3)
    manifest = {**synthetic.manifest(), "suite": "collectors", "blocks": BLOCKS, "load": 0.5,
                "cells": [spec for spec, _ in specs()]}
    manifest["calibration"] = [
        {"cell": spec["cell"], "scenario": SCENARIO, "strategy": spec["strategy"],
         "heap": spec["heap"], "capacity_rate": 5000.0, "offered_rate": 2500.0, "status": "ok",
         "reason": None} for spec, _ in specs()]
    (directory / "manifest.json").write_text(json.dumps(manifest))
    with open(directory / "runs.jsonl", "w", encoding="utf-8") as file:
        for block in range(BLOCKS):
            for order, (spec, pause) in enumerate(specs()):
                file.write(json.dumps(run(spec, pause, block, order, rng)) + "\n")


if __name__ == "__main__":
    write(sys.argv[1])
