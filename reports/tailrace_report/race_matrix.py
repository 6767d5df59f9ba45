# SPDX-License-Identifier: MIT
"""The race matrix in memory: its columns, its rows, what stands where, and what that means."""

import math
from dataclasses import dataclass, field

from .race_names import DETECTORS

SCHEDULES = ("plain", "delay", "walk", "pct2", "pct3", "pct4")
STATIC = ("fanalyzer", "thread-safety", "analyzer", "rustc")  # they read, nothing runs
BY_ITSELF = ("oracle-only", "hang-only", "crash-only")  # the program showed it, no tool did
UNSEEN = {"needs-unsafe": "cannot say"}
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Column:
    """A detector under a schedule (None: whatever its cells have).

    `number` counts detectors, `place` the columns of this one.
    """

    detector: dict
    schedule: str
    number: int
    place: int

    @property
    def name(self):
        """The detector's name as the files have it."""
        return self.detector["name"]


@dataclass
class Row:
    """A case in one mode; `cells` by column, in their order, None where none is recorded."""

    case: dict
    mode: str
    number: int
    cells: list = field(default_factory=list)


@dataclass
class Matrix:
    """`columns`, `rows` (those of a case together), `missing`: cells that should be there."""

    columns: list
    rows: list
    missing: int

    def of(self, row, detector):
        """The recorded cells of a detector in a row."""
        return [cell for column, cell in zip(self.columns, row.cells)
                if cell and column.name == detector]


def wilson(hits, runs):
    """Wilson's 95 % interval of hits out of runs: (low, high) as shares."""
    if not runs:
        return 0.0, 1.0
    share, z2 = hits / runs, Z95 * Z95
    middle = (share + z2 / (2 * runs)) / (1 + z2 / runs)
    half = Z95 / (1 + z2 / runs) * math.sqrt(share * (1 - share) / runs + z2 / (4 * runs * runs))
    return max(0.0, middle - half), min(1.0, middle + half)


def bug(cell):
    """What was seen of the defect in a cell, {} where nothing ran."""
    return (cell or {}).get("bug") or {}


def rate(cell):
    """Share of a cell's runs with a right report, None where nothing ran."""
    runs = bug(cell).get("runs")
    return (bug(cell).get("hits") or 0) / runs if runs else None


def interval(cell):
    """The Wilson interval of a cell, as recorded or computed."""
    recorded = bug(cell).get("wilson")
    return tuple(recorded) if recorded else wilson(bug(cell).get("hits") or 0,
                                                   bug(cell).get("runs") or 0)


def exposed(cell):
    """Runs that showed the defect at all: by a right report, its own check, a crash or a hang."""
    count = bug(cell).get("exposed")
    return (bug(cell).get("hits") or 0) if count is None else count


def exposed_rate(cell):
    """Share of a cell's runs that showed the defect at all, None where nothing ran."""
    runs = bug(cell).get("runs")
    return exposed(cell) / runs if runs else None


def exposed_interval(cell):
    """The Wilson interval of exposed_rate."""
    return wilson(exposed(cell), bug(cell).get("runs") or 0)


def false_positive(cell):
    """Whether the correct twin was reported."""
    return bool(((cell or {}).get("twin") or {}).get("reports"))


def build_matrix(race_set):
    """The matrix of a set: a row per case and mode, grouped later; columns as the manifest has."""
    manifest = race_set.manifest
    at = {(c["case"], c["mode"], c["detector"], c["schedule"]): c for c in race_set.runs}
    columns = columns_of(manifest, race_set.runs)
    rows, missing = [], 0
    for case in manifest["cases"]:
        for place, mode in enumerate(case.get("modes") or ["plain"]):
            row = Row(case, mode, len(rows))
            for column in columns:
                cell = find(at, case, mode, column)
                row.cells.append(cell)
                missing += cell is None and is_planned(case, place, column)
            rows.append(row)
    return Matrix(columns, rows, missing)


def is_planned(case, place, column):
    """Whether a case has a cell in a column once the matrix is complete, in its mode `place`.

    What only reads may have one for all modes.
    """
    return bool(column.detector.get("available", True) and not (place and column.name in STATIC)
                and not (column.name == "rustc" and case.get("rust") == "needs-unsafe"))


def columns_of(manifest, cells):
    """A column per detector, for TSan one per schedule; Rust's compiler comes last."""
    columns = []
    ordered = sorted(manifest["detectors"], key=lambda detector: detector["name"] == "rustc")
    for number, detector in enumerate(ordered):
        seen = {cell["schedule"] for cell in cells if cell["detector"] == detector["name"]}
        schedules = [None]
        if detector["name"] == "tsan" and detector.get("available", True):
            schedules = list(SCHEDULES)
        if len(seen) > 1 or schedules != [None]:
            known = [name for name in SCHEDULES if name in seen or name in schedules]
            schedules = known + sorted(seen - set(known))
        columns += [Column(detector, schedule, number, place)
                    for place, schedule in enumerate(schedules)]
    return columns


def find(at, case, mode, column):
    """The cell of a case and mode in a column; for what only reads, that of any mode."""
    modes = [mode]
    if column.name in STATIC:
        modes += [other for other in case.get("modes") or [] if other != mode]
    for one in modes:
        for schedule in [column.schedule] if column.schedule else [*SCHEDULES, "none"]:
            cell = at.get((case["name"], one, column.name, schedule))
            if cell:
                return cell
    return None


def is_tool(name):
    """Whether this is one of C's tools, not the bare program and not Rust."""
    return name not in ("native", "rustc")


def shown(row, matrix, detector):
    """Whether a detector showed the defect of a row: a tool by a report, the program by itself."""
    if detector == "native":
        return any(cell["verdict"] in (*BY_ITSELF, "detected") for cell in row.cells if cell)
    return any(cell["verdict"] == "detected" for cell in matrix.of(row, detector))


def unmet(row, matrix, cell):
    """Whether a cell's detector was to report the row's defect and did so under no schedule."""
    return bool(cell and cell.get("expected") and cell["verdict"] != "unsupported"
                and cell["detector"] != "rustc" and not shown(row, matrix, cell["detector"])
                and not awaited(row, matrix, cell["detector"]))


def awaited(row, matrix, detector):
    """Whether cells that may yet show the defect are not recorded: for the program itself any."""
    return any(cell is None and column.detector.get("available", True)
               for column, cell in zip(matrix.columns, row.cells)
               if column.name == detector or detector == "native" and column.name != "rustc")


def catchers(rows, matrix):
    """The names of C's tools that reported the defect in any of `rows` (the modes of a case)."""
    names = dict.fromkeys(column.name for column in matrix.columns if is_tool(column.name))
    return [name for name in names if any(shown(row, matrix, name) for row in rows)]


def by_case(matrix):
    """{case name: its rows}, in the order of the manifest."""
    cases = {}
    for row in matrix.rows:
        cases.setdefault(row.case["name"], []).append(row)
    return cases


def rust_of(rows, matrix):
    """(word, detail, measured, agrees) of a case: what Rust makes of it.

    The word is rejects, panics, accepts or cannot say; "" where nobody says.
    """
    expected = str(rows[0].case.get("rust") or "")
    cells = [cell for row in rows for cell in matrix.of(row, "rustc")]
    said = next((cell["rust"] for cell in cells if cell.get("rust")), {})
    outcome = str(said.get("outcome") or "")
    word, _, detail = (outcome or expected).partition(" ")
    word = UNSEEN.get(word, word)
    return word, detail, bool(outcome), said.get("agrees") is not False


def best_rate(rows, matrix, schedules=None):
    """The highest share of runs in which one of C's tools reports a case, of `schedules` if any."""
    rates = [rate(cell) for row in rows for cell in row.cells
             if cell and is_tool(cell["detector"]) and cell["verdict"] == "detected"
             and (schedules is None or cell["schedule"] in schedules)]
    return max((share for share in rates if share is not None), default=0.0)


def detector_name(name):
    """What a detector is called on the page."""
    return DETECTORS.get(name, name)
