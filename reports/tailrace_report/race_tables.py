# SPDX-License-Identifier: MIT
"""The tables below the race matrix: what schedules gain, what detectors cost, which ones ran."""

from collections import Counter
from dataclasses import dataclass
from statistics import median

from .race_matrix import (STATIC, bug, by_case, catchers, detector_name, exposed, exposed_interval,
                          exposed_rate, is_tool)
from .race_panels import between, fraction, milliseconds, times, whole
from .race_summary import share, twin_tallies

RARE, FREQUENT = 0.05, 0.30  # below and above these shares a schedule is a gain


@dataclass(frozen=True)
class Lane:
    """TSan's cells of a row: `plain` and the `best` of the others, `all` by schedule."""

    row: object
    plain: dict
    best: dict
    all: dict


def weight(cell):
    """What a cell is preferred by: its runs, as a claim rests on many, then its rate."""
    return bug(cell)["runs"], exposed_rate(cell)


def lanes(matrix):
    """The rows that have TSan's plain cell and another schedule's, with runs in both."""
    found = []
    for row in matrix.rows:
        cells = {cell["schedule"]: cell for cell in matrix.of(row, "tsan")
                 if exposed_rate(cell) is not None}
        others = [cell for name, cell in cells.items() if name != "plain"]
        if "plain" in cells and others:
            found.append(Lane(row, cells["plain"], max(others, key=weight), cells))
    return found


def is_gain(lane):
    """Whether the system's schedule hardly ever shows the defect and another often does."""
    return exposed_rate(lane.plain) < RARE and exposed_rate(lane.best) > FREQUENT


def gains(matrix):
    """The rows of the table of schedules that find what plain runs miss, greatest first."""
    found = sorted(filter(is_gain, lanes(matrix)), key=lambda lane: -exposed_rate(lane.best))
    return [{"row": lane.row, "plain": estimate(lane.plain), "best": estimate(lane.best),
             "schedule": lane.best["schedule"],
             "seed": whole(bug(lane.best).get("first_seed") or None, ""),
             "apart": exposed_interval(lane.plain)[1] < exposed_interval(lane.best)[0]}
            for lane in found]


def estimate(cell):
    """A share with its interval and its counts."""
    return {"share": share(exposed_rate(cell)), "interval": between(exposed_interval(cell)),
            "runs": fraction(exposed(cell), bug(cell)["runs"])}


def slowdowns(matrix):
    """What each detector costs: medians over the cells of each column that have a number."""
    table = []
    for at, column in enumerate(matrix.columns):
        once = {id(row.cells[at]): row.cells[at] for row in matrix.rows if row.cells[at]}
        known = list(map(bug, once.values()))
        ratios = sorted(one["slowdown"] for one in known if one.get("slowdown") is not None)
        lengths = [one["median_ms"] for one in known if one.get("median_ms") is not None]
        if ratios or lengths:
            table.append({
                "name": detector_name(column.name), "schedule": column.schedule,
                "first": not table or table[-1]["name"] != detector_name(column.name),
                "slowdown": times(median(ratios)) if ratios else None,
                "range": f"{times(ratios[0])} – {times(ratios[-1])}" if ratios else None,
                "length": milliseconds(median(lengths)) if lengths else None,
                "cells": max(len(ratios), len(lengths))})
    return table


def detectors(matrix):
    """A row per detector: what it is, its version or why it was not run, what it caught."""
    caught = [catchers(rows, matrix) for rows in by_case(matrix).values()]
    hits = Counter(name for names in caught for name in names)
    alone = Counter(names[0] for names in caught if len(names) == 1)
    twins = twin_tallies(matrix)
    table = []
    for detector in {c.number: c.detector for c in matrix.columns}.values():
        name, ran = detector["name"], detector.get("available", True)
        table.append({
            "name": detector_name(name), "key": name, "what": detector.get("what"), "ran": ran,
            "version": detector.get("version") or None, "static": name in STATIC,
            "reason": detector.get("reason") or "no reason is recorded",
            "caught": hits[name] if is_tool(name) and ran else None,
            "alone": alone[name] if is_tool(name) and ran else None,
            "false": fraction(*twins[name]) if is_tool(name) else None})
    return table
