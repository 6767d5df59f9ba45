# SPDX-License-Identifier: MIT
"""Draws the figures of all scenarios, on all processors: PNG, SVG, and what the page shows."""

import gc
import io
import os
import re
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

from .resultset import ReportError
from .svg import inlined

DPI = 160  # of the PNG files
NAME_CHARS = 80
PROCESSES_MAX = 4  # each takes about 100 MB
_tasks = []  # (ending of names, function that draws): what worker processes inherit


@dataclass(frozen=True)
class Drawn:
    """One figure: its files' `name` without ending, their bytes, the page's `inline` SVG.

    `reading` is what the figure says of itself for the page's script, or None.
    """

    name: str
    png: bytes
    svg: bytes
    inline: str
    reading: dict


def draw_all(tasks):
    """[{what it shows: Drawn}, …] of `tasks`: functions that give {what it shows: Figure}.

    Each comes with what the names of its figures end in: [(ending, function), …].
    """
    _tasks[:] = tasks
    gc.freeze()  # else each worker copies what it only looks at
    gc.disable()  # a figure is a hundred thousand objects: draw() collects once it is done
    try:
        processors = min(len(os.sched_getaffinity(0)), len(tasks), PROCESSES_MAX)
        if processors < 2:
            return [draw(place) for place in range(len(tasks))]
        with ProcessPoolExecutor(processors, get_context("fork")) as pool:
            return list(pool.map(draw, range(len(tasks))))
    except BrokenProcessPool:
        raise ReportError("a process that draws figures was ended from outside, perhaps for want "
                          "of memory") from None
    finally:
        _tasks.clear()
        gc.enable()
        gc.unfreeze()


def draw(place):
    """{what it shows: Drawn} of one task."""
    ending, figures = _tasks[place]
    made = {what: drawn(figure, f"{what}-{ending}".strip("-"), f"{what}{place}")
            for what, figure in figures().items()}
    gc.collect()
    return made


def drawn(figure, name, prefix):
    """A figure as Drawn; `prefix` begins the names in the page's SVG."""
    svg = rendered(figure, "svg")
    return Drawn(name, rendered(figure, "png"), svg, inlined(svg, prefix),
                 getattr(figure, "reading", None))


def file_names(scenarios):
    """What the files of each scenario end in: its name as far as every system can have it."""
    names = []
    for scenario in scenarios:
        name = plain = re.sub(r"[^A-Za-z0-9_-]+", "-", scenario).strip("-")[:NAME_CHARS]
        number = 1
        while name in names:
            number += 1
            name = f"{plain}-{number}"
        names.append(name)
    return names


def rendered(figure, kind):
    """The bytes of a figure; equal input gives equal bytes."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the font lacks are drawn as boxes
        figure.savefig(buffer, format=kind, dpi=DPI,
                       metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()
