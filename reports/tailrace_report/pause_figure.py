# SPDX-License-Identifier: MIT
"""The figure of collector pauses against live bytes: the median and the longest of each cell."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .curve_figures import live_ticks, series_handles
from .curves import live_lines
from .drawing import WIDTH_IN, duration_axis, legend_above
from .pauses import pauses_of
from .style import INK

SIDE = 0.012  # decades between lines at the same live set
PALE = 0.4  # how opaque the longest pauses are


def pauses(cells):
    """A line per series over the live bytes, or None without pauses at two live sets."""
    found = [(line, known) for line in live_lines(cells) if (known := of_line(line))]
    sizes = sorted({x for _, known in found for x, _, _ in known})
    if len(sizes) < 2:
        return None
    handles = series_handles([line for line, _ in found])
    handles += [Line2D([], [], color=INK, lw=1.6, marker="o", label="median pause"),
                Line2D([], [], color=INK, lw=0.8, marker="o", alpha=PALE, markerfacecolor="white",
                       label="longest pause")]
    top = legend_above(None, handles) + 0.1
    height = top + 3.9
    figure = Figure(figsize=(WIDTH_IN, height))
    legend_above(figure, handles)
    axes = figure.add_axes((0.085, 0.52 / height, 0.9, 1 - (top + 0.52) / height))
    for place, (line, known) in enumerate(found):
        draw(axes, line.cells[0].style, 10 ** (SIDE * (place - (len(found) - 1) / 2)), known)
    axes.set(xscale="log", yscale="log", xlabel="live data (MiB)", ylabel="collector pause")
    axes.minorticks_off()
    axes.set_xticks(sizes, [text for _, text, _ in live_ticks(sizes)])
    duration_axis(axes.yaxis)
    return figure


def of_line(line):
    """[(live bytes, median pause, longest pause), …] in ns of the cells that had any."""
    known = [(x, pauses_of(cell)) for x, cell in line.points]
    return [(x, pauses.p50_s * 1e9, pauses.longest_s * 1e9) for x, pauses in known
            if pauses and pauses.longest_s]


def draw(axes, style, aside, known):
    """The medians joined by a line, the longest above each; all moved by the factor `aside`."""
    x, middle, longest = np.array(known).T
    marker = style.marker or "."
    axes.vlines(x * aside, middle, longest, color=style.color, lw=0.8, alpha=PALE, zorder=2)
    axes.plot(x * aside, longest, color=style.color, lw=0, marker=marker, alpha=PALE, zorder=2,
              markerfacecolor="white")
    axes.plot(x * aside, middle, color=style.color, lw=1.6, ls=style.line, marker=marker, zorder=3)
