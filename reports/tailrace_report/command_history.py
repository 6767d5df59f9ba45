# SPDX-License-Identifier: MIT
"""`tailrace history add|show|plot`: result sets collected in one SQLite file, and their trends."""

import argparse
from pathlib import Path

from .history_series import read_series, stored_sets
from .history_store import add, history
from .history_words import as_json, as_markdown, as_text
from .metrics import METRICS, metric_named
from .resultset import ReportError, read_result_set

NEEDS = ()  # `plot` alone needs more, and asks for it
SHOWN = ("p50", "p99", "p99.9", "service-p99.9", "rate", "rss-peak")


def describe(parser):
    """Text and arguments."""
    parser.description = (
        "Collects result sets in one SQLite file and shows how each cell changed from set to set,\n"
        "by commit. Only sets of the same processor model, number of cores and suite are compared.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="add|show|plot")

    def action(name, text):
        """The parser of one action."""
        one = actions.add_parser(name, description=text, help=text, allow_abbrev=False,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
        one.add_argument("file", metavar="FILE.db", help="the history")
        return one

    add_parser = action("add", "adds result sets; one that is there already is not added again")
    add_parser.add_argument("dirs", metavar="DIR", nargs="+", help="what `tailrace bench` wrote")
    show_parser = action("show", "prints the changes of level, then each series set by set")
    plot_parser = action("plot", "draws each series, a figure per scenario and metric")
    for one in (show_parser, plot_parser):
        one.add_argument("--cell", metavar="PATTERN", default="*", help="only the cells whose name "
                         "contains PATTERN or matches it as a shell would")
        one.add_argument("--metric", metavar="M", action="append", help="this metric; may be given "
                         f"again (default: {', '.join(SHOWN)}; all: {', '.join(METRICS)})")
        one.add_argument("--machine", metavar="TEXT", default="", help="only the machines whose "
                         "processor model and cores contain TEXT")
    form = show_parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const=as_json, default=as_text,
                      help="as JSON")
    form.add_argument("--markdown", dest="form", action="store_const", const=as_markdown,
                      help="as Markdown")
    plot_parser.add_argument("--out", metavar="DIR|FILE.png", required=True, help="the folder for "
                             "PNG and SVG files, or the one file (and its SVG)")


def run(arguments):
    """Add, show or plot."""
    {"add": run_add, "show": run_show, "plot": run_plot}[arguments.action](arguments)
    return 0


def run_add(arguments):
    """Each set in a transaction of its own; the first that cannot be read ends it."""
    for directory in arguments.dirs:
        result_set = read_result_set(directory)
        with history(arguments.file, create=True) as connection:
            print(add(connection, result_set, directory), flush=True)


def run_show(arguments):
    """Print the series."""
    print(arguments.form(selected(arguments)))


def run_plot(arguments):
    """Draw the series; print the paths written."""
    from .__main__ import need
    need(("matplotlib", "numpy"))
    from .history_figure import draw  # slow to load
    for path in draw(selected(arguments), Path(arguments.out)):
        print(path)


def selected(arguments):
    """The series asked for, or ReportError that says why there is none."""
    metrics = [metric_asked(name) for name in dict.fromkeys(arguments.metric or SHOWN)]
    with history(arguments.file) as connection:
        if not stored_sets(connection):
            raise ReportError(f"{arguments.file} holds no result set")
        found = read_series(connection, metrics, arguments.cell, arguments.machine)
    if not found:
        raise ReportError(f"{arguments.file} has nothing of that cell, metric and machine "
                          "that was ever measured")
    return found


def metric_asked(name):
    """The metric of this name, or ReportError."""
    metric = metric_named(name)
    if not metric:
        raise ReportError(f'there is no metric "{name}" among {", ".join(METRICS)}')
    return metric
