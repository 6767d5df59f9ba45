# SPDX-License-Identifier: MIT
"""The forest plot of a scenario: each cell against one of them, a column per metric."""

import math
import textwrap

from matplotlib.figure import Figure

from .drawing import WIDTH_IN, name, short
from .forest import draw_row, limits, ratio_axis
from .metrics import METRICS
from .paired import verdict
from .ranking import against, half_failed
from .style import MUTED, RULE
from .text import interval, ratio

COLUMNS = ("p99.9", "p99", "p50", "rss-peak")
ROW_IN, TEXT_AT = 0.4, 0.27  # height of a row; where in it the words are, in inches below the mark
CHARACTER_IN, NAME_CHARS = 0.076, 34
GAP_IN = 0.22


def base_of(cells):
    """What cells are held against: malloc on glibc, or the first that is no control; or None."""
    known = [cell for cell in cells if not cell.control and not cell.unsupported and cell.runs
             and cell.spec.get("family") != "control"]
    usual = [cell for cell in known if cell.spec["strategy"] == "malloc"
             and cell.spec["heap"] == "glibc"]
    return next((cell for cell in (*usual, *known) if not half_failed(cell)), None)


def compared(cells):
    """[(Metric, [(Cell, Comparison, verdict word), …]), …] of the metrics that have any block."""
    base = base_of(cells)
    others = [cell for cell in cells if cell is not base and not cell.unsupported and cell.runs]
    found = []
    for metric in (METRICS[one] for one in COLUMNS if base):
        rows = [(cell, ratios, verdict(ratios, metric.delta, metric.higher_is_better))
                for cell in others for ratios in [against(base, cell, metric)]]
        if any(ratios.blocks for _, ratios, _ in rows):
            found.append((metric, rows))
    return found


def forest(cells):
    """A row per cell and a column per metric, or None where nothing can be compared."""
    found = compared(cells)
    if not found:
        return None
    labels = [textwrap.shorten(name(cell), 2 * NAME_CHARS, placeholder="…")
              for cell, _, _ in found[0][1]]
    left_in = 0.2 + CHARACTER_IN * min(max(map(len, labels)), NAME_CHARS)
    body_in = ROW_IN * len(labels)
    height = body_in + 0.95
    figure = Figure(figsize=(WIDTH_IN, height))
    panels = figure.subplots(1, len(found), squeeze=False, gridspec_kw={
        "left": left_in / WIDTH_IN, "right": 1 - 0.12 / WIDTH_IN, "bottom": 0.55 / height,
        "top": 1 - 0.4 / height, "wspace": GAP_IN * len(found) / (WIDTH_IN - left_in)})[0]
    for axes, (metric, rows) in zip(panels, found):
        draw_column(axes, metric, rows, base_of(cells))
    width_in = panels[0].get_position().width * WIDTH_IN
    for place, label in enumerate(labels):
        panels[0].text(-0.1 / width_in, ROW_IN * (place + 0.4),
                       "\n".join(textwrap.wrap(label, NAME_CHARS)), ha="right", va="center",
                       transform=panels[0].get_yaxis_transform())
    return figure


def draw_column(axes, metric, rows, base):
    """One metric: estimates, intervals, what they say, and the band of differences of no matter."""
    plain = [("", ratios, word) for _, ratios, word in rows]
    axes.set(xscale="log", xlim=limits(plain, metric.delta), ylim=(ROW_IN * len(rows), 0))
    axes.set_yticks([])
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.axvspan(1 / (1 + metric.delta), 1 + metric.delta, color=RULE, lw=0, zorder=0)
    axes.axvline(1, color=MUTED, lw=0.9, zorder=1)
    for place, row in enumerate(plain):
        draw_row(axes, row, ROW_IN * place + 0.12)
        axes.text(0.5, ROW_IN * place + TEXT_AT, said(*row[1:]), ha="center", va="center",
                  transform=axes.get_yaxis_transform(), fontsize=7.5, zorder=1.5,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
                  color=MUTED if row[2] == "inconclusive" else None)
    axes.set_title(f"{metric.name}, ±{100 * metric.delta:g} %", fontsize=9.5, pad=5)
    ratio_axis(axes.xaxis, f"× {short(base.series)}")
    thin_out(axes)


def thin_out(axes):
    """Keep of the ticks of a ratio_axis those whose labels have room, 1 before all others."""
    (low, high), width_in = axes.get_xlim(), axes.get_position().width * WIDTH_IN
    kept = []
    for tick in sorted(axes.get_xticks(), key=lambda tick: abs(math.log(tick))):
        at_in = math.log(tick / low) / math.log(high / low) * width_in
        half_in = CHARACTER_IN / 2 * (len(f"{tick:,.6g}") + 1)
        if all(abs(at_in - other) > half_in + half for _, other, half in kept):
            kept.append((tick, at_in, half_in))
    ticks = sorted(tick for tick, *_ in kept)
    axes.set_xticks(ticks, [f"{tick:,.6g}" for tick in ticks])


def said(ratios, word):
    """A ratio with its interval and its verdict."""
    if not ratios.blocks:
        return "no block that both have"
    if ratios.low == math.inf:
        return "∞, failed"
    known = ratios.low > 0 or ratios.high < math.inf
    return f"{ratio(ratios.ratio)} ({interval(ratios) if known else 'no interval'}) {word}"
