# SPDX-License-Identifier: MIT
"""Groups a result set by scenario and cell, and gives every cell its label and its style."""

import json
from collections import defaultdict
from dataclasses import dataclass, replace

from .stats import representative
from .style import CONTROL, Style, member_style
from .text import SPACE, count, size, tuning


@dataclass(frozen=True)
class Cell:
    """One cell with its `runs` in the order of their blocks.

    `label` is unique in its scenario; `variant` is the part of it beyond strategy and heap;
    `series` is the label without live set, load and budget multiple: cells that have it make a
    curve; `base` is the series with the live set: what is calibrated. `shown` is the
    representative run of the time series, or None; `unsupported` is the reason.
    """

    spec: dict
    label: str
    variant: str
    style: Style
    runs: list
    shown: dict
    unsupported: str
    series: str = ""
    base: str = ""

    @property
    def control(self):
        """Whether this is the null control."""
        return bool(self.spec.get("control"))


def scenarios(result_set):
    """{workload: [Cell, …]} in the order of the manifest."""
    grouped, runs, families = defaultdict(list), defaultdict(list), {}
    for spec in result_set.manifest["cells"]:
        grouped[workload(spec)].append(spec)
    for run in result_set.runs:
        runs[run["cell"]].append(run)
    calibrated = {entry["cell"]: entry for entry in result_set.manifest["calibration"]}
    return {name: cells_of(specs, runs, calibrated, families) for name, specs in grouped.items()}


def workload(entry):
    """The scenario of a cell or a calibration, with the parameters that are not its defaults."""
    return entry.get("workload") or entry["scenario"]


def cells_of(specs, runs_of, calibrated, families):
    """The cells of one scenario; `families` ({family: its series}) grows from one to the next.

    `runs_of` and `calibrated` have the runs and the calibration of each cell by its name.
    """
    siblings = defaultdict(list)
    for spec in specs:
        siblings[spec["strategy"], spec["heap"]].append(with_points(spec))
    apart = {key: differing(known) for key, known in siblings.items()}
    texts = [variants(spec, apart[spec["strategy"], spec["heap"]]) for spec in specs]
    series = [label_of(spec, fixed) for spec, (fixed, *_) in zip(specs, texts)]
    cells = []
    for spec, of_series, (fixed, live, point) in zip(specs, series, texts):
        runs = sorted(runs_of.get(spec["cell"], []), key=lambda run: run["block"])
        extra = joined(fixed, live, point)
        cells.append(Cell(spec, label_of(spec, extra), extra,
                          style_of(spec, of_series, families), runs,
                          representative(runs) if runs else None,
                          unsupported_reason(spec, runs, calibrated), of_series,
                          label_of(spec, joined(fixed, live))))
    return cells


def joined(*texts):
    """What there is of some texts, with commas between."""
    return ", ".join(filter(None, texts))


def label_of(spec, extra):
    """Strategy, heap and what else there is to say, if anything."""
    return f"{SPACE}·{SPACE}".join(filter(None, (spec["strategy"], spec["heap"], extra)))


def style_of(spec, series, families):
    """The Style of a series: the next of its family's, or the one that `families` knows it by."""
    if spec.get("control"):
        return CONTROL
    members = families.setdefault(spec.get("family"), [])
    if series not in members:
        members.append(series)
    return member_style(spec.get("family"), members.index(series))


def differing(siblings):
    """The keys of VARIANTS in which cells of equal scenario, strategy and heap differ."""
    return {key for words in VARIANTS for key in words
            if len({json.dumps(spec.get(key), sort_keys=True) for spec in siblings}) > 1}


def variants(spec, apart):
    """What sets a cell apart from its siblings, which differ in the keys `apart`: three texts.

    The first belongs to its series; the others say its live set, and its load and budget multiple.
    """
    own = with_points(spec)
    return tuple(joined(*(words[key](own) for key in words if key in apart)) for words in VARIANTS)


def live_text(spec):
    """The live set of a cell, in its scenario's units."""
    live = spec.get("live")
    return f"{live:,}" if isinstance(live, int) else str(live)


def with_points(spec):
    """`spec` and what tells series and points of a curve apart."""
    loaded = spec.get("load") is not None
    return {**spec, "loaded": loaded,
            "load_point": [load_of(spec), spec["load"]] if loaded else None,
            "fixed_budget": None if spec.get("budget_times") else spec.get("budget_bytes")}


def load_of(spec):
    """Whose capacity the load of a cell is a fraction of: "slowest" or "own"."""
    return "own" if spec.get("load_of") == "own" else "slowest"


def load_text(spec):
    """The load of a cell in words, or None."""
    if spec.get("load") is None:
        return None
    return f"{'own load' if load_of(spec) == 'own' else 'load'} {spec['load']:g}"


def multiple_text(spec):
    """The budget of a cell as a multiple of its smallest workable size."""
    return f"{spec['budget_times']:g}× budget" if spec.get("budget_times") else "no budget"


def budget_text(spec):
    """A budget that is not a multiple."""
    return f"{size(spec['fixed_budget'])} budget" if spec["fixed_budget"] else "no budget"


VARIANTS = (  # what cells may differ in, and how it is told
    {"threads": lambda spec: count(spec.get("threads"), "thread"), "fixed_budget": budget_text,
     "tune": lambda spec: tuning(spec.get("tune")),
     "loaded": lambda spec: None if spec["loaded"] else "no load"},
    {"live": lambda spec: f"live {live_text(spec)}"},
    {"load_point": load_text, "budget_times": multiple_text})


def unsupported_reason(spec, runs, calibrated):
    """Why the strategy cannot run the scenario, or None if it can."""
    name = spec["cell"]
    while name not in calibrated and "/" in name:
        name = name.rpartition("/")[0]
    for record in [*runs, calibrated.get(name, {})]:
        if record.get("status") == "unsupported":
            return record.get("reason") or "no reason was recorded"
    return None


def names(name, spec):
    """Whether `name`, perhaps without load and budget, is that of the cell."""
    return spec["cell"] == name or spec["cell"].startswith(name + "/")


def cell_named(cells, name):
    """A cell called `name` when load and budget are left off, labelled without them, or None."""
    near = [cell for cell in cells if names(name, cell.spec)]
    if not near:
        return None
    nearest = min(near, key=lambda cell: len(cell.spec["cell"]))
    return replace(nearest, label=nearest.base)
