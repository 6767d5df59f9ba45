# SPDX-License-Identifier: MIT
"""What a figure shows, in words computed from its cells: for readers who do not see it."""

import math

from .curves import budget_lines, live_lines, load_lines
from .stats import cell_quantile, median_of, status_word
from .text import count, duration, listed, size

NAMED_MAX = 8  # cells whose value is told
KINDS = {"forest": "Ratios with intervals",
         "percentiles": "Percentile plot", "load": "Load curves", "memory": "Memory over time",
         "pareto": "Peak memory against tail latency", "intervals": "Maxima over time",
         "heat": "Heat map of maxima over time", "causes": "Tails with and without each cause",
         "pauses": "Pauses over live data", "budget": "Budget curves", "live": "Live set curves"}
LINES = {"load": lambda cells: load_lines(cells, "slowest") + load_lines(cells, "own"),
         "budget": budget_lines, "live": live_lines, "pauses": live_lines}


def alternative(what, scenario, first, cells):
    """One paragraph on figure `what` of a scenario; `first` are its headline cells.

    Curves: how many and how far they reach; else the value of each cell, from the lowest.
    """
    title = f"{KINDS[what]}, {scenario}"
    if what in LINES:
        lines = LINES[what](cells)
        points = sum(len(line.points) for line in lines)
        return (f"{title}: {count(len(lines), 'line')} of {count(points, 'point')}, whose numbers "
                "are in the table below.")
    if what == "memory":
        return f"{title}. Peak: {ranked(first, peak, size)}."
    return f"{title}. p99.9: {ranked(first, tail, duration)}."


def overview_words(leading):
    """One paragraph on the figure of all scenarios: each one's lowest and highest tail."""
    told = [f"{scenario}: {ends}" for scenario, cells in leading.items()
            if (ends := lowest_and_highest(cells))]
    return "Tails as multiples of the lowest of each scenario. p99.9 of " + "; ".join(told) + "."


def lowest_and_highest(cells):
    """ "1.25 ms (arena) to 40.1 ms (boehm)" of the cells whose tail is known, or None."""
    known = sorted(((value, cell.label) for cell in cells if not cell.control
                    and (value := tail(cell)) and math.isfinite(value)))
    ends = [f"{duration(value)} ({label})" for value, label in known]
    return f"{ends[0]} to {ends[-1]}" if ends else None


def peak(cell):
    """The highest resident memory of a cell in bytes, or None."""
    return median_of(cell.runs, "rss_peak_bytes")


def tail(cell):
    """p99.9 response time of a cell in ns, infinite where it failed, or None."""
    return cell_quantile(cell.runs, "p99_9").value


def ranked(cells, value_of, unit):
    """ "arena 1.25 ms, boehm 40.1 ms and 3 more up to 50.2 ms", from the lowest to the highest."""
    known = [(value_of(cell), cell) for cell in cells]
    known = sorted((one for one in known if one[0] is not None), key=lambda one: one[0])
    texts = [f"{cell.label} {status_word(cell.runs) if math.isinf(value) else unit(value)}"
             for value, cell in known]
    if len(texts) > NAMED_MAX:
        left = len(texts) - NAMED_MAX + 1
        texts[NAMED_MAX - 1:] = [f"{left} more up to {texts[-1]}"]
    return listed(texts) or "not known"
