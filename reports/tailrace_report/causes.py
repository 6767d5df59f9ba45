# SPDX-License-Identifier: MIT
"""What made the tail: the quantiles of a cell as measured, and replayed without each cause.

All values are medians over runs, failed runs infinite, as everywhere; nanoseconds and seconds.
"""

import math
from dataclasses import dataclass

from .metrics import noise_limited
from .stats import failed, ranked_median, status_word
from .text import counted, duration, estimate, listed, percent, percentile_name, seconds

KEYS = ("p99", "p99_9", "max")
WORTH_SAYING = 0.05  # share of a quantile below which a cause is not named in the sentence
NAMES = {"collector-pause": "collector pauses", "collector-assist": "work for the collector",
         "free-cascade": "free cascades", "ring-search": "searches for dropped rings",
         "batch-free": "batch frees",
         "arena-reset": "arena resets", "fault-burst": "fault bursts",
         "preemption": "preemption", "stall": "stalls"}


@dataclass(frozen=True)
class Breakdown:
    """`measured`, `without_all` {key: ns or None}, `without` {cause: {key: ns or None}} of a cell.

    `unexplained` holds the quantiles that are so in half of the ok runs or more.
    """

    measured: dict
    without: dict
    without_all: dict
    unexplained: set

    def share(self, cause, key):
        """Which share of quantile `key` goes away with `cause` (None: with all), 0 to 1 or None."""
        return lowered(self.measured[key],
                       (self.without[cause] if cause else self.without_all)[key])

    def finite(self, key):
        """Whether quantile `key` is known and finite."""
        return self.measured[key] is not None and math.isfinite(self.measured[key])


def lowered(measured, without):
    """By which share `without` is lower than `measured`: 0 to 1, None where not known."""
    if not measured or without is None or not math.isfinite(measured):
        return None
    return max(0.0, 1 - without / measured)


def breakdown(cell):
    """The Breakdown of a cell, or None if none of its ok runs knows its causes."""
    traced = [run for run in cell.runs if run["status"] == "ok" and run.get("causes")]
    if not traced:
        return None
    present = {effect["cause"] for run in traced for effect in run["causes"].get("effects") or []
               if effect.get("count")}
    causes = [cause for cause in NAMES if cause in present] + sorted(present - NAMES.keys())

    def over_runs(value_of):
        return {key: ranked_median([math.inf if run["status"] != "ok" else
                                    value_of(run, key) if run.get("causes") else None
                                    for run in cell.runs]) for key in KEYS}
    marks = [set(run["causes"].get("unexplained") or []) for run in traced]
    return Breakdown(over_runs(measured),
                     {cause: over_runs(without_one(cause)) for cause in causes},
                     over_runs(without_all),
                     {key for key in KEYS if 2 * sum(key in m for m in marks) >= len(marks)})


def measured(run, key):
    """A quantile of the traced requests of a run in ns, or its maximum."""
    source = run.get("response_ns") if key == "max" else run["causes"].get("response_ns")
    return (source or {}).get(key)


def without_one(cause):
    """A function that gives a quantile of a run replayed without `cause`, in ns."""
    def value(run, key):
        effect = effect_of(run, cause)
        if effect is None:
            return measured(run, key)
        if key == "max":
            return effect.get("max_without_ns")
        return (effect.get("response_without_ns") or {}).get(key)
    return value


def without_all(run, key):
    """A quantile of a run replayed without all causes, in ns; its maximum is not recorded."""
    return (run["causes"].get("response_without_all_ns") or {}).get(key)


def effect_of(run, cause):
    """The effect of `cause` in a run, or None."""
    return next((effect for effect in run["causes"].get("effects") or []
                 if effect["cause"] == cause), None)


def cause_section(cells):
    """What the page shows: `causes` (columns), `rows`, `details` and `sentences`, or None."""
    found = [(cell, breakdown(cell)) for cell in cells if not cell.unsupported]
    found = [(cell, parts) for cell, parts in found if parts]
    if not found:
        return None
    present = {cause for _, parts in found for cause in parts.without}
    columns = [c for c in NAMES if c in present] + sorted(present - NAMES.keys())
    return {"columns": [NAMES.get(cause, cause) for cause in columns],
            "sentences": [{"cell": cell, "text": sentence(cell, parts)} for cell, parts in found],
            "rows": [row(cell, parts, columns) for cell, parts in found],
            "details": [detail(cell, cause) for cell, parts in found for cause in parts.without]}


def row(cell, parts, columns):
    """The table's rows of one cell: per quantile the texts measured, without each, without all."""
    lines = []
    for key in KEYS:
        values = [parts.without[cause][key] if cause in parts.without else None
                  for cause in columns]
        best = min((v for v in values if v is not None), default=None)
        lines.append({
            "key": percentile_name(key), "measured": text(parts.measured[key]),
            "noise": noise_limited(cell.runs, key), "unexplained": key in parts.unexplained,
            "without": [{"text": text(v), "main": v is not None and v == best
                         and (lowered(parts.measured[key], v) or 0) >= WORTH_SAYING}
                        for v in values],
            "without_all": text(parts.without_all[key])})
    return {"cell": cell, "lines": lines,
            "failed": status_word(cell.runs) if failed(cell.runs) else None}


def text(value):
    """Nanoseconds as text; None where not known or infinite."""
    return None if value is None or not math.isfinite(value) else duration(value)


def detail(cell, cause):
    """How often and how long a cause was at work: medians over the ok runs of a cell."""
    effects = [effect_of(run, cause) or {} for run in cell.runs
               if run["status"] == "ok" and run.get("causes")]

    def middle(key, unit):
        return estimate([effect.get(key) or 0 for effect in effects], unit)
    return {"cell": cell, "cause": NAMES.get(cause, cause), "count": middle("count", counted),
            "total": middle("total_s", seconds), "longest": middle("longest_s", seconds),
            "affected": middle("affected", counted), "delay": middle("delay_s", seconds),
            "share": middle("excess_share", percent)}


def sentence(cell, parts):
    """What made p99.9 of a cell (p99 where that is blank), in words."""
    key = next((key for key in ("p99_9", "p99") if parts.finite(key)), None)
    if key is None:
        word = status_word(cell.runs)
        return f"not told: half of the runs or more ended {word}." if word else "too few samples."
    quantile = f"{percentile_name(key)} ({duration(parts.measured[key])})"
    left = text(parts.without_all[key]) or "the rest"
    shares = sorted(((parts.share(cause, key) or 0, cause) for cause in parts.without),
                    reverse=True)
    named = [f"{percent(share)} {'of ' + quantile + ' ' if place == 0 else ''}"
             f"is {NAMES.get(cause, cause)}" for place, (share, cause) in enumerate(shares)
             if share >= WORTH_SAYING]
    together = parts.share(None, key) or 0
    if named:
        words = listed(named)
        if len(parts.without) > 1:
            words += f", {percent(together)} all causes together"
        if key in parts.unexplained:
            words += f"; {left} stays unexplained"
    elif key in parts.unexplained:
        words = f"{quantile} is unexplained: {left} is left without every known cause"
    elif together >= WORTH_SAYING:
        words = f"{percent(together)} of {quantile} is several causes that only show together"
    else:
        words = (f"{quantile} owes next to nothing to a known cause: "
                 "it is service and ordinary queueing")
    if noise_limited(cell.runs, key):
        words += " (~ noise-limited)"
    return words + "."
