# SPDX-License-Identifier: MIT
"""What figures have in common: their width, the labels at line ends, the axes of durations."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from .layout import spread
from .style import INK, MUTED, Style
from .text import duration

WIDTH_IN = 11.0
NAME_CHARS = 60
LINE_IN = 0.19  # height of a label with its spacing


def staggered(place, number, points):
    """(First, step) of the markers on line `place` of `number`: equal lines show all theirs."""
    step = max(points // 7, 1)
    return step // 4 + step * place // number, step


def name(cell):
    """What a cell is called in figures."""
    return short(cell.label) + (" (null control)" if cell.control else "")


def short(text, most=NAME_CHARS):
    """`text` on one line and cut where it would leave no room for what it names."""
    text = text.replace("\n", " ")
    return text if len(text) <= most else text[:most - 1] + "…"


@dataclass(frozen=True)
class EndLabel:
    """`text` for the line of `style` that ends at `y` (None: no line), `at_edge` of the axes.

    `mark` is the gid of what is drawn for it.
    """

    style: Style
    text: str
    y: float
    at_edge: bool
    mark: str = None


def wide_axes(height_in, labels, top_in=0.1):
    """A figure, and axes in it that leave `top_in` and room for the longest of `labels`."""
    height_in = max(height_in, 1.0 + LINE_IN * len(labels))
    label_in = 0.75 + 0.076 * max(len(label.text) for label in labels)
    figure = Figure(figsize=(WIDTH_IN, height_in))
    left, top, bottom = 0.075, top_in / height_in, 0.52 / height_in
    axes = figure.add_axes((left, bottom, 1 - label_in / WIDTH_IN - left, 1 - top - bottom))
    return figure, axes


def end_labels(axes, labels):
    """Put each label beside the right end of its line, outside the axes and moved apart.

    Those of cells without a line come lowest. A sample of line and marker precedes each text.
    """
    axes.autoscale_view()
    width_in, height_in = axes.get_position().size * axes.figure.get_size_inches()
    to_fraction = axes.transData + axes.transAxes.inverted()
    wanted = [-1.0 if label.y is None else to_fraction.transform((1, label.y))[1]
              for label in labels]
    sample = np.array([0.17, 0.335, 0.5]) / width_in + 1
    for label, want, at in zip(labels, wanted, spread(wanted, LINE_IN / height_in, 0.0, 1.0)):
        style = label.style
        common = {"color": style.color, "transform": axes.transAxes, "clip_on": False,
                  "gid": label.mark}
        if label.at_edge:
            axes.add_line(Line2D([1, sample[0] - 0.004], [want, at], lw=0.8, alpha=0.7, **common))
        axes.add_line(Line2D(sample, [at] * 3, lw=1.9, ls=style.line, markevery=[1],
                             marker=style.marker, **common))
        axes.text(sample[2] + 0.08 / width_in, at, label.text, va="center",
                  transform=axes.transAxes, color=MUTED if label.y is None else INK,
                  gid=label.mark)


def legend_above(figure, handles):
    """Height in inches of a legend of `handles` at the top of `figure`, drawn if there is one."""
    width_in = 0.55 + 0.082 * max(len(handle.get_label()) for handle in handles)
    columns = max(min(int((WIDTH_IN - 0.3) / width_in), len(handles)), 1)
    rows = -(-len(handles) // columns)
    if figure:
        figure.legend(handles=handles, ncol=columns, frameon=False, loc="upper left",
                      bbox_to_anchor=(0.008, 1 - 0.02 / figure.get_figheight()), borderpad=0.2,
                      columnspacing=1.6, handlelength=3.2, labelspacing=0.4)
    return 0.21 * rows + 0.06


def duration_ticks(low, high):
    """[(ns, text), …] from `low` to `high`: decades, finer where they are near each other."""
    extent = high / low
    locator = LogLocator(subs=(1, 2, 5) if extent < 30 else (1, 3) if extent < 200 else (1,),
                         numticks=20)
    return [(ns, duration(ns).replace(".00", "").replace(".0", ""))
            for ns in locator.tick_values(low, high) if low <= ns <= high]


def duration_axis(axis, end=None):
    """Ticks with units on a logarithmic axis of nanoseconds, up to `end`; finer on a short axis."""
    low, high = axis.get_view_interval()
    ticks = duration_ticks(low, min(high, end or high))
    axis.set_ticks([ns for ns, _ in ticks], [text for _, text in ticks])
    axis.set_minor_locator(NullLocator())
