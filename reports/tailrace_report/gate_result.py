# SPDX-License-Identifier: MIT
"""The result of a gate as one plain dict: what gate.json holds and all texts are made from."""

import math

from .gate_counters import count
from .gate_rule import FAILED, confirm, decide, fails
from .gate_set import pairs
from .paired import LEVEL
from .resultset import ReportError

SCHEMA = "tailrace/gate/1"


def build_result(gate_set):
    """The result of a GateSet whose blocks are all there, or ReportError.

    Its keys are those of gate.json in ../README.md. Numbers are unrounded; infinite ones stay so.
    """
    rule, table = gate_set.rule, gate_set.table
    last, confirmations = stopped(gate_set)
    refuse_nothing(gate_set, last)
    counters = {} if gate_set.counters is None else count(gate_set.counters)
    failed = fails(confirmations) or any(one.word == "worse" for one in counters.values())
    return {
        "schema": SCHEMA, "verdict": "fail" if failed else "pass",
        "baseline": gate_set.gate["baseline"], "head": gate_set.gate["head"],
        "rule": {"looks": list(rule.looks), "confirm": rule.confirm, "alpha": rule.alpha,
                 "alpha_look": rule.alpha_look, "level": LEVEL},
        "look": last.number, "blocks": rule.looks[last.number - 1],
        "confirmation_blocks": rule.confirm if confirmations else 0,
        "metrics": [metric_row(key, one, confirmations.get(key))
                    for key, one in last.judged.items()],
        "failures": [failure_row(pair, last, confirmations.get((pair, FAILED)), gate_set)
                     for pair in pairs(table) if any(last.failures[pair, FAILED].failed.values())],
        "counters": [counter_row(key, one) for key, one in counters.items()],
        "counted": gate_set.counters is not None}


def stopped(gate_set):
    """What decide() says, or ReportError if blocks are missing to say it."""
    if not gate_set.looks_made:
        raise too_few(gate_set, gate_set.rule.blocks(1))
    last, _ = decide(gate_set.rule, gate_set.table, gate_set.looks_made)
    if last.word == "continue":
        raise too_few(gate_set, gate_set.rule.blocks(last.number + 1))
    if last.found and not gate_set.confirmed:
        raise too_few(gate_set, gate_set.rule.confirming, "blocks for confirmation")
    return last, confirm(gate_set.rule, gate_set.table, last.found, last.number)


def too_few(gate_set, wanted, what="blocks"):
    """The ReportError of a gate that has not all of the blocks `wanted`."""
    have = len(gate_set.complete.intersection(wanted))
    return ReportError(f"the gate in {gate_set.name} is not complete: it has {have} of the "
                       f"{len(wanted)} {what} that it needs")


def refuse_nothing(gate_set, last):
    """ReportError if a look had nothing to compare: that is no pass."""
    if any(one.held.comparable for one in last.judged.values()) or \
            not gate_set.rule.metrics and gate_set.counters:
        return
    reasons = [f"{pair}, {arm}: {why}" for (pair, arm), why in gate_set.reasons.items()
               if arm == "baseline"]
    names = ", ".join(metric.name for metric in gate_set.rule.metrics) or "a metric of runs"
    raise ReportError(f"nothing could be compared in {gate_set.name}: no baseline has {names}"
                      + (f" ({reasons[0]})" if reasons else ""))


def compared(comparison):
    """A Comparison as {blocks, ratio, low, high}."""
    return {"blocks": comparison.blocks, "ratio": comparison.ratio, "low": comparison.low,
            "high": comparison.high}


def metric_row(key, judged, confirmation):
    """A gated metric of a pair: what the last look and the confirmation say of it."""
    held = judged.held
    word = confirmation.word if confirmation else judged.word
    return {
        "pair": key[0], "metric": key[1], "what": held.metric.what, "verdict": word,
        "why": why_nothing(held) or why_powerless(judged) if word == "inconclusive" else None,
        **compared(held.head), **{arm: held.medians[arm] for arm in held.medians},
        "margin": held.margin, "margin_default": held.metric.delta,
        "aa": compared(held.again), "p": judged.p, "p_holm": judged.p_holm,
        "can_fail": held.comparable and judged.can_fail,
        "could_show": judged.could_show if held.comparable else math.inf,
        "confirmation": None if confirmation is None else {
            **compared(confirmation.seen.head), "margin": confirmation.seen.margin,
            "aa": compared(confirmation.seen.again)}}


def why_nothing(held):
    """Why there is nothing to compare, or None."""
    if held.comparable:
        return None
    return "the baseline failed" if held.head.blocks else \
        "not measured: no block has it of both arms"


def why_powerless(judged):
    """Why nothing could have failed the gate, or None."""
    if judged.can_fail:
        return None
    needed = math.ceil(-math.log2((1 - judged.level) / 2) - 1e-9)
    return (f"cannot fail with so few blocks: {judged.held.head.blocks}, and {needed} are needed "
            f"for so many comparisons")


def failure_row(pair, last, confirmation, gate_set):
    """A pair in which runs failed: how many of each arm."""
    seen = last.failures[pair, FAILED]
    return {"pair": pair, "metric": FAILED, "blocks": seen.blocks, **seen.failed, "p": seen.p,
            "verdict": confirmation.word if confirmation else "inconclusive",
            "why": gate_set.reasons.get((pair, "head" if seen.failed["head"] else "baseline"))
                   or gate_set.reasons.get((pair, "again")),
            "confirmation": confirmation and {"blocks": confirmation.seen.blocks,
                                              **confirmation.seen.failed}}


def counter_row(key, counted):
    """A deterministic counter of a pair."""
    known = None not in (counted.baseline, counted.head)
    return {"pair": key[0], "metric": key[1], "what": counted.metric.what,
            "verdict": counted.word, "why": counted.why, "baseline": counted.baseline,
            "head": counted.head, "margin": counted.metric.delta,
            "ratio": counted.head / counted.baseline if known and 0 < counted.baseline < math.inf
                     else None}


def plain(value):
    """`value` as JSON can hold it: infinite numbers as the word "infinite"."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return "infinite" if value == math.inf else value
