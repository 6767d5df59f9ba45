# SPDX-License-Identifier: MIT
"""The figure of what tail latency costs in memory: one point per cell, the front marked."""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .cells import Cell
from .drawing import LINE_IN, WIDTH_IN, duration_axis, legend_above, name
from .layout import spread
from .metrics import METRICS
from .ranking import half_failed, tail_ranking, value_of
from .stats import status_word
from .style import INK, MUTED
from .text import size

FAILED_MAX = 12  # named at the side; of more the number is told
PLOT_IN = 4.2


@dataclass(frozen=True)
class Point:
    """A cell at its medians over runs, with (lowest, highest) of the runs that are ok."""

    cell: Cell
    rss: float
    tail: float
    rss_range: tuple
    tail_range: tuple


def points(cells, metric):
    """[Point, …] of the cells that have both and did not fail in half of their runs or more."""
    found = []
    for cell in cells:
        rss, tail = value_of(cell, METRICS["rss-peak"]), value_of(cell, metric)
        if rss is not None and tail is not None and math.isfinite(tail) and min(rss, tail) > 0:
            found.append(Point(cell, rss, tail, within(cell, METRICS["rss-peak"]),
                               within(cell, metric)))
    return found


def within(cell, metric):
    """Lowest and highest of the runs that are ok."""
    values = [value for run in cell.runs if run["status"] == "ok"
              and (value := metric.value(run)) is not None]
    return min(values), max(values)


def front(found):
    """The points that no other one beats in both, by memory; a control is on no front."""
    kept, best = [], math.inf
    for point in sorted(found, key=lambda point: (point.rss, point.tail)):
        if not point.cell.control and point.tail < best:
            kept.append(point)
            best = point.tail
    return kept


def pareto(cells):
    """Peak memory against the tail, or None with fewer than two points."""
    ranked = tail_ranking(cells)
    found = points(cells, ranked.metric) if ranked else []
    if len(found) < 2:
        return None
    failed = [f"{name(cell)}: {status_word(cell.runs)}" for cell in cells
              if cell.runs and not cell.unsupported and half_failed(cell)]
    if len(failed) > FAILED_MAX:
        failed[FAILED_MAX - 1:] = [f"{len(failed) - FAILED_MAX + 1} more"]
    side_in = 0.4 + 0.076 * max(map(len, failed)) if failed else 0.15
    handles = [handle(point.cell) for point in found]
    legend_in = legend_above(None, handles)
    height = PLOT_IN + legend_in
    figure = Figure(figsize=(WIDTH_IN, height))
    legend_above(figure, handles)
    left = 0.085
    axes = figure.add_axes((left, 0.55 / height, 1 - side_in / WIDTH_IN - left,
                            1 - (legend_in + 0.7) / height))
    draw(axes, found, ranked.metric)
    if failed:
        axes.text(1 + 0.2 / (WIDTH_IN * (1 - left) - side_in), 1,
                  "\n".join(["failed, no point:", *failed]), va="top", color=MUTED,
                  linespacing=1.5, transform=axes.transAxes)
    return figure


def handle(cell):
    """The legend's entry of a cell."""
    return Line2D([], [], lw=0, color=cell.style.color, marker=cell.style.marker or "o", ms=7,
                  label=name(cell))


def draw(axes, found, metric):
    """Points with their ranges over runs, the front as a step line with its cells' names."""
    best = front(found)
    for point in found:
        style, on = point.cell.style, any(point is one for one in best)
        axes.plot(point.rss_range, [point.tail] * 2, color=style.color, lw=1, alpha=0.5, zorder=2)
        axes.plot([point.rss] * 2, point.tail_range, color=style.color, lw=1, alpha=0.5, zorder=2)
        axes.plot([point.rss], [point.tail], marker=style.marker or "o", ms=9 if on else 7,
                  color=style.color, markeredgecolor=INK if on else style.color, zorder=4)
    axes.set(xscale="log", yscale="log", xlabel="peak of resident memory",
             ylabel=f"{metric.name} response time")
    axes.margins(0.07)
    axes.autoscale_view()
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    axes.set(xlim=(low, high), ylim=(bottom, top))
    axes.step([best[0].rss, *(point.rss for point in best), high],
              [top, *(point.tail for point in best), best[-1].tail], where="post",
              color=MUTED, lw=1.2, zorder=1)
    duration_axis(axes.yaxis)
    size_axis(axes.xaxis)
    name_front(axes, best)


def name_front(axes, best):
    """The names of the points on the front, below them, where no other point can be."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    height_in = axes.get_position().height * axes.figure.get_figheight()
    wanted = [math.log(point.tail / bottom) / math.log(top / bottom) - 0.15 / height_in
              for point in best]
    for point, at in zip(best, spread(wanted, LINE_IN / height_in, 0.02, 0.98)):
        early = math.log(point.rss / left) < 0.3 * math.log(right / left)
        axes.text(point.rss, at, f"  {name(point.cell)}  ", ha="left" if early else "right",
                  va="center", fontsize=8.5, transform=axes.get_xaxis_transform(), zorder=5)


def size_axis(axis):
    """Ticks in bytes at powers of two on a logarithmic axis; finer on a short one."""
    low, high = axis.get_view_interval()
    steps = [2.0**power * part for power in range(0, 60)
             for part in ((1, 1.25, 1.5, 1.75) if high / low < 4 else (1,))]
    every = 1 if high / low < 300 else 2 if high / low < 1e5 else 4
    ticks = [step for step in steps if low <= step <= high][::every]
    axis.set_major_locator(FixedLocator(ticks or [low, high]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: size(value).replace(".00", "")
                                           .replace(".0", "")))
