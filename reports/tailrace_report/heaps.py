# SPDX-License-Identifier: MIT
"""What a program took under each heap, held against the first heap: findings and sentences.

Of a result set that `tailrace compare-heaps` wrote: its cells differ in the heap alone.
"""

import math
from dataclasses import dataclass
from statistics import median

from .compare import FEWEST, Cell, clean, judged
from .compare_words import estimate, value
from .metrics import METRICS, values_by_block
from .paired import LEVEL, depth
from .resultset import ReportError
from .text import count, listed, percent, rate

SHOWN = ("wall", "cpu", "rss-peak", "faults", "faults-major", "p50", "p90", "p99", "p99.9",
         "p99.99")
RARELY = 1000  # heap calls per second of processor time: at 1 µs each they are 0.1 % of it


@dataclass(frozen=True)
class Heaps:
    """`reference`: the heap held against; `runs` {heap: runs by block} of those compared.

    `findings` {metric: {heap: Finding against the reference}}; `silent`: names of metrics of
    which half of the runs under each heap have nothing; `left_out` [(heap, reason)].
    """

    manifest: dict
    reference: str
    specs: dict
    runs: dict
    findings: dict
    silent: list
    left_out: list


def compare_heaps(result_set, directory):
    """The Heaps of a result set, or ReportError where there is nothing to compare."""
    manifest = result_set.manifest
    if not isinstance(manifest.get("program"), dict):
        raise ReportError(f"{directory} is not what compare-heaps wrote")
    specs = {spec["heap"]: spec for spec in manifest["cells"]}
    runs = {heap: sorted((run for run in result_set.runs if run["cell"] == spec["cell"]),
                         key=lambda run: run["block"]) for heap, spec in specs.items()}
    left_out = [(heap, clean(of[0].get("reason") or "")) for heap, of in runs.items()
                if of and of[0]["status"] == "unsupported"]
    runs = {heap: of for heap, of in runs.items() if of and heap not in dict(left_out)}
    if len(runs) < 2:
        raise ReportError(f"{directory} has fewer than two heaps with runs")
    reference = next(iter(runs))
    found, silent = {}, []
    for metric in (METRICS[name] for name in SHOWN):
        middles = {middle(of, metric) for of in runs.values()} - {None}
        if 0 in middles and middles <= {0, math.inf}:
            silent.append(metric.name)
        elif middles - {math.inf} or metric.name == "wall":
            found[metric] = {heap: against(specs, runs, reference, heap, metric)
                             for heap in runs if heap != reference}
    return Heaps(manifest, reference, specs, runs, found, silent, left_out)


def against(specs, runs, a, b, metric):
    """The Finding of heap `b` against heap `a`."""
    return judged(Cell(clean(b), specs[a], specs[b], runs[a], runs[b]), metric, ())


def middle(runs, metric):
    """The median of a heap's runs; None if not known."""
    values = values_by_block(runs, metric).values()
    return median(values) if values else None


def sentences(heaps):
    """[(heading, [sentence, …]), …] without those that have nothing to say."""
    told = (("Result", [best(heaps, metric) for metric in heaps.findings]),
            ("Told apart", [smallest(heaps, metric) for metric in heaps.findings]),
            ("Heap calls", calls(heaps)), ("Failed runs", failures(heaps)),
            ("Left out", [f"{clean(heap)}: {reason}." for heap, reason in heaps.left_out]),
            ("Chance", chance(heaps)))
    return [(heading, found) for heading, found in told if found]


def best(heaps, metric):
    """Which heap has the lowest median, how far from the reference, and which are like it."""
    known = {heap: number for heap, runs in heaps.runs.items()
             if (number := middle(runs, metric)) is not None}
    lowest = min(known, key=known.get)
    rivals = [against(heaps.specs, heaps.runs, lowest, heap, metric)
              for heap in known if heap != lowest]
    finding = heaps.findings[metric].get(lowest)
    told = f"{metric.name}: lowest under {clean(lowest)}, {metric.text(known[lowest])}" \
        if known[lowest] < math.inf else f"{metric.name}: most runs failed under every heap"
    if finding:
        told += f", {estimate(finding)} times {clean(heaps.reference)}'s"
    near = {f"within {percent(metric.delta)} of it": ("equivalent",),
            "not told from it": ("inconclusive", "better")}
    for words, verdicts in near.items():
        titles = [rival.cell.title for rival in rivals if rival.word in verdicts]
        told += f"; {words}: {listed(titles)}" if titles else ""
    return told + ("." if any(rival.word != "worse" for rival in rivals) else
                   "; all others are higher.")


def smallest(heaps, metric):
    """How small a difference from the reference this run could have shown."""
    blocks = min(finding.comparison.blocks for finding in heaps.findings[metric].values())
    if not depth(blocks):
        return (f"{metric.name}: no difference can be told from {count(blocks, 'block')}; "
                f"{FEWEST} are the fewest.")
    largest = max(finding.comparison.detectable for finding in heaps.findings[metric].values())
    if largest == 1:
        return f"{metric.name}: no run differs from that of {clean(heaps.reference)} in its block."
    if largest == math.inf:
        return f"{metric.name}: runs that failed or are at zero leave open what can be told."
    return (f"{metric.name}: differences under {percent(largest - 1)} from "
            f"{clean(heaps.reference)} cannot be told in this run.")


def calls(heaps):
    """How often the program asks its heap, and what follows if that is rare."""
    number, glibc = heaps.manifest["program"].get("heap_calls"), heaps.runs.get("glibc")
    spent = median(run.get("cpu_s") or 0 for run in glibc) if glibc else 0
    if not number or not spent:
        return []
    told = (f"malloc, calloc and realloc were called {number:,} times in a run under glibc, "
            f"{rate(number / spent)} of processor time")
    if number / spent > RARELY:
        return [told + "."]
    return [told + ": so rarely that the heap can hardly matter. The program allocates little, or "
            "has an allocator of its own."]


def failures(heaps):
    """Which heaps had runs that failed, and how the last of them ended."""
    told = []
    for heap, runs in heaps.runs.items():
        failed = [run for run in runs if run["status"] != "ok"]
        if failed:
            told.append(f"{len(failed)} of {count(len(runs), 'run')} under {clean(heap)}, the last "
                        f"so: {clean(failed[-1].get('reason') or failed[-1]['status'])}.")
    return told + ["They rank as infinitely slow and large and are not left out."] if told else []


def chance(heaps):
    """How many intervals there are, of what level each is, and what the mark says."""
    findings = [finding for found in heaps.findings.values() for finding in found.values()]
    told = [f"{count(len(findings), 'comparison')}, each by itself: the intervals are of "
            f"{percent(LEVEL)} each, not of all together."]
    if any(finding.few for finding in findings):
        told.append("Marked *: a run has fewer than 100 samples beyond the quantile.")
    return told


def blocks_text(heaps):
    """How many blocks there are, and how many were wanted."""
    whole = min(map(len, heaps.runs.values()))
    wanted = heaps.manifest["blocks"]
    return count(whole, "block") if whole == wanted else f"{whole} of {count(wanted, 'block')}"


def row(heaps, heap, metric):
    """(heap, median, ratio to the reference with its interval, verdict) as texts."""
    finding = heaps.findings[metric].get(heap)
    number = middle(heaps.runs[heap], metric)
    other = finding or next(iter(heaps.findings[metric].values()))
    shown = value(other, number) + ("*" if other.few else "")
    if not finding:
        return clean(heap), shown, "1", "reference"
    return clean(heap), shown, estimate(finding), finding.word
