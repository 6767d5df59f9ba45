# SPDX-License-Identifier: MIT
"""The figure of what made the tail: quantiles as measured, without each cause, without all."""

import math

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .causes import NAMES, breakdown
from .drawing import WIDTH_IN, duration_axis, legend_above, name
from .style import CAUSE_MARKERS, FAINT, INK, MUTED
from .text import percentile_name

KEYS = ("p99", "p99_9")
WORTH_DRAWING = 0.02  # share of a quantile from which a cause gets a line
LINE_IN, GAP_IN = 0.15, 0.16


def causes(cells):
    """A row per cell, p99 and p99.9 beside each other, or None where no cause is known."""
    found = [(cell, parts) for cell in cells if (parts := breakdown(cell))
             and any(parts.finite(key) for key in KEYS)]
    if not found:
        return None
    lines = [(cell, parts, drawn_causes(parts)) for cell, parts in found]
    used = list(dict.fromkeys(cause for _, _, drawn in lines for cause in drawn))
    handles = [handle("o", INK, "measured"), handle("o", "white", "without all causes"),
               *(handle(CAUSE_MARKERS.get(cause, "*"), MUTED, f"without {NAMES.get(cause, cause)}")
                 for cause in used)]
    left_in = 0.35 + 0.076 * max(len(name(cell)) for cell, _ in found)
    body_in = sum(LINE_IN * (1 + len(drawn)) + GAP_IN for _, _, drawn in lines) + GAP_IN
    legend_in = legend_above(None, handles)
    height = body_in + legend_in + 0.6
    figure = Figure(figsize=(WIDTH_IN, height))
    legend_above(figure, handles)
    panels = figure.subplots(1, 2, sharey=True, gridspec_kw={
        "left": left_in / WIDTH_IN, "right": 0.985, "bottom": 0.52 / height,
        "top": 1 - (legend_in + 0.08) / height, "wspace": 0.1})
    for axes, key in zip(panels, KEYS):
        draw_panel(axes, key, lines)
    panels[0].set_ylim(body_in, 0)
    return figure


def drawn_causes(parts):
    """The causes that lower one of the quantiles enough to be seen, the strongest first."""
    shares = {cause: max(parts.share(cause, key) or 0 for key in KEYS) for cause in parts.without}
    return sorted((cause for cause in shares if shares[cause] >= WORTH_DRAWING),
                  key=lambda cause: -shares[cause])


def handle(marker, face, label):
    """A legend's entry."""
    return Line2D([], [], color=FAINT, lw=0, marker=marker, markerfacecolor=face,
                  markeredgecolor=INK, label=label)


def draw_panel(axes, key, lines):
    """One quantile: per cell measured and without all, and a thin line for each cause below."""
    at, ticks, values = GAP_IN + LINE_IN / 2, [], []
    for cell, parts, drawn in lines:
        ticks.append((at, name(cell)))
        if parts.finite(key):
            measured = parts.measured[key]
            values += span(axes, at, measured, parts.without_all[key], "o", "white", 4.5, 8)
            axes.plot([measured], [at], marker="o", color=INK, zorder=4)
            for place, cause in enumerate(drawn, 1):
                values += span(axes, at + place * LINE_IN, measured, parts.without[cause][key],
                               CAUSE_MARKERS.get(cause, "*"), MUTED, 1.2)
        at += LINE_IN * (1 + len(drawn)) + GAP_IN
    if values:
        axes.set_xscale("log")
        axes.set_xlim(min(values) / 1.4, max(values) * 1.4)
        duration_axis(axes.xaxis)
    axes.set_yticks([y for y, _ in ticks], [text for _, text in ticks])
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    axes.set_xlabel(f"{percentile_name(key)} response time")


def span(axes, at, measured, without, marker, face, width, size=None):
    """A line from what is left `without` something to `measured`; the values (ns) drawn."""
    if without is None or not math.isfinite(without) or without <= 0:
        return [measured]
    axes.plot([without, measured], [at, at], color=FAINT, lw=width, solid_capstyle="butt", zorder=2)
    axes.plot([without], [at], marker=marker, color=INK, markerfacecolor=face, zorder=3,
              markersize=size)
    return [measured, without]
