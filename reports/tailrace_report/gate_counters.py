# SPDX-License-Identifier: MIT
"""Deterministic counters of a gate: the same in every run of a build, so any difference is one.

Each arm has two runs with the same seed and the same number of requests. Where the two of an arm
disagree the counter is not repeatable here and is not gated.
"""

import math
from dataclasses import dataclass

from .metrics import METRICS, Metric

COUNTERS = tuple(metric for metric in METRICS.values() if metric.deterministic)


@dataclass(frozen=True)
class Counted:
    """A counter of a pair: values per request (infinite: the run failed; None: not known), the
    word (worse, better, equivalent, inconclusive) and `why` it is inconclusive."""

    metric: Metric
    baseline: float
    head: float
    word: str
    why: str = None


def count(lines):
    """{(pair, metric's name): Counted} of the lines of counters.jsonl."""
    by_pair = {}
    for line in lines:
        by_pair.setdefault(line["pair"], {}).setdefault(line["arm"], {})[line["block"]] = line
    return {(pair, metric.name): counted(metric, arms) for pair, arms in by_pair.items()
            for metric in COUNTERS}


def counted(metric, arms):
    """The Counted of {arm: {block: line}}."""
    baseline, why = settled(metric, arms.get("baseline", {}))
    head, head_why = settled(metric, arms.get("head", {}))
    why = why or head_why
    if why or baseline == math.inf:
        return Counted(metric, baseline, head, "inconclusive",
                       why or f"not counted: the baseline {outcome(arms['baseline'])}")
    if head == math.inf:
        return Counted(metric, baseline, head, "worse", f"head {outcome(arms['head'])}")
    margin = 1 + metric.delta
    return Counted(metric, baseline, head, "worse" if head > baseline * margin else
                   "better" if head * margin < baseline else "equivalent")


def settled(metric, lines):
    """(value on which both of {block: line} agree, None) or (None, why there is none)."""
    if len(lines) < 2:
        return None, "not counted: an arm has fewer than two runs"
    values = {metric.value(line) if line["status"] in ("ok", "unsupported") else math.inf
              for line in lines.values()}
    if values == {None}:
        return None, f"not counted: {reason(lines) or 'the program does not tell its allocations'}"
    if len(values) > 1:
        return None, f"not repeatable here: {' and '.join(shown(metric, v) for v in values)} in " \
                     f"two runs of one arm"
    return values.pop(), None


def outcome(lines):
    """How runs that failed ended, with their reason."""
    status = next(iter(lines.values()))["status"]
    return f"{status} ({reason(lines)})" if reason(lines) else status


def reason(lines):
    """The first reason that {block: line} give, or None."""
    return next((line["reason"] for line in lines.values() if line.get("reason")), None)


def shown(metric, value):
    """A value as text."""
    return "not counted" if value is None else "failed" if value == math.inf else metric.text(value)
