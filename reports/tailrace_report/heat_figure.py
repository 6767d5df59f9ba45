# SPDX-License-Identifier: MIT
"""The heat map: the longest response of each interval, over time and over the runs of each cell.

Runs record no whole distribution per interval, so the map shows maxima and says so.
"""

import math

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from .drawing import WIDTH_IN, duration_axis, name
from .style import FAINT, MUTED
from .text import count

COLUMNS = 3
ROW_IN, PANEL_MIN_IN = 0.075, 0.35  # height of a run; of a panel at least
TITLE_IN = 0.27
BAR_IN = 0.95  # for the scale at the right
COLORS = "magma_r"  # lightness falls throughout, so it survives greyscale and colour blindness
TIMES_MAX = 600  # intervals drawn: more are merged, by their maximum


def recorded(cell):
    """[(maxima in ns as an array with NaN, width in s), …] of the runs with a series, by block."""
    return [(np.array([one or np.nan for one in run["intervals"]["max_response_ns"]], dtype=float),
             run["intervals"]["width_s"])
            for run in cell.runs if run.get("intervals") and any(
                run["intervals"]["max_response_ns"])]


def heat(cells):
    """A panel per cell, a row per run; None unless a cell has series of two runs."""
    found = [(cell, runs) for cell in cells if (runs := recorded(cell))]
    if max((len(runs) for _, runs in found), default=0) < 2:
        return None
    end_s = max(len(maxima) * width_s for _, runs in found for maxima, width_s in runs)
    values = np.concatenate([maxima for _, runs in found for maxima, _ in runs])
    norm = LogNorm(np.nanmin(values), max(np.nanmax(values), 1.001 * np.nanmin(values)))
    most = max(len(runs) for _, runs in found)
    panel_in = max(ROW_IN * most, PANEL_MIN_IN)
    rows = -(-len(found) // COLUMNS)
    height = rows * (panel_in + TITLE_IN) + 0.5
    figure = Figure(figsize=(WIDTH_IN, height))
    grid = figure.subplots(rows, COLUMNS, sharex=True, squeeze=False, gridspec_kw={
        "left": 0.03, "right": 1 - BAR_IN / WIDTH_IN, "top": 1 - TITLE_IN / height,
        "bottom": 0.5 / height, "wspace": 0.06, "hspace": TITLE_IN / panel_in})
    panels = list(grid.flat)
    for axes, (cell, runs) in zip(panels, found):
        image = draw(axes, cell, runs, norm, end_s)
    for axes in panels[len(found):]:
        axes.set_visible(False)
    for axes in panels[max(len(found) - COLUMNS, 0):len(found)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("time since the start of recording (s)")
    scale(figure, image, height)
    return figure


def draw(axes, cell, runs, norm, end_s):
    """One cell: a row per run, the first block on top. Returns the image."""
    longest = max(len(maxima) for maxima, _ in runs)
    every = math.ceil(longest / TIMES_MAX)
    rows = np.full((len(runs), math.ceil(longest / every) * every), np.nan)
    for row, (maxima, _) in zip(rows, runs):
        row[:len(maxima)] = maxima
    merged = np.fmax.reduce(rows.reshape(len(runs), -1, every), axis=2)
    width_s = max(width_s for _, width_s in runs)
    image = axes.imshow(merged, norm=norm, cmap=COLORS, aspect="auto", interpolation="none",
                        extent=(0, merged.shape[1] * every * width_s, len(runs), 0))
    axes.set(xlim=(0, end_s), yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=FAINT, linewidth=0.5)
    axes.set_title(name(cell), loc="left", fontsize=8.5, fontweight="bold", pad=3)
    axes.set_title(count(len(runs), "run"), loc="right", fontsize=7.5, color=MUTED, pad=3)
    return image


def scale(figure, image, height):
    """The scale of colours, with durations."""
    bar_in = min(height - TITLE_IN - 0.5, 3.0)
    axes = figure.add_axes((1 - (BAR_IN - 0.12) / WIDTH_IN, 1 - (TITLE_IN + bar_in) / height,
                            0.14 / WIDTH_IN, bar_in / height))
    figure.colorbar(image, cax=axes)
    duration_axis(axes.yaxis)
    axes.tick_params(labelsize=8)
