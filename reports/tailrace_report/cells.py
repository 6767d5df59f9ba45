# SPDX-License-Identifier: MIT
"""Groups a result set by scenario and cell, and gives every cell its label and its style."""

import json
from dataclasses import dataclass

from .stats import representative
from .style import CONTROL, STYLES, Style
from .text import SPACE, count, size


@dataclass(frozen=True)
class Cell:
    """One cell with its `runs` in the order of their blocks.

    `label` is unique in its scenario; `variant` is the part of it beyond strategy and heap;
    `shown` is the representative run of the time series, or None; `unsupported` is the reason.
    """

    spec: dict
    label: str
    variant: str
    style: Style
    runs: list
    shown: dict
    unsupported: str

    @property
    def control(self):
        """Whether this is the null control."""
        return bool(self.spec.get("control"))


def scenarios(result_set):
    """{scenario: [Cell, …]} in the order of the manifest."""
    specs, styles = result_set.manifest["cells"], {}
    return {scenario: cells_of(result_set, [s for s in specs if s["scenario"] == scenario], styles)
            for scenario in dict.fromkeys(spec["scenario"] for spec in specs)}


def cells_of(result_set, specs, styles):
    """The cells of one scenario; `styles` ({label: Style}) grows from scenario to scenario."""
    variants = [variant(spec, [s for s in specs if s["strategy"] == spec["strategy"]
                               and s["heap"] == spec["heap"]]) for spec in specs]
    labels = [f"{SPACE}·{SPACE}".join(filter(None, (spec["strategy"], spec["heap"], extra)))
              for spec, extra in zip(specs, variants)]
    chosen = distinct_styles([label for label, spec in zip(labels, specs)
                              if not spec.get("control")], styles)
    cells = []
    for spec, label, extra in zip(specs, labels, variants):
        runs = sorted((run for run in result_set.runs if run["cell"] == spec["cell"]),
                      key=lambda run: run["block"])
        cells.append(Cell(spec, label, extra, CONTROL if spec.get("control") else chosen[label],
                          runs, representative(runs) if runs else None,
                          unsupported_reason(result_set, spec, runs)))
    return cells


def distinct_styles(labels, styles):
    """{label: Style}, no style twice while they last; a label keeps its style in `styles`."""
    chosen = {}
    for label in sorted(labels, key=lambda label: label not in styles):
        wanted = [styles[label]] if label in styles else []
        free = [style for style in (*wanted, *STYLES) if style not in chosen.values()]
        chosen[label] = (free or STYLES)[0]
        styles.setdefault(label, chosen[label])
    return chosen


def variant(spec, siblings):
    """What sets a cell apart from its siblings of equal scenario, strategy and heap."""
    words = {"threads": lambda n: count(n, "thread"), "live": lambda n: f"live {n}",
             "budget_bytes": lambda n: f"{size(n)} budget" if n else "no budget",
             "tune": tuning}
    differing = [key for key in words
                 if len({json.dumps(s.get(key), sort_keys=True) for s in siblings}) > 1]
    return ", ".join(words[key](spec.get(key)) for key in differing)


def tuning(tune):
    """A tuning as text, whatever JSON it is."""
    if isinstance(tune, dict):
        return " ".join(f"{key}={value}" for key, value in tune.items()) or "untuned"
    if isinstance(tune, list):
        return " ".join(map(str, tune)) or "untuned"
    return str(tune) if tune else "untuned"


def unsupported_reason(result_set, spec, runs):
    """Why the strategy cannot run the scenario, or None if it can."""
    calibrated = [c for c in result_set.manifest["calibration"] if c["cell"] == spec["cell"]]
    for record in [*runs, *calibrated]:
        if record["status"] == "unsupported":
            return record.get("reason") or "no reason was recorded"
    return None
