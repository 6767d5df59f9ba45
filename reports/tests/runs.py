# SPDX-License-Identifier: MIT
"""Builds cells from a p99.9 (in µs) per block, for tests that know what must be said of them."""

from tailrace_report.cells import Cell
from tailrace_report.style import member_style

FAMILIES = {"none": "control", "leak": "control", "arena": "arena", "boehm": "collector"}


def run(block, value_us, rss_mib=10.0, **fields):
    """One run whose p99.9 is `value_us`, p99 half of it, p50 a tenth; a word is a failure."""
    record = {"block": block, "status": "ok", "mode": "open", "offered_rate": 1000.0,
              "rss_peak_bytes": rss_mib * 2**20, "response_ns": {}}
    if isinstance(value_us, str):
        return {**record, "status": value_us, "reason": "so it was"}
    if value_us is not None:
        record["response_ns"] = {"p99_9": 1000 * value_us, "p99": 500 * value_us,
                                 "p50": 100 * value_us}
    return {**record, **fields}


def cell(name, values_us, rss_mib=10.0, heap="glibc", variant="", **fields):
    """A cell with a run per value; `fields` go into each run that is ok."""
    family = FAMILIES.get(name, "manual")
    spec = {"cell": f"s/{name}/{heap}/{variant}", "scenario": "s", "strategy": name,
            "family": family, "heap": heap, "load": 0.5, "load_of": "slowest",
            "control": name == "none"}
    runs = [run(block, value, rss_mib, **fields) for block, value in enumerate(values_us)]
    label = " · ".join(filter(None, (name, heap, variant)))
    return Cell(spec, label, variant, member_style(family, 0), runs, None, None, label, label)


def times(factor, values_us):
    """Each value so many times."""
    return [factor * value for value in values_us]


STEADY = [100, 102, 98, 101, 99, 103, 97, 100, 101, 99]  # ten blocks within 3 %
