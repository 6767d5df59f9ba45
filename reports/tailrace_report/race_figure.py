# SPDX-License-Identifier: MIT
"""The figure of how often each schedule shows what the system's own schedule rarely does."""

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .drawing import short
from .race_matrix import SCHEDULES, exposed_interval, exposed_rate
from .race_tables import RARE, lanes
from .style import COLORS, MARKERS, RC, RULE

WIDTH_IN = 9.0
ROW_IN = 0.5  # height of a case: its schedules stand one above the other in it
SPREAD = 0.36  # of a row, above and below its middle
ROWS_MAX = 40
NAME_CHARS = 38


def rare_rows(matrix):
    """What is drawn: rows that plain runs show in few of theirs and some schedule shows at all."""
    found = [lane for lane in lanes(matrix)
             if exposed_rate(lane.plain) < RARE and exposed_rate(lane.best) > 0]
    return sorted(found, key=lambda lane: -exposed_rate(lane.best))[:ROWS_MAX]


def schedules_figure(matrix):
    """A dot and a Wilson bar per row and schedule, or None where no row is rare in plain runs."""
    rows = rare_rows(matrix)
    if not rows:
        return None
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(RC)
    names = [name for name in SCHEDULES if any(name in lane.all for lane in rows)]
    height = ROW_IN * len(rows) + 0.95
    figure = Figure(figsize=(WIDTH_IN, height))
    labels = [label(lane.row) for lane in rows]
    left = (0.25 + 0.077 * max(map(len, labels))) / WIDTH_IN
    axes = figure.add_axes((left, 0.5 / height, 0.975 - left, 1 - 0.95 / height))
    for place, lane in enumerate(rows):
        if place % 2:
            axes.axhspan(place - 0.5, place + 0.5, color=RULE, alpha=0.3, lw=0, zorder=0.2)
        for rank, name in enumerate(names):
            if name in lane.all:
                dot(axes, place + SPREAD * (2 * (rank + 0.5) / len(names) - 1), name,
                    lane.all[name])
    axes.set(xlim=(-1.5, 101.5), ylim=(len(rows) - 0.5, -0.5),
             xlabel="share of runs under TSan that show the defect:"
                    " report, failed check, hang or crash (%)")
    axes.set_xticks(range(0, 101, 10))
    axes.set_yticks(range(len(rows)), labels)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    legend(figure, names, left, height)
    return figure


def label(row):
    """What a row is called in the figure; long names are cut."""
    several = len(row.case.get("modes") or []) > 1
    return short(row.case["name"] + (f" ({row.mode})" if several else ""), NAME_CHARS)


def look(name):
    """Colour and marker of a schedule; plain runs are hollow."""
    rank = SCHEDULES.index(name)
    color = COLORS[4] if name == "plain" else COLORS[(0, 1, 2, 3, 5)[rank - 1]]
    return {"color": color, "marker": MARKERS[rank],
            "markerfacecolor": "none" if name == "plain" else color}


def dot(axes, y, name, cell):
    """One share with its interval, both in per cent."""
    low, high = exposed_interval(cell)
    style = look(name)
    axes.plot([100 * low, 100 * high], [y, y], color=style["color"], lw=1.1, alpha=0.55)
    axes.plot([100 * exposed_rate(cell)], [y], markersize=4.6, ls="", clip_on=False, **style)


def legend(figure, names, left, height):
    """The schedules' markers, in one line above the axes."""
    handles = [Line2D([], [], ls="", markersize=5.5, label=name, **look(name)) for name in names]
    figure.legend(handles=handles, ncol=len(handles), frameon=False, loc="upper left",
                  bbox_to_anchor=(left - 0.01, 1 - 0.05 / height), borderpad=0.2,
                  columnspacing=1.6, handletextpad=0.3)
