# SPDX-License-Identifier: MIT
"""`tailrace report DIR`: the report of a result set or of a race matrix, in its folder."""

import sys
from pathlib import Path

from .output import write_files
from .race_set import is_race_matrix, read_race_set
from .resultset import read_result_set
from .slim import slim

NEEDS = ("matplotlib", "numpy", "jinja2")


def describe(parser):
    """Text and arguments."""
    parser.description = (
        "Writes index.html (one file, nothing else needed to read it) and each figure as PNG and\n"
        "SVG into the result set's folder, and prints the page's path. A race matrix in its\n"
        "folder race (`tailrace race --out DIR/race`) becomes a section.")
    parser.add_argument("dir", metavar="DIR", help="the result set, or what `race --out` wrote")


def run(arguments):
    """Read, compute, draw, write."""
    race = is_race_matrix(arguments.dir)
    result_set = read_race_set(arguments.dir) if race else read_result_set(arguments.dir, slim)
    from . import page, race_page  # slow to load
    print(f"report: drawing {len(result_set.runs)} {'cells' if race else 'runs'}", file=sys.stderr)
    inner = Path(arguments.dir) / "race"
    if race:
        files = race_page.build_report(result_set)
    elif is_race_matrix(inner):
        files = page.build_report(result_set, race_page.section(read_race_set(inner)))
    else:
        files = page.build_report(result_set)
    print(write_files(arguments.dir, files))
    return 0
