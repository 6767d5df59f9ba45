# SPDX-License-Identifier: MIT
"""Checks that a manifest or a run has the shape that ../README.md promises.

Each function returns the name of the first field that is not as promised, or None.
A field that may be null may also be absent: a worker that crashed has not much to tell.
"""

NUMBER = (int, float)
MANIFEST = {"suite": str, "blocks": int, "cells": list, "calibration": list, "context": dict}
CELL = {"cell": str, "scenario": str, "strategy": str, "heap": str}
CALIBRATION = {"cell": str, "scenario": str, "status": str}
RUN = {"cell": str, "block": int, "status": str}
RUN_NULLABLE = {
    "reason": str, "stamps": list, "checksum": str, "requests": int, "duration_s": NUMBER,
    "offered_rate": NUMBER, "achieved_rate": NUMBER, "response_ns": dict, "pauses": list,
    "response_histogram": list, "intervals": dict, "rss_series": list, "pauses_lost": int,
    "rss_peak_bytes": NUMBER, "rss_drained_bytes": NUMBER, "phases": dict, "heap_library": dict}


def wrong_in_manifest(manifest):
    """The first wrong field of a parsed manifest.json."""
    if not isinstance(manifest, dict) or manifest.get("schema") != "tailrace/set/1":
        return "schema"
    wrong = wrong_field(manifest, MANIFEST)
    if wrong:
        return wrong
    if not manifest["cells"] or any(wrong_field(c, CELL) for c in manifest["cells"]):
        return "cells"
    if len({c["cell"] for c in manifest["cells"]}) < len(manifest["cells"]):
        return "cells (a name occurs twice)"
    for entry in manifest["calibration"]:
        rates = (entry.get("capacity_rate"), entry.get("offered_rate"))
        if wrong_field(entry, CALIBRATION) or not all(is_number(r, null=True) for r in rates):
            return "calibration"
    return None if is_number(manifest.get("load"), null=True) else "load"


def wrong_in_run(run):
    """The first wrong field of one parsed line of runs.jsonl."""
    if not isinstance(run, dict) or run.get("schema") != "tailrace/run/1":
        return "schema"
    present = {key: kind for key, kind in RUN_NULLABLE.items() if run.get(key) is not None}
    wrong = wrong_field(run, RUN) or wrong_field(run, present)
    if wrong:
        return wrong
    for key in ("response_histogram", "rss_series"):
        if not all(isinstance(pair, list) and len(pair) == 2 and all(map(is_number, pair))
                   for pair in run.get(key) or []):
            return key
    for pause in run.get("pauses") or []:
        if wrong_field(pause, {"cause": str, "begin_s": NUMBER, "end_s": NUMBER}):
            return "pauses"
    quantiles = run.get("response_ns") or {}
    if not isinstance(quantiles.get("low_samples") or [], list):
        return "response_ns"
    numbers = [*(v for k, v in quantiles.items() if k != "low_samples"),
               *(run.get("phases") or {}).values()]
    if not all(is_number(value, null=True) for value in numbers):
        return "response_ns or phases"
    return "intervals" if run.get("intervals") and wrong_intervals(run["intervals"]) else None


def wrong_intervals(intervals):
    """Whether the per-interval maxima cannot be drawn."""
    return (wrong_field(intervals, {"width_s": NUMBER, "max_response_ns": list})
            or not all(is_number(v, null=True) for v in intervals["max_response_ns"]))


def wrong_field(record, kinds):
    """The first key of `kinds` (key: type) that `record` lacks or holds in another type."""
    if not isinstance(record, dict):
        return "record"
    return next((k for k, kind in kinds.items() if not isinstance(record.get(k), kind)), None)


def is_number(value, null=False):
    """Whether `value` is a JSON number, or null where that is allowed."""
    return isinstance(value, NUMBER) or (null and value is None)
