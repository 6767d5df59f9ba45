# SPDX-License-Identifier: MIT
"""The machine's part: what it took from the workers, and the noise floor under the response."""

import math
from statistics import median

from .metrics import COMPLETED
from .text import counted, duration, estimate, seconds

FLOOR_AT = {"p50": 2, "p90": 10, "p99": 100, "p99_9": 1000, "p99_99": 10000}  # as 1/(1-p)


def floor(runs, key):
    """Median over the runs of quantile `key` of their noise floors in ns, or None."""
    values = floors(runs, key)
    return median(values) if values else None


def floors(runs, key):
    """Quantile `key` in ns of the noise floors of those `runs` that have it."""
    values = [(run.get("noise_floor_ns") or {}).get(key) for run in runs]
    return [value for value in values if value is not None]


def floor_band(cells, end):
    """Lowest and highest floor over cells at each 1/(1-p) up to `end`: (x, low, high) or None."""
    band = []
    for key, at in FLOOR_AT.items():
        floors = [value for cell in cells if (value := floor(cell.runs, key))]
        if floors:
            band.append((at, min(floors), max(floors)))
    inside = [row for row in band if row[0] <= end]
    beyond = [row for row in band if row[0] > end]
    if inside and beyond and inside[-1][0] < end:
        inside.append(between(inside[-1], beyond[0], end))
    return tuple(map(list, zip(*inside))) if len(inside) > 1 else None


def between(left, right, at):
    """The row of a band at `at`, on the straight lines of a log-log plot."""
    share = math.log(at / left[0]) / math.log(right[0] / left[0])
    return (at, *(math.exp(math.log(a) + share * (math.log(b) - math.log(a)))
                  for a, b in zip(left[1:], right[1:])))


def noise_rows(cells):
    """One row per cell that recorded noise, of medians over its runs that executed all requests."""
    rows = []
    for cell in cells:
        runs = [run for run in cell.runs if run["status"] in COMPLETED and run.get("noise")]
        if not runs:
            continue
        rows.append({
            "cell": cell,
            "involuntary": text_of(runs, of_workers("involuntary_switches"), counted),
            "run_delay": text_of(runs, of_workers("run_delay_s"), seconds),
            "faults_minor": text_of(runs, of_workers("faults_minor"), counted),
            "faults_major": text_of(runs, of_workers("faults_major"), counted),
            "steal": text_of(runs, lambda noise: noise.get("steal_s"), seconds),
            "pressure": text_of(runs, lambda noise: noise.get("pressure_s"), seconds),
            "hiccup_p99": text_of(runs, of_hiccups("p99_ns"), duration),
            "hiccup_max": text_of(runs, of_hiccups("max_ns"), duration),
            "floor": shown_floor(runs, "p99"), "floor_high": shown_floor(runs, "p99_9")})
    return rows


def of_workers(key):
    """A function that sums field `key` over the workers of a run's noise."""
    def total(noise):
        values = [worker.get(key) for worker in noise.get("workers") or []]
        return None if not values or None in values else sum(values)
    return total


def of_hiccups(key):
    """A function that takes field `key` from the hiccups of a run's noise."""
    return lambda noise: (noise.get("hiccups") or {}).get(key)


def text_of(runs, value_of, unit):
    """The median over `runs` of what `value_of` finds in their noise, as a Quantity, or None."""
    values = [value for run in runs if (value := value_of(run["noise"])) is not None]
    return estimate(values, unit)


def shown_floor(runs, key):
    """A quantile of the noise floor as a Quantity, or None."""
    return estimate(floors(runs, key), duration)
