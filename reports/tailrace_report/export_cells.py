# SPDX-License-Identifier: MIT
"""What all formats of `tailrace export` are made from: cells, their runs, their estimates."""

import math
from collections import Counter
from dataclasses import dataclass
from statistics import median, median_low

from .arms import Arm
from .metrics import METRICS, counted, values_by_block
from .paired import sign_interval
from .text import duration, listed, rate, seconds, size

# The unit of a metric's numbers, by how it is shown to people.
UNITS = {duration: "ns", size: "bytes", seconds: "s", rate: "per second", counted: "count"}


@dataclass(frozen=True)
class Estimate:
    """A metric of a cell: `median` over its runs with the 98 % interval `low` to `high`.

    `values` {block: number, infinite if the run failed (a rate: 0)}. The median is infinite where
    half failed, and None where a run that is ok does not have it; the interval None for few runs.
    """

    metric: object
    values: dict
    median: float
    low: float
    high: float

    @property
    def unit(self):
        """Of the numbers: ns, bytes, s, per second or count."""
        return UNITS[self.metric.text]

    @property
    def failed(self):
        """The blocks whose run failed."""
        return [block for block, value in self.values.items() if value == math.inf]

    def text(self):
        """For people: the median, with its interval where there is one."""
        if self.median is None:
            return "–"
        around = "" if self.low is None else f" ({self.told(self.low)} to {self.told(self.high)})"
        return self.told(self.median) + around

    def told(self, value):
        """A value of the metric with its unit."""
        return "∞" if value == math.inf else self.metric.text(value)


@dataclass(frozen=True)
class ExportCell:
    """A cell: its `spec` in the manifest, its `runs` by block, `estimates` {metric: Estimate}.

    Runs of a strategy that the scenario cannot have (`unsupported`) are no part of the estimates.
    """

    spec: dict
    runs: list
    estimates: dict

    @property
    def name(self):
        """As in the manifest."""
        return self.spec["cell"]

    @property
    def workload(self):
        """The scenario and those of its parameters that are not the default."""
        return self.spec.get("workload") or self.spec["scenario"]

    @property
    def supported(self):
        """The runs, without those whose strategy cannot run the scenario."""
        return [run for run in self.runs if run["status"] != "unsupported"]

    @property
    def failed(self):
        """The runs that failed."""
        return [run for run in self.supported if run["status"] != "ok"]

    def statuses(self):
        """In words: "7 ok, 1 crashed"."""
        counts = Counter(run["status"] for run in self.runs)
        return ", ".join(f"{n} {word}" for word, n in counts.most_common()) or "no run"


def export_cells(result_set):
    """[ExportCell] of a result set, in the order of the manifest."""
    found = Arm("", result_set, {}).cells()
    common = known([run for _, runs in found for run in runs])
    return [ExportCell(spec, runs, estimates(runs, common)) for spec, runs in found]


def known(runs):
    """The metrics that an ok run among `runs` has, in their order."""
    good = [run for run in runs if run["status"] == "ok"]
    return [metric for metric in METRICS.values()
            if any(metric.value(run) is not None for run in good)]


def estimates(runs, common):
    """{metric's name: Estimate} of a cell's runs; if none is ok, of the metrics in `common`."""
    runs = [run for run in runs if run["status"] != "unsupported"]
    metrics = known(runs) if any(run["status"] == "ok" for run in runs) else common
    return {metric.name: estimate(runs, metric) for metric in metrics if runs}


def estimate(runs, metric):
    """The Estimate of one metric; blank unless every run has it, as in the report."""
    values = values_by_block(runs, metric)
    if len(values) < len(runs):
        return Estimate(metric, values, None, None, None)
    ranked = list(values.values())
    middle = (median_low if metric.higher_is_better and 0.0 in ranked else median)(ranked)
    return Estimate(metric, values, middle, *(sign_interval(ranked) or (None, None)))


def why(run):
    """What happened to a run that is not ok, in words."""
    return f"{run['status']}: {run.get('reason') or 'no reason was recorded'}"


def left_out(cell):
    """Why a cell that has no number in a format is not in it."""
    if not cell.runs:
        return f"{cell.name} is left out: no run of it is recorded"
    reasons = dict.fromkeys(why(run) for run in cell.runs if run["status"] != "ok")
    return f"{cell.name} is left out: {listed(reasons) or 'no metric is known of it'}"
