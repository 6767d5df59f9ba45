# SPDX-License-Identifier: MIT
"""Rows of the report's tables: plain dicts of texts, computed here so that the page only shows.

A value that is not known is None, which the page shows as a dash.
"""

import math
from collections import Counter

from .cells import cell_named, live_text, workload
from .curves import budget_cells, live_cells, live_of, load_cells
from .metrics import noise_limited
from .stats import cell_quantile, failed, median_of, status_word, values_of
from .text import count, duration, estimate, percent, percentile_name, rate, size, span

QUANTILES = ("p50", "p99", "p99_9", "p99_99", "max")


def shown(value, unit):
    """`unit(value)`, or None for a value that is not known or infinite."""
    return None if value is None or value == math.inf else unit(value)


def headline(cells):
    """One row per cell: quantiles of response time, rates, memory, outcome of its runs."""
    rows = []
    for cell in cells:
        statuses = Counter(run["status"] for run in cell.runs)
        rows.append({
            "cell": cell,
            "failed": status_word(cell.runs) if failed(cell.runs) else None,
            "quantiles": {key: quantile_entry(cell.runs, key) for key in QUANTILES},
            "achieved": estimate(values_of(cell.runs, "achieved_rate"), rate),
            "offered": shown(median_of(cell.runs, "offered_rate"), rate),
            "peak": estimate(values_of(cell.runs, "rss_peak_bytes"), size),
            "drained": estimate(values_of(cell.runs, "rss_drained_bytes"), size),
            "statuses": [f"{n} {status}" for status, n in
                         sorted(statuses.items(), key=lambda item: item[0] != "ok")]})
    return rows


def quantile_entry(runs, key):
    """A quantile as text, whether it is `low` and noise-limited, and its range over runs."""
    quantile = cell_quantile(runs, key)
    entry = {"low": quantile.low, "noise": noise_limited(runs, key), "range": None,
             "text": shown(quantile.value, duration)}
    if quantile.best is not None and math.isfinite(quantile.best):
        entry["range"] = span(quantile.best, quantile.worst, duration)
    return entry


def columns():
    """Names of the quantile columns."""
    return {key: percentile_name(key) for key in QUANTILES}


def facts(cells, manifest):
    """What holds for all cells of a scenario, as short texts; nothing where they differ."""
    runs = [run for cell in cells for run in cell.runs if run["status"] != "unsupported"]

    def common(key):
        values = [run.get(key) for run in runs]
        return values[0] if values and values.count(values[0]) == len(values) else None

    loads = {(cell.spec.get("load"), cell.spec.get("load_of")) for cell in cells}
    load, load_of = loads.pop() if len(loads) == 1 else (None, None)
    mode, arrivals, threads = common("mode"), common("arrivals"), common("threads")
    texts = [shown(mode, lambda word: f"{word} loop"),
             shown(arrivals, lambda word: f"{word} arrivals"),
             shown(median_of(runs, "offered_rate"), lambda r: f"{rate(r)} offered"),
             shown(load, lambda x: f"load {x:g} of the "
                   + ("cell's own capacity" if load_of == "own" else "slowest cell's capacity")),
             shown(threads, lambda n: count(n, "worker thread")),
             shown(common("live"), lambda n: f"live {n:,}" if isinstance(n, int) else f"live {n}"),
             shown(recorded_s(runs, manifest), lambda s: f"{s:.3g} s recorded"),
             shown(manifest.get("warmup_s"), lambda s: f"{s:g} s warm-up")]
    return [text for text in texts if text]


def recorded_s(runs, manifest):
    """How long was recorded: as the suite has it, unless these runs were given another length."""
    planned, own = manifest.get("duration_s"), median_of(runs, "duration_s")
    return own if own and not (planned and math.isclose(own, planned, rel_tol=0.1)) else planned


def load_table(cells):
    """The rows of every point of the load curve, by series and load."""
    points = sorted(load_cells(cells), key=lambda cell: (cell.spec.get("load_of") == "own",
                                                         cell.spec["load"]))
    return [{**row, "load": f"{row['cell'].spec['load']:g}",
             "of": "own" if row["cell"].spec.get("load_of") == "own" else "slowest"}
            for row in in_series(cells, points)]


def budget_table(cells):
    """The rows of every point of the budget curve, by series and multiple."""
    points = sorted(budget_cells(cells), key=lambda cell: cell.spec["budget_times"])
    return [{**row, "times": f"{row['cell'].spec['budget_times']:g}×",
             "budget": shown(row["cell"].spec.get("budget_bytes"), size)}
            for row in in_series(cells, points)]


def live_table(cells):
    """The rows of every live set, by series and live set."""
    points = sorted(live_cells(cells), key=live_of)
    return [{**row, "live": live_text(row["cell"].spec),
             "bytes": shown(median_of(row["cell"].runs, "live_bytes"), size),
             "offered": shown(median_of(row["cell"].runs, "offered_rate"), rate)}
            for row in in_series(cells, points)]


def in_series(cells, points):
    """Headline rows of `points` in the order of the series in `cells`; `first` of its series."""
    order = list(dict.fromkeys(cell.series for cell in cells))
    rows = headline(sorted(points, key=lambda cell: order.index(cell.series)))
    before = [None, *(row["cell"].series for row in rows)]
    return [{**row, "first": row["cell"].series != last} for row, last in zip(rows, before)]


def smallest(manifest, scenario, cells):
    """One row per cell of `scenario` whose smallest workable budget was looked for."""
    return [{"cell": cell_named(cells, entry["cell"]), "name": entry["cell"],
             "size": shown(entry.get("smallest_bytes") or None, size),
             "status": entry["status"], "reason": entry.get("reason")}
            for entry in manifest.get("smallest") or [] if workload(entry) == scenario]


def calibration(manifest, grouped):
    """One row per calibrated cell: its capacity and what share of it is offered to it."""
    rows = []
    for entry in manifest["calibration"]:
        capacity, offered = entry.get("capacity_rate"), entry.get("offered_rate")
        load = manifest.get("load")
        rows.append({
            "scenario": workload(entry), "name": entry["cell"],
            "cell": cell_named(grouped.get(workload(entry), []), entry["cell"]),
            "capacity": shown(capacity or None, rate), "offered": shown(offered or None, rate),
            "slowest": bool(offered and capacity and load)
            and math.isclose(offered, load * capacity, rel_tol=1e-6),
            "status": entry["status"], "reason": entry.get("reason"),
            "share": percent(offered / capacity) if offered and capacity else None})
    return rows


def heaps(grouped):
    """One row per heap, library and version that any of its runs reported."""
    found = Counter()
    for cells in grouped.values():
        for cell in cells:
            for run in cell.runs:
                library = run.get("heap_library")
                if library:
                    found[cell.spec["heap"], library.get("path"), library.get("version")] += 1
    return [{"heap": heap, "path": path, "version": version, "runs": number}
            for (heap, path, version), number in found.items()]
