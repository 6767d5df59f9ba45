# SPDX-License-Identifier: MIT
"""Builds result sets of one suite over time, with levels that change where a test says so.

Run as `python3 reports/tests/synthetic_history.py DIR` to get 40 sets to look at.
"""

import json
import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

CELLS = ("read-states/none/glibc/t1", "read-states/malloc/glibc/t1", "read-states/boehm/glibc/t1")
START = datetime(2026, 1, 1, 3, tzinfo=timezone.utc)
QUANTILES = {"p50": 1.0, "p90": 1.4, "p99": 4.0, "p99_9": 20.0}


def manifest(day, cells=CELLS, blocks=8, **context):
    """The manifest of the set that was begun on that day, counted from START."""
    return {"schema": "tailrace/set/1", "suite": "nightly", "blocks": blocks, "seed": 2**64 - day,
            "load": 0.5, "duration_s": 0.9, "warmup_s": 0.1, "calibration": [],
            "cells": [{"cell": cell, "live": 1000, "threads": 1, "tune": {}, "load": 0.5,
                       "control": cell.split("/")[1:2] == ["none"],
                       **dict(zip(("scenario", "strategy", "heap"), [*cell.split("/"), "", ""]))}
                      for cell in cells],
            "context": {"commit": f"{0xabc1000 + day:07x}99ee0", "cpu_model": "Example CPU",
                        "cores": 2, "kernel": "6.1.0",
                        "start_time": (START + timedelta(days=day)).isoformat(), **context}}


def run(cell, block, level_ns, chance, status="ok", within=0.03):
    """One run; its p50 is `level_ns` but for noise within the set."""
    record = {"schema": "tailrace/run/1", "cell": cell, "block": block, "status": status,
              "mode": "open", "offered_rate": 2000.0, "requests": 100000}
    if status != "ok":
        return {**record, "reason": f"it was {status}"}
    own = level_ns * chance.lognormvariate(0, within)
    service = {key: own * times for key, times in QUANTILES.items()}
    return {**record, "service_ns": service, "rss_peak_bytes": int(2**27 * own / level_ns),
            "response_ns": {key: 1.1 * value for key, value in service.items()}}


def write_set(directory, day, level=lambda cell: 5000.0, status=lambda cell, block: "ok",
              between=0.05, **of_manifest):
    """Write the set of that day; `level(cell)` in ns, with noise of sd `between` of its own."""
    directory, chance = Path(directory), random.Random(1000 + day)
    directory.mkdir(parents=True)
    known = manifest(day, **of_manifest)
    (directory / "manifest.json").write_text(json.dumps(known))
    levels = {cell["cell"]: level(cell["cell"]) * chance.lognormvariate(0, between)
              for cell in known["cells"]}
    with open(directory / "runs.jsonl", "w", encoding="utf-8") as file:
        for block in range(known["blocks"]):
            for cell, level_ns in levels.items():
                file.write(json.dumps(run(cell, block, level_ns, chance, status(cell, block)))
                           + "\n")
    return directory


def write_sets(directory, steps, days=20, **options):
    """Sets of days 0 …; `steps`: {cell: [(day, times), …]}: from that day on so many times."""
    def level(day):
        def of_cell(cell):
            base = 900.0 if "/none/" in cell else 5000.0
            for since, times in steps.get(cell, ()):
                base *= times if day >= since else 1
            return base
        return of_cell

    return [write_set(Path(directory) / f"set-{day:03}", day, level(day), **options)
            for day in range(days)]


if __name__ == "__main__":
    write_sets(sys.argv[1], {CELLS[1]: [(14, 1.3), (20, 1 / 1.3), (36, 2.0)],
                             CELLS[0]: [(27, 1.5)], CELLS[2]: [(27, 1.5)]}, 40,
               cells=(*CELLS, "read-states/arena-pool/glibc/t1", "read-states/refcount/glibc/t1"))
