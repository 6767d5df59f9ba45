# SPDX-License-Identifier: MIT
"""Panels over the time of the recording, in columns: each column is one axes, for speed.

In such an axes y is inches from the top of the figure's body, so a panel is a range of it.
"""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .drawing import WIDTH_IN, name
from .style import FAINT, MUTED, RULE

TITLE_IN, BOTTOM_IN, TOP_IN, BETWEEN_IN = 0.29, 0.5, 0.02, 0.22


@dataclass(frozen=True)
class Panel:
    """From `top` (below its title) to `bottom` of `axes`; `first` in its row."""

    axes: Axes
    top: float
    bottom: float
    first: bool


def columns_of_panels(number, columns, height_in, sides_in, end_s):
    """(Figure, [Panel, …] row by row) of `number` panels `height_in` high over 0 … `end_s`."""
    columns = min(columns, number)
    rows = -(-number // columns)
    body_in = rows * (height_in + TITLE_IN)
    total_in = body_in + TOP_IN + BOTTOM_IN
    figure = Figure(figsize=(WIDTH_IN, total_in))
    width_in = (WIDTH_IN - sum(sides_in) - BETWEEN_IN * (columns - 1)) / columns
    panels = []
    for column in range(columns):
        axes = figure.add_axes(((sides_in[0] + column * (width_in + BETWEEN_IN)) / WIDTH_IN,
                                BOTTOM_IN / total_in, width_in / WIDTH_IN, body_in / total_in))
        axes.set(xlim=(0, end_s), ylim=(body_in, 0), yticks=[],
                 xlabel="time since the start of recording (s)")
        axes.grid(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        panels.append(axes)
    tops = [row * (height_in + TITLE_IN) + TITLE_IN for row in range(rows)]
    places = [Panel(axes, top, top + height_in, axes is panels[0])
              for top in tops for axes in panels][:number]
    for panel in places:
        framed(panel)
    return figure, places


def framed(panel):
    """The lines of a panel: its base, and one at each tick of time."""
    inside = [tick for tick in panel.axes.get_xticks() if 0 <= tick <= panel.axes.get_xlim()[1]]
    panel.axes.vlines(inside, panel.top, panel.bottom, color=RULE, lw=0.6, zorder=0.4)
    panel.axes.hlines(panel.bottom, *panel.axes.get_xlim(), color=FAINT, lw=0.7, zorder=1)


def titled(panel, cell, right):
    """The name of a panel's cell above it, and what there is to say of it at the right."""
    axes, (_, end_s) = panel.axes, panel.axes.get_xlim()
    axes.text(0, panel.top - 0.06, name(cell), fontsize=8.5, fontweight="bold", va="baseline")
    axes.text(end_s, panel.top - 0.06, right, fontsize=7.5, color=MUTED, ha="right",
              va="baseline")
