# SPDX-License-Identifier: MIT
"""Compares two arms cell by cell and metric by metric: estimates, intervals, verdict words.

What is found is here; how it is told is in compare_words, compare_text and compare_page.
"""

import math
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from statistics import median

from .arms import KEYS, pairs
from .metrics import METRICS, Metric, values_by_block
from .paired import Comparison, compare_logs, depth, paired_logs, verdict
from .resultset import ReportError
from .text import ratio

OPEN, CLOSED = ("p50", "p99", "p99.9", "rss-peak"), ("rate", "service-p99.9", "rss-peak")
COMPLETED = ("ok", "overloaded")  # these have executed every request
MOVED = ("worse", "better")
FEWEST = next(blocks for blocks in range(1, 100) if depth(blocks))  # that have an interval
WORDS = ("worse", "better", "host", "equivalent", "inconclusive")


@dataclass(frozen=True)
class Cell:
    """Two cells held against each other, `title` for both; `a_runs` and `b_runs` by block."""

    title: str
    a: dict
    b: dict
    a_runs: list
    b_runs: list
    control: bool = False


@dataclass(frozen=True)
class Finding:
    """One metric of one Cell: B against A. Medians are over the blocks compared, None: not known.

    `beside` is the null control's Finding that this one is read with, or None. `few`: a run has
    fewer than 100 samples beyond the quantile; `noisy`: more than half of it is there on the
    noise floor as well (in most runs).
    """

    cell: Cell
    metric: Metric
    comparison: Comparison
    word: str
    a_median: float
    b_median: float
    beside: object = None
    few: bool = False
    noisy: bool = False

    @property
    def shows_from(self):
        """The smallest ratio above 1 that this run could have called different, or infinity."""
        return max(self.comparison.detectable, 1 + self.metric.delta)

    @property
    def size(self):
        """How far from 1 the ratio is, either way."""
        found = self.comparison.ratio
        return abs(math.log(found)) if 0 < found < math.inf else math.inf


@dataclass(frozen=True)
class Compared:
    """All that was found of the Arms `a` and `b`. `findings` without the null `controls`.

    `only_a` and `only_b`: titles of cells without a counterpart; `unsupported`: [(title, reason)]
    and `different`: [(title, sentence)] of cells that cannot be held against each other.
    """

    a: object
    b: object
    findings: list
    controls: list
    cells: list
    only_a: list
    only_b: list
    unsupported: list
    different: list

    @property
    def one_set(self):
        """Whether both arms are of one result set, whose blocks hold the runs of both."""
        return self.a.result_set is self.b.result_set


def compare(a, b, metrics=()):
    """The Compared of two Arms; `metrics` (names), or by default those of OPEN or CLOSED."""
    if a.result_set is b.result_set and a.chosen == b.chosen:
        raise ReportError(f"{a.text} and {b.text} are the same cells of one result set: choose two "
                          "arms, as in DIR:strategy=malloc DIR:strategy=boehm")
    beside = [Cell(f"{title(pair)} (null control)", pair.a, pair.b, pair.a_runs, pair.b_runs, True)
              for pair in control_pairs(a, b)]
    found, only_a, only_b = pairs(a, b)
    cells = [Cell(title(pair), pair.a, pair.b, pair.a_runs, pair.b_runs) for pair in found]
    known = {(cell.a["cell"], cell.b["cell"]) for cell in beside}
    others = [cell for cell in cells if (cell.a["cell"], cell.b["cell"]) not in known]
    cells, beside = (others, beside) if others else (cells, [])
    workloads = {KEYS["workload"](cell.a) for cell in cells}
    beside = [cell for cell in beside if KEYS["workload"](cell.a) in workloads]
    why_not = [(cell, unable(cell), other_work(cell)) for cell in cells]
    cells = [cell for cell, *reasons in why_not if not any(reasons)]
    controls = [finding for cell in beside if not unable(cell) and not other_work(cell)
                for finding in findings_of(cell, metrics)]
    findings = [finding for cell in cells for finding in findings_of(cell, metrics, controls)]
    return Compared(
        a, b, findings, controls, cells,
        *([clean(label) for label in labels] for labels in (only_a, only_b)),
        unsupported=[(cell.title, reason) for cell, reason, _ in why_not if reason],
        different=[(cell.title, reason) for cell, _, reason in why_not if reason])


def control_pairs(a, b):
    """Pairs of null controls that do the same in both arms: equal in all keys but `arm`."""
    sides = [replace(side, chosen={key: value for key, value in side.chosen.items()
                                   if key == "arm"},
                     result_set=replace(side.result_set, manifest={
                         **side.result_set.manifest, "cells": [
                             spec for spec in side.result_set.manifest["cells"]
                             if spec.get("control")]})) for side in (a, b)]
    if a.result_set is b.result_set and sides[0].chosen == sides[1].chosen:
        return []
    return pairs(*sides)[0]


def clean(name):
    """A name from a file without what would upset a terminal or a page: controls, surrogates."""
    return "".join("\ufffd" if unicodedata.category(letter)[0] == "C" else letter
                   for letter in name)


def title(pair):
    """What a pair is called: its workload (A's and B's), and what else it has in common."""
    workloads = [KEYS["workload"](spec) for spec in (pair.a, pair.b)]
    first = " against ".join(dict.fromkeys(workloads))
    rest = (pair.label + " · ").removeprefix(first + " · ").removesuffix(" · ")
    return clean(" · ".join(filter(None, (first, rest if rest != "all" else ""))))


def unable(cell):
    """Why a side cannot run the cell at all, in words, or None."""
    for side, runs in (("A", cell.a_runs), ("B", cell.b_runs)):
        if runs and all(run["status"] == "unsupported" for run in runs):
            return f"{side}: {clean(runs[0].get('reason') or 'unsupported')}"
    return None


def other_work(cell):
    """A sentence if A and B computed different answers at equal seed and requests, or None."""
    if KEYS["workload"](cell.a) != KEYS["workload"](cell.b):
        return None
    a, b = answers(cell.a_runs), answers(cell.b_runs)
    odd = [key for key in a if key in b and len(a[key] | b[key]) > 1]
    if not odd:
        return None
    seed, requests = odd[0]
    sums = (", ".join(sorted(map(clean, side[odd[0]]))) for side in (a, b))
    return (f"checksums disagree at {len(odd)} of {len(a.keys() & b.keys())} seeds that both have "
            f"(seed {seed}, {requests:,} requests: {' against '.join(sums)})")


def answers(runs):
    """{(seed, requests): the checksums} of the runs that executed every request."""
    found = defaultdict(set)
    for run in runs:
        if run["status"] in COMPLETED and None not in (run.get("checksum"), run.get("requests")):
            found[run.get("seed"), run["requests"]].add(run["checksum"])
    return found


def findings_of(cell, names, controls=()):
    """The Findings of one cell: of the metrics `names`, or the default ones, that a side has."""
    if not names:
        closed = any(run.get("mode") == "closed" for run in (*cell.a_runs, *cell.b_runs))
        names = CLOSED if closed else OPEN
    found = [judged(cell, METRICS[name], controls) for name in names]
    return [finding for finding in found
            if (finding.a_median, finding.b_median) != (None, None)]


def judged(cell, metric, controls):
    """The Finding of one metric of one cell."""
    a, b = values_by_block(cell.a_runs, metric), values_by_block(cell.b_runs, metric)
    both = a.keys() & b.keys()
    told = any({a[block], b[block]} != {failed_value(metric)} for block in both)
    comparison = compare_logs(paired_logs(a, b) if told else [])
    word = verdict(comparison, metric.delta, metric.higher_is_better)
    beside = nearest(cell, metric, controls)
    if word in MOVED and beside and beside.word in MOVED and not metric.deterministic:
        word = "host"
    runs = (*cell.a_runs, *cell.b_runs)
    return Finding(cell, metric, comparison, word, middle(a, both), middle(b, both), beside,
                   few=any(stamped(run, metric, "low_samples") for run in runs),
                   noisy=2 * sum(stamped(run, metric, "noise_limited") for run in runs) > len(runs))


def failed_value(metric):
    """What a failed run has for a metric."""
    return 0 if metric.higher_is_better else math.inf


def middle(values, blocks):
    """The median of {block: value} over `blocks`, over all if there is none; None if unknown."""
    chosen = [values[block] for block in blocks] or list(values.values())
    return median(chosen) if chosen else None


def stamped(run, metric, stamp):
    """Whether the quantile that `metric` is of stands in the run's list `stamp`."""
    kind, _, key = metric.name.rpartition("-")
    quantiles = run.get(f"{kind or 'response'}_ns")
    return bool(quantiles) and key.replace(".", "_") in (quantiles.get(stamp) or [])


def nearest(cell, metric, controls):
    """Of the null control's Findings, that of this metric and workload nearest to `cell`."""
    def alike(finding):
        return sum(KEYS[key](finding.cell.a) == KEYS[key](cell.a)
                   for key in ("load", "load_of", "threads", "live", "heap", "budget", "tune"))

    near = [finding for finding in controls if finding.metric is metric
            and KEYS["workload"](finding.cell.a) == KEYS["workload"](cell.a)]
    return max(near, key=alike, default=None)


def counted(findings):
    """How many of `findings` there are of each word, {word: number} in the order of WORDS."""
    counts = Counter(finding.word for finding in findings)
    return {word: counts[word] for word in WORDS if counts[word]}


def open_because(finding):
    """Why a finding is inconclusive, in a few words: what could have been shown, or what lacks."""
    blocks = finding.comparison.blocks
    if not blocks and {finding.a_median, finding.b_median} == {failed_value(finding.metric)}:
        return "every run failed"
    if not blocks:
        return "no block that both have"
    if not depth(blocks):
        return f"{FEWEST} blocks are the fewest"
    if finding.shows_from == math.inf:
        return "failed runs leave it open"
    return f"{ratio(finding.shows_from)} or more would show"
