# SPDX-License-Identifier: MIT
"""How often a gate cries wolf: the very rule on gates drawn from recorded A/A gates.

A draw takes one recorded gate, draws as many blocks as its rule may use with replacement from all
of its blocks, and exchanges the three arms of each at random: random order within a block makes
them exchangeable if all three are the same build. Every pair and metric of a block is exchanged
alike, so what belongs together stays together. What differs between the copies throughout (their
paths) and what lasts over several blocks is not in it; that the recorded gates themselves show.
"""

from itertools import permutations

from .gate_rule import ARMS, CONFIRMATION, decide, fails
from .race_matrix import wilson
from .text import SPACE, count, percent

ORDERS = tuple(permutations(ARMS))


def swapped(table, chosen, orders):
    """A table whose block i is block chosen[i] of `table`, its arms in the order orders[i]."""
    drawn = {key: {arm: {} for arm in ARMS} for key in table}
    for key, arms in table.items():
        for new, old in chosen.items():
            for arm, source in zip(ARMS, orders[new]):
                if old in arms[source]:
                    drawn[key][arm][new] = arms[source][old]
    return drawn


def draw(gate_set, rng):
    """(whether it fails, whether it went to confirmation) of one gate drawn from `gate_set`."""
    rule, old = gate_set.rule, sorted(gate_set.complete)
    chosen = {new: rng.choice(old) for new in (*rule.blocks(len(rule.looks)), *rule.confirming)}
    orders = {new: rng.choice(ORDERS) for new in chosen}
    _, confirmations = decide(rule, swapped(gate_set.table, chosen, orders), len(rule.looks))
    return fails(confirmations), bool(confirmations)


def resample(gate_sets, draws, rng):
    """(gates that fail, gates that went to confirmation) of `draws` gates drawn."""
    outcomes = [draw(rng.choice(gate_sets), rng) for _ in range(draws)]
    return sum(failed for failed, _ in outcomes), sum(found for _, found in outcomes)


def told(gate_sets, recorded, draws, failed, found):
    """The outcome in sentences; `recorded`: how many of the recorded gates fail by their runs."""
    low, high = wilson(failed, draws)
    own_low, own_high = wilson(recorded, len(gate_sets))
    blocks = sum(len(one.complete) for one in gate_sets)
    return (f"resampled: {failed} of {count(draws, 'gate')} failed, {share(failed / draws)} "
            f"[{share(low)}, {share(high)}]; {found} went to confirmation\n"
            f"recorded: {recorded} of {count(len(gate_sets), 'gate')} failed "
            f"[{share(own_low)}, {share(own_high)}]\n"
            f"Drawn from {count(blocks, 'block')} with arms exchanged at random; intervals are "
            f"Wilson's, 95 %. Both are false alarms only if head is a copy of the baseline.\n")


def share(fraction):
    """A fraction as a percentage, 0 as that."""
    return percent(fraction) if round(fraction, 9) else f"0{SPACE}%"
