# SPDX-License-Identifier: MIT
"""`tailrace export DIR --format F`: a result set in the formats that other people's tools read."""

import sys
from pathlib import Path

from .export_cells import export_cells
from .export_data import csv_text, json_text
from .export_histograms import joined_log, tables
from .export_jobs import junit, open_metrics
from .export_markdown import markdown
from .export_trackers import bencher, github_action, google_benchmark
from .output import write_file, write_files
from .race_set import is_race_matrix
from .resultset import ReportError, read_result_set

NEEDS = ()
# Each makes a text of (cells, manifest, note); `note(sentence)` tells what the format cannot hold.
TEXTS = {"csv": csv_text, "json": json_text, "google-benchmark": google_benchmark, "bmf": bencher,
         "github-action-benchmark": github_action, "junit": junit, "openmetrics": open_metrics,
         "markdown": markdown}
# The same of (cells, DIR, note); of hgrm files, as there is one for each cell.
HISTOGRAMS = {"hlog": joined_log, "hgrm": tables}
FORMATS = (*TEXTS, *HISTOGRAMS)


def describe(parser):
    """Text and arguments."""
    parser.description = (
        "Writes a result set in a format that other tools read:\n"
        "  csv                      one line for each run\n"
        "  json                     cells, metrics, values by block, median and interval\n"
        "  google-benchmark         for Google Benchmark's compare.py\n"
        "  bmf                      Bencher Metric Format\n"
        "  github-action-benchmark  its customSmallerIsBetter\n"
        "  junit                    a test case for each cell; runs that failed are failures\n"
        "  openmetrics              gauges for Prometheus\n"
        "  hlog                     the HdrHistogram logs of all cells as one, told by tags\n"
        "  hgrm                     HdrHistogram's percentile table of each cell, into a folder\n"
        "  markdown                 tables for a job's page")
    parser.add_argument("dir", metavar="DIR", help="the result set")
    parser.add_argument("--format", metavar="F", required=True)
    parser.add_argument("--out", metavar="FILE|DIR", default="-",
                        help="where to (default: standard output; a folder for hgrm)")


def run(arguments):
    """Read, convert, write."""
    if arguments.format not in FORMATS:
        raise ReportError(f'there is no format "{arguments.format}" among {", ".join(FORMATS)}')
    if arguments.format == "hgrm" and arguments.out == "-":
        raise ReportError("hgrm is a file for each cell: say with --out DIR where to")
    if is_race_matrix(arguments.dir):
        raise ReportError(f"{arguments.dir} is a race matrix, which has no latencies to export; "
                          "`tailrace report` reads it")
    content = converted(arguments.dir, arguments.format)
    if isinstance(content, dict):
        write_folder(arguments.out, content)
    elif arguments.out == "-":
        sys.stdout.buffer.write(content.encode())
    else:
        write_file(arguments.out, content.encode())
    return 0


def converted(directory, name):
    """The text, or {file name: text}, of a result set in a format."""
    result_set = read_result_set(directory)
    if result_set.torn:
        note(f"the last line of {Path(directory, 'runs.jsonl')} was torn and is ignored")
    cells = export_cells(result_set)
    if name in HISTOGRAMS:
        return HISTOGRAMS[name](cells, directory, note)
    return TEXTS[name](cells, result_set.manifest, note)


def note(sentence):
    """Tell what is not in the output."""
    print(f"export: {sentence}", file=sys.stderr)


def write_folder(directory, files):
    """Write {name: text} into a folder, which is made if it is not there."""
    directory = Path(directory)
    there = directory.is_dir()
    try:
        directory.mkdir(exist_ok=there)
    except OSError as error:
        raise ReportError(f"cannot make the folder {directory}: {error.strerror}") from None
    try:
        write_files(directory, {name: text.encode() for name, text in files.items()})
    except ReportError:
        if not there:
            directory.rmdir()
        raise
