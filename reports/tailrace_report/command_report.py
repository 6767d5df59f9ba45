# SPDX-License-Identifier: MIT
"""`tailrace report DIR`: the report of a result set or of a race matrix, in its folder."""

import sys

from .output import write_files
from .race_set import is_race_matrix, read_race_set
from .resultset import read_result_set
from .slim import slim

NEEDS = ("matplotlib", "numpy", "jinja2")


def describe(parser):
    """Text and arguments."""
    parser.description = (
        "Writes index.html (one file, nothing else needed to read it) and each figure as PNG and\n"
        "SVG into the result set's folder, and prints the page's path.")
    parser.add_argument("dir", metavar="DIR", help="the result set, or what `race --out` wrote")


def run(arguments):
    """Read, compute, draw, write."""
    race = is_race_matrix(arguments.dir)
    result_set = read_race_set(arguments.dir) if race else read_result_set(arguments.dir, slim)
    from . import page, race_page  # slow to load
    print(f"report: drawing {len(result_set.runs)} {'cells' if race else 'runs'}", file=sys.stderr)
    build_report = (race_page if race else page).build_report
    print(write_files(arguments.dir, build_report(result_set)))
    return 0
