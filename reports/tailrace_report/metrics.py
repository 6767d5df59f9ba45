# SPDX-License-Identifier: MIT
"""The metrics that runs are compared by: where each is in a run, its unit, its margin."""

import math
from dataclasses import dataclass
from typing import Callable

from .text import counted, duration, rate, seconds, size

COMPLETED = ("ok", "overloaded")  # runs that have executed every request


@dataclass(frozen=True)
class Metric:
    """`value(run)`: a number ≥ 0, infinite if the run failed, None if it does not have it.

    `text(value)` with unit; `delta`: differences up to it do not matter (0.05: 5 %).
    `deterministic`: the same in every run of a build, so that any difference is one.
    """

    name: str
    what: str
    value: Callable
    text: Callable
    delta: float
    higher_is_better: bool = False
    deterministic: bool = False


def quantile(kind, key):
    """The quantile `key` of `kind` (response or service); of response in open loop only."""
    def value(run):
        if run["status"] != "ok":
            return math.inf
        if kind == "response" and run.get("mode") == "closed":
            return None
        return (run.get(f"{kind}_ns") or {}).get(key)
    return value


def field(key, per_request=False, failed=math.inf):
    """Field `key` of a run that is ok, else `failed`; divided by its requests if asked so."""
    def value(run):
        if run["status"] != "ok":
            return failed
        number = run.get(key)
        if number is None or not per_request:
            return number
        return number / run["requests"] if run.get("requests") else None
    return value


def closed_rate(run):
    """Requests per second in closed loop; in open loop it is what was offered."""
    if run["status"] != "ok":
        return 0.0
    return run.get("achieved_rate") if run.get("mode") == "closed" else None


def allocated(key):
    """`key` of the heap calls that the recording made, per request."""
    def value(run):
        counts, requests = run.get("allocations") or {}, run.get("requests")
        return counts[key] / requests if counts.get(key) is not None and requests else None
    return value


MARGINS = {"p50": 0.05, "p90": 0.05, "p99": 0.10, "p99_9": 0.20, "p99_99": 0.30}

METRICS = {metric.name: metric for metric in (
    *(Metric(key.replace("_", "."), f"response time, {key.replace('_', '.')}",
             quantile("response", key), duration, margin) for key, margin in MARGINS.items()),
    *(Metric(f"service-{key.replace('_', '.')}", f"service time, {key.replace('_', '.')}",
             quantile("service", key), duration, margin) for key, margin in MARGINS.items()),
    Metric("rate", "requests per second in closed loop", closed_rate, rate, 0.05,
           higher_is_better=True),
    Metric("rss-peak", "highest resident memory", field("rss_peak_bytes"), size, 0.05),
    Metric("rss-drained", "resident memory after the drain", field("rss_drained_bytes"), size,
           0.05),
    Metric("cpu", "processor time of the whole process", field("cpu_s"), seconds, 0.05),
    Metric("wall", "time from start to end of the program", field("wall_s"), seconds, 0.05),
    Metric("faults", "page faults without reading from disk", field("faults_minor"), counted, 0.10),
    Metric("faults-major", "page faults that read from disk", field("faults_major"), counted, 0.10),
    Metric("allocations", "heap allocations per request", allocated("calls"), counted, 0.01,
           deterministic=True),
    Metric("allocated-bytes", "heap bytes asked for per request", allocated("bytes"), counted, 0.01,
           deterministic=True))}


def metric_named(name):
    """The metric called `name` (p99_9 is p99.9), or None."""
    return METRICS.get(name.replace("_", "."))


def values_by_block(runs, metric):
    """{block: value} of one cell's runs, without those that do not have the metric."""
    return {run["block"]: value for run in runs if (value := metric.value(run)) is not None}


def noise_limited(runs, key):
    """Whether response quantile `key` is noise-limited in half of the ok runs or more."""
    marks = [key in ((run.get("response_ns") or {}).get("noise_limited") or [])
             for run in runs if run["status"] == "ok"]
    return bool(marks) and 2 * sum(marks) >= len(marks)
