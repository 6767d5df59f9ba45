# SPDX-License-Identifier: MIT
"""Reads the result set of a gate: its rule, its runs as a table, its counters."""

from dataclasses import dataclass
from pathlib import Path

from .gate_rule import ARMS, FAILED, Rule, tabulate
from .metrics import METRICS, metric_named
from .resultset import ReportError, read_result_set, read_runs
from .shape import numbers, wrong_field

COUNTER = {"pair": str, "arm": str, "block": int, "status": str}
COUNTER_NULLABLE = {"requests": int, "reason": str, "allocations": dict}


@dataclass(frozen=True)
class GateSet:
    """A gate's folder: `name` as given, `gate` of its manifest, `rule`, `table` (gate_rule.py's
    tabulate), `complete` (numbers of blocks that have a run of each cell), `counters` (lines of
    counters.jsonl, None without one), `reasons` (sentences of runs that failed)."""

    name: str
    gate: dict
    rule: Rule
    table: dict
    complete: frozenset
    counters: list
    reasons: dict

    @property
    def looks_made(self):
        """How many looks there are blocks for."""
        return sum(self.complete.issuperset(self.rule.blocks(number))
                   for number in range(1, len(self.rule.looks) + 1))

    @property
    def confirmed(self):
        """Whether there are all blocks for confirmation."""
        return self.complete.issuperset(self.rule.confirming)


def read_gate_set(directory):
    """The GateSet in `directory`, or ReportError."""
    result_set = read_result_set(directory)
    manifest, runs = result_set.manifest, result_set.runs
    wrong = wrong_in_gate(manifest.get("gate")) or wrong_in_arms(manifest["cells"])
    if wrong:
        raise ReportError(f"{directory} holds no gate that can be judged: wrong or missing {wrong} "
                          f"in its manifest")
    gate = manifest["gate"]
    metrics = {name: named(name) for name in gate["metrics"]}
    rule = Rule(tuple(metric for metric in dict.fromkeys(metrics.values())
                      if not metric.deterministic),
                tuple(gate["looks"]), gate["confirm"], gate["alpha"])
    path = Path(directory) / "counters.jsonl"
    counters = read_runs(path, wrong_in_counter)[0] if path.exists() else None
    return GateSet(str(directory), gate, rule, tabulate(rule, manifest["cells"], runs),
                   complete_blocks(manifest["cells"], runs), counters,
                   reasons(manifest["cells"], runs))


def named(name):
    """The metric called `name`, or ReportError."""
    metric = metric_named(name)
    if metric is None:
        raise ReportError(f'"{name}" is no metric: {", ".join(METRICS)} are')
    return metric


def wrong_in_gate(gate):
    """The first wrong field of manifest.gate, or None."""
    wrong = wrong_field(gate, {"baseline": str, "head": str, "metrics": list, "looks": list,
                               "confirm": int, "alpha": float})
    if wrong:
        return "gate" if wrong == "record" else f"gate.{wrong}"
    looks = gate["looks"]
    if not looks or not all(type(n) is int for n in looks) or sorted({0, *looks}) != [0, *looks]:
        return "gate.looks"
    if not gate["metrics"] or not all(isinstance(name, str) for name in gate["metrics"]):
        return "gate.metrics"
    if gate["confirm"] < 1:
        return "gate.confirm"
    return None if 0 < gate["alpha"] < 1 else "gate.alpha"


def wrong_in_arms(cells):
    """What is wrong with the cells' arms and pairs, or None: each pair has one cell of each."""
    if any(wrong_field(spec, {"arm": str, "pair": str}) for spec in cells):
        return "arm or pair of a cell"
    arms = sorted((spec["pair"], spec["arm"]) for spec in cells)
    wanted = sorted((pair, arm) for pair in {pair for pair, _ in arms} for arm in ARMS)
    return None if arms == wanted else f"arms of a pair (each has {', '.join(ARMS)})"


def wrong_in_counter(line):
    """The first wrong field of one parsed line of counters.jsonl, or None."""
    wrong = wrong_field(line, COUNTER) or wrong_field(
        line, {key: kind for key, kind in COUNTER_NULLABLE.items() if line.get(key) is not None})
    if wrong:
        return wrong
    return None if numbers(line.get("allocations"), ("calls", "bytes")) else "allocations"


def complete_blocks(cells, runs):
    """The numbers of the blocks that have a run of each cell."""
    seen = {}
    for run in runs:
        seen.setdefault(run["block"], set()).add(run["cell"])
    return frozenset(block for block, names in seen.items() if len(names) == len(cells))


def reasons(cells, runs):
    """{(pair, arm): sentence of its first run that failed}."""
    where, found = {spec["cell"]: (spec["pair"], spec["arm"]) for spec in cells}, {}
    for run in runs:
        if run["status"] != "ok":
            found.setdefault(where[run["cell"]],
                             f"{run['status']}: {run['reason']}" if run.get("reason")
                             else run["status"])
    return found


def pairs(table):
    """The names of the pairs of a table, in its order."""
    return [pair for pair, name in table if name == FAILED]
