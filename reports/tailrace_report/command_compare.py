# SPDX-License-Identifier: MIT
"""`tailrace compare A B`: two result sets, or two arms of one, held against each other."""

import os
import sys
from dataclasses import replace

from . import compare_text
from .arms import KEYS, read_arm
from .compare import compare
from .compare_words import sentences
from .metrics import METRICS, metric_named
from .output import write_file
from .resultset import ReportError

NEEDS = ()


def describe(parser):
    """Text and arguments."""
    parser.description = (
        "Compares B with A, cell by cell, from their runs paired by block: the median of each, the\n"
        "ratio B/A with its 98 % interval, and one word: worse or better (the interval excludes 1\n"
        "and the ratio lies beyond the metric's margin), equivalent (the interval lies within the\n"
        "margin), inconclusive, or host (the null control moved as well: it was the machine).\n\n"
        "A and B are DIR or DIR:KEY=VALUE,…, with KEY one of\n"
        f"{', '.join(KEYS)}:\n"
        "  tailrace compare results/before results/after\n"
        "  tailrace compare results/quick:heap=glibc results/quick:heap=jemalloc\n\n"
        "Exit status: 0 compared, whatever came out (`tailrace gate` judges), 2 bad input.")
    parser.add_argument("a", metavar="A", help="what is compared with")
    parser.add_argument("b", metavar="B", help="what is compared")
    parser.add_argument("--metric", metavar="M", action="append", default=[],
                        help=f"one of {', '.join(METRICS)}; may be repeated (default: p50 p99 "
                             "p99.9 rss-peak; in closed loop rate service-p99.9 rss-peak)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--markdown", action="store_true", help="print a Markdown table")
    output.add_argument("--json", action="store_true",
                        help="print a JSON array; the sentences go to standard error")
    parser.add_argument("--html", metavar="FILE", help="write a page with charts as well")


def run(arguments):
    """Read, compare, print, and write the page if it is asked for."""
    if arguments.html is not None:
        from .__main__ import need
        need(("matplotlib", "jinja2"))
    for name in arguments.metric:
        if not metric_named(name):
            raise ReportError(f'there is no metric "{name}" among {", ".join(METRICS)}')
    a, b = read_arm(arguments.a), read_arm(arguments.b)
    if a.result_set == b.result_set:
        b = replace(b, result_set=a.result_set)
    compared = compare(a, b, [metric_named(name).name for name in arguments.metric])
    if not compared.findings:
        raise ReportError(nothing(compared, arguments.metric))
    if arguments.html is not None:
        from .compare_page import page
        write_file(arguments.html, page(compared).encode())
    tell(compared, arguments)
    return 0


def nothing(compared, metrics):
    """Why there is nothing to compare, in a sentence."""
    if compared.different:
        title, why = compared.different[0]
        return f"A and B did not do the same work: in {title} {why}"
    if compared.unsupported:
        title, why = compared.unsupported[0]
        return f"A and B have no cell in common that both support: {title} ({why})"
    if not compared.cells:
        return (f"{compared.a.text} and {compared.b.text} have no cell in common: A has "
                f"{compared.only_a[0]}, B has {compared.only_b[0]}")
    return f"no cell that A and B have in common has {' or '.join(metrics) or 'a default metric'}"


def tell(compared, arguments):
    """Print what was asked for."""
    sys.stdout.reconfigure(errors="backslashreplace")
    if arguments.json:
        print(compare_text.as_json(compared))
        for _, told in sentences(compared):
            print(*told, sep="\n", file=sys.stderr)
    elif arguments.markdown:
        print(compare_text.markdown(compared))
    else:
        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        print(compare_text.terminal(compared, color))
