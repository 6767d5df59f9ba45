# SPDX-License-Identifier: MIT
"""Holds the gate's rule against values worked out by hand, and against simulated gates."""

import math
import random

import pytest

import synthetic_gate
from tailrace_report.gate_counters import count
from tailrace_report.gate_resample import ORDERS, swapped
from tailrace_report.gate_rule import (ARMS, FAILED, Failures, Rule, confirm, decide, fails, look,
                                       tabulate)
from tailrace_report.metrics import METRICS

GATED = tuple(METRICS[name] for name in synthetic_gate.GATE["metrics"])
CELLS = synthetic_gate.manifest()["cells"]
ALL = (*range(26), *synthetic_gate.CONFIRMING)
P50 = "one", "service-p50"


def rule(*metrics, looks=(12, 18, 26), alpha=0.01):
    """The default rule on `metrics`."""
    return Rule(metrics or (METRICS["service-p50"],), looks, 12, alpha)


def made(head, again=None, gated=rule(), pairs=("one",), broken=()):
    """A table: baseline 100, head(block) and again(block) times that; `broken`: (arm, block)s."""
    again = again or (lambda block: 1 + (block % 5 - 2) / 1000)
    factor = {"baseline": lambda block: 1, "head": head, "again": again}
    table = {}
    for pair in pairs:
        for metric in gated.metrics:
            table[pair, metric.name] = {arm: {block: 100 * factor[arm](block) for block in ALL}
                                        for arm in ARMS}
        table[pair, FAILED] = {arm: {block: int((arm, block) in broken) for block in ALL}
                               for arm in ARMS}
    return table


def slower(ratio):
    """About `ratio` in each block, no two alike."""
    return lambda block: ratio * (1 + (block % 13 - 6) / 1e5)


def at(block_factor, first=0, last=2000, otherwise=1.0):
    """`block_factor` in the blocks first … last - 1."""
    return lambda block: slower(block_factor if first <= block < last else otherwise)(block)


def test_a_finding_is_exact_arithmetic():
    seen = look(rule(), made(slower(1.5)), 1)
    one = seen.judged[P50]
    assert (one.p, one.p_holm) == (2**-12, 2**-12)
    assert one.held.head.ratio == pytest.approx(1.5, rel=1e-4) and one.held.head.blocks == 12
    assert one.held.medians["baseline"] == 100
    assert (seen.word, seen.found) == ("confirm", (P50,))


def test_holm_counts_all_that_is_gated():
    # All of 12 blocks worse: p = 1/4096; times 8 it is below 0.01 / 3, times 14 above
    names = [f"pair {i}" for i in range(14)]
    assert len(look(rule(), made(slower(1.5), pairs=names[:8]), 1).found) == 8
    none = look(rule(), made(slower(1.5), pairs=names), 1)
    assert none.word == "continue" and not none.found
    assert {one.word for one in none.judged.values()} == {"inconclusive"}, "worse only if found"
    assert not any(one.can_fail for one in none.judged.values()), "12 < log2(14 · 300) = 12.04"
    assert all(one.can_fail for one in look(rule(), made(slower(1.5), pairs=names), 2)
               .judged.values())


def test_one_block_against_it_costs_a_doubling_of_p():
    table = made(lambda block: 0.9999 if block == 3 else slower(1.5)(block))
    assert look(rule(), table, 1).judged[P50].p == 2 * 2**-12


def test_a_finding_needs_its_interval_as_well():
    # 13 of 26 blocks without any difference: p leaves them out, the interval does not
    seen = look(rule(), made(lambda block: slower(3)(block) if block % 2 else 1), 3)
    one = seen.judged[P50]
    assert one.p_holm == 2**-13 and one.held.head.ratio > 1.5
    assert (one.word, seen.word) == ("inconclusive", "pass")


def test_no_estimate_beyond_the_default_margin_passes_at_once():
    seen = look(rule(), made(slower(1.04)), 1)
    assert seen.judged[P50].p == 2**-12 and seen.word == "pass"
    assert seen.judged[P50].word == "equivalent"
    assert look(rule(), made(slower(1.06)), 1).word == "confirm"


def test_margin_is_what_a_a_supports():
    wide = made(slower(1.08), lambda block: 1.1 if block % 2 else 1 / 1.1)
    for number, word in ((1, "continue"), (2, "continue"), (3, "pass")):
        seen = look(rule(), wide, number)
        assert seen.judged[P50].held.margin == pytest.approx(0.1), "not the default of 5 %"
        assert (seen.word, seen.judged[P50].word) == (word, "inconclusive")
    assert look(rule(), made(slower(1.12), wide_again), 1).word == "confirm"


def wide_again(block):
    """A copy that is off by 10 % this way and that."""
    return 1.1 if block % 2 else 1 / 1.1


def test_a_look_sees_its_own_blocks_only():
    late = made(at(3, first=12))
    assert look(rule(), late, 1) == look(rule(), made(at(3, first=12, last=18)), 1)
    assert look(rule(), late, 1).word == "pass", "what comes later is not looked at"
    assert decide(rule(), late, 3)[0].number == 1, "nor is a gate that passed taken up again"
    confirming = made(at(3, first=1000))
    assert look(rule(), confirming, 3).word == "pass", "confirmation is no part of looks"


def test_higher_is_better_turns_it_round():
    rates = rule(METRICS["rate"])
    key = "one", "rate"
    assert look(rates, made(slower(0.5), gated=rates), 1).found == (key,)
    assert look(rates, made(slower(2), gated=rates), 1).judged[key].word == "better"
    assert look(rule(), made(slower(0.5)), 1).judged[P50].word == "better"
    assert look(rates, made(lambda block: 0, gated=rates), 1).found == (key,), "failed runs"


def test_a_moved_baseline_is_the_host():
    both = made(slower(2), slower(1.3))
    seen = look(rule(), both, 1)
    assert (seen.judged[P50].word, seen.word, seen.found) == ("host", "continue", ())
    last, confirmations = decide(rule(), both, 3)
    assert (last.number, last.word, fails(confirmations)) == (3, "pass", False)
    later = made(slower(2), at(1.3, first=1000))
    assert look(rule(), later, 1).word == "confirm"
    assert confirm(rule(), later, (P50,), 1)[P50].word == "host"


def test_drift_that_hits_all_arms_is_no_finding():
    lines = synthetic_gate.runs(5, drift=0.1)
    last, confirmations = decide(rule(*GATED), tabulate(rule(*GATED), CELLS, lines), 3)
    assert last.word == "pass" and not confirmations


def test_confirmation_refuses_a_one_off():
    table = made(at(1.5, last=26))
    last, confirmations = decide(rule(), table, 3)
    assert last.word == "confirm" and confirmations[P50].word == "unconfirmed"
    assert not fails(confirmations)
    assert fails(decide(rule(), made(slower(1.5)), 3)[1])
    wide = made(slower(1.08), wide_again)
    assert confirm(rule(), wide, (P50,), 1)[P50].word == "unconfirmed", "A/A's margin"


def crashed(*arms, blocks=ALL):
    """What made() calls broken."""
    return {(arm, block) for arm in arms for block in blocks}


def failing(broken):
    """A table in which broken runs are infinite and told as failed."""
    table = made(slower(1), broken=broken)
    for arm, block in broken:
        table[P50][arm][block] = math.inf
    return table


@pytest.mark.parametrize("broken, words", [
    (crashed("head"), {P50: "worse", ("one", FAILED): "worse"}),
    (crashed("head", blocks=(3, 1005)), {("one", FAILED): "worse"}),
    (crashed("head", blocks=(3,)), {("one", FAILED): "unconfirmed"}),
    (crashed("head", blocks=(3, 1005)) | {("again", 7)}, {}),
    (crashed("head", blocks=(3, 1005)) | {("baseline", 1001)}, {("one", FAILED): "unconfirmed"}),
    (crashed("head") | {("baseline", 7)}, {("one", FAILED): "worse"}),
    (crashed(*ARMS), {}), (crashed("baseline"), {})])
def test_a_head_that_crashes_where_the_baseline_does_not_fails(broken, words):
    _, confirmations = decide(rule(), failing(broken), 3)
    found = {key: one.word for key, one in confirmations.items()}
    assert found == words and fails(confirmations) == ("worse" in words.values())


def test_failures_beyond_chance_are_fishers():
    six = Failures({"baseline": 0, "head": 6, "again": 0}, 12)
    assert six.p == pytest.approx(math.comb(12, 6) / math.comb(36, 6))
    assert Failures({"baseline": 2, "head": 0, "again": 1}, 12).p == pytest.approx(1)


def test_all_runs_failed_compares_nothing():
    one = look(rule(), failing(crashed(*ARMS)), 1).judged[P50]
    assert not one.held.comparable and one.word == "inconclusive" and one.p is None


def test_what_a_look_could_have_shown():
    tight = look(rule(), made(slower(1)), 1).judged[P50]
    assert tight.could_show == pytest.approx(1.05), "its margin, for there is no noise"
    few = rule(looks=(4,))
    assert not look(few, made(slower(9), gated=few), 1).judged[P50].can_fail
    assert look(few, made(slower(9), gated=few), 1).judged[P50].could_show == math.inf


def test_counters_are_exact():
    key = synthetic_gate.PAIRS[0], "allocations"
    assert {one.word for one in count(synthetic_gate.counters()).values()} == {"equivalent"}
    doubled = count(synthetic_gate.counters(head=5))[key]
    assert (doubled.word, doubled.baseline, doubled.head) == ("worse", 2.5, 5)
    assert count(synthetic_gate.counters(head=2.525))[key].word == "equivalent", "1 % exactly"
    assert count(synthetic_gate.counters(head=2.526))[key].word == "worse"
    assert count(synthetic_gate.counters(head=2.4))[key].word == "better"
    assert count(synthetic_gate.counters(head=1, base=0))[key].word == "worse"
    assert count(synthetic_gate.counters(head=0, base=0))[key].word == "equivalent"


@pytest.mark.parametrize("change, word, why", [
    ({"allocations": None, "reason": "static program"}, "inconclusive",
     "not counted: static program"),
    ({"allocations": None, "status": "unsupported", "reason": "run has no option --count"},
     "inconclusive", "not counted: run has no option --count"),
    ({"allocations": None}, "inconclusive",
     "not counted: the program does not tell its allocations"),
    ({"status": "crashed", "reason": "signal 11"}, "worse", "head crashed (signal 11)")])
def test_counters_that_are_not_there(change, word, why):
    lines = [{**line, **change} if line["arm"] == "head" else line
             for line in synthetic_gate.counters()]
    one = count(lines)[synthetic_gate.PAIRS[0], "allocations"]
    assert (one.word, one.why) == (word, why)


def test_counters_that_do_not_repeat_are_not_gated():
    lines = synthetic_gate.counters(head=5)
    lines[2]["allocations"]["calls"] += 1
    one = count(lines)[synthetic_gate.PAIRS[0], "allocations"]
    assert one.word == "inconclusive" and one.why.startswith("not repeatable here: 5")
    assert count(lines[:1])[synthetic_gate.PAIRS[0], "allocations"].word == "inconclusive"


def test_resampling_exchanges_whole_blocks():
    table = tabulate(rule(*GATED), CELLS, synthetic_gate.runs(1, blocks=range(3)))
    drawn = swapped(table, {0: 2, 1: 2}, {0: ORDERS[0], 1: ("again", "baseline", "head")})
    for key, arms in drawn.items():
        assert {arm: values[0] for arm, values in arms.items()} == \
            {arm: table[key][arm][2] for arm in ARMS}
        assert arms["head"][1] == table[key]["baseline"][2]
        assert arms["baseline"][1] == table[key]["again"][2]


def failed(count_of_gates, first_seed, **change):
    """How many of so many simulated gates fail."""
    gated = rule(*GATED)
    return sum(fails(decide(gated, tabulate(gated, CELLS, synthetic_gate.runs(seed, **change)),
                            3)[1]) for seed in range(first_seed, first_seed + count_of_gates))


def test_a_build_against_its_copy_fails_at_most_2_percent():
    assert failed(500, 1000) <= 10


@pytest.mark.parametrize("head, least", [({"p99_9": 1.5}, 36), ({"p50": 1.2}, 39)])
def test_what_a_gate_must_catch(head, least):
    assert failed(40, 1, head=head, tails=0) >= least


def test_resampled_blocks_may_fail_as_well():
    lines, rng = synthetic_gate.runs(1), random.Random(3)
    for line in lines:
        line["status"] = "crashed" if rng.random() < 0.02 else "ok"
    gated, draws = rule(*GATED), random.Random(1)
    table, crying = tabulate(gated, CELLS, lines), 0
    for _ in range(300):
        chosen = {new: draws.choice(ALL) for new in ALL}
        orders = {new: draws.choice(ORDERS) for new in ALL}
        crying += fails(decide(gated, swapped(table, chosen, orders), 3)[1])
    assert 0 < crying <= 30
