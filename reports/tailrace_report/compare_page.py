# SPDX-License-Identifier: MIT
"""Shows a comparison as one page: sentences, a forest plot per metric, the tables."""

import io
from base64 import b64encode
from pathlib import Path

import jinja2

from .compare_text import COLUMNS, by_cell, row
from .compare_words import by_metric, sentences, whole
from .drawing import WIDTH_IN
from .forest import forest
from .paired import LEVEL

NARROW_IN = 4.2  # of the figures that a phone shows


def page(compared):
    """The HTML text; it needs nothing but itself."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    told = dict(sentences(compared))
    cells = by_cell(compared)
    return environment.get_template("compare.html.j2").render(
        a=compared.a.text, b=compared.b.text, errors=told.pop("Error", []),
        results=told.pop("Result"), told=told, charts=charts(cells), columns=COLUMNS,
        level=whole(LEVEL), cells=[{"title": cell.title, "control": cell.control, "rows": [
            {"word": finding.word, "texts": row(finding)} for finding in found]}
            for cell, found in cells])


def charts(cells):
    """One per metric: its texts and its forest plots for wide and narrow screens, in base64."""
    drawn = []
    for metric, found in by_metric([one for _, found in cells for one in found]).items():
        rows = [(finding.cell.title, finding.comparison, finding.word) for finding in found]
        axis = f"{metric.name}: B / A"
        drawn.append({
            "name": metric.name, "what": metric.what, "margin": whole(metric.delta),
            "better": "right" if metric.higher_is_better else "left", "rows": len(rows),
            **{size: svg(forest(rows, metric.delta, axis, width_in))
               for size, width_in in (("wide", WIDTH_IN), ("narrow", NARROW_IN))}})
    return drawn


def svg(figure):
    """A figure as SVG in base64, without a background; equal input gives equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return b64encode(buffer.getvalue()).decode()
