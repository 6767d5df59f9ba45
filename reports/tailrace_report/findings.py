# SPDX-License-Identifier: MIT
"""What the report says in words: what is recorded, what went wrong, stamps, checksums."""

from collections import Counter, defaultdict

from .stats import compare_checksums
from .text import count, listed

MEANINGS = {
    "not-steady": "the level of p50 or p99 over time changed in the last half of the recording",
    "closed-loop": "each request waited for the one before: for capacity and service time only, "
                   "response times leave out the waiting",
    "cold": "no warm-up, so first-touch page faults are in the numbers",
    "oversubscribed": "workers plus collector threads exceed the cores and preempt each other",
    "leaks": "the strategy never gives back what this scenario drops: memory grows with requests",
    "counted": "heap calls were counted, which slows each of them: no time of this run is to be "
               "compared with those of others",
    "overloaded": "requests were late throughout the last half of the run: the backlog never "
                  "cleared, so response times depend on how long the run was",
}


def coverage(result_set, grouped):
    """How many of the planned runs are recorded, as sentences."""
    cells = [cell for group in grouped.values() for cell in group]
    runnable = [cell for cell in cells if not cell.unsupported]
    blocks = result_set.manifest["blocks"]
    recorded = sum(len(cell.runs) for cell in runnable)
    sentences = [f"{recorded:,} of {count(blocks * len(runnable), 'planned run')} "
                 f"{'is' if recorded == 1 else 'are'} recorded "
                 f"({count(blocks, 'block')} of {count(len(runnable), 'cell')})."]
    if len(runnable) < len(cells):
        sentences.append(f"{count(len(cells) - len(runnable), 'further cell')} cannot be run "
                         "(unsupported).")
    if result_set.manifest["context"].get("end_time") is None:
        sentences.append("The suite has not been completed.")
    if result_set.torn:
        sentences.append("The last line of runs.jsonl was torn and is ignored.")
    return sentences


def problems(grouped):
    """Each distinct failure: dicts of scenario, label, status, blocks (text) and reason."""
    found = []
    for scenario, cells in grouped.items():
        for cell in cells:
            blocks = defaultdict(list)
            for run in cell.runs:
                if run["status"] != "ok":
                    blocks[run["status"], run.get("reason")].append(run["block"])
            for (status, reason), numbers in blocks.items():
                everywhere = len(numbers) == len(cell.runs) > 1
                found.append({"scenario": scenario, "label": cell.label, "status": status,
                              "blocks": "every block" if everywhere else blocks_text(numbers),
                              "reason": (reason or "no reason was recorded").rstrip(".")})
    return found


def blocks_text(numbers):
    """Block numbers in words: "block 3" or "blocks 0, 2 and 5"."""
    return f"block{'s' if len(numbers) > 1 else ''} {listed(map(str, numbers))}"


def stamps(grouped):
    """Each stamp or status in need of words: dicts of word, meaning (or None) and text of runs."""
    rows = []
    cells = [(scenario, cell) for scenario, group in grouped.items() for cell in group]
    words = Counter(word for _, cell in cells for run in cell.runs
                    for word in qualifications(run))
    for word, number in words.items():
        bearers = defaultdict(list)
        for scenario, cell in cells:
            if any(word in qualifications(run) for run in cell.runs):
                bearers[scenario].append(cell)
        every = sum(map(len, bearers.values())) == sum(not cell.unsupported for _, cell in cells)
        where = "all cells" if every else "; ".join(
            f"{listed(gathered(bearing, grouped[scenario]))} in {scenario}"
            for scenario, bearing in bearers.items())
        rows.append({"word": word, "meaning": MEANINGS.get(word),
                     "where": f"{count(number, 'run')}: {where}"})
    return rows


def gathered(bearing, cells):
    """Labels of the cells `bearing` something; a series whose `cells` all do is named once."""
    whole = Counter(cell.series for cell in cells if not cell.unsupported)
    borne = Counter(cell.series for cell in bearing)
    return list(dict.fromkeys(cell.series if borne[cell.series] == whole[cell.series] else
                              cell.label for cell in bearing))


def qualifications(run):
    """The stamps of a run, and its status where that needs explaining."""
    return [*map(str, run.get("stamps") or []), *({run["status"]} & MEANINGS.keys())]


def checksums(grouped):
    """Per scenario: the comparison, and each run that disagrees as a sentence."""
    rows = []
    for scenario, cells in grouped.items():
        labels = {id(run): cell.label for cell in cells for run in cell.runs}
        result = compare_checksums([run for cell in cells for run in cell.runs])
        odd = [f"{labels[id(run)]}, block {run['block']}: {run['checksum']}, "
               + (f"the others with this seed {usual}" if usual else
                  "and there is no majority among the runs with this seed")
               for run, usual in result.odd]
        rows.append({"scenario": scenario, "result": result, "odd": odd})
    return rows
