# SPDX-License-Identifier: MIT
"""Load, budget and live curves: response quantiles over what a cell is given.

Failed points are drawn in a band at the top (∞), they are not left out.
"""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import slo
from .curves import budget_lines, live_lines, load_lines
from .drawing import WIDTH_IN, duration_axis, legend_above, short
from .layout import spread
from .stats import cell_quantile, median_of
from .style import FAINT, INK
from .text import duration, percentile_name, rate

ROW_IN, BAND = 2.15, 0.13  # height of a panel; the part of it that is the band of failures
SIDE_PT, FAILED_PT = 3.5, 8.0  # between points at the same x; between those in the band
LABEL_IN = 0.34  # least distance of tick labels; of those with a rate below twice that


@dataclass(frozen=True)
class Panel:
    """`lines` over x = `scale`(their x), with ticks (x, label, label below).

    `sideways`: points of equal x are set side by side.
    """

    lines: list
    label: str
    ticks: list
    scale: object = float
    sideways: bool = True
    apart: str = None  # the tick label of the points without an x


def load(cells, slo_ns=None):
    """Response over load, of the slowest cell's capacity and of each cell's own, or None.

    `slo_ns`: the objective for p99.9.
    """
    slowest, own = load_lines(cells, "slowest"), load_lines(cells, "own")
    panels = []
    if slowest:
        panels.append(Panel(slowest, "load, of the slowest cell's capacity",
                            [(x, f"{x:g}", offered_text(slowest, x)) for x in xs_of(slowest)]))
    if own:
        panels.append(Panel(own, "load, of the cell's own capacity",
                            [(x, f"{x:g}", "") for x in xs_of(own)]))
    return curve_figure(panels, ("p50", "p99", "p99_9"), {slo.KEY: slo_ns})


def budget(cells):
    """Response over the memory budget, as a multiple and in MiB, or None."""
    multiples, sizes = budget_lines(cells), budget_lines(cells, "budget_bytes")
    if not multiples:
        return None
    free = any(line.apart for line in multiples)
    panels = [Panel(multiples, "budget, as a multiple of the smallest workable size",
                    [(x, f"{x:g}×", "") for x in xs_of(multiples)], math.log10,
                    apart="none" if free else None)]
    if sizes:
        panels.append(Panel(sizes, "budget (MiB)", size_ticks(xs_of(sizes)), math.log10, False))
    return curve_figure(panels, ("p99", "p99_9"))


def live(cells):
    """Response over the live data in MiB, or None."""
    lines = live_lines(cells)
    if not lines:
        return None
    return curve_figure([Panel(lines, "live data (MiB)", live_ticks(xs_of(lines)),
                               math.log10)],
                        ("p50", "p99", "p99_9"))


def live_ticks(sizes):
    """A tick in MiB at every live set (bytes)."""
    return [(x, f"{x / 2**20:.3g}" if x < 1e3 * 2**20 else f"{x / 2**20:,.0f}", "")
            for x in sizes]


def xs_of(lines):
    """Every x of some lines, ascending, once."""
    return sorted({x for line in lines for x, _ in line.points})


def offered_text(lines, x):
    """The rate offered at x where all cells have the same, else nothing."""
    rates = {median_of(cell.runs, "offered_rate") for line in lines
             for at, cell in line.points if at == x} - {None}
    return rate(rates.pop()) if len(rates) == 1 else ""


def size_ticks(sizes):
    """Ticks in MiB: 1, 2 and 5 times powers of ten within reach of `sizes` (bytes)."""
    low, high = sizes[0] / 2**20 / 1.1, sizes[-1] / 2**20 * 1.1
    steps = [digit * 10.0**power for power in range(-3, 7) for digit in (1, 2, 5)]
    inside = [step for step in steps if low <= step <= high]
    return [(step * 2**20, f"{step:g}", "") for step in inside or [round(low, 1), round(high, 1)]]


def curve_figure(panels, keys, limits=None):
    """A row per quantile of `keys`, a column per panel; None without panels.

    `limits`: {quantile: its objective in ns or None}.
    """
    if not panels:
        return None
    handles = series_handles([line for panel in panels for line in panel.lines])
    top = legend_above(None, handles) + 0.1
    height = top + len(keys) * (ROW_IN + 0.22) + 0.45
    figure = Figure(figsize=(WIDTH_IN, height))
    legend_above(figure, handles)
    grid = figure.subplots(len(keys), len(panels), sharey="row", sharex="col", squeeze=False,
                           gridspec_kw={"left": 0.085, "right": 0.985, "top": 1 - top / height,
                                        "bottom": 0.62 / height, "wspace": 0.05, "hspace": 0.13})
    for row, key in zip(grid, keys):
        draw_row(row, panels, key, (limits or {}).get(key))
    for axes, panel in zip(grid[-1], panels):
        axes.set_xlabel(panel.label)
    return figure


def series_handles(lines):
    """The legend's entries of some lines, each series once."""
    cells = {line.cells[0].series: line.cells[0] for line in lines}
    return [Line2D([], [], color=cell.style.color, ls=cell.style.line, lw=1.8,
                   marker=cell.style.marker or ".",
                   label=short(series) + (" (null control)" if cell.control else ""))
            for series, cell in cells.items()]


def draw_row(row, panels, key, limit=None):
    """One quantile in all panels, with common limits in ns and a common band of failures.

    `limit`: its objective in ns, drawn as a line.
    """
    values = [cell_quantile(cell.runs, key).value for panel in panels for line in panel.lines
              for cell in line.cells if not cell.unsupported]
    finite = [value for value in [*values, limit] if value and math.isfinite(value)]
    low, high = (min(finite) / 1.4, max(finite) * 1.4) if finite else (1e3, 1e6)
    top = high * (high / low) ** (BAND / (1 - BAND)) if math.inf in values else high
    if top > high:
        row[0].annotate("∞ failed", (0, 1 - BAND / 2), (-6, 0), xycoords="axes fraction",
                        textcoords="offset points", va="center", ha="right")
    row[0].set(yscale="log", ylim=(low, top),
               ylabel=f"{percentile_name(key)} response time")
    duration_axis(row[0].yaxis, high)
    for axes, panel in zip(row, panels):
        per_point = prepare(axes, panel, 0.9 * WIDTH_IN / len(panels) * 72)
        if top > high:
            axes.axhspan(high, top, color=FAINT, alpha=0.18, lw=0, zorder=0.2)
        if limit:
            axes.axhline(limit, color=INK, lw=1.2, ls=(0, (6, 3)), zorder=1.5)
            axes.text(0.006, limit, f"objective {duration(limit)}", va="bottom", fontsize=8.5,
                      transform=axes.get_yaxis_transform())
        draw_lines(axes, panel, key, math.sqrt(high * top), per_point)


def prepare(axes, panel, width_pt):
    """Set limits and ticks of x; the length of a point (1/72 inch) in scaled x."""
    xs = [panel.scale(x) for x in xs_of(panel.lines)]
    extent = (xs[-1] - xs[0]) or 1.0
    apart = xs[-1] + 0.16 * extent
    low, high = xs[0] - 0.13 * extent, (apart if panel.apart else xs[-1]) + 0.08 * extent
    per_point = (high - low) / width_pt
    kept, rates = [], True
    for x, label, below in panel.ticks:
        gap = (panel.scale(x) - kept[-1][0]) / per_point / 72 if kept else math.inf
        if gap >= LABEL_IN:
            kept.append((panel.scale(x), label, below))
            rates = rates and gap >= 2 * LABEL_IN
    ticks = [(x, f"{label}\n{below}" if rates and below else label) for x, label, below in kept]
    if panel.apart:
        ticks.append((apart, panel.apart))
        axes.axvline((xs[-1] + apart) / 2, color=FAINT, lw=0.8, ls=(0, (2, 2)), zorder=0.5)
    axes.set_xlim(low, high)
    axes.set_xticks([x for x, _ in ticks], [text for _, text in ticks])
    return per_point


def draw_lines(axes, panel, key, failed_y, per_point):
    """Draw the curves of one quantile; failed points at `failed_y` ns, moved apart in x."""
    xs = [panel.scale(x) for x in xs_of(panel.lines)]
    apart = xs[-1] + 0.16 * ((xs[-1] - xs[0]) or 1.0)
    gaps = [right - left for left, right in zip(xs, xs[1:])] or [math.inf]
    side = min(SIDE_PT * per_point, 0.6 * min(gaps) / len(panel.lines)) * panel.sideways
    placed = []  # [x, y, line's place, whether it stands apart], points that have a value
    for place, line in enumerate(panel.lines):
        aside = (place - (len(panel.lines) - 1) / 2) * side
        points = [(panel.scale(x), cell, False) for x, cell in line.points]
        if panel.apart and line.apart:
            points.append((apart, line.apart, True))
        for x, cell, alone in points:
            value = None if cell.unsupported else cell_quantile(cell.runs, key).value
            if value is not None:
                placed.append([x + aside, value, place, alone])
    failures = [point for point in placed if math.isinf(point[1])]
    low, high = axes.get_xlim()
    margin = FAILED_PT * per_point
    moved = spread([point[0] for point in failures], margin, low + margin, high - margin)
    for point, x in zip(failures, moved):
        point[:2] = x, failed_y
    for place, line in enumerate(panel.lines):
        style = line.cells[0].style
        joined = np.array([p[:2] for p in placed if p[2] == place and not p[3]]).reshape(-1, 2)
        axes.plot(*joined.T, color=style.color, ls=style.line, lw=1.5, zorder=2)
        for x, y, _, _ in (p for p in placed if p[2] == place):
            axes.plot([x], [y], color=style.color, marker=style.marker or ".", zorder=3,
                      markerfacecolor="white" if y == failed_y else style.color)
