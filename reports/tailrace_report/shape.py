# SPDX-License-Identifier: MIT
"""Checks that a manifest or a run has the shape that ../README.md promises.

Each function returns the name of the first field that is not as promised, or None.
A field that may be null may also be absent: a worker that crashed has not much to tell.
"""

NUMBER = (int, float)
MANIFEST = {"suite": str, "blocks": int, "cells": list, "calibration": list, "context": dict}
CELL = {"cell": str, "scenario": str, "strategy": str, "heap": str}
CELL_NUMBERS = ("load", "budget_times", "budget_bytes")
CELL_WORDS = ("workload", "load_of", "arm")
SMALLEST = {"cell": str, "scenario": str, "status": str}
CALIBRATION = {"cell": str, "scenario": str, "status": str}
RUN = {"cell": str, "block": int, "status": str}
RUN_NULLABLE = {
    "reason": str, "stamps": list, "checksum": str, "seed": int, "duration_s": NUMBER,
    "offered_rate": NUMBER, "achieved_rate": NUMBER, "response_ns": dict, "pauses": list,
    "response_histogram": list, "intervals": dict, "rss_series": list, "pauses_lost": int,
    "rss_peak_bytes": NUMBER, "rss_drained_bytes": NUMBER, "phases": dict, "heap_library": dict,
    "causes": dict, "noise": dict, "noise_floor_ns": dict, "service_ns": dict,
    "service_histogram": list, "context": dict, "allocations": dict, "requests": int,
    "hlog": str}
# What runs are compared by: ratios are taken of these.
MEASURES = ("achieved_rate", "requests", "rss_peak_bytes", "rss_drained_bytes", "cpu_s", "wall_s",
            "faults_minor", "faults_major")
QUEUE_ROW = ("measured_ns", "planned_ns", "planned_error", "replayed_error")
STALL_ROW = ("measured_ns", "predicted_ns", "error")
QUANTILES = ("p50", "p90", "p99", "p99_9", "p99_99", "max")
EFFECT = ("count", "total_s", "longest_s", "affected", "delay_s", "excess_share", "max_without_ns")
NOISE = ("run_delay_s", "voluntary_switches", "involuntary_switches", "faults_minor",
         "faults_major")


def wrong_in_manifest(manifest):
    """The first wrong field of a parsed manifest.json."""
    if not isinstance(manifest, dict) or manifest.get("schema") != "tailrace/set/1":
        return "schema"
    wrong = wrong_field(manifest, MANIFEST)
    if wrong:
        return wrong
    if not manifest["cells"] or any(
            wrong_field(c, CELL) or not numbers(c, CELL_NUMBERS)
            or not all(isinstance(c.get(key) or "", str) for key in CELL_WORDS)
            for c in manifest["cells"]):
        return "cells"
    if len({c["cell"] for c in manifest["cells"]}) < len(manifest["cells"]):
        return "cells (a name occurs twice)"
    for entry in manifest["calibration"]:
        if wrong_field(entry, CALIBRATION) or not numbers(entry, ("capacity_rate", "offered_rate")):
            return "calibration"
    smallest = manifest.get("smallest") or []
    if not isinstance(smallest, list) or any(
            wrong_field(s, SMALLEST) or not numbers(s, ("smallest_bytes",)) for s in smallest):
        return "smallest"
    if manifest.get("oracle") and wrong_oracle(manifest["oracle"]):
        return "oracle"
    definition = manifest.get("definition") or {}
    if not isinstance(definition, dict):
        return "definition"
    slo = definition.get("slo_us")
    if slo is not None and not (is_number(slo) and slo > 0):
        return "definition.slo_us"
    return None if is_number(manifest.get("load"), null=True) else "load"


def wrong_oracle(oracle):
    """Whether the harness against theory cannot be told."""
    if wrong_field(oracle, {"queue": dict, "stall": dict}):
        return True
    queue, stall = oracle["queue"], oracle["stall"]
    case = {"verdict": str, "within_plan": bool, "rows": list}
    return (wrong_field(queue, {**case, "scenario": str, "utilisation": NUMBER, "agrees": bool})
            or wrong_field(stall, {**case, "stall_ns": NUMBER})
            or any(wrong_field(one, {"name": str}) or not numbers(one, QUEUE_ROW)
                   for one in queue["rows"])
            or any(wrong_field(one, {"name": str, **dict.fromkeys(STALL_ROW, NUMBER)})
                   for one in stall["rows"]))


def wrong_in_run(run):
    """The first wrong field of one parsed line of runs.jsonl."""
    if not isinstance(run, dict) or run.get("schema") != "tailrace/run/1":
        return "schema"
    present = {key: kind for key, kind in RUN_NULLABLE.items() if run.get(key) is not None}
    wrong = wrong_field(run, RUN) or wrong_field(run, present)
    if wrong:
        return wrong
    for key in ("response_histogram", "service_histogram", "rss_series"):
        if not all(isinstance(pair, list) and len(pair) == 2 and all(map(is_number, pair))
                   for pair in run.get(key) or []):
            return key
    for pause in run.get("pauses") or []:
        if wrong_field(pause, {"cause": str, "begin_s": NUMBER, "end_s": NUMBER}):
            return "pauses"
    response, phases = run.get("response_ns") or {}, run.get("phases") or {}
    for key, parts in (("response_ns", QUANTILES), ("service_ns", QUANTILES),
                       ("allocations", ("calls", "bytes"))):
        if not measures(run.get(key), parts):
            return key
    if not measures(run, MEASURES):
        return f"number among {', '.join(MEASURES)}"
    if not all(isinstance(times.get(key) or [], list) for key in ("low_samples", "noise_limited")
               for times in (response, run.get("service_ns") or {})):
        return "response_ns or service_ns"
    for key, parts in (("noise_floor_ns", QUANTILES), ("phases", phases)):
        if not numbers(run.get(key), parts):
            return key
    if run.get("intervals") and wrong_intervals(run["intervals"]):
        return "intervals"
    if run.get("causes") and wrong_causes(run["causes"]):
        return "causes"
    return "noise" if run.get("noise") and wrong_noise(run["noise"]) else None


def wrong_causes(causes):
    """Whether the causes of the tail cannot be told."""
    effects = causes.get("effects") or []
    return (not all(numbers(causes.get(key), QUANTILES)
                    for key in ("response_ns", "response_without_all_ns"))
            or not isinstance(causes.get("unexplained") or [], list)
            or not isinstance(effects, list)
            or any(wrong_field(effect, {"cause": str}) or not numbers(effect, EFFECT)
                   or not numbers(effect.get("response_without_ns"), QUANTILES)
                   for effect in effects))


def wrong_noise(noise):
    """Whether the machine's part cannot be told."""
    workers = noise.get("workers") or []
    return (not isinstance(workers, list) or not all(numbers(w, NOISE) for w in workers)
            or not numbers(noise.get("hiccups"), ("p50_ns", "p99_ns", "max_ns", "count"))
            or not numbers(noise, ("steal_s", "pressure_s")))


def wrong_intervals(intervals):
    """Whether the per-interval maxima cannot be drawn."""
    return (wrong_field(intervals, {"width_s": NUMBER, "max_response_ns": list})
            or not all(is_number(v, null=True) for v in intervals["max_response_ns"]))


def wrong_field(record, kinds):
    """The first key of `kinds` (key: type) that `record` lacks or holds in another type."""
    if not isinstance(record, dict):
        return "record"
    return next((k for k, kind in kinds.items() if not isinstance(record.get(k), kind)), None)


def numbers(record, keys):
    """Whether `record` is null or an object in which each of `keys` is a number, null or absent."""
    return record is None or (isinstance(record, dict)
                              and all(is_number(record.get(key), null=True) for key in keys))


def measures(record, keys):
    """As numbers(), none of them negative, infinite or NaN."""
    return numbers(record, keys) and all(0 <= (record.get(key) or 0) < 1e300
                                         for key in keys if record)


def is_number(value, null=False):
    """Whether `value` is a JSON number, or null where that is allowed."""
    return isinstance(value, NUMBER) or (null and value is None)
