# SPDX-License-Identifier: MIT
"""The rule by which a gate decides: what is a finding at a look, what a confirmation makes of it.

Three arms run in the same random blocks: baseline, head, and the baseline again. For each gated
(pair of cells, metric) head is compared with baseline, paired by block (paired.py). Its margin is
the metric's default, raised to what this machine supports: the bound of the A/A interval (again
against baseline, 98 %) that is farthest from 1.

A look (at most three, fixed beforehand; each has its share of alpha) finds a metric worse if
  - its p-value (signed rank, one-sided towards worse), adjusted by Holm's method for all that is
    gated at this look, is at most alpha / looks, and
  - its interval at level 1 - 2 alpha / looks lies above 1, and
  - its estimate lies above 1 + margin, and
  - the A/A pair has not itself moved in this metric (then the word is host).
Findings are put to the test on fresh blocks alone: worse if there as well the 98 % interval lies
above 1 and the estimate above 1 + margin; host if A/A moved; else unconfirmed. The margin is that
of A/A in all blocks, those of the look and the fresh ones.
Where no estimate lies above 1 + default margin the gate passes at once, which never raises false
alarms; so does a last look without a finding: what is inconclusive never fails.

Failed runs rank as infinite. Apart from that, a head that crashed, hung or ran out of memory is a
finding if neither baseline nor again did so in any block, or if it did so beyond chance (Fisher's
exact test); it is confirmed likewise. Pure functions of numbers.
"""

import math
from dataclasses import dataclass, replace
from statistics import median

from .metrics import COMPLETED, Metric
from .paired import (Comparison, compare_logs, depth, holm, p_greater, paired_logs,
                     verdict)

ARMS = ("baseline", "head", "again")
CONFIRMATION = 1000  # the number of the first block for confirmation
FAILED = "failed runs"  # stands where a metric's name does


@dataclass(frozen=True)
class Rule:
    """What is fixed beforehand: the gated `metrics`, the blocks at each of `looks`, the number of
    blocks that `confirm`, and the error `alpha` of all looks together."""

    metrics: tuple
    looks: tuple
    confirm: int
    alpha: float

    @property
    def alpha_look(self):
        """The error of one look."""
        return self.alpha / len(self.looks)

    def blocks(self, look):
        """The numbers of the blocks that look 1, 2 … sees."""
        return range(self.looks[look - 1])

    @property
    def confirming(self):
        """The numbers of the blocks for confirmation."""
        return range(CONFIRMATION, CONFIRMATION + self.confirm)


def tabulate(rule, cells, runs):
    """{(pair, metric's name or FAILED): {arm: {block: value}}} of runs whose cells are `cells`.

    Values are ≥ 0, infinite where the run failed; a run that does not have a metric is left out
    of it. Under FAILED: 1 if the run did not come to its end, else 0.
    """
    table = {(spec["pair"], name): {arm: {} for arm in ARMS} for spec in cells
             for name in (*(metric.name for metric in rule.metrics), FAILED)}
    where = {spec["cell"]: (spec["pair"], spec["arm"]) for spec in cells}
    for run in runs:
        pair, arm = where[run["cell"]]
        table[pair, FAILED][arm][run["block"]] = int(run["status"] not in COMPLETED)
        for metric in rule.metrics:
            value = metric.value(run)
            if value is not None:
                table[pair, metric.name][arm][run["block"]] = value
    return table


@dataclass(frozen=True)
class Held:
    """One metric of one pair over some blocks: head and again, each against baseline, at 98 %.

    `calm`: A/A where more blocks can tell of it. `medians`: {arm: value over these blocks, None if
    there is none}.
    """

    metric: Metric
    head: Comparison
    again: Comparison
    medians: dict
    calm: Comparison = None

    @property
    def margin(self):
        """The metric's own, raised to what A/A supports; infinite if it supports none."""
        low, high = (self.calm or self.again).low, (self.calm or self.again).high
        return max(self.metric.delta, max(high, 1 / low if low else math.inf) - 1)

    @property
    def moved(self):
        """Whether the same build differs from itself."""
        return verdict(self.again, self.metric.delta) in ("worse", "better")

    @property
    def comparable(self):
        """Whether there is a baseline to compare with: measured, and not failed in most blocks.

        Of a failed run the rate is 0, everything else infinite.
        """
        return bool(self.head.blocks and self.medians["baseline"] != math.inf
                    and not (self.metric.higher_is_better and self.medians["baseline"] == 0))

    def exceeds_default(self):
        """Whether the estimate is worse by more than the default margin, whatever its interval."""
        line = 1 + self.metric.delta
        return self.comparable and (self.head.ratio < 1 / line if self.metric.higher_is_better
                                    else self.head.ratio > line)

    def word(self, comparison=None):
        """worse, better, equivalent (within the default margin) or inconclusive."""
        if not self.comparable:
            return "inconclusive"
        better_up, comparison = self.metric.higher_is_better, comparison or self.head
        word = verdict(comparison, self.margin, better_up)
        if word in ("worse", "better"):
            return word
        same = verdict(comparison, self.metric.delta, better_up) == "equivalent"
        return "equivalent" if same else "inconclusive"


def hold(metric, arms, blocks):
    """The Held of `arms` ({arm: {block: value}}) over the numbers `blocks`."""
    seen = {arm: {block: values[block] for block in blocks if block in values}
            for arm, values in arms.items()}
    return Held(metric, compare_logs(paired_logs(seen["baseline"], seen["head"])),
                compare_logs(paired_logs(seen["baseline"], seen["again"])),
                {arm: median(values.values()) if values else None for arm, values in seen.items()})


@dataclass(frozen=True)
class Failures:
    """How many of the `blocks` runs of each arm of a pair `failed`."""

    failed: dict
    blocks: int

    @property
    def p(self):
        """Fisher: P(so many or more of the failures are head's, if all arms fail alike)."""
        n, head = self.blocks, self.failed["head"]
        total = sum(self.failed.values())
        return sum(math.comb(n, k) * math.comb(2 * n, total - k)
                   for k in range(head, min(n, total) + 1)) / math.comb(3 * n, total)

    def worse(self, alpha):
        """Whether head fails where baseline does not, or beyond chance."""
        alone = self.failed["head"] == sum(self.failed.values())
        return self.failed["head"] > 0 and (alone or self.p <= alpha)


def failures(arms, blocks):
    """The Failures in the numbers `blocks`."""
    return Failures({arm: sum(values.get(block, 0) for block in blocks)
                     for arm, values in arms.items()}, len(blocks))


@dataclass(frozen=True)
class Judged:
    """A gated metric at a look. `p` and, adjusted, `p_holm`; `level` of the interval that the
    strictest step of Holm's method asks for; `found` before A/A is asked."""

    held: Held
    p: float
    p_holm: float
    level: float
    found: bool

    @property
    def word(self):
        """found, host, better, equivalent or inconclusive."""
        if self.found:
            return "host" if self.held.moved else "found"
        word = self.held.word()
        return "inconclusive" if word == "worse" else word  # not beyond what chance may do

    @property
    def can_fail(self):
        """Whether there are blocks enough for Holm's method to reject anything."""
        return depth(self.held.head.blocks, self.level) > 0

    @property
    def could_show(self):
        """The smallest change for the worse (a ratio above 1) that would have been a finding."""
        strict = compare_logs(self.held.head.logs, self.level)
        return max(strict.detectable, 1 + self.held.margin)


@dataclass(frozen=True)
class Look:
    """What look `number` saw: {key: Judged} of the metrics, {key: Failures} of the pairs."""

    number: int
    judged: dict
    failures: dict
    found: tuple  # keys of both
    word: str  # pass, continue or confirm


def look(rule, table, number):
    """Judge all that is gated at look 1, 2 … : a Look."""
    blocks, by_name = rule.blocks(number), {metric.name: metric for metric in rule.metrics}
    held = {key: hold(by_name[key[1]], arms, blocks) for key, arms in table.items()
            if key[1] != FAILED}
    judged = judge(rule, held)
    failed = {key: failures(arms, blocks) for key, arms in table.items() if key[1] == FAILED}
    found = (*(key for key, one in judged.items() if one.word == "found"),
             *(key for key, one in failed.items() if one.worse(rule.alpha_look / len(failed))))
    hopeless = not any(one.exceeds_default() for one in held.values())
    over = hopeless or number == len(rule.looks)
    return Look(number, judged, failed, found, "confirm" if found else "pass" if over
                else "continue")


def judge(rule, held):
    """{key: Judged} of {key: Held}; what cannot be compared is no part of Holm's family."""
    family = [key for key, one in held.items() if one.comparable]
    p_values = {key: p_worse(held[key]) for key in family}
    adjusted = dict(zip(family, holm([p_values[key] for key in family])))
    level = 1 - 2 * rule.alpha_look / max(1, len(family))
    return {key: Judged(one, p_values.get(key), adjusted.get(key), level,
                        key in adjusted and finds(one, adjusted[key], rule.alpha_look))
            for key, one in held.items()}


def p_worse(held):
    """One-sided p-value towards worse."""
    logs = held.head.logs
    return p_greater([-log for log in logs] if held.metric.higher_is_better else logs)


def finds(held, p_holm, alpha):
    """Whether a look whose error is `alpha` finds `held` worse, A/A not asked."""
    return (p_holm <= alpha and
            held.word(compare_logs(held.head.logs, 1 - 2 * alpha)) == "worse")


@dataclass(frozen=True)
class Confirmation:
    """What the fresh blocks say of a finding: a Held or Failures, and worse, host, unconfirmed."""

    seen: object
    word: str


def confirm(rule, table, found, number):
    """{key: Confirmation} of the findings `found` of look `number`, on fresh blocks alone.

    The margin is taken of all blocks: A/A was not chosen by what the look found.
    """
    every = (*rule.blocks(number), *rule.confirming)
    by_name = {metric.name: metric for metric in rule.metrics}
    outcomes = {}
    for key in found:
        if key[1] == FAILED:
            seen = failures(table[key], rule.confirming)
            outcomes[key] = Confirmation(seen, "worse" if seen.worse(rule.alpha) else "unconfirmed")
        else:
            metric = by_name[key[1]]
            seen = replace(hold(metric, table[key], rule.confirming),
                           calm=hold(metric, table[key], every).again)
            worse = "worse" if seen.word() == "worse" else "unconfirmed"
            outcomes[key] = Confirmation(seen, "host" if seen.moved else worse)
    return outcomes


def decide(rule, table, looks_made):
    """(Look at which the gate stopped, {key: Confirmation} of its findings), from all blocks.

    `looks_made`: how many looks there are blocks for. The Look's word is "continue" if more are
    needed.
    """
    for number in range(1, looks_made + 1):
        last = look(rule, table, number)
        if last.word != "continue":
            break
    return last, confirm(rule, table, last.found, number)


def fails(confirmations):
    """Whether the gate fails by what was confirmed."""
    return any(one.word == "worse" for one in confirmations.values())
