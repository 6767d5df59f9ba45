# SPDX-License-Identifier: MIT
"""Builds a large result set out of the real runs of reports/sample, to see what its report costs.

Run as `python3 reports/tests/synthetic_large.py DIR CELLS [BLOCKS]`. Of four workloads three have
8, 6 and 4 cells and one has two series at four loads and under three budgets, as suites have them.
"""

import json
import sys
from pathlib import Path

import numpy as np

SAMPLE = Path(__file__).parents[1] / "sample"
BLOCKS = 10
HISTOGRAM, INTERVALS, MEMORY = 3, 450, 240  # buckets made of one of the sample's; points of series
POINTS = tuple((load, None) for load in (0.3, 0.5, 0.7, 0.9)) + tuple(
    (0.5, times) for times in (1.5, 2, 4))


def templates():
    """Of each strategy and heap of read-states the sample's run with series, and its manifest."""
    manifest = json.loads((SAMPLE / "manifest.json").read_text())
    runs = map(json.loads, (SAMPLE / "runs.jsonl").read_text().splitlines())
    return manifest, [run for run in runs if run["rss_series"]]


def specs(count, found):
    """[(spec of the manifest, its template), …] of `count` cells."""
    plan = []
    while len(plan) < count:
        place = len({spec["workload"] for spec, _ in plan})
        workload = f"read-states (workload={place})"
        points = POINTS if place % 4 == 3 else ((0.5, None),)
        for run in found[:(8, 6, 4, 3)[place % 4]]:
            if points is POINTS and run["strategy"] == "none":
                continue
            for load, times in points:
                plan.append(({**{key: run[key] for key in (
                    "scenario", "strategy", "family", "heap", "threads", "live", "tune")},
                    "params": {"workload": place}, "workload": workload, "load": load,
                    "load_of": "slowest", "budget_times": times,
                    "budget_bytes": times and int(times * 5e7),
                    "control": run["strategy"] == "none",
                    "cell": f"{workload}/{run['strategy']}/{run['heap']}/{load:g}/{times}"}, run))
    return plan[:count]


def refined(histogram, factor, rng):
    """A real histogram at `factor` times its values, each bucket split into HISTOGRAM."""
    values, counts = np.array(histogram, dtype=float).T
    below = np.concatenate([values[:1] * 0.99, values[:-1]])
    steps = np.arange(1, HISTOGRAM + 1) / HISTOGRAM
    values = (below[:, None] + (values - below)[:, None] * steps).ravel() * factor
    counts = rng.multinomial(int(counts.sum()), np.repeat(counts, HISTOGRAM)
                             / (HISTOGRAM * counts.sum()))
    return [[value, n] for value, n in zip(values.astype(int).tolist(), counts.tolist()) if n]


def series(run, rng):
    """Intervals and memory of a real run, drawn anew at the usual number of points."""
    own = run["intervals"]
    drawn = rng.integers(0, len(own["count"]), INTERVALS)
    intervals = {"width_s": run["duration_s"] / INTERVALS, **{
        key: [own[key][i] and int(own[key][i] * rng.lognormal(0, 0.1)) for i in drawn]
        for key in ("count", "max_response_ns", "min_lateness_ns")}}
    time_s, rss = np.array(run["rss_series"]).T
    at = np.linspace(time_s[0], time_s[-1], MEMORY)
    return intervals, [[round(t, 4), int(b)] for t, b in zip(at.tolist(),
                                                             np.interp(at, time_s, rss))]


def run(spec, template, block, order, rng):
    """One line of runs.jsonl, 10 % or so from its template."""
    factor = rng.lognormal(0, 0.1) * (1 + spec["load"])
    histogram = refined(template["response_histogram"], factor, rng)
    intervals, memory = series(template, rng)
    scaled = {key: value and int(value * factor) if key[0] == "p" or key == "max" else value
              for key, value in template["response_ns"].items()}
    return {**template, **spec, "block": block, "order": order, "response_ns": scaled,
            "response_histogram": histogram, "service_histogram": histogram[::2],
            "intervals": intervals, "rss_series": memory, "seed": block + 1,
            "context": {**template["context"], "command": "tailrace bench large"}}


def write(directory, count, blocks=BLOCKS):
    """Write a set of `count` cells × `blocks` into a new folder."""
    directory = Path(directory)
    directory.mkdir(parents=True)
    rng = np.random.default_rng(13)
    manifest, found = templates()
    plan = specs(count, found)
    calibration = [{"cell": spec["cell"], "scenario": spec["scenario"], "status": "ok",
                    "workload": spec["workload"], "capacity_rate": 2e5, "offered_rate": 1e5}
                   for spec, _ in plan if spec["load"] == 0.5 and not spec["budget_times"]]
    (directory / "manifest.json").write_text(json.dumps({
        **manifest, "suite": "large", "blocks": blocks, "calibration": calibration,
        "cells": [spec for spec, _ in plan], "smallest": []}))
    with open(directory / "runs.jsonl", "w", encoding="utf-8") as file:
        for block in range(blocks):
            for order, index in enumerate(rng.permutation(count).tolist()):
                file.write(json.dumps(run(*plan[index], block, order, rng)) + "\n")


if __name__ == "__main__":
    write(sys.argv[1], *map(int, sys.argv[2:]))
