# SPDX-License-Identifier: MIT
"""A result set as CSV (a line for each run) and as one JSON document."""

import csv
import io
import json
import math

from .export_cells import UNITS
from .metrics import METRICS
from .text import tuning

SUFFIXES = {"ns": "_ns", "bytes": "_bytes", "s": "_s", "per second": "_per_s", "count": ""}
OF_CELL = ("scenario", "strategy", "family", "heap", "threads", "live", "load", "load_of",
           "budget_times", "budget_bytes")
OF_RUN = {"offered_rate": "offered_per_s", "achieved_rate": "achieved_per_s",
          "duration_s": "duration_s", "requests": "requests"}

WORDS = ("low_samples", "noise_limited")  # lists of response quantiles


def column(metric):
    """The CSV column of a metric: its name with its unit last."""
    return metric.name.replace("-", "_").replace(".", "_") + SUFFIXES[UNITS[metric.text]]


COLUMNS = ("cell", "workload", *OF_CELL, "tune", "control", "block", "order", "seed", "mode",
           "status", "reason", "stamps", *WORDS, "commit", "start_time", *OF_RUN.values(),
           *map(column, METRICS.values()))


def csv_text(cells, _context, _note):
    """A line for each run: what is not known is empty, a metric of a failed run is `inf`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for cell in cells:
        for run in cell.runs:
            writer.writerow(row(cell, run))
    return text.getvalue()


def row(cell, run):
    """{column: value} of a run, of what is known."""
    context = run.get("context") or {}
    found = {"cell": cell.name, "workload": cell.workload, "tune": tuning(cell.spec.get("tune")),
             "control": "yes" if cell.spec.get("control") else "no",
             "stamps": " ".join(map(str, run.get("stamps") or ())),
             "commit": context.get("commit"), "start_time": context.get("start_time"),
             **{key: " ".join(response(run, key)) for key in WORDS},
             **{key: cell.spec.get(key) for key in OF_CELL},
             **{key: run.get(key) for key in ("block", "order", "seed", "mode", "status",
                                              "reason")},
             **{name: run.get(key) for key, name in OF_RUN.items()}}
    for estimate in cell.estimates.values():
        found[column(estimate.metric)] = estimate.values.get(run["block"])
    return {key: value for key, value in found.items() if value is not None}


def response(run, key):
    """The quantiles in a list of the run's response time."""
    return [word.replace("_", ".") for word in (run.get("response_ns") or {}).get(key) or ()]


def json_text(cells, manifest, _note):
    """The document that ../README.md describes."""
    document = {"schema": "tailrace/export/1",
                **{key: manifest.get(key) for key in ("suite", "blocks", "seed", "context")},
                "cells": [cell_json(cell) for cell in cells]}
    return json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def cell_json(cell):
    """A cell: what it is, its runs, its metrics."""
    return {"cell": cell.name, "workload": cell.workload,
            **{key: cell.spec.get(key) for key in (*OF_CELL, "tune", "params")},
            "control": bool(cell.spec.get("control")),
            "runs": [{"block": run["block"], "status": run["status"],
                      "reason": run.get("reason"), "stamps": run.get("stamps") or [],
                      **{key: response(run, key) for key in WORDS}}
                     for run in cell.runs],
            "metrics": {name: metric_json(one) for name, one in cell.estimates.items()}}


def metric_json(one):
    """A metric; what is infinite is null, and told by `failed_blocks`."""
    return {"unit": one.unit, "median": finite(one.median), "low": finite(one.low),
            "high": finite(one.high), "failed_blocks": one.failed,
            "values": {str(block): finite(value) for block, value in one.values.items()}}


def finite(value):
    """`value`, or None for infinity, which JSON does not have."""
    return None if value == math.inf else value
