# SPDX-License-Identifier: MIT
"""Reads a result set from disk; knows the files and nothing of their meaning."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .shape import wrong_in_manifest, wrong_in_run

# Control characters but tab and newline, lone surrogates, and what turns the direction of text.
UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069"
                   "\ufffe\uffff]")


class ReportError(Exception):
    """What went wrong, as one sentence for the user without its full stop."""


class Lacking(Exception):
    """What this machine lacks, as one sentence."""


@dataclass(frozen=True)
class ResultSet:
    """`manifest` as parsed, `runs` in the order of the file, `torn`: a last line was ignored."""

    manifest: dict
    runs: list
    torn: bool


def read_result_set(directory, slim=None):
    """Read DIR/manifest.json and DIR/runs.jsonl, or raise ReportError.

    `slim(run)` is called on every run once it is checked, so that a large set fits into memory.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise ReportError(f"{directory} is not a folder, so there is no result set to read")
    manifest = read_manifest(directory / "manifest.json")
    runs, torn = read_runs(directory / "runs.jsonl", slim=slim)
    if not runs:
        raise ReportError(f"{directory / 'runs.jsonl'} holds no run: there is nothing to report")
    known, seen = {cell["cell"] for cell in manifest["cells"]}, set()
    for number, run in enumerate(runs, 1):
        key = (run["cell"], run["block"])
        if run["cell"] not in known:
            raise ReportError(f"run {number} in {directory / 'runs.jsonl'} is of cell "
                              f"{run['cell']!r}, which the manifest does not have")
        if key in seen:
            raise ReportError(f"run {number} in {directory / 'runs.jsonl'} repeats cell "
                              f"{run['cell']!r} of block {run['block']}")
        seen.add(key)
        if run.get("hlog"):
            add_latency(run, directory / run["hlog"])
    return ResultSet(manifest, runs, torn)


def add_latency(run, path):
    """Give a run the response times of the histogram log that it has written."""
    from .hlog import add_up, read_log, summary  # which need ReportError
    intervals = read_log(path).intervals
    tags = sorted({one.tag or "no tag" for one in intervals})
    if len(tags) != 1:
        raise ReportError(f"{path} holds {'histograms of ' + ', '.join(tags) if tags else 'none'}: "
                          "which of them is the latency is not known")
    counts = add_up(intervals)
    run["response_ns"] = summary(counts)
    run["response_histogram"] = [[value, count] for value, count in counts.items()]


def read_manifest(path):
    """Parse and check manifest.json."""
    try:
        manifest = parsed(path.read_bytes())
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ReportError(f"{path} is not valid JSON") from None
    wrong = wrong_in_manifest(manifest)
    if wrong:
        raise ReportError(f"{path} is not as the format says: wrong or missing {wrong}")
    return manifest


def read_runs(path, wrong_in=wrong_in_run, slim=None):
    """Parse and check runs.jsonl: (runs, whether a torn last line was ignored).

    `wrong_in(run)`: the first wrong field of a line, or None.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from None
    while lines and not lines[-1].strip():
        lines.pop()
    runs = []
    for number, line in enumerate(lines, 1):
        try:
            run = parsed(line)
        except ValueError:
            if number == len(lines):
                return runs, True
            raise ReportError(f"{path} line {number} is not valid JSON") from None
        wrong = wrong_in(run)
        if wrong:
            raise ReportError(f"{path} line {number} is not as the format says: "
                              f"wrong or missing {wrong}")
        if slim:
            slim(run)
        runs.append(run)
    return runs, False


def parsed(content):
    """The JSON in some bytes; ValueError if it is none."""
    value = json.loads(content)
    return fit(value) if b"\\u" in content or not content.isascii() else value


def fit(value):
    """`value` with every text in it free of what a page or a figure cannot show."""
    if isinstance(value, str):
        return UNFIT.sub("\ufffd", value.replace("\r\n", "\n"))
    if isinstance(value, list):
        return [fit(one) for one in value]
    if isinstance(value, dict):
        return {fit(key): fit(one) for key, one in value.items()}
    return value
