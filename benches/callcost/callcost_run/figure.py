# SPDX-License-Identifier: MIT
"""The figure: a 64-byte object per strategy and heap beside the bare library, and all sizes."""

import io

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from tailrace_report.drawing import LINE_IN, WIDTH_IN, EndLabel, end_labels, legend_above
from tailrace_report.style import COLORS, CONTROL, DASHES, FLOOR, INK, MARKERS, RC, Style

from .measure import bare_name
from .summary import FEW, HEAP, SIZE, SIZES
from .tables import local, way_of

ROW_IN, SIZES_IN, MARGIN_IN = 0.27, 4.2, 0.6
FAMILIES = ("control", "manual", "arena", "reference count", "deferred", "collector")
DPI = 144


def ns_text(ns, _=None):
    """A tick's label."""
    return f"{ns:g} ns"


def ns_axis(axis):
    """A logarithmic axis of nanoseconds."""
    axis.set_major_locator(LogLocator(subs=(1,), numticks=20))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(ns_text))


def bare_cell(cells, cell):
    """The cell of the library that a strategy's cell is held against, or None."""
    way = local(cell, SIZE, FEW)
    found = [one for one in cells if way and one["bare"] == way["bare"] is not None
             and one["heap"] == cell["heap"]]
    return found[0] if found else None


def grouped(cells):
    """The names of strategies, by family, then by the time on the first heap."""
    first = {}
    for cell in cells:
        first.setdefault(cell["strategy"], cell)

    def place(name):
        family = first[name]["family"]
        known = FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
        return known, family, local(first[name], SIZE, FEW)["ns"]["median"]
    return sorted(first, key=place)


def draw_objects(axes, cells, measured, heaps):
    """A row per strategy; a mark per heap, filled, and the library's beside it, hollow."""
    names = grouped(measured)
    for cell in measured:
        place = heaps.index(cell["heap"])
        style = style_of(place)
        lift = (place - (len(heaps) - 1) / 2) * 0.55 / len(heaps)
        height = names.index(cell["strategy"]) + lift
        times = local(cell, SIZE, FEW)["ns"]
        axes.plot([times["q1"], times["q3"]], [height] * 2, color=style.color, lw=1.2)
        bare = bare_cell(cells, cell)
        way = bare and local(bare, SIZE, FEW)
        if way and way["ns"]:
            axes.plot(way["ns"]["median"], height, marker=style.marker, color=style.color,
                      mfc="none", ls="", ms=6.5, mew=0.9)
        axes.plot(times["median"], height, marker=style.marker, color=style.color, ls="", ms=4.5)
    axes.set_xscale("log")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.yaxis.set_major_locator(FixedLocator(range(len(names))))
    axes.set_yticklabels([f"{name} ({bare_name(name)})" for name in names])
    axes.set_xlabel(f"time per {SIZE}-byte object, {FEW} a scope")
    ns_axis(axes.xaxis)
    return names


def draw_loops(axes, cells):
    """The two loops without memory management, as lines across."""
    for cell in cells:
        if cell["bare"] == "loop":
            for way, style in ((way_of(cell, "empty", 0, FEW), CONTROL),
                               (way_of(cell, "store", SIZE, FEW), FLOOR)):
                if way and way["ns"]:
                    axes.axvline(way["ns"]["median"], color=style.color, ls=style.line, lw=1.1,
                                 zorder=1)


def style_of(place):
    """Eight colours, which come again with another dash and another marker."""
    turn = place // len(COLORS)
    return Style(COLORS[place % 8], DASHES[(place + 3 * turn) % 8], MARKERS[(place + 5 * turn) % 8])


def size_lines(cells):
    """(label, style, times by size) of each strategy on the C library's heap."""
    lines = []
    for place, name in enumerate(grouped(cells)):
        cell = next(one for one in cells if one["strategy"] == name)
        ways = [local(cell, size, FEW) for size in SIZES]
        lines.append((name, style_of(place),
                      [way["ns"]["median"] if way and way["ns"] else float("nan") for way in ways]))
    return lines


def draw_sizes(axes, lines):
    """A line per strategy over the sizes."""
    for _, style, times in lines:
        axes.plot(SIZES, times, color=style.color, ls=style.line, marker=style.marker, lw=1.4)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlim(SIZES[0] / 1.15, SIZES[-1] * 1.15)
    axes.xaxis.set_major_locator(FixedLocator(SIZES))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g} B"))
    axes.xaxis.set_minor_locator(NullLocator())
    ns_axis(axes.yaxis)
    axes.set_xlabel(f"size of an object ({HEAP}, {FEW} a scope)")
    end_labels(axes, [EndLabel(style, name, None if times[-1] != times[-1] else times[-1], False)
                      for name, style, times in lines])


def handles_of(heaps):
    """The legend."""
    marks = [Line2D([], [], color=style.color, marker=style.marker, ls="", label=heap)
             for heap, style in zip(heaps, map(style_of, range(len(heaps))))]
    return [*marks,
            Line2D([], [], color=INK, marker="o", mfc="none", ls="",
                   label="bare library (in brackets)"),
            Line2D([], [], color=FLOOR.color, ls=FLOOR.line, label="store-only loop"),
            Line2D([], [], color=CONTROL.color, label="empty loop")]


def draw(summary):
    """{file name: bytes} of the figure; nothing where no strategy was measured."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(RC)
    cells = summary["cells"]
    measured = [cell for cell in cells
                if cell["strategy"] and (local(cell, SIZE, FEW) or {}).get("ns")]
    if not measured:
        return {}
    heaps = list(dict.fromkeys(cell["heap"] for cell in measured))
    handles = handles_of(heaps)
    lines = size_lines([cell for cell in measured if cell["heap"] == HEAP])
    rows_in = ROW_IN * len({cell["strategy"] for cell in measured}) + 0.2
    sizes_in = max(SIZES_IN, LINE_IN * len(lines))
    legend_in = legend_above(None, handles)
    height_in = legend_in + rows_in + sizes_in + 2 * MARGIN_IN + 0.15
    figure = Figure(figsize=(WIDTH_IN, height_in))
    left, right = 2.0 / WIDTH_IN, 2.1 / WIDTH_IN
    legend_above(figure, handles)
    upper = figure.add_axes((left, (sizes_in + 2 * MARGIN_IN) / height_in, 0.98 - left,
                             rows_in / height_in))
    draw_objects(upper, cells, measured, heaps)
    draw_loops(upper, cells)
    lower = figure.add_axes((left, MARGIN_IN / height_in, 1 - left - right, sizes_in / height_in))
    if lines:
        draw_sizes(lower, lines)
    files = {}
    for kind, options in (("png", {"dpi": DPI}), ("svg", {"metadata": {"Date": None}})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, **options)
        files[f"callcost.{kind}"] = buffer.getvalue()
    return files
