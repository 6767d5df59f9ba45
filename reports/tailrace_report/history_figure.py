# SPDX-License-Identifier: MIT
"""Figures of a history: a panel per cell, the sets in their order, with medians and changes."""

import io
import math
import re
from itertools import chain, count, groupby

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from .compare import clean
from .drawing import WIDTH_IN
from .history_words import mark
from .layout import spread
from .output import write_files
from .resultset import ReportError
from .style import COLORS, CONTROL, INK, MUTED, RC, Style

DPI = 160  # of the PNG files
PANELS_MAX, LABELS_MAX, LABEL_LENGTH_MAX = 16, 48, 34  # of a figure, its axis, a label
CELL = Style(COLORS[0], (), "o")
PANEL_IN, GAP_IN, TOP_IN, LEFT_IN, RIGHT_IN = 1.05, 0.5, 0.95, 0.95, 0.2
CHANGE_IN = 0.86  # width of a change's label
FAILED_AT = 0.93  # height of failed runs in a panel
ASIDE = 0.18  # of the runs from their median, in sets


def draw(all_series, out):
    """Write the figures into folder `out`, or the only one to the file `out`; the paths."""
    figures = {}
    for key, of in groupby(sorted(all_series, key=figure_key), key=figure_key):
        panels = ordered(list(of))
        for first in range(0, len(panels), PANELS_MAX):
            name = unused(re.sub(r"[^\w-]+", "-", f"history-{key[0]}-{key[1]}").strip("-"), figures)
            figures[name] = panels[first:first + PANELS_MAX]
    if out.suffix == ".png":
        if len(figures) > 1:
            raise ReportError(f"these are {len(figures)} figures ({', '.join(figures)}): name a "
                              "folder, or choose with --cell and --metric")
        figures = {out.stem: panels for panels in figures.values()}
        out = out.parent
    files = {}
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(RC)
    for name, panels in figures.items():
        figure = trend(panels)
        files |= {f"{name}.{kind}": image(figure, kind) for kind in ("svg", "png")}
    out.mkdir(parents=True, exist_ok=True)
    write_files(out, files)
    return [out / name for name in files]


def figure_key(series):
    """Series of one key share figures; they come in this order."""
    return series.workload, series.metric.name, series.machine, series.suite


def unused(name, names):
    """`name`, numbered if it is among `names`."""
    numbered = (f"{name}-{number}" for number in count(2))
    return next(free for free in chain([name], numbered) if free not in names)


def image(figure, kind):
    """The bytes of a figure; equal input gives equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=DPI,
                   metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def ordered(of_figure):
    """The series of a figure, and after them the null controls of them all."""
    cells = [one for one in of_figure if not one.is_control]
    controls = {one.cell: one for series in of_figure
                for one in (*series.controls, *[series] * series.is_control)}
    return [*cells, *controls.values()]


def trend(panels):
    """The figure of some series of one metric, machine and suite."""
    sets = {point.set.id: point.set for one in panels for point in one.points}
    sets = sorted(sets.values(), key=lambda one: (one.start_time, one.id))
    labels = [cut(f"{one.day}  {clean(one.name)}") for one in sets]
    below_in = 0.25 + 0.074 * max(map(len, labels))
    height_in = TOP_IN + len(panels) * (PANEL_IN + GAP_IN) - GAP_IN + below_in
    figure = Figure(figsize=(WIDTH_IN, height_in))
    titled(figure, panels[0], height_in)
    for row, one in enumerate(panels):
        bottom_in = height_in - TOP_IN - PANEL_IN - row * (PANEL_IN + GAP_IN)
        axes = figure.add_axes((LEFT_IN / WIDTH_IN, bottom_in / height_in,
                                (WIDTH_IN - LEFT_IN - RIGHT_IN) / WIDTH_IN, PANEL_IN / height_in))
        panel(axes, one, CONTROL if one.is_control else CELL,
              {key.id: place for place, key in enumerate(sets)})
        step = math.ceil(len(sets) / LABELS_MAX)
        shown = range(0, len(sets), step)
        axes.set_xticks(shown, [labels[k] for k in shown] if one is panels[-1] else [],
                        rotation=90, fontsize=7.5, parse_math=False)
    return figure


def cut(text):
    """`text`, not too long for a label."""
    return text if len(text) <= LABEL_LENGTH_MAX else text[:LABEL_LENGTH_MAX - 1] + "…"


def titled(figure, series, height_in):
    """What the figure shows, and how to read it."""
    x = 0.15 / WIDTH_IN
    figure.text(x, 1 - 0.2 / height_in, f"{clean(series.workload)}: {series.metric.what}",
                fontsize=12, fontweight="bold", va="center", parse_math=False)
    figure.text(x, 1 - 0.42 / height_in,
                f"{clean(series.machine)} · suite {clean(series.suite)} · line: median over "
                "blocks with its 98 % interval; dots: runs; ×: failed; dashed: the level changed",
                color=MUTED, va="center", parse_math=False)


def panel(axes, series, style, places):
    """One series: `places` ({set id: abscissa}); a failed set breaks the line."""
    at = [places[point.set.id] for point in series.points]
    runs = [(x, value) for x, point in zip(at, series.points) for value in point.values]
    good = [(x + ASIDE, value) for x, value in runs if not failing(value, series.metric)]
    axes.plot(*zip(*good), "o", ms=2.6, color=style.color, alpha=0.4, mew=0, zorder=2)
    top = max((value for _, value in good), default=1)
    line = [math.nan if failing(point.median, series.metric) else point.median
            for point in series.points]
    axes.plot(at, line, color=style.color, lw=1.5, marker=style.marker or "o", ms=4, zorder=3)
    for x, y, point in zip(at, line, series.points):
        if point.interval and not math.isnan(y):
            axes.plot([x, x], [point.interval[0], min(point.interval[1], top)],
                      color=style.color, lw=1.1, alpha=0.7, zorder=2.5)
    failed_sets = [x for x, y in zip(at, line) if math.isnan(y)]
    failures = [x + ASIDE for x, value in runs
                if failing(value, series.metric) and x not in failed_sets]
    for x, size, alpha in ((failures, 5, 0.6), (failed_sets, 8, 1)):
        axes.plot(x, [FAILED_AT] * len(x), "x", ms=size, mew=size / 4.5, color=style.color,
                  alpha=alpha, transform=axes.get_xaxis_transform(), zorder=4)
    axes.set_xlim(-0.6, max(len(places) - 0.4, 0.6))
    if all(value > 0 for _, value in good):
        axes.set_yscale("log")
        widen(axes)
    else:
        axes.set_ylim(0, max(1.25 * top, 1))
    value_axis(axes.yaxis, series.metric.text)
    axes.set_title(cut_title(series), loc="left", fontsize=9.5, pad=17, color=INK,
                   parse_math=False)
    changes(axes, series, at)


def cut_title(series):
    """The panel's title."""
    name = clean(series.cell) + (" (null control)" if series.is_control else "")
    return name if len(name) <= 120 else name[:119] + "…"


def failing(value, metric):
    """Whether this is what the metric makes of a failed run."""
    return value == math.inf or value == 0 and metric.higher_is_better


def widen(axes):
    """Room above for failed runs, and an axis of a tenth at least: noise shall look like noise."""
    low, high = axes.get_ylim()
    middle, half = math.sqrt(low * high), max(math.sqrt(high / low), 1.05)
    axes.set_ylim(middle / half, middle * half ** 1.25)


def value_axis(axis, unit):
    """A few ticks with units on a logarithmic axis, however short, or one from 0."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(MaxNLocator(4, steps=(1, 2, 2.5, 5, 10)) if low <= 0 or high / low < 8
                           else LogLocator(subs=(1, 3) if high / low < 300 else (1,), numticks=6))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(
        lambda value, _: re.sub(r"\.(\d*?)0+(?=\D|$)", lambda m: f".{m[1]}" if m[1] else "",
                                unit(value))))


def changes(axes, series, at):
    """A dashed line before the first set of each new level, with the ratio above the panel."""
    x = [(at[one.index - 1] + at[one.index]) / 2 for one in series.changes]
    low, high = axes.get_xlim()
    width = CHANGE_IN / (WIDTH_IN - LEFT_IN - RIGHT_IN) * (high - low)
    for want, put, one in zip(x, spread(x, width, low + width / 2, high - width / 2),
                              series.changes):
        color = MUTED if one.word in ("host", "small") else INK
        axes.axvline(want, color=color, lw=1.2, ls=(0, (4, 2)), zorder=1.5)
        axes.plot([want, put], [1, 1.05], color=color, lw=0.8, clip_on=False,
                  transform=axes.get_xaxis_transform())
        axes.text(put, 1.06, mark(one), ha="center", va="bottom",
                  fontsize=8.5, color=color, transform=axes.get_xaxis_transform(),
                  fontweight="normal" if color == MUTED else "bold")
