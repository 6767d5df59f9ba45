# SPDX-License-Identifier: MIT
"""The chart of the first screen: each cell's tail as a ratio to the lowest of its scenario.

With few cells each has a line with its interval; with many each scenario has one line.
"""

import math

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .answer import name_in, times_text
from .drawing import WIDTH_IN, legend_above, short
from .forest import ratio_axis
from .ranking import tail_ranking
from .ratio_figure import thin_out
from .style import FAINT, FAMILIES, INK, MUTED, RC, member_style
from .text import interval

CELLS_MAX = 24  # with a line each; from there on one line per scenario
SCENARIOS_MAX = 40
LINE_IN, GAP_IN, TITLE_IN = 0.23, 0.14, 0.25
HEAD_IN = 0.26
ROW_IN = 0.34  # a scenario's line; its markers stand in three lanes of it
LANE_IN = 0.075
CHARACTER_IN = 0.076
NAME_CHARS = 36


def overview(leading):
    """The Figure of {scenario: its headline cells}, or None where nothing can be ranked."""
    ranked = [(scenario, found) for scenario, cells in leading.items()
              if (found := tail_ranking(cells)) and found.places]
    if not ranked:
        return None
    with matplotlib.rc_context(RC):
        cells = sum(len(found.places) + len(found.failed) for _, found in ranked)
        rows = (cell_rows if cells <= CELLS_MAX else scenario_rows)(ranked[:SCENARIOS_MAX])
        return drawn(rows, ranked, len(ranked) - SCENARIOS_MAX)


def cell_rows(ranked):
    """[(y in inches from the top, text left, texts right, bold, [(y, Place or failed Cell)])]."""
    rows, y = [], 0.0
    for scenario, found in ranked:
        rows.append((y + TITLE_IN / 2, short(scenario), ("",), True, []))
        y += TITLE_IN
        cells = [place.cell for place in found.places] + [cell for cell, _ in found.failed]
        for one, right in lines(found):
            cell = getattr(one, "cell", one)
            rows.append((y + LINE_IN / 2, short(name_in(cell, cells)), (right,), False,
                         [(y + LINE_IN / 2, one)]))
            y += LINE_IN
        y += GAP_IN
    return rows


def lines(found):
    """[(Place or failed Cell, what stands at its right end), …]."""
    first = found.places[0]
    return ([(first, f"{found.metric.name} {found.metric.text(first.value)}")]
            + [(place, ratio_text(place)) for place in found.places[1:]]
            + [(cell, word) for cell, word in found.failed])


def ratio_text(place):
    """A ratio with its interval, if it has one."""
    if not place.ratio.blocks:
        return "no block that both have"
    bounds = f" ({interval(place.ratio)})" if known_interval(place) else ""
    return times_text(place.ratio.ratio) + bounds


def scenario_rows(ranked):
    """As cell_rows, with one row per scenario; at the right the lowest and the highest."""
    rows = [(-HEAD_IN / 2, "", ("lowest", "highest"), False, [])]
    for number, (scenario, found) in enumerate(ranked):
        y, cells = ROW_IN * (number + 0.5), [place.cell for place in found.places]
        first, last = found.places[0], found.places[-1]
        names = [short(name_in(place.cell, cells), NAME_CHARS) for place in (first, last)]
        ones = [*found.places, *(cell for cell, _ in found.failed)]
        rows.append((y, short(scenario, NAME_CHARS), (
            f"{names[0]}, {found.metric.text(first.value)}",
            f"{names[1]}, {times_text(last.ratio.ratio)}" if last.ratio.blocks and len(cells) > 1
            else ""), False,
            [(y + LANE_IN * (place % 3 - 1), one) for place, one in enumerate(ones)]))
    return rows


def drawn(rows, ranked, left_out):
    """The Figure of some rows."""
    left_in = 0.25 + CHARACTER_IN * max(len(row[1]) for row in rows)
    columns_in = [0.2 + CHARACTER_IN * max(map(len, column))
                  for column in zip(*(row[2] for row in rows))]
    handles = family_handles(ranked)
    top_in = legend_above(None, handles) + (HEAD_IN if rows[0][0] < 0 else 0) + 0.1
    body_in = rows[-1][0] + ROW_IN / 2
    height = top_in + body_in + 0.55
    figure = Figure(figsize=(WIDTH_IN, height))
    legend_above(figure, handles)
    axes = figure.add_axes((left_in / WIDTH_IN, 0.55 / height,
                            1 - (left_in + sum(columns_in)) / WIDTH_IN, body_in / height))
    axes.set(xscale="log", ylim=(body_in, 0), xlim=limits(rows))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(1, color=MUTED, lw=0.9, zorder=1)
    for row in rows:
        draw_row(axes, row, columns_in)
    ratio_axis(axes.xaxis, axis_label(ranked, left_out))
    thin_out(axes)
    return figure


def axis_label(ranked, left_out):
    """What the ratios are of, and how many scenarios are left out."""
    names = {found.metric.name for _, found in ranked}
    what = names.pop() if len(names) == 1 else "tail"
    return f"{what} response time, as a multiple of the scenario's lowest" + (
        f" ({left_out} more scenarios are left out)" if left_out > 0 else "")


def family_handles(ranked):
    """The legend: families in their order, and what hollow means if anything failed."""
    present = {place.cell.spec.get("family") for _, found in ranked for place in found.places}
    present |= {cell.spec.get("family") for _, found in ranked for cell, _ in found.failed}
    known = [family for family in FAMILIES if family in present and family]
    other = sorted(str(family) for family in present if family not in known)
    handles = [Line2D([], [], lw=0, color=style.color, marker=style.marker, ms=7, label=family)
               for family in known + other for style in [member_style(family, 0)]]
    if any(found.failed for _, found in ranked):
        handles.append(Line2D([], [], lw=0, color=MUTED, marker="o", ms=7,
                              markerfacecolor="white", label="hollow, at the end: failed"))
    return handles


def limits(rows):
    """The ends of the axis: all finite ratios, with room at the right for those that failed."""
    values = [one.ratio.ratio for *_, ones in rows for _, one in ones if position(one) is not None]
    values = [value for value in values if math.isfinite(value) and value > 0] + [1.0]
    span = math.log(max(max(values), 1.5) / min(values))
    return min(values) * math.exp(-0.04 * span), max(*values, 1.5) * math.exp(0.08 * span)


def position(one):
    """The ratio of a Place, None for a failed Cell or one without a common block."""
    return one.ratio.ratio if hasattr(one, "ratio") else None


def draw_row(axes, row, columns_in):
    """A row's texts and markers; the failed ones at the right end."""
    y, left, texts, bold, ones = row
    at, width_in = axes.get_yaxis_transform(), axes.get_position().width * WIDTH_IN
    axes.text(-0.12 / width_in, y, left, ha="right", va="center", transform=at,
              fontweight="bold" if bold else "normal")
    for place, text in enumerate(texts):
        axes.text(1 + (0.15 + sum(columns_in[:place])) / width_in, y, text, va="center",
                  transform=at, color=INK if ones else MUTED)
    low, high = axes.get_xlim()
    if ones:
        axes.plot([low, high], [y, y], color=FAINT, lw=0.5, zorder=0.5)
    for at_y, one in ones:
        draw_one(axes, one, at_y, len(ones) == 1)


def draw_one(axes, one, y, interval_too):
    """The marker of a Place or a failed Cell at `y`, with its interval or without."""
    (low, high), style, value = axes.get_xlim(), getattr(one, "cell", one).style, position(one)
    if value is not None and interval_too and known_interval(one):
        axes.plot([max(one.ratio.low, low), min(one.ratio.high, high)], [y, y],
                  color=style.color, lw=1.8, alpha=0.6, zorder=2)
    failed = not hasattr(one, "ratio") or value == math.inf
    if failed or value is not None:
        axes.plot([high if failed else value], [y], marker=style.marker, ms=7, zorder=3,
                  color=style.color, clip_on=False,
                  markerfacecolor="white" if failed else style.color)


def known_interval(place):
    """Whether the ratio has an interval."""
    return place.ratio.low > 0 or place.ratio.high < math.inf
