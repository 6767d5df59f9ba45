# SPDX-License-Identifier: MIT
"""Command line of the report: `python3 -m tailrace_report DIR`.

Exit status: 0 written (its path on standard output), 2 bad input or output, 3 a library missing.
"""

import argparse
import logging
import os
import sys

from .race_set import is_race_matrix, read_race_set
from .resultset import ReportError, read_result_set


def main():
    """Read, compute, draw, write; every failure is one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="tailrace_report", description=__doc__.split("\n")[0])
    parser.add_argument("dir", metavar="DIR", help="the result set; the report is written into it")
    directory = parser.parse_args().dir
    os.environ["MPLBACKEND"] = "Agg"
    # Without a writable home matplotlib falls back to a temporary folder by itself, but complains.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    race = is_race_matrix(directory)
    read = read_race_set if race else read_result_set
    try:
        result_set = read(directory)  # before the libraries, which are slow to load
    except ReportError as error:
        return fail(error, 2)
    try:
        import jinja2, matplotlib, numpy  # noqa: E401, F401
    except ImportError as error:
        return fail(f"{error.name or error} is missing: the report needs the Debian packages "
                    "python3-matplotlib, python3-numpy and python3-jinja2", 3)
    from .output import write_files
    from . import page, race_page
    build_report = (race_page if race else page).build_report
    try:
        print(f"report: drawing {len(result_set.runs)} {'cells' if race else 'runs'}",
              file=sys.stderr)
        print(write_files(directory, build_report(result_set)))
    except ReportError as error:
        return fail(error, 2)
    return 0


def fail(sentence, status):
    """Say `sentence` on standard error and hand back `status`."""
    print(f"report: {sentence}.", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
