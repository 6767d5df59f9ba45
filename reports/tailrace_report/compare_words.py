# SPDX-License-Identifier: MIT
"""What a comparison says in sentences: counts, the largest difference, and what speaks against it.

All are computed from what was found.
"""

import math
from collections import Counter

from .compare import FEWEST, MOVED, clean, counted
from .paired import LEVEL, depth
from .text import SPACE, count, interval, listed, ratio, tuning

NAMED = 6  # cells or values that a sentence names before it says how many more there are
# What is different in every set, or follows from the machine's clock and load.
OWN = ("command", "load_average", "start_time", "end_time", "clock_cost_ns")
OF_SET = ("suite", "load", "duration_s", "warmup_s")
RATES_APART = 0.01  # offered rates are told where they differ by more


def sentences(compared):
    """[(heading, [sentence, …]), …] without those that have nothing to say."""
    told = (("Error", errors(compared)), ("Result", results(compared)),
            ("Pairing", pairing(compared)), ("Null control", control(compared)),
            ("Setting", setting(compared)), ("Left out", left_out(compared)),
            ("Failed runs", failures(compared)), ("Chance", chance(compared)))
    return [(heading, found) for heading, found in told if found]


def errors(compared):
    """Cells that did not do the same work."""
    return [f"{title} did not do the same work in A and B, so it is not compared: {why}."
            for title, why in compared.different]


def results(compared):
    """How many findings there are of each word, by metric, and the largest difference."""
    moved = [finding for finding in compared.findings if finding.word in MOVED]
    largest = max(moved, key=lambda finding: finding.size, default=None)
    return [f"B against A in {count(len(compared.findings), 'comparison')} "
            f"({count(len(compared.cells), 'cell')}): {in_words(compared.findings)}.",
            f"The largest difference: {largest.metric.name} of {largest.cell.title}, "
            f"{value(largest, largest.b_median)} in B against {value(largest, largest.a_median)} "
            f"in A, ratio {estimate(largest)}: {largest.word}." if largest else
            "No cell is better or worse in any of these.",
            *(f"{metric.name} ({metric.what}; margin {whole(metric.delta)}) of "
              f"{count(len(found), 'cell')}: {in_words(found)}."
              for metric, found in by_metric(compared.findings).items())]


def by_metric(findings):
    """{Metric: its Findings}, in the order of first appearance."""
    found = {}
    for finding in findings:
        found.setdefault(finding.metric, []).append(finding)
    return found


def in_words(findings):
    """How many findings there are of each word."""
    return ", ".join(f"{number} {word}" for word, number in counted(findings).items())


def whole(fraction):
    """A fraction that was set, not measured, as a percentage."""
    return f"{100 * fraction:.3g}{SPACE}%"


def value(finding, number):
    """A median as text with its unit; "failed" where most runs failed, a dash if not known."""
    if number is None:
        return "—"
    return "failed" if number == math.inf else finding.metric.text(number)


def estimate(finding):
    """The ratio with its interval, or a dash."""
    if not finding.comparison.blocks:
        return "—"
    return f"{ratio(finding.comparison.ratio)} ({interval(finding.comparison)})"


def pairing(compared):
    """How blocks are paired, and what that cannot rule out."""
    if compared.one_set:
        return ["A and B are arms of one result set: in each block the runs of both came in "
                "random order, and they are compared block by block."]
    started = [clean(str(side.result_set.manifest["context"].get("start_time") or "not known"))
               for side in (compared.a, compared.b)]
    return [f"A and B are two result sets, measured one after the other (A's start: {started[0]}, "
            f"B's: {started[1]}): blocks are paired by number and were not interleaved, so "
            "whatever drifted on the machine between them is in every difference and in no "
            "interval.",
            "Of equal programs measured in sequence, a comparison of one run with one run (more "
            "than 10 % apart) found 35 % different in 120 trials on the machine that this was "
            "designed on; the paired rule on interleaved blocks found 0 to 1 %. Two arms of one "
            "set and `tailrace gate` interleave."]


def control(compared):
    """What the null control did, in which no memory is managed."""
    if compared.one_set and not compared.controls:
        return []
    without = [finding for finding in compared.findings if not finding.beside]
    told = []
    if compared.controls:
        told.append("The null control, which does no allocation work, was compared "
                    f"{count(len(compared.controls), 'time')} as well: "
                    f"{in_words(compared.controls)}.")
    moved = [finding for finding in compared.controls if finding.word in MOVED]
    if moved:
        hosts = sum(finding.word == "host" for finding in compared.findings)
        told.append("It moved in " + some([
            f"{finding.metric.name} of {finding.cell.title} ({estimate(finding)})"
            for finding in moved]) + f": there the machine differed, and "
            f"{count(hosts, 'difference')} found there {'is' if hosts == 1 else 'are'} called "
            "host, not better or worse.")
    if without and not compared.one_set:
        told.append(f"{count(len(without), 'comparison')} of {len(compared.findings)} "
                    f"{'has' if len(without) == 1 else 'have'} no null control in both sets: "
                    "whether the machine moved there is not known.")
    return told


def setting(compared):
    """In what the two sides were not measured alike."""
    told = []
    apart = differing(compared)
    if apart:
        told.append("Measured under different conditions: " + "; ".join(
            f"{key} {a} against {b}" for key, a, b in apart) + ".")
    rates = [(abs(math.log(b / a)), cell.title, a, b) for cell in compared.cells
             for a, b in [offered(cell)] if a and b and abs(math.log(b / a)) > RATES_APART]
    if rates:
        _, title, a, b = max(rates)
        told.append(f"{count(len(rates), 'cell')} of {len(compared.cells)} had other rates "
                    f"offered in B than in A, at most {title}: {b:,.5g} against {a:,.5g} requests "
                    "per second.")
    few = sum(finding.few for finding in compared.findings)
    if few:
        told.append(f"In {few} of {count(len(compared.findings), 'comparison')} a run has fewer "
                    "than 100 samples beyond the quantile (marked *).")
    noisy = sum(finding.noisy for finding in compared.findings)
    if noisy:
        told.append(f"In {noisy} of {count(len(compared.findings), 'comparison')} more than half "
                    "of the quantile is the machine's noise floor in most runs (marked ~).")
    return told


def offered(cell):
    """The rates offered in A and in B per second, of the first run that has one; None: none."""
    return [next((run["offered_rate"] for run in runs if run.get("offered_rate")), None)
            for runs in (cell.a_runs, cell.b_runs)]


def differing(compared):
    """[(key, A's value, B's)] of the conditions in which two sets differ, as text."""
    if compared.one_set:
        return []
    sides = [conditions(side.result_set) for side in (compared.a, compared.b)]
    return [(clean(key), *(shown(side.get(key)) for side in sides))
            for key in dict.fromkeys((*sides[0], *sides[1]))
            if sides[0].get(key) != sides[1].get(key)]


def conditions(result_set):
    """{key: value} of what a set was measured under, heap versions among them."""
    manifest = result_set.manifest
    heaps = {}
    for run in result_set.runs:
        version = (run.get("heap_library") or {}).get("version")
        if version:
            heaps.setdefault(f"heap {run.get('heap')}", set()).add(str(version))
    return {**{key: given for key, given in manifest["context"].items() if key not in OWN},
            **{key: manifest.get(key) for key in OF_SET},
            **{heap: ", ".join(sorted(versions)) for heap, versions in heaps.items()}}


def shown(given):
    """A condition as text."""
    if isinstance(given, (list, dict)):
        return clean(tuning(given))
    return "not recorded" if given is None else clean(str(given))


def left_out(compared):
    """Cells and blocks without a counterpart, and cells that a side cannot run."""
    told = [f"Only {side} has {count(len(titles), 'cell')}: {some(titles)}."
            for side, titles in (("A", compared.only_a), ("B", compared.only_b)) if titles]
    if compared.unsupported:
        told.append("Not compared, for a side does not support it: " + some(
            [f"{title} ({reason})" for title, reason in compared.unsupported]) + ".")
    for side, other, name in (("a_runs", "b_runs", "A"), ("b_runs", "a_runs", "B")):
        extra = sum(len({run["block"] for run in getattr(cell, side)}
                        - {run["block"] for run in getattr(cell, other)})
                    for cell in compared.cells)
        if extra:
            told.append(f"{count(extra, 'run')} of {name} {'has' if extra == 1 else 'have'} no run "
                        "of the same block on the other side.")
    for name, side in (("A", compared.a), ("B", compared.b)):
        if side.result_set.torn and not (compared.one_set and name == "B"):
            told.append(f"The last line of {name}'s runs.jsonl was torn and is ignored.")
    return told


def failures(compared):
    """How many runs failed on either side, by status."""
    sides = []
    for name, key in (("A", "a_runs"), ("B", "b_runs")):
        runs = [run for cell in compared.cells for run in getattr(cell, key)]
        failed = Counter(run["status"] for run in runs if run["status"] != "ok")
        words = listed(f"{number} {clean(status)}" for status, number in failed.most_common())
        sides.append((sum(failed.values()), f"{sum(failed.values())} of {len(runs)} runs of {name}"
                      + (f" ({words})" if failed else "")))
    if not any(number for number, _ in sides):
        return []
    return [f"{listed(text for _, text in sides)} failed. They rank as infinitely slow and large "
            "(rate 0) and are not left out."]


def chance(compared):
    """How many comparisons there are, and how many of them chance alone may call different."""
    number = len(compared.findings)
    able = sum(depth(finding.comparison.blocks) > 0 for finding in compared.findings)
    told = [f"{count(number, 'comparison')}, each by itself: the intervals are of "
            f"{whole(LEVEL)} each, not of all together. If nothing differed, at most "
            f"{(1 - LEVEL) * able:.2g} of them would on average be called better or worse."]
    if able < number:
        told.append(f"{count(number - able, 'comparison')} {'has' if number - able == 1 else 'have'}"
                    f" fewer than the {FEWEST} blocks that an interval takes.")
    return told


def some(names):
    """The first NAMED of `names` as a list, and how many more there are."""
    more = len(names) - NAMED
    return listed(names) if more <= 0 else f"{', '.join(names[:NAMED])} and {more} more"
