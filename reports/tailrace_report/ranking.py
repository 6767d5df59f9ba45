# SPDX-License-Identifier: MIT
"""Ranks the cells of a scenario by one metric and compares each with the lowest, block by block.

The null control and other controls (`leak` never gives anything back) are bounds, not choices:
they are left out. A cell that failed in half of its runs or more is never the lowest or highest.
"""

import math
from dataclasses import dataclass
from statistics import median

from .cells import Cell
from .metrics import METRICS, Metric, values_by_block
from .paired import Comparison, compare_logs, depth, paired_logs
from .stats import ranked_median, status_word

TAIL = ("p99.9", "p99", "p50")  # what cells are ranked by: the first that all have


@dataclass(frozen=True)
class Place:
    """A cell with its median `value` in the metric's unit, and `ratio`: it over the lowest."""

    cell: Cell
    value: float
    ratio: Comparison

    @property
    def told(self):
        """Whether the interval says that it is higher than the lowest."""
        return self.ratio.low > 1


@dataclass(frozen=True)
class Ranking:
    """`places` from the lowest; `failed`: [(Cell, its commonest status), …]; `blocks` compared.

    `detectable`: the smallest ratio that could have been told between neighbours (the median),
    infinite where none could, None without neighbours.
    """

    metric: Metric
    places: list
    failed: list
    detectable: float
    blocks: int

    @property
    def intervals(self):
        """Whether there are blocks enough for intervals of 98 %."""
        return depth(self.blocks) > 0


def choices(cells):
    """The cells that are a choice: supported, recorded and no control."""
    return [cell for cell in cells if cell.runs and not cell.unsupported and not cell.control
            and cell.spec.get("family") != "control"]


def tail_ranking(cells):
    """The Ranking by p99.9, or by what all cells have samples enough for; None: by nothing."""
    sound = [cell for cell in choices(cells) if not half_failed(cell)]
    for name in TAIL:
        if all(value_of(cell, METRICS[name]) is not None for cell in sound):
            return ranking(cells, METRICS[name])
    return None


def ranking(cells, metric):
    """The Ranking by a metric of which lower is better; without the cells that do not have it."""
    rows, failed = [], []
    for cell in choices(cells):
        if half_failed(cell):
            failed.append((cell, status_word(cell.runs)))
        elif (value := value_of(cell, metric)) is not None:
            rows.append((value, cell.label, cell))
    rows = [(value, cell) for value, _, cell in sorted(rows, key=lambda row: row[:2])]
    places = [Place(cell, value, against(rows[0][1], cell, metric)) for value, cell in rows]
    return Ranking(metric, places, failed, detectable([cell for _, cell in rows], metric),
                   max((place.ratio.blocks for place in places), default=0))


def half_failed(cell):
    """Whether half of the runs or more failed."""
    return ranked_median([math.inf if run["status"] != "ok" else 0 for run in cell.runs]) != 0


def value_of(cell, metric):
    """Median over runs, failed ones infinite, or None: not known."""
    return ranked_median([metric.value(run) for run in cell.runs])


def against(base, cell, metric):
    """The Comparison of `cell` with `base`, paired by block."""
    return compare_logs(paired_logs(*(values_by_block(one.runs, metric) for one in (base, cell))))


def detectable(cells, metric):
    """The median over neighbours of the smallest ratio that could have been told, or None."""
    found = [against(low, high, metric).detectable for low, high in zip(cells, cells[1:])]
    return median(found) if found else None
