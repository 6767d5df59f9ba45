# SPDX-License-Identifier: MIT
"""Arms: which cells of a result set to hold against which. An arm is DIR[:KEY=VALUE,…].

`results/a` against `results/b` holds cells of the same name against each other;
`results/a:strategy=malloc` against `results/a:strategy=boehm` those that differ in the strategy
alone. Keys are those of KEYS.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from .resultset import ReportError, read_result_set
from .text import tuning

# What a cell is: two cells may be compared where all agree but those the arms are chosen by.
KEYS = {
    "workload": lambda spec: spec.get("workload") or spec["scenario"],
    "scenario": lambda spec: spec["scenario"],
    "strategy": lambda spec: spec["strategy"],
    "heap": lambda spec: spec["heap"],
    "threads": lambda spec: str(spec.get("threads")),
    "live": lambda spec: str(spec.get("live")),
    "tune": lambda spec: tuning(spec.get("tune")),
    "load": lambda spec: f"{spec['load']:g}" if spec.get("load") is not None else "none",
    "load_of": lambda spec: spec.get("load_of") or "slowest",
    "budget": lambda spec: f"{spec['budget_times']:g}x" if spec.get("budget_times")
              else str(spec.get("budget_bytes") or "none"),
    "arm": lambda spec: spec.get("arm") or "none"}


@dataclass(frozen=True)
class Arm:
    """One side: its `text` as given, its result set, what it is `chosen` by ({key: value})."""

    text: str
    result_set: object
    chosen: dict

    def cells(self):
        """[(spec, runs in the order of blocks)] of the cells chosen."""
        runs = defaultdict(list)
        for run in self.result_set.runs:
            runs[run["cell"]].append(run)
        return [(spec, sorted(runs[spec["cell"]], key=lambda run: run["block"]))
                for spec in self.result_set.manifest["cells"]
                if all(KEYS[key](spec) == value for key, value in self.chosen.items())]


@dataclass(frozen=True)
class Pair:
    """Two cells held against each other; `label` says what they have in common."""

    label: str
    a: dict
    b: dict
    a_runs: list
    b_runs: list


def read_arm(text):
    """The Arm that DIR[:KEY=VALUE,…] names, or ReportError."""
    directory, chosen = text, {}
    if not Path(text).exists() and "=" in text.rpartition(":")[2]:
        directory, _, choice = text.rpartition(":")
        for pair in choice.split(","):
            key, equals, value = pair.partition("=")
            if not equals or key not in KEYS:
                raise ReportError(f'"{pair}" chooses no cells: KEY=VALUE with one of '
                                  f'{", ".join(KEYS)} does')
            chosen[key] = value
    arm = Arm(text, read_result_set(directory), chosen)
    if not arm.cells():
        raise ReportError(f"{text} has no such cell")
    return arm


def pairs(a, b):
    """([Pair], labels of cells that only `a` has, those that only `b` has).

    ReportError where a cell has several counterparts, for the arms must then say more.
    """
    apart = a.chosen.keys() | b.chosen.keys()
    common = [key for key in KEYS if key not in apart]
    by_key = [index(arm, common) for arm in (a, b)]
    shown = [key for key in common if key != "scenario" and differs(by_key, common, key)]

    def label(cell_key):
        found = dict(zip(common, cell_key))
        return " · ".join(found[key] if key in ("workload", "strategy", "heap") else
                          f"{key} {found[key]}" for key in shown) or found.get("workload", "all")

    found = [Pair(label(key), *(side[key][i] for i in (0, 1) for side in by_key))
             for key in by_key[0] if key in by_key[1]]
    return (found, *([label(key) for key in by_key[i] if key not in by_key[1 - i]] for i in (0, 1)))


def differs(sides, common, key):
    """Whether cells differ in `key`: the workload, or another among those of one workload."""
    values = defaultdict(set)
    for cell_key in (cell_key for side in sides for cell_key in side):
        found = dict(zip(common, cell_key))
        values[found.get("workload") if key != "workload" else None].add(found[key])
    return any(len(among) > 1 for among in values.values())


def index(arm, common):
    """{values of the `common` keys: (spec, runs)} of an arm."""
    found = {}
    for spec, runs in arm.cells():
        key = tuple(KEYS[name](spec) for name in common)
        if key in found:
            raise ReportError(f"{arm.text} has several cells for one of the other side "
                              f"({found[key][0]['cell']}, {spec['cell']}): choose one, as in "
                              f"DIR:strategy=malloc")
        found[key] = spec, runs
    return found
