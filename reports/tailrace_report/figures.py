# SPDX-License-Identifier: MIT
"""The figures of one scenario; here percentiles, maxima and resident memory over time.

Each function takes the scenario's cells and gives a matplotlib Figure, or None where no run has
the data. Times on axes are seconds of the recording, latencies nanoseconds (shown with units).
"""

import math
from dataclasses import replace
from statistics import median

import matplotlib
import numpy as np
from matplotlib.ticker import NullFormatter

from . import (
    cause_figure,
    curve_figures,
    heat_figure,
    pareto_figure,
    pause_figure,
    ratio_figure,
)
from .drawing import (
    LINE_IN,
    EndLabel,
    duration_axis,
    duration_ticks,
    end_labels,
    name,
    staggered,
    wide_axes,
)
from .layout import spread
from .noise import floor_band
from .panels import columns_of_panels, titled
from .stats import (
    COMPLETED,
    cell_quantile,
    clipped_pauses,
    curve_grid,
    median_curve,
    run_curve,
    status_word,
)
from .style import FAINT, FLOOR, FLOOR_LINE, MUTED, PAUSE, RC, RULE

PANEL_IN, WIDE_PANELS_MAX = 1.1, 8  # of the maxima over time: more panels stand in three columns
LINES_MAX = 24  # cells in a figure of lines or panels
THIN_EVERY = 3  # of the points of a curve: drawn of those of single runs, and told to the page
SERIES_POINTS = 400  # of a series of memory, about as many as can be told apart
ROWS_MAX = 60  # in one with a row or a point per cell
PHASES = (("setup_s", "set-up"), ("warmup_s", "warm-up"), ("record_s", "recording"),
          ("drain_s", "drain"))


def figures(headline, cells, slo_ns=None):
    """{what it shows: Figure} for one scenario, without those that have no data.

    The curves show all `cells`, the rest those of the `headline`; `slo_ns`: objective for p99.9.
    """
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(RC)
    headline = [cell for cell in headline if not cell.unsupported]
    few = legible(headline, LINES_MAX)
    of_few = {cell.series for cell in few}
    on_curves = [cell for cell in cells if cell.series in of_few or len(few) == len(headline)]
    shown = [cell for cell in few if cell.shown]
    many = legible(headline, ROWS_MAX)
    drawn = {"percentiles": percentiles(few), "causes": cause_figure.causes(few),
             "intervals": intervals(shown), "heat": heat_figure.heat(few),
             "memory": memory([cell for cell in shown if cell.shown.get("rss_series")]),
             "pauses": pause_figure.pauses(on_curves),
             "load": curve_figures.load(on_curves, slo_ns),
             "budget": curve_figures.budget(on_curves), "live": curve_figures.live(on_curves),
             "forest": ratio_figure.forest(many), "pareto": pareto_figure.pareto(many)}
    drawn = {what: figure for what, figure in drawn.items() if figure}
    for what, figure in drawn.items():
        tell_left_out(figure, headline, many if what in ("forest", "pareto") else few)
    return drawn


def legible(cells, most):
    """At most `most` cells: the null control, and others evenly from lowest to highest p99.9."""
    if len(cells) <= most:
        return cells
    control = [cell for cell in cells if cell.control][:1]
    rest = sorted((cell for cell in cells if not cell.control), key=tail_value)
    steps = most - len(control) - 1
    kept = control + [rest[round(place * (len(rest) - 1) / steps)] for place in range(steps + 1)]
    names = {cell.spec["cell"] for cell in kept}
    return [cell for cell in cells if cell.spec["cell"] in names]


def tail_value(cell):
    """p99.9 in ns to sort by; what is not known comes last."""
    value = cell_quantile(cell.runs, "p99_9").value
    return math.inf if value is None else value


def tell_left_out(figure, cells, kept):
    """Write below a figure how many cells it leaves out, if any."""
    if len(kept) == len(cells):
        return
    places = [axes.get_position() for axes in figure.axes]
    old = figure.get_figheight()
    figure.set_figheight(old + LINE_IN)
    for axes, at in zip(figure.axes, places):
        axes.set_position((at.x0, (at.y0 * old + LINE_IN) / (old + LINE_IN), at.width,
                           at.height * old / (old + LINE_IN)))
    figure.text(0.006, 0.05 / (old + LINE_IN), f"{len(cells) - len(kept)} of {len(cells)} cells "
                "are left out; those shown lie evenly from the lowest to the highest p99.9",
                fontsize=8, color=MUTED, va="bottom")


def percentiles(cells):
    """Response time over 1/(1-p): a thin line per run, a bold one for the median over runs."""
    completed = {cell.label: [run for run in cell.runs if run["status"] in COMPLETED]
                 for cell in cells}
    grid = curve_grid([run for runs in completed.values() for run in runs])
    if grid is None:
        return None
    middles = [median_curve(cell.runs, grid) for cell in cells]
    curves = [[run_curve(run, grid) for run in completed[cell.label]] for cell in cells]
    labels = [replace(curve_label(*of_cell), mark=f"cell-{place}")
              for place, of_cell in enumerate(zip(cells, middles, curves))]
    band = floor_band(cells, grid[-1])
    if band:
        labels.append(EndLabel(FLOOR, "noise floor", band[1][-1], band[0][-1] == grid[-1]))
    figure, axes = wide_axes(5.4, labels)
    if band:
        axes.fill_between(*band, color=FLOOR_LINE, alpha=0.25, lw=0, zorder=1)
        axes.plot(band[0], band[2], color=FLOOR.color, lw=1.0, ls=FLOOR.line, zorder=1.5)
        axes.plot(band[0], band[1], color=FLOOR.color, lw=1.0, ls=FLOOR.line, zorder=1.5)
    for place, (cell, middle, thin) in enumerate(zip(cells, middles, curves)):
        axes.plot(*run_lines(grid, thin), color=cell.style.color, lw=0.6, alpha=0.28,
                  gid=f"cell-{place}")
        axes.plot(grid, middle, color=cell.style.color, lw=2.1, ls=cell.style.line,
                  marker=cell.style.marker, zorder=2 if cell.control else 3, gid=f"cell-{place}",
                  markevery=staggered(place, len(cells), len(grid)))
    axes.set(xscale="log", yscale="log", xlim=(2, grid[-1]), ylabel="response time",
             xlabel="percentile of requests")
    duration_axis(axes.yaxis)
    ticks = [2] + [10 ** k for k in range(1, 12) if 10 ** k <= grid[-1] * 1.0001]
    axes.set_xticks(ticks, [f"{100 * (1 - 1 / x):.12g} %" for x in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    end_labels(axes, labels)
    figure.reading = reading(axes, grid, cells, middles)
    return figure


def run_lines(grid, curves):
    """Several curves (ns) as one line with gaps: (x, y)."""
    gap = [np.nan]
    x = [part for _ in curves for part in (grid[::THIN_EVERY], gap)]
    y = [part for curve in curves for part in (curve[::THIN_EVERY], gap)]
    return np.concatenate([gap, *x]), np.concatenate([gap, *y])


def reading(axes, grid, cells, middles):
    """What the page's script reads values from: where the axes are, and the median curves.

    `box`: left, top, width and height of the axes as shares of the figure's; `limits`: ns at their
    bottom and top; `last`: the greatest 1/(1-p), the least is 2, and points are equally far apart
    on a logarithmic axis; `curves`: of each cell the ns at these points, null where none is.
    """
    box = axes.get_position()
    return {"box": [round(share, 5) for share in (box.x0, 1 - box.y1, box.width, box.height)],
            "limits": list(map(float, axes.get_ylim())), "last": float(grid[-1]), "curves": [
                {"name": name(cell), "color": cell.style.color,
                 "ns": [float(f"{ns:.3g}") if np.isfinite(ns) else None
                        for ns in middle[::THIN_EVERY]]}
                for cell, middle in zip(cells, middles)]}


def curve_label(cell, middle, curves):
    """The EndLabel of a cell: at the end of its median curve (ns, NaN where there is none).

    A cell without one says why, at the end of the middle one of its runs' `curves` if it has any.
    """
    text = name(cell)
    if not np.isfinite(middle).any():
        text += f": {status_word(cell.runs) or 'no curve'}"
        curves = [curve for curve in curves if np.isfinite(curve).any()]
        middle = sorted(curves, key=np.nanmax)[len(curves) // 2] if curves else middle
    known = middle[np.isfinite(middle)]
    return EndLabel(cell.style, text, known[-1] if len(known) else None, np.isfinite(middle[-1]))


def intervals(cells):
    """Maximum response per interval of the representative runs, one panel each, pauses shaded."""
    maxima = [v for cell in cells for v in cell.shown["intervals"]["max_response_ns"] if v]
    if not maxima:
        return None
    limits = min(maxima) / 1.5, max(maxima) * 1.5
    figure, panels = columns_of_panels(
        len(cells), 2 if len(cells) <= WIDE_PANELS_MAX else 3, PANEL_IN, (0.8, 0.12),
        max(map(end_of_intervals, cells)))
    for panel, cell in zip(panels, cells):
        interval_panel(panel, cell, limits)
        status = "" if cell.shown["status"] == "ok" else f", {cell.shown['status']}"
        titled(panel, cell, f"block {cell.shown['block']}{status}")
    figure.axes[0].set_yticks(*zip(*((height_in(panel, ns, limits), text)
                                     for panel in panels if panel.first
                                     for ns, text in duration_ticks(*limits))))
    figure.text(0.006, 0.5, "maximum response time per interval", rotation=90, va="center")
    return figure


def end_of_intervals(cell):
    """Where the last interval of a cell's representative run ends, in seconds."""
    return len(cell.shown["intervals"]["max_response_ns"]) * cell.shown["intervals"]["width_s"]


def height_in(panel, ns, limits):
    """Where in a panel durations are (a number or an array), on a logarithmic scale."""
    low, high = limits
    return panel.bottom - PANEL_IN * np.log(ns / low) / math.log(high / low)


def interval_panel(panel, cell, limits):
    """Draw one cell's maxima (ns, at the middle of their intervals) and its pauses."""
    run = cell.shown
    series = run["intervals"]
    maxima = np.array([v or np.nan for v in series["max_response_ns"]], dtype=float)
    middle_s = (np.arange(len(maxima)) + 0.5) * series["width_s"]
    panel.axes.hlines([height_in(panel, ns, limits) for ns, _ in duration_ticks(*limits)],
                      *panel.axes.get_xlim(), color=RULE, lw=0.6, zorder=0.4)
    heights = height_in(panel, maxima, limits)
    panel.axes.plot(middle_s, heights, color=cell.style.color, lw=0.7)
    known = np.isfinite(np.concatenate([[np.nan], maxima, [np.nan]]))
    alone = known[1:-1] & ~known[:-2] & ~known[2:]  # a line does not show these
    panel.axes.plot(middle_s[alone], heights[alone], color=cell.style.color, lw=0, marker=".",
                    markersize=1.5)
    spans = [(begin_s, end_s - begin_s) for pauses in clipped_pauses(run).values()
             for begin_s, end_s in pauses]
    panel.axes.broken_barh(spans, (panel.top, PANEL_IN), color=PAUSE, lw=0.7, zorder=0.5)


def memory(cells):
    """Resident memory in MiB of the representative runs from set-up to the end."""
    if not cells:
        return None
    labels = [EndLabel(cell.style, name(cell), cell.shown["rss_series"][-1][1] / 2**20, True)
              for cell in cells]
    figure, axes = wide_axes(4.6, labels, top_in=0.32)
    for place, cell in enumerate(cells):
        time_s, rss = extremes(np.array(cell.shown["rss_series"], dtype=float)).T
        axes.plot(time_s, rss / 2**20, color=cell.style.color, lw=1.8, ls=cell.style.line,
                  marker=cell.style.marker, zorder=2 if cell.control else 3,
                  markevery=staggered(place, len(cells), len(rss)))
    axes.set(xlabel="time since the start of recording (s)", ylabel="resident memory (MiB)")
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    phase_marks(axes, [cell.shown.get("phases") or {} for cell in cells])
    end_labels(axes, labels)
    return figure


def extremes(series):
    """`series`, (n, 2), or where it has too many points the least and the greatest of every few."""
    few = -(-2 * len(series) // SERIES_POINTS)
    if few < 3:
        return series
    starts = range(0, len(series), few)
    kept = {start + int(pick(series[start:start + few, 1])) for start in starts
            for pick in (np.argmin, np.argmax)}
    return series[sorted(kept)]


def phase_marks(axes, phases):
    """A thin line where each phase begins (median over the runs shown), its name above."""
    marks = []
    for key, phase in PHASES:
        begins_s = [times[key] for times in phases if times.get(key) is not None]
        if begins_s:
            marks.append((median(begins_s), phase))
    low, high = axes.get_xlim()
    at = [(begin_s - low) / (high - low) for begin_s, _ in marks]
    for (begin_s, phase), mark, label in zip(marks, at, spread(at, 0.078, 0.0, 0.97)):
        axes.axvline(begin_s, color=FAINT, lw=0.8, zorder=1)
        axes.plot([mark, label], [1, 1.03], transform=axes.transAxes, color=FAINT, lw=0.8,
                  clip_on=False)
        axes.text(label, 1.04, phase, transform=axes.transAxes, va="bottom", fontsize=8.5)
