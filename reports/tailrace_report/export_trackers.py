# SPDX-License-Identifier: MIT
"""A result set for trackers of benchmarks: Google Benchmark, Bencher, github-action-benchmark.

Neither of the last two has a word for a run that failed: a metric whose median is infinite is left
out there, and told on standard error.
"""

import json
import math

from .export_cells import left_out, why
from .metrics import MARGINS

LATENCIES = [key.replace("_", ".") for key in MARGINS]  # p50, p90, …


def google_benchmark(cells, manifest, note):
    """Google Benchmark's JSON: a benchmark for each cell and quantile, a repetition for each run.

    `real_time` is the response time, `cpu_time` the service time (closed loop: both the service
    time). A failed run has `error_occurred` and `Infinity`, as Google's own writer puts it.
    """
    benchmarks = []
    for family, cell in enumerate(cells):
        entries = [entry for index, name in enumerate(LATENCIES)
                   for entry in repetitions(cell, name, {"family_index": family,
                                                         "per_family_instance_index": index})]
        benchmarks += entries
        if not entries:
            note(left_out(cell))
    return dumped({"context": google_context(manifest["context"]), "benchmarks": benchmarks})


def google_context(context):
    """What Google Benchmark says of the machine, as far as it is known."""
    load = context.get("load_average")
    found = {"date": context.get("start_time"), "executable": "tailrace",
             "num_cpus": context.get("cores"), "load_avg": None if load is None else [load]}
    return {key: value for key, value in found.items() if value is not None}


def repetitions(cell, name, place):
    """The entries of one quantile: each run, then the median over them."""
    service = cell.estimates.get(f"service-{name}")
    real = cell.estimates.get(name) or service
    if not real:
        return
    service = service or real
    common = {"run_name": f"{cell.name}/{name}", "repetitions": len(cell.supported), **place,
              "time_unit": "ns"}
    if cell.spec.get("threads"):
        common["threads"] = cell.spec["threads"]
    for index, run in enumerate(cell.supported):
        times = {"real_time": real.values.get(run["block"]),
                 "cpu_time": service.values.get(run["block"])}
        if None in times.values():
            continue
        yield {"name": common["run_name"], **common, "run_type": "iteration",
               "repetition_index": index, "iterations": run.get("requests") or 0, **times,
               **({} if run["status"] == "ok" else failure(why(run))), **counters(cell, run)}
    if real.median is not None and service.median is not None:
        yield {"name": f"{common['run_name']}_median", **common, "run_type": "aggregate",
               "aggregate_name": "median", "aggregate_unit": "time",
               "iterations": len(cell.supported), "real_time": real.median,
               "cpu_time": service.median,
               **(failure(cell.statuses()) if real.median == math.inf else {})}


def failure(reason):
    """What says that a run failed."""
    return {"error_occurred": True, "error_message": reason}


def counters(cell, run):
    """The other metrics of a run, as Google Benchmark has user counters: {name: number}."""
    found = {name: one.values.get(run["block"]) for name, one in cell.estimates.items()
             if name.removeprefix("service-") not in LATENCIES}
    return {name: value for name, value in found.items() if value is not None}


def bencher(cells, _manifest, note):
    """Bencher Metric Format: cell, measure, the median over runs and its interval."""
    document = {}
    for cell, estimates in told(cells, note):
        document[cell.name] = {one.metric.name.replace(".", "-"): bencher_value(one)
                               for one in estimates}
    return dumped(document, allow_nan=False)


def bencher_value(one):
    """`value` and the bounds that are known and finite."""
    found = {"value": one.median, "lower_value": one.low, "upper_value": one.high}
    return {key: value for key, value in found.items() if value not in (None, math.inf)}


def github_action(cells, _manifest, note):
    """github-action-benchmark's customSmallerIsBetter: of all metrics where less is better."""
    return dumped([github_entry(cell, one) for cell, estimates in told(cells, note)
                   for one in estimates if not one.metric.higher_is_better], allow_nan=False)


def github_entry(cell, one):
    """One number; `range` is the interval in words, `extra` what it is of."""
    entry = {"name": f"{cell.name}: {one.metric.name}", "unit": one.unit, "value": one.median}
    if one.low is not None:
        entry["range"] = f"{one.told(one.low)} to {one.told(one.high)}"
    return {**entry, "extra": f"{one.metric.what}, median over the runs ({cell.statuses()})"}


def told(cells, note):
    """Yield (cell, [Estimate]) of what has a finite median; note what has not."""
    for cell in cells:
        finite = [one for one in cell.estimates.values() if one.median not in (None, math.inf)]
        if finite:
            yield cell, finite
        else:
            note(left_out(cell))
            continue
        failed = [one.metric.name for one in cell.estimates.values() if one.median == math.inf]
        if failed:
            note(f"{cell.name} is without {', '.join(failed)}: {cell.statuses()}")


def dumped(document, **options):
    """JSON text, names as they are."""
    return json.dumps(document, indent=1, ensure_ascii=False, **options) + "\n"
