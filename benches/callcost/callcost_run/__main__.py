# SPDX-License-Identifier: MIT
"""Measures what one object costs under each strategy and heap, against the bare library.

All programs run once in each round, in random order; ratios are taken within rounds, and their
median is what is told. Writes callcost.json, callcost.md, callcost.png and callcost.svg.
Exit status: 0 done, 2 bad arguments, 3 something is missing, 130 interrupted (what was measured
until then is written).
"""

import argparse
import json
import logging
import math
import os
import sys
from pathlib import Path

from .measure import Missing, Plan, measure
from .summary import summarize
from .tables import tables

REPOSITORY = Path(__file__).resolve().parents[3]


def fail(sentence, status):
    """Say `sentence` on standard error and end."""
    print(f"callcost: {sentence}", file=sys.stderr)
    sys.exit(status)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message):
        fail(f"{message} (--help)", 2)


def positive(text):
    """A whole number from 1 on."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


positive.__name__ = "number from 1 on"


def parse():
    """The arguments."""
    parser = Parser(prog="benches/callcost/run", description=__doc__, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=9, metavar="N",
                        help="how often everything is measured (9)")
    parser.add_argument("--out", type=Path, metavar="DIR",
                        help="where the results go (BUILD/callcost)")
    parser.add_argument("--only", action="append", metavar="GLOB",
                        help="strategy/heap cells such as 'arena*/*' or malloc/glibc; repeatable")
    parser.add_argument("--seed", type=positive, default=1, metavar="N",
                        help="of the orders (1)")
    parser.add_argument("--time-us", type=positive, default=8000, metavar="N",
                        help="how long each mode and size is timed in a round (8000)")
    parser.add_argument("--build", type=Path, default=REPOSITORY / "build", metavar="BUILD",
                        help="where the programs are (build)")
    return parser.parse_args()


def make_folder(folder):
    """Creates `folder`, or ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        fail(f"{folder} cannot be written into: {error.strerror}", 2)


def plain(value):
    """`value` as JSON has it: NaN is null."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def main():
    """Plan, measure, summarise, write."""
    options = parse()
    options.build = options.build.resolve()
    folder = options.out or options.build / "callcost"
    try:
        plan = Plan(options.build, options.only)
    except Missing as missing:
        fail(missing, 3)
    if not plan.cells:
        fail(f"no strategy/heap is named by {' or '.join(options.only)}", 2)
    if not plan.programs:
        fail(f"no callcost-* is in {options.build}: build them (`cmake --preset release && "
             "cmake --build --preset release`)", 3)
    make_folder(folder)
    measured = measure(plan, options)
    if not measured.rounds:
        fail("interrupted before anything was measured", 130)
    summary = summarize(plan, measured, options)
    os.environ["MPLBACKEND"] = "Agg"
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from tailrace_report.output import write_files
    from tailrace_report.resultset import ReportError
    from .figure import draw
    text = tables(summary)
    print(text)
    try:
        print(write_files(folder, {
            **draw(summary), "callcost.md": text.encode(),
            "callcost.json": (json.dumps(plain(summary), indent=1) + "\n").encode()}))
    except ReportError as error:
        fail(error, 2)
    return 130 if measured.interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
