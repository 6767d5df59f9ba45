# SPDX-License-Identifier: MIT
"""Medians, ratios within rounds, and the claims that are held against them."""

import os
import platform
import time
from pathlib import Path

import numpy as np

from .measure import COUNTS, LIBRARIES, LOOP, Cell, bare_name

SIZE, FEW, MANY, PAIRS = 64, 100, 10000, 1000
SIZES = (16, 64, 256, 1024, 4096)
HEAP = "glibc"
NEEDS = {"each": ("reclaim",), "at-once": ("reclaim",), "handoff": ("handoff",),
         "keep-own": ("shared",), "keep-other": ("shared", "handoff"),
         "keep-both": ("shared", "handoff")}


def spread(values):
    """Median, quartiles and extremes."""
    low, q1, middle, q3, high = np.percentile(values, (0, 25, 50, 75, 100))
    return {"median": middle, "q1": q1, "q3": q3, "min": low, "max": high, "rounds": len(values)}


def ratio_of(above, below):
    """The spread of `above` to `below` ({round: ns}) within rounds; None where none has both."""
    rounds = sorted(set(above) & set(below))
    return spread([above[one] / below[one] for one in rounds]) if rounds else None


class Values:
    """The times: of(cell, mode, size, batch) is {round: ns}."""

    def __init__(self, measured):
        self.lines = measured.lines

    def of(self, cell, mode, size, batch):
        """Of one way."""
        lines = self.lines.get((cell, (mode, size, batch)), {})
        return {number: line["ns"] for number, line in lines.items() if line["status"] == "ok"}

    def local(self, cell, size, batch):
        """As the cell is best used on one thread: released by its scope where that can be."""
        return self.of(cell, "scope", size, batch) or self.of(cell, "each", size, batch)


def bare_of(cell, mode):
    """The library that a cell's way is held against."""
    return Cell(bare_name(cell.name, mode.startswith("keep")), cell.heap, True)


def way_summary(values, cell, way, lines):
    """One way of a cell."""
    mode, size, batch = way
    times = values.of(cell, *way)
    summary = {"mode": mode, "size": size, "batch": batch,
               "ns": spread(list(times.values())) if times else None,
               "values_ns": {str(number): ns for number, ns in sorted(times.items())},
               "collections": None, "reason": None, "bare": None, "ratio": None}
    bad = [line["status"] for line in lines.values() if line["status"] != "ok"]
    if bad:
        summary["reason"] = bad[0]
    stops = [line["collections"] for line in lines.values() if line.get("collections") is not None]
    if stops:
        summary["collections"] = float(np.median(stops))
    if not cell.bare:
        bare = bare_of(cell, mode)
        below = values.of(bare, *way)
        if not below and mode == "scope":  # a library without scopes still lies under them
            below = values.of(bare, "each", size, batch)
        summary["ratio"] = ratio_of(times, below)
        summary["bare"] = bare.name if summary["ratio"] else None
    return summary


def cell_summary(plan, measured, values, cell):
    """One cell with all its ways, or the reason why it has none."""
    ways = [way_summary(values, cell, way, lines)
            for (of, way), lines in measured.lines.items() if of == cell]
    lacks = []
    if not cell.bare:
        provides = plan.strategies[cell.name]["provides"]
        lacks = [{"mode": mode, "reason": f"the strategy does not provide {' and '.join(missing)}"}
                 for mode, needs in NEEDS.items()
                 if (missing := [need for need in needs if need not in provides])]
    return {"strategy": None if cell.bare else cell.name, "bare": cell.name if cell.bare else None,
            "family": None if cell.bare else plan.strategies[cell.name]["family"],
            "heap": cell.heap, "label": cell.label, "ways": ways, "lacks": lacks,
            "heap_version": measured.about.get(cell, {}).get("heap_version"),
            "reason": plan.reasons[cell] or (None if ways else "interrupted before it was run")}


def claim(name, above, below, wanted, at_least, note=""):
    """A claim about a ratio of times: at least, or at most, what is wanted."""
    ratio = ratio_of(above, below)
    held = ratio and (ratio["median"] >= wanted if at_least else ratio["median"] <= wanted)
    return {"name": name, "ratio": ratio, "wanted": wanted, "at_least": at_least, "note": note,
            "verdict": "not measured" if ratio is None else "met" if held else "missed"}


def fastest(values, cells, batch):
    """{round: the least time of any cell}, and the cell with the least median."""
    times = {cell: values.local(cell, SIZE, batch) for cell in cells}
    for cell in cells:  # also released one by one, should that be faster
        each = values.of(cell, "each", SIZE, batch)
        times[cell] = {number: min(ns, each.get(number, ns)) for number, ns in times[cell].items()}
    times = {cell: of for cell, of in times.items() if of}
    rounds = set.intersection(*map(set, times.values())) if times else set()
    best = min(times, key=lambda cell: np.median(list(times[cell].values())), default=None)
    return {one: min(of[one] for of in times.values()) for one in rounds}, best


def claims(plan, values):
    """The claims, all on the C library's heap."""
    arena, loop = Cell("arena", HEAP), Cell(LOOP, HEAP, True)
    libraries = [Cell(name, HEAP) for name in LIBRARIES
                 if plan.strategies.get(name, {}).get("family") == "arena"]
    found = []
    for batch in (FEW, MANY):
        own = values.local(arena, SIZE, batch)
        best, which = fastest(values, libraries, batch)
        stores = values.of(loop, "store", SIZE, batch)
        room = ratio_of(best, stores)
        note = (f"{which.name} is the fastest arena library, {room['median']:.2f} times the "
                "store-only loop" if which and room else "")
        found.append(claim(f"arena library to arena, {batch} a scope", best, own, 2.0, True, note))
        found.append(claim(f"arena to store-only loop, {batch} a scope", own, stores, 2.5, False))
    keep = ("keep-own", SIZE, PAIRS)
    counts = values.of(Cell("refcount", HEAP), *keep)
    found.append(claim("refcount keep and drop to GAtomicRcBox", counts,
                       values.of(Cell(COUNTS, HEAP, True), *keep), 1.05, False))
    found.append(claim("refcount keep and drop to refcount-biased, on the owner's thread", counts,
                       values.of(Cell("refcount-biased", HEAP), *keep), 3.0, True))
    return found


def machine():
    """Where it was measured."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {"cpu": models[0] if models else platform.machine(), "processors": os.cpu_count(),
            "kernel": platform.release()}


def summarize(plan, measured, options):
    """All of it, as it is written to callcost.json."""
    values = Values(measured)
    clocks = [about["clock_ns"] for about in measured.about.values()]
    return {"schema": "tailrace/callcost/1",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
            "rounds": measured.rounds, "seed": options.seed,
            "time_us": options.time_us, "only": options.only, "interrupted": measured.interrupted,
            "clock_ns": float(np.median(clocks)) if clocks else None,
            "claims": claims(plan, values),
            "cells": [cell_summary(plan, measured, values, cell) for cell in plan.cells]}
