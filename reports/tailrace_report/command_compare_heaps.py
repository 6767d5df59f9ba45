# SPDX-License-Identifier: MIT
"""`tailrace compare-heaps`: what it has measured of a program under several heaps, as tables."""

import os
import sys

from .compare_text import COLORS, aligned, escaped, painted, wrapped
from .heaps import blocks_text, clean, compare_heaps, row, sentences
from .paired import LEVEL
from .resultset import read_result_set
from .text import count, listed, percent

NEEDS = ()


def describe(parser):
    """Text and arguments."""
    parser.description = "Prints what `tailrace compare-heaps` has measured into DIR."
    parser.add_argument("dir", metavar="DIR", help="the result set")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")


def run(arguments):
    """Read, compare, print."""
    heaps = compare_heaps(read_result_set(arguments.dir), arguments.dir)
    sys.stdout.reconfigure(errors="backslashreplace")
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    print(markdown(heaps) if arguments.markdown else terminal(heaps, color))
    print(f"measured into {arguments.dir}", file=sys.stderr)
    return 0


def title(heaps):
    """The program, and how it was measured."""
    name = clean(next(iter(heaps.specs.values()))["scenario"])
    return (f"{name} under {count(len(heaps.runs), 'heap')}, {blocks_text(heaps)}; ratios to "
            f"{clean(heaps.reference)} with intervals of {100 * LEVEL:.3g} %")


def heading(metric):
    """A metric, and in which direction it is read."""
    return f"{metric.name}: {metric.what}, median (margin {percent(metric.delta)})"


def terminal(heaps, color):
    """Tables and sentences as lines; `color`: with ANSI codes."""
    tables = {metric: [row(heaps, heap, metric) for heap in heaps.runs]
              for metric in heaps.findings}
    columns = ("heap", "median", "ratio", "verdict")
    every = [columns, *(line for table in tables.values() for line in table)]
    widths = [max(map(len, column)) for column in zip(*every)]
    lines = [title(heaps)]
    for metric, table in tables.items():
        lines += ["", painted(heading(metric), "1", color)]
        lines += [painted(aligned(line, widths), COLORS.get(line[-1]), color) for line in table]
    lines.append("")
    for name, told in ended(heaps):
        lines += wrapped(name, told)
    return "\n".join(lines)


def markdown(heaps):
    """A table and the sentences, for a job's page."""
    lines = [f"### {escaped(title(heaps))}", "",
             "| metric | heap | median | ratio | verdict |", "|---|---|--:|--:|---|"]
    for metric in heaps.findings:
        for place, heap in enumerate(heaps.runs):
            texts = [escaped(text) for text in row(heaps, heap, metric)]
            lines.append("| " + " | ".join([metric.name if not place else "", *texts]) + " |")
    lines.append("")
    for name, told in ended(heaps):
        lines.append(f"- **{name}.** {escaped(' '.join(told))}")
    return "\n".join(lines)


def ended(heaps):
    """The sentences, and which metrics there was nothing to show of."""
    told = sentences(heaps)
    if heaps.silent:
        told.append(("Not shown", [f"{listed(heaps.silent)}: none in most runs under each heap."]))
    return told
