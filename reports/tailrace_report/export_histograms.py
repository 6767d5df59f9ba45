# SPDX-License-Identifier: MIT
"""The histograms of a result set: one joined HdrHistogram log, or a percentile table per cell."""

import math
import re
from datetime import datetime, timezone
from pathlib import Path

from .hlog import read_log
from .metrics import COMPLETED
from .resultset import ReportError
from .text import count, listed

HALF_BITS, VALUE_BITS = 7, 37  # of the bucket layout, as in harness/measure/histogram.h
HALF = 1 << HALF_BITS
TICKS_PER_HALF_DISTANCE = 5
NAME_MAX = 249


def joined_log(cells, directory, note):
    """All logs of DIR/hlog as one, run by run in the order of time; tags say the cell.

    Runs that runs.jsonl does not have are left out, and told.
    """
    paths = sorted(Path(directory, "hlog").glob("*.hlog"))
    if not paths:
        raise ReportError(f"{directory} has no histogram logs in {Path(directory, 'hlog')}")
    blocks = {}
    for cell in cells:
        for tag in (tag_of(cell.name), tag_of(cell.name) + "/service"):
            blocks.setdefault(tag, set()).update(run["block"] for run in cell.runs)
    sections = []
    for path in paths:
        sections += sections_of(path, blocks, note)
    sections.sort(key=lambda intervals: intervals[0].start_s)
    start_s = sections[0][0].start_s if sections else 0.0
    lines = [line for intervals in sections for line in section_lines(intervals, start_s)]
    return "\n".join([*log_head(start_s), *lines, ""])


def sections_of(path, blocks, note):
    """[[Interval, …]] of the runs in a log that `blocks` {tag: blocks} has, each with its own."""
    log, found = read_log(path), {}
    if log.torn:
        note(f"{path} was torn: its last line is ignored")
    for one in log.intervals:
        found.setdefault((one.tag, one.block), []).append(one)
    strange = [key for key in found if key[1] not in blocks.get(key[0], ())]
    for tag, block in strange:
        note(f"{path} has a run that runs.jsonl does not have, left out: tag {tag}, block {block}")
    return [intervals for key, intervals in found.items() if key not in strange]


def log_head(start_s):
    """The first lines of a log."""
    date = datetime.fromtimestamp(int(start_s), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ["#[Histogram log format version 1.3]",
            f"#[StartTime: {start_s:.3f} (seconds since epoch), {date}]",
            '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"']


def section_lines(intervals, start_s):
    """The lines of a run; histograms as they were."""
    first = intervals[0]
    yield f"#[Run: block {first.block}, status {first.status}]"
    for one in intervals:
        yield (f"Tag={one.tag},{one.start_s - start_s:.6f},{one.length_s:.6f},{one.maximum},"
               f"{one.payload}")


def tag_of(cell):
    """What a log has as the tag of a cell: bytes up to the space, and commas, are `_`."""
    return re.sub("[\x00-\x20,]", "_", cell)


def tables(cells, directory, note):
    """{file name: percentile table} of each cell, its runs added up."""
    files = {}
    for cell in cells:
        kind = "response" if any(run.get("response_histogram") for run in cell.runs) else "service"
        runs = [run for run in cell.runs
                if run["status"] in COMPLETED and run.get(f"{kind}_histogram")]
        if runs:
            counts = add_histograms(run[f"{kind}_histogram"] for run in runs)
            files[file_name(cell.name, "hgrm")] = table(counts) + comment(cell, kind, runs)
        else:
            note(f"{cell.name} is left out: no run of it that came to its end has a histogram "
                 f"({cell.statuses()})")
    if not files:
        raise ReportError(f"no run in {directory} has a histogram")
    return files


def add_histograms(histograms):
    """{value: count} of several [[value, count], …] together, ascending."""
    total = {}
    for value, number in (map(int, pair) for histogram in histograms for pair in histogram):
        total[value] = total.get(value, 0) + number
    return dict(sorted(total.items()))


def comment(cell, kind, runs):
    """What the table is of; those who read such tables pass over it."""
    missing = [f"block {run['block']} ({run['status']})" for run in cell.runs if run not in runs]
    return (f"#[{kind} time in milliseconds of {count(len(runs), 'run')} added up, to look at and "
            f"not to compare{'; without ' + listed(missing) if missing else ''}]\n")


def file_name(cell, kind):
    """The name of a cell's file, as `tailrace bench` makes it: run_histograms.c."""
    safe, fnv = "", 0xcbf29ce484222325
    for byte in cell.encode("utf-8", "surrogatepass"):
        fnv = (fnv ^ byte) * 0x100000001b3 % 2**64
        plain = chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "-_.=")
        safe += chr(byte) if plain else "+" if byte == ord("/") else f"%{byte:02X}"
    if len(safe) > NAME_MAX:
        safe = f"{safe[:NAME_MAX - 17]}~{fnv:016x}"
    return f"{safe}.{kind}"


def table(counts):
    """The percentile table of {value in ns: count} in milliseconds, as hlog.c writes it."""
    total = sum(counts.values())
    mean = sum(n * middle(v) for v, n in counts.items()) / (total or 1)
    deviation = math.sqrt(sum(n * (middle(v) - mean) * (middle(v) - mean)
                              for v, n in counts.items()) / (total or 1))
    highest = max(counts, default=0)
    return "".join((
        "%12s %14s %10s %14s\n\n" % ("Value", "Percentile", "TotalCount", "1/(1-Percentile)"),
        *rows(counts, total),
        f"#[Mean    = {mean * 1e-6:12.6f}, StdDeviation   = {deviation * 1e-6:12.6f}]\n"
        f"#[Max     = {highest * 1e-6:12.6f}, Total count    = {total:12d}]\n"
        f"#[Buckets = {VALUE_BITS - HALF_BITS:12d}, SubBuckets     = {2 * HALF:12d}]\n"))


def middle(value):
    """The middle of the bucket whose highest value is given, as HdrHistogram takes it."""
    width = 1 << max(value.bit_length() - HALF_BITS - 1, 0)
    return float(value - width + 1 + (width >> 1))


def rows(counts, total):
    """Yield the rows: one for every percentage that a bucket reaches, and one for all."""
    seen, percent = 0, 0.0
    for value, number in counts.items():
        seen += number
        more = True
        while more and 100 * seen / total >= percent:
            yield "%12.6f %2.12f %10d %14.2f\n" % (value * 1e-6, percent / 100, seen,
                                                  1 / (1 - percent / 100))
            percent = next_percent(percent)
            more = seen < total
    if total:
        yield "%12.6f %2.12f %10d\n" % (value * 1e-6, 1.0, seen)


def next_percent(percent):
    """The next percentage to tell: as many steps to each half of what is left to 100."""
    halvings = math.floor(math.log(100 / (100 - percent)) / math.log(2))
    return percent + 100 / (TICKS_PER_HALF_DISTANCE * 2.0 ** (halvings + 1))


