# SPDX-License-Identifier: MIT
"""Shows a comparison as text: tables for a terminal, Markdown for a job page, JSON for programs."""

import json
import math
import re
from itertools import groupby

from .compare import open_because
from .compare_words import estimate, sentences, value
from .paired import LEVEL

COLUMNS = ("metric", "A", "B", f"B/A ({100 * LEVEL:.3g} %)", "blocks", "verdict")
COLORS = {"worse": "31", "better": "32", "host": "35", "inconclusive": "2"}  # ANSI
WIDTH = 100


def row(finding):
    """The texts of COLUMNS."""
    a, b = (value(finding, number) + ("*" if finding.few else "") + ("~" if finding.noisy else "")
            for number in (finding.a_median, finding.b_median))
    return (finding.metric.name, a, b, estimate(finding), str(finding.comparison.blocks),
            worded(finding))


def worded(finding):
    """The verdict word, with what could have been shown where it is inconclusive."""
    if finding.word != "inconclusive":
        return finding.word
    return f"{finding.word} ({open_because(finding)})"


def by_cell(compared):
    """[(Cell, its Findings), …], each workload's null control after its cells."""
    workload = {id(finding): finding.cell.a.get("workload") or finding.cell.a["scenario"]
                for finding in (*compared.findings, *compared.controls)}
    order = list(dict.fromkeys(workload[id(finding)] for finding in compared.findings))
    ordered = sorted((*compared.findings, *compared.controls),
                     key=lambda finding: order.index(workload[id(finding)]))
    return [(cell, list(found)) for cell, found in groupby(ordered, lambda f: f.cell)]


def terminal(compared, color):
    """The tables and sentences as lines; `color`: with ANSI codes."""
    cells = by_cell(compared)
    rows = [row(finding) for _, found in cells for finding in found]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows)]
    lines = [f"A  {compared.a.text}", f"B  {compared.b.text}"]
    for cell, found in cells:
        lines += ["", painted(cell.title, "1", color), painted(aligned(COLUMNS, widths), "2", color)]
        lines += [painted(aligned(row(finding), widths), COLORS.get(finding.word), color)
                  for finding in found]
    lines.append("")
    for heading, told in sentences(compared):
        lines += wrapped(heading, told)
    return "\n".join(lines)


def aligned(texts, widths):
    """One row: the first and the last column to the left, numbers to the right."""
    parts = [text.ljust(width) if place in (0, len(widths) - 1) else text.rjust(width)
             for place, (text, width) in enumerate(zip(texts, widths))]
    return ("  " + "  ".join(parts)).rstrip()


def painted(text, code, color):
    """`text` in an ANSI colour, if there is one and colours are wanted."""
    return f"\033[{code}m{text}\033[0m" if code and color else text


def wrapped(heading, told):
    """A heading and its sentences, indented beside it, at most WIDTH columns where words allow."""
    margin, lines = " " * 14, []
    for sentence in told:
        line = f"{heading}: ".ljust(14) if not lines else margin
        for word in sentence.split(" "):
            if len(line) + len(word) > WIDTH and line.strip():
                lines.append(line.rstrip())
                line = margin
            line += word + " "
        lines.append(line.rstrip())
    return lines


def markdown(compared):
    """One table and the sentences, for a pull request or a job's page."""
    lines = [f"### tailrace compare", "", f"A: {escaped(compared.a.text)}  ",
             f"B: {escaped(compared.b.text)}", "",
             "| cell | " + " | ".join(COLUMNS) + " |",
             "|---|---|--:|--:|--:|--:|---|"]
    for cell, found in by_cell(compared):
        for place, finding in enumerate(found):
            texts = [escaped(text) for text in row(finding)]
            if finding.word in ("worse", "better", "host"):
                texts[-1] = f"**{texts[-1]}**"
            lines.append("| " + " | ".join([escaped(cell.title) if not place else "", *texts])
                         + " |")
    lines.append("")
    for heading, told in sentences(compared):
        lines.append(f"- **{heading}.** {escaped(' '.join(told))}")
    return "\n".join(lines)


def escaped(text):
    """`text` so that Markdown shows its characters, in a table as well."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~$#@])", r"\\\1", text)


def as_json(compared):
    """The array that reports/README.md describes; infinite numbers are the word "infinite"."""
    def entry(finding):
        comparison, cell = finding.comparison, finding.cell
        return {"cell": cell.title, "control": cell.control, "metric": finding.metric.name,
                "a": {"cell": cell.a["cell"], "median": finite(finding.a_median)},
                "b": {"cell": cell.b["cell"], "median": finite(finding.b_median)},
                "ratio": finite(comparison.ratio), "low": finite(comparison.low),
                "high": finite(comparison.high), "level": LEVEL, "delta": finding.metric.delta,
                "blocks": comparison.blocks, "verdict": finding.word,
                "shows_from": finite(finding.shows_from)}

    return json.dumps([entry(finding) for _, found in by_cell(compared) for finding in found],
                      indent=1)


def finite(number):
    """A number as JSON can hold it."""
    return "infinite" if number == math.inf else number
