# SPDX-License-Identifier: MIT
"""Draws the forest plot: ratios with their intervals, one row each, over the band of no matter.

On a narrow figure, or with long labels, a row's texts stand above its interval, not beside it.
"""

import math
import textwrap

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from .drawing import LINE_IN, WIDTH_IN
from .style import COLORS, INK, MUTED, RC, RULE
from .text import interval, ratio

# Colour and marker of a verdict; both differ, so that neither is needed. Hollow: nothing is shown.
VERDICTS = {"worse": (COLORS[1], "v"), "better": (COLORS[0], "^"), "equivalent": (COLORS[2], "s"),
            "host": (COLORS[3], "D"), "inconclusive": (MUTED, "o")}
CHARACTER_IN = 0.076  # width of a character
BESIDE_IN = 0.33  # height of a row whose texts stand beside its interval
REACH = 4.0  # intervals are drawn up to so many times beyond the outermost estimate
NARROW_IN = 7.0


def forest(rows, delta, axis="ratio B / A", width_in=WIDTH_IN):
    """A Figure of `rows` ((label, Comparison, verdict word), …) with the band 1/(1+δ) … 1+δ.

    `axis` says what the ratios are of. Estimates and ends beyond the axis are drawn as arrows.
    """
    with matplotlib.rc_context(RC):
        named = [(" ".join(label.split()), *rest) for label, *rest in rows]
        label_in, text_in = (0.15 + CHARACTER_IN * max((len(text) for text in texts), default=0)
                             for texts in ([label for label, *_ in named],
                                           [summary(row) for row in named]))
        above = width_in < NARROW_IN or label_in + text_in > 0.65 * width_in
        if above:
            label_in = text_in = 0.15
        lines = [textwrap.wrap(label, int((width_in - 0.3) / CHARACTER_IN)) + [summary(row)]
                 if above else [] for row in named for label in row[:1]]
        heights = [BESIDE_IN + LINE_IN * len(texts) for texts in lines]
        figure, axes = framed(sum(heights), label_in, text_in, width_in)
        axes.set_xlim(limits(named, delta))
        axes.xaxis.grid(not above)
        top = 0.0
        for row, texts, height in zip(named, lines, heights):
            strip = [top + height - BESIDE_IN, top + height]
            axes.fill_betweenx(strip, 1 / (1 + delta), 1 + delta, color=RULE, lw=0, zorder=0,
                              antialiased=False)
            axes.plot([1, 1], strip, color=MUTED, lw=0.9, zorder=1,
                      solid_capstyle="butt")
            draw_row(axes, row, sum(strip) / 2)
            write_row(axes, row, texts, top, sum(strip) / 2)
            top += height
        ratio_axis(axes.xaxis, axis)
        return figure


def framed(height_in, left_in, right_in, width_in):
    """A figure and its axes: x logarithmic ratios, y inches from the top."""
    bottom_in, top_in = 0.52, 0.06
    total_in = height_in + bottom_in + top_in
    figure = Figure(figsize=(width_in, total_in))
    axes = figure.add_axes((left_in / width_in, bottom_in / total_in,
                            1 - (left_in + right_in) / width_in, height_in / total_in))
    axes.set_xscale("log")
    axes.set_ylim(height_in, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    return figure, axes


def limits(rows, delta):
    """The ends of the axis: all estimates and, within REACH of them, all intervals."""
    compared = [comparison for _, comparison, _ in rows if comparison.blocks]
    near = [c.ratio for c in compared if 0 < c.ratio < math.inf] + [1 / (1 + delta), 1 + delta]
    least, most = min(near), max(near)
    low = min([least, *(max(c.low, least / REACH) for c in compared)])
    high = max([most, *(min(c.high, most * REACH) for c in compared)])
    margin = (high / low) ** 0.05
    return low / margin, high * margin


def draw_row(axes, row, y):
    """The interval and the estimate of one row at `y`."""
    _, comparison, word = row
    if not comparison.blocks:
        return
    color, marker = VERDICTS[word]
    left, right = axes.get_xlim()
    axes.plot([max(comparison.low, left), min(comparison.high, right)], [y, y], color=color,
              lw=2.2, solid_capstyle="butt", zorder=2)
    ends = {left: ("<", comparison.low < left), right: (">", comparison.high > right)}
    for end, (arrow, beyond) in ends.items():
        if beyond:
            axes.plot(end, y, arrow, color=color, ms=6, clip_on=False, zorder=3)
    if left <= comparison.ratio <= right:
        axes.plot(comparison.ratio, y, marker, color=color, ms=7, zorder=4,
                  mfc="white" if word == "inconclusive" else color)


def write_row(axes, row, lines, top, y):
    """The texts of one row: `lines` from `top` down, or without any beside the interval at `y`."""
    at = axes.get_yaxis_transform()
    color = MUTED if row[2] == "inconclusive" else INK
    for number, line in enumerate(lines):
        axes.text(0, top + LINE_IN * (number + 0.55), line, transform=at, va="center",
                  color=color if number == len(lines) - 1 else INK, parse_math=False)
    if not lines:
        width_in = axes.get_position().width * axes.figure.get_figwidth()
        axes.text(-0.1 / width_in, y, row[0], transform=at, ha="right", va="center",
                  parse_math=False)
        axes.text(1 + 0.15 / width_in, y, summary(row), transform=at, va="center",
                  color=color)


def summary(row):
    """What a row says in words: ratio, interval and verdict."""
    _, comparison, word = row
    if not comparison.blocks:
        return "no block that both have"
    return f"{ratio(comparison.ratio)} ({interval(comparison)}) {word}"


def ratio_axis(axis, label):
    """Ticks on a logarithmic axis of ratios; finer on a short one."""
    low, high = axis.get_view_interval()
    if high / low < 3:
        step = next(s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if (high - low) / s < 9)
        ticks = [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    else:
        subs = (1, 2, 5) if high / low < 60 else (1, 3) if high / low < 1000 else (1,)
        ticks = LogLocator(subs=subs).tick_values(low, high)
    axis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
    axis.set_label_text(label)
