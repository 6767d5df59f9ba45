# SPDX-License-Identifier: MIT
"""Builds a seeded result set that looks like a real one: 2 scenarios × 7 cells × 8 blocks.

It holds what a report must cope with: collector pauses, a crash, overloaded runs, a cell that
fails in most blocks, an unsupported cell, quantiles with few samples and an unknown stamp.
Run as `python3 reports/tests/synthetic.py DIR` to get one to look at.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np

BLOCKS, DURATION_S, WARMUP_S = 8, 12.0, 2.0
SCENARIOS = {"read-states": 9000.0, "json-api": 2500.0}  # requests per second offered
CELLS = (  # strategy, heap, median service time in ns, tail weight, resident MiB
    ("none", "glibc", 900, 0.5, 90), ("malloc", "glibc", 2600, 1.0, 150),
    ("malloc", "jemalloc", 2200, 0.8, 170), ("malloc", "mimalloc", 1900, 0.7, 162),
    ("arena", "glibc", 1500, 0.6, 240), ("refcount", "glibc", 3400, 1.3, 158),
    ("boehm", "glibc", 4800, 1.5, 410))
FAMILIES = {"none": "control", "malloc": "manual", "arena": "arena", "refcount": "reference count",
            "boehm": "collector"}
VERSIONS = {"glibc": ("/usr/lib/x86_64-linux-gnu/libc.so.6", "2.36"),
            "jemalloc": ("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "5.3.0"),
            "mimalloc": ("/usr/lib/x86_64-linux-gnu/libmimalloc.so.2.0", "2.0.9")}
CONTEXT = {
    "command": "tailrace bench quick", "commit": "0123abc", "cpu_model": "Example CPU",
    "cores": 2, "kernel": "6.1.0", "governor": "unknown", "thp": "madvise", "aslr": 2,
    "libc": "glibc 2.36", "compiler": "gcc 12.2.0", "flags": "-O2 -g", "load_average": 0.4,
    "start_time": "2026-01-02T03:04:05Z", "end_time": "2026-01-02T03:34:05Z",
    "clock": "CLOCK_MONOTONIC", "clock_quantum_ns": 1, "clock_cost_ns": 24}
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999, "p99_99": 0.9999}


def cell_name(scenario, strategy, heap):
    """The name of a cell, as the manifest has it."""
    return f"{scenario}/{strategy}/{heap}"


def manifest():
    """The manifest of the set."""
    cells = [{"cell": cell_name(scenario, strategy, heap), "scenario": scenario,
              "strategy": strategy, "family": FAMILIES[strategy],
              "heap": heap, "threads": 1, "live": 200000,
              "budget_bytes": None, "tune": None, "control": strategy == "none"}
             for scenario in SCENARIOS for strategy, heap, *_ in CELLS]
    calibration = [
        {"cell": cell_name(scenario, strategy, heap), "scenario": scenario,
         "capacity_rate": None if unsupported(scenario, strategy) else rate / 0.7 * 4800 / service,
         "offered_rate": None if unsupported(scenario, strategy) else rate,
         "status": "unsupported" if unsupported(scenario, strategy) else "ok",
         "reason": "the scenario needs RECLAIM" if unsupported(scenario, strategy) else None}
        for scenario, rate in SCENARIOS.items() for strategy, heap, service, *_ in CELLS]
    return {"schema": "tailrace/set/1", "suite": "quick", "blocks": BLOCKS, "seed": 7, "load": 0.7,
            "duration_s": DURATION_S, "warmup_s": WARMUP_S, "cells": cells,
            "calibration": calibration, "context": CONTEXT}


def unsupported(scenario, strategy):
    """Which cells cannot run."""
    return scenario == "read-states" and strategy == "arena"


def outcome(scenario, strategy, heap, block):
    """(status, reason) of a run."""
    if unsupported(scenario, strategy):
        return "unsupported", "the scenario needs RECLAIM"
    if (scenario, strategy, heap, block) == ("read-states", "malloc", "mimalloc", 3):
        return "crashed", "the worker died of signal 11"
    if scenario == "json-api" and strategy == "refcount" and block != 1:
        return "overloaded", "requests were late throughout the last half"
    if (scenario, strategy, block) == ("json-api", "boehm", 6):
        return "oom", "memory ran out"
    return "ok", None


def histogram(values_ns):
    """Ascending [[value, count], …] with buckets about 1 % wide."""
    step = np.exp(np.ceil(np.log(values_ns) / 0.01) * 0.01).round().astype(int)
    return [[int(v), int(n)] for v, n in zip(*np.unique(step, return_counts=True))]


def quantiles(pairs, maximum):
    """The object `response_ns` of a histogram."""
    values, counts = np.array(pairs).T
    total, running = counts.sum(), np.cumsum(counts)
    result = {"low_samples": []}
    for key, p in QUANTILES.items():
        beyond = total * (1 - p)
        result[key] = int(values[np.searchsorted(running, p * total)]) if beyond >= 10 else None
        if 10 <= beyond < 100:
            result["low_samples"].append(key)
    return {**result, "max": maximum, "mean": float((values * counts).sum() / total),
            "count": int(total)}


def run(scenario, cell, block, order, rng, series=(240, 400)):
    """One line of runs.jsonl; `series` is the number of intervals and of memory samples."""
    strategy, heap, service, tail, mib = cell
    status, reason = outcome(scenario, strategy, heap, block)
    record = {"schema": "tailrace/run/1", "cell": cell_name(scenario, strategy, heap),
              "block": block, "order": order, "scenario": scenario, "strategy": strategy,
              "family": FAMILIES[strategy], "heap": heap, "threads": 1, "live": 200000,
              "budget_bytes": None,
              "tune": None, "seed": 1000 + block, "mode": "open", "arrivals": "poisson",
              "offered_rate": SCENARIOS[scenario], "status": status, "reason": reason,
              "stamps": ["oversubscribed"] if strategy == "boehm" else [], "context": CONTEXT}
    if status not in ("ok", "overloaded"):
        return record
    if block == 5 and strategy == "malloc":
        record["stamps"].append("full-moon")
    count = int(SCENARIOS[scenario] * DURATION_S)
    due_s = np.sort(rng.uniform(0, DURATION_S, count))
    factor = rng.lognormal(0, 0.05)
    response = service * factor * rng.lognormal(0, 0.25, count) + 150
    slow = rng.random(count) < 0.004 * tail
    response[slow] += rng.pareto(1.6, slow.sum()) * 30000 * tail * factor
    pauses = []
    if strategy == "boehm":
        begin_s = -1.5
        while begin_s < DURATION_S:
            length_s = 0.06 * rng.lognormal(0, 0.15)
            pauses.append({"cause": "collector-pause", "begin_s": begin_s,
                           "end_s": begin_s + length_s})
            hit = (due_s >= begin_s) & (due_s < begin_s + length_s)
            response[hit] += (begin_s + length_s - due_s[hit]) * 1e9
            begin_s += 1.2 * rng.lognormal(0, 0.2)
    if status == "overloaded":
        response += due_s * 4e7
    pairs = histogram(response)
    record.update(
        achieved_rate=count / DURATION_S * rng.uniform(0.995, 1), duration_s=DURATION_S,
        warmup_s=WARMUP_S, requests=count,
        checksum=f"{zlib.crc32(f'{scenario} {block}'.encode()):016x}",
        response_ns=quantiles(pairs, int(response.max())), response_histogram=pairs,
        intervals=intervals(due_s, response, series[0]), pauses=pauses, pauses_lost=0,
        **memory(strategy, mib, series[1], rng),
        heap_library=dict(zip(("path", "version"), VERSIONS[heap])))
    return record


def intervals(due_s, response, number):
    """The object `intervals` for `number` intervals."""
    width_s = DURATION_S / number
    index = (due_s / width_s).astype(int)
    maxima = np.zeros(number)
    np.maximum.at(maxima, index, response)
    return {"width_s": width_s, "count": np.bincount(index, minlength=number).tolist(),
            "max_response_ns": [int(m) if m else None for m in maxima],
            "min_lateness_ns": [0] * number}


def memory(strategy, mib, number, rng):
    """The resident set over time: growth in set-up, a saw tooth for the collector, a drain."""
    phases = {"setup_s": -WARMUP_S - 0.6, "warmup_s": -WARMUP_S, "record_s": 0,
              "drain_s": DURATION_S + 0.02, "end_s": DURATION_S + 0.4}
    time_s = np.linspace(phases["setup_s"], phases["end_s"], number)
    rss = mib * np.clip((time_s - phases["setup_s"]) / 0.6, 0.05, 1) + rng.normal(0, 0.4, number)
    if strategy == "boehm":
        rss += np.where(time_s > 0, 40 * ((time_s / 1.2) % 1), 0)
    drained = mib * (0.9 if strategy in ("boehm", "arena") else 0.2)
    rss[time_s > phases["drain_s"] + 0.1] = drained
    rss *= 2**20
    return {"rss_peak_bytes": int(rss.max()), "rss_base_bytes": 3 << 20,
            "rss_drained_bytes": int(drained * 2**20), "phases": phases,
            "rss_series": [[round(t, 4), int(b)] for t, b in zip(time_s.tolist(), rss)]}


def write(directory, series=(240, 400)):
    """Write the whole set into a new folder."""
    directory = Path(directory)
    directory.mkdir(parents=True)
    rng = np.random.default_rng(11)
    (directory / "manifest.json").write_text(json.dumps(manifest()))
    plan = [(scenario, cell) for scenario in SCENARIOS for cell in CELLS]
    with open(directory / "runs.jsonl", "w", encoding="utf-8") as file:
        for block in range(BLOCKS):
            for order, index in enumerate(rng.permutation(len(plan)).tolist()):
                line = run(*plan[index], block, order, rng, series)
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    write(sys.argv[1])
