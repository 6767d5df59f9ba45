# SPDX-License-Identifier: MIT
"""Reads a race matrix from disk: its manifest and its cells, checked and made fit to be shown."""

import json
from dataclasses import dataclass
from pathlib import Path

from .resultset import ReportError, parsed
from .shape import NUMBER, numbers, wrong_field

SCHEMA, CELL_SCHEMA = "tailrace/race-matrix/1", "tailrace/race-cell/1"
VERDICTS = ("detected", "misplaced", "crash-only", "hang-only", "oracle-only", "silent", "masked",
            "unsupported")
MANIFEST = {"detectors": list, "cases": list}
CASE = {"name": str, "class": str}
CELL = {"case": str, "mode": str, "detector": str, "schedule": str, "verdict": str}
BUG_NUMBERS = ("runs", "hits", "misplaced", "oracle", "hangs", "crashes", "first_report_ms",
               "median_ms", "slowdown", "runs_999", "cpu_s_999", "first_seed")
TWIN_NUMBERS = ("runs", "reports", "hangs", "crashes", "oracle")


@dataclass(frozen=True)
class RaceSet:
    """`manifest` as parsed, `runs` (its cells) in the order of the file.

    `torn`: a last line was ignored; `repeated`: cells that an older line had as well.
    """

    manifest: dict
    runs: list
    torn: bool
    repeated: int


def is_race_matrix(directory):
    """Whether DIR/manifest.json is one of a race matrix; what is wrong with it is told later."""
    try:
        manifest = json.loads((Path(directory) / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("schema") == SCHEMA


def read_race_set(directory):
    """Read DIR/manifest.json and DIR/cells.jsonl, or raise ReportError."""
    path = Path(directory) / "manifest.json"
    manifest = parsed(path.read_bytes())
    wrong = wrong_in_manifest(manifest)
    if wrong:
        raise ReportError(f"{path} is not as the format says: wrong or missing {wrong}")
    path = Path(directory) / "cells.jsonl"
    known = ({case["name"] for case in manifest["cases"]},
             {detector["name"] for detector in manifest["detectors"]})
    cells, torn = {}, False
    lines = lines_of(path)
    for number, line in enumerate(lines, 1):
        try:
            cell = parsed(line)
        except ValueError:
            if number < len(lines):
                raise ReportError(f"{path} line {number} is not valid JSON") from None
            torn = True
            break
        wrong = wrong_in_cell(cell, *known)
        if wrong:
            raise ReportError(f"{path} line {number} is not as the format says: "
                              f"wrong or missing {wrong}")
        cells[tuple(cell[key] for key in ("case", "mode", "detector", "schedule"))] = cell
    return RaceSet(manifest, list(cells.values()), torn, len(lines) - torn - len(cells))


def lines_of(path):
    """The lines of a file that may not be there yet, without empty ones at its end."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from None
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def wrong_in_manifest(manifest):
    """The first wrong field of a parsed manifest.json, or None."""
    wrong = wrong_field(manifest, MANIFEST)
    if wrong:
        return wrong
    if any(wrong_field(case, CASE) or not texts(case.get("modes") or [])
           for case in manifest["cases"]):
        return "cases"
    if any(wrong_field(detector, {"name": str}) for detector in manifest["detectors"]):
        return "detectors"
    for key in ("cases", "detectors"):
        if len({one["name"] for one in manifest[key]}) < len(manifest[key]):
            return f"{key} (a name occurs twice)"
    return None if isinstance(manifest.get("context") or {}, dict) else "context"


def wrong_in_cell(cell, cases, detectors):
    """The first wrong field of one parsed line of cells.jsonl, or None."""
    if not isinstance(cell, dict) or cell.get("schema") != CELL_SCHEMA:
        return "schema"
    wrong = wrong_field(cell, CELL)
    if wrong:
        return wrong
    if cell["verdict"] not in VERDICTS:
        return f"verdict ({cell['verdict']!r})"
    if cell["case"] not in cases:
        return f"case ({cell['case']!r} is not in the manifest)"
    if cell["detector"] not in detectors:
        return f"detector ({cell['detector']!r} is not in the manifest)"
    if not numbers(cell.get("bug"), BUG_NUMBERS) or wrong_in_bug(cell.get("bug") or {}):
        return "bug"
    if not numbers(cell.get("twin"), TWIN_NUMBERS):
        return "twin"
    return None if isinstance(cell.get("rust") or {}, dict) else "rust"


def wrong_in_bug(bug):
    """Whether the interval or the places of a report are not as they should be."""
    wilson, places = bug.get("wilson") or [0, 0], bug.get("where") or []
    return (not isinstance(wilson, list) or len(wilson) != 2
            or not all(isinstance(end, NUMBER) for end in wilson)
            or not isinstance(places, list) or not all(isinstance(at, dict) for at in places)
            or (bug.get("hits") or 0) > (bug.get("runs") or 0))


def texts(values):
    """Whether `values` is a list of words."""
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
