# SPDX-License-Identifier: MIT
"""The heat map: the longest response of each interval, over time and over the runs of each cell.

Runs record no whole distribution per interval, so the map shows maxima and says so.
"""

import math

import numpy as np
from matplotlib.colors import LogNorm

from .drawing import WIDTH_IN, duration_axis
from .panels import BOTTOM_IN, TITLE_IN, columns_of_panels, titled
from .text import count

COLUMNS = 3
ROW_IN, PANEL_MIN_IN = 0.075, 0.35  # height of a run; of a panel at least
BAR_IN = 0.95  # for the scale at the right
COLORS = "magma_r"  # lightness falls throughout, so it survives greyscale and colour blindness
TIMES_MAX = 300  # intervals drawn: more are merged, by their maximum


def recorded(cell):
    """[(maxima in ns as an array with NaN, width in s), …] of the runs with a series, by block."""
    return [(np.array([one or np.nan for one in run["intervals"]["max_response_ns"]], dtype=float),
             run["intervals"]["width_s"])
            for run in cell.runs if run.get("intervals") and any(
                run["intervals"]["max_response_ns"])]


def heat(cells):
    """A panel per cell, a row per run; None unless a cell has series of two runs."""
    found = [(cell, runs) for cell in cells if (runs := recorded(cell))]
    most = max((len(runs) for _, runs in found), default=0)
    if most < 2:
        return None
    end_s = max(len(maxima) * width_s for _, runs in found for maxima, width_s in runs)
    values = np.concatenate([maxima for _, runs in found for maxima, _ in runs])
    norm = LogNorm(np.nanmin(values), max(np.nanmax(values), 1.001 * np.nanmin(values)))
    figure, panels = columns_of_panels(len(found), COLUMNS, max(ROW_IN * most, PANEL_MIN_IN),
                                       (0.3, BAR_IN), end_s)
    for panel, (cell, runs) in zip(panels, found):
        image = draw(panel, runs, norm)
        titled(panel, cell, count(len(runs), "run"))
    for axes in figure.axes:  # imshow has moved them to the panels
        axes.set(xlim=(0, end_s), ylim=(panels[-1].bottom, 0))
    scale(figure, image)
    return figure


def draw(panel, runs, norm):
    """A row per run, the first block on top. Returns the image."""
    longest = max(len(maxima) for maxima, _ in runs)
    every = math.ceil(longest / TIMES_MAX)
    rows = np.full((len(runs), math.ceil(longest / every) * every), np.nan)
    for row, (maxima, _) in zip(rows, runs):
        row[:len(maxima)] = maxima
    merged = np.fmax.reduce(rows.reshape(len(runs), -1, every), axis=2)
    width_s = max(width_s for _, width_s in runs)
    return panel.axes.imshow(
        merged, norm=norm, cmap=COLORS, aspect="auto", interpolation="none", zorder=2,
        extent=(0, merged.shape[1] * every * width_s, panel.bottom, panel.top))


def scale(figure, image):
    """The scale of colours, with durations."""
    height = figure.get_figheight()
    bar_in = min(height - TITLE_IN - BOTTOM_IN, 3.0)
    axes = figure.add_axes((1 - (BAR_IN - 0.12) / WIDTH_IN, 1 - (TITLE_IN + bar_in) / height,
                            0.14 / WIDTH_IN, bar_in / height))
    figure.colorbar(image, cax=axes).solids.set(rasterized=True)  # else 256 paths
    duration_axis(axes.yaxis)
    axes.tick_params(labelsize=8)
