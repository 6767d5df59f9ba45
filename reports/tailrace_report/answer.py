# SPDX-License-Identifier: MIT
"""The report's answer in words: per scenario which cell has the lowest tail, by how much, and why.

Everything is computed: the lowest by median over runs, the others by ratios paired by block with
98 % intervals, the cause by what goes away without it.
"""

import math
from collections import Counter

from .causes import NAMES, breakdown
from .cells import load_of
from .metrics import METRICS, noise_limited
from .ranking import choices, ranking, tail_ranking
from .stats import cell_quantile
from .text import SPACE, count, interval, listed, percent, rate, ratio

NAMED_MAX = 3  # cells named in a list; of more the number is told
MOST = 0.5  # share of the excess that a cause must take away to be named
MANY = 3  # scenarios from which there is a sentence over all


def answers(leading):
    """{scenario: [sentence, …]}, and under None that over all of them where there are many.

    Scenarios of one load leave it to the sentence over all; those without a choice are left out.
    """
    wheres = {scenario: at_load(known) for scenario, cells in leading.items()
              if (known := choices(cells))}
    shared = set(wheres.values()) if len(set(wheres.values())) == 1 else {"on this machine"}
    over = over_all(leading, *shared)
    found = {None: [over]} if over else {}
    for scenario, where in wheres.items():
        prefix = "for " if over and where in shared else f"{where}, for "
        found[scenario] = sentences(f"{prefix}{scenario}: ", leading[scenario])
    return found


def over_all(leading, where):
    """How often one cell has the lowest tail and can be told from all others, or None."""
    rankings = [found for cells in leading.values()
                if (found := tail_ranking(cells)) and len(found.places) > 1 and found.intervals]
    if len(rankings) < MANY:
        return None
    winners = Counter(plain_name(found.places[0].cell) for found in rankings
                      if all(place.told for place in found.places[1:]))
    told, led = sum(winners.values()), winners.most_common(NAMED_MAX)
    words = [f"{name} in {number}" for name, number in led]
    if len(winners) > len(led):
        words.append(f"others in {told - sum(number for _, number in led)}")
    names = {found.metric.name for found in rankings}
    text = (f"{capital(where)}, in {told} of {len(rankings)} scenarios one cell has the lowest "
            f"{names.pop() if len(names) == 1 else 'tail'} and can be told from all others")
    return text + (f": {listed(words)}." if words else ".")


def capital(text):
    """`text` with a capital letter first."""
    return text[:1].upper() + text[1:]


def sentences(beginning, cells):
    """What there is to say of one scenario: of the tail, and of memory."""
    known, found = choices(cells), tail_ranking(cells)
    beginning = capital(beginning)
    if found is None:
        closed = all(run.get("mode") == "closed" for cell in known for run in cell.runs)
        return [beginning + ("a closed loop has no response times to compare." if closed else
                             "too few samples to rank the cells by response time.")]
    if not found.places:
        return [f"{beginning}{failures(found.failed, known)}, so there is no lowest to name."]
    parts = [tail(found, known), *remarks(found, known)]
    return [beginning + "; ".join(filter(None, parts)) + ".", *memory(cells, known)]


def at_load(cells):
    """At what load, or rate, on this machine: what all cells have in common."""
    loads = {(load_of(cell.spec), cell.spec.get("load")) for cell in cells}
    rates = {run.get("offered_rate") for cell in cells for run in cell.runs} - {None}
    of, load = loads.pop() if len(loads) == 1 else (None, None)
    if load is not None:
        whose = " of each cell's own capacity" if of == "own" else " load"
        return f"at {percent_of(load)}{whose} on this machine"
    if len(rates) == 1:
        return f"at {rate(rates.pop())} on this machine"
    return "on this machine"


def percent_of(fraction):
    """A given share: "50 %"."""
    return f"{100 * fraction:.3g}{SPACE}%"


def name_in(cell, cells):
    """What a cell is called in sentences: its strategy, and what sets it apart from others."""
    spec = cell.spec
    heaps = {other.spec["heap"] for other in cells if other.spec["strategy"] == spec["strategy"]}
    heap = f" on {spec['heap']}" if len(heaps) > 1 or spec["heap"] != "glibc" else ""
    return f"{spec['strategy']}{heap}" + (f" ({cell.variant})" if cell.variant else "")


def plain_name(cell):
    """Strategy and heap, where scenarios are counted together."""
    return f"{cell.spec['strategy']} on {cell.spec['heap']}"


def some(names):
    """ "a, b and c", or "a, b, c and 4 more"."""
    left = len(names) - NAMED_MAX
    return listed(names if left <= 0 else [*names[:NAMED_MAX], f"{left} more"])


def times_text(value):
    """A ratio: "40.0 ×"."""
    return f"{ratio(value)}{SPACE}×"


def bounds(comparison):
    """ " [31 ×, 55 ×]", or that there is none."""
    if comparison.low == 0 and comparison.high == math.inf:
        return " [no interval]"
    return f" [{times_text(comparison.low)}, {times_text(comparison.high)}]"


def tail(found, known):
    """Which cells are lowest, and how much higher the highest is, by what cause."""
    metric, (first, *others) = found.metric, found.places
    lowest, value = name_in(first.cell, known), metric.text(first.value)
    if not others:
        return f"{lowest} has a {metric.name} of {value}, and nothing to compare it with"
    alike = [place for place in others if not place.told] if found.intervals else []
    names = [name_in(place.cell, known) for place in alike]
    if not alike:
        text = f"{lowest} has the lowest {metric.name} ({value})"
    elif len(alike) == len(others) > 1:
        text = (f"{lowest} has the lowest {metric.name} ({value}), but none of the other "
                f"{len(others)} can be told from it")
    elif len(alike) == 1:
        text = (f"{lowest} and {names[0]} cannot be told apart, with the lowest {metric.name} "
                f"({value} and {metric.text(alike[0].value)})")
    else:
        text = (f"{lowest} has the lowest {metric.name} ({value}), but {some(names)} cannot be "
                "told from it")
    return text + highest(found, known)


def highest(found, known):
    """How much higher the last is than the first, where that can be told, and its cause."""
    last = found.places[-1]
    if not last.ratio.blocks or (found.intervals and not last.told):
        return ""
    text = f"; {name_in(last.cell, known)}'s is {times_text(last.ratio.ratio)} as high"
    if found.intervals:
        text += bounds(last.ratio)
    return text + cause(found.places[0], last, found.metric.name.replace(".", "_"))


def cause(low, high, key):
    """", by …": the cause without which most of what `high` has above `low` goes; or that none."""
    parts = breakdown(high.cell)
    if parts is None or parts.measured.get(key) is None or not low.value < high.value < math.inf:
        return ""
    excess = parts.measured[key] - low.value
    taken = {cause: parts.measured[key] - without[key] for cause, without in parts.without.items()
             if without.get(key) is not None}
    strongest = max(taken, key=taken.get, default=None)
    if strongest is not None and taken[strongest] > MOST * excess > 0:
        return f", by {NAMES.get(strongest, strongest)}"
    return ", by no single known cause"


def remarks(found, known):
    """What qualifies the ranking: the effect that can be told, failures, noise, few samples."""
    return [told_from(found), failures(found.failed, known) if found.failed else "",
            *some_failed(found, known), *doubts(found, known)]


def told_from(found):
    """From which difference on cells can be told apart here."""
    if len(found.places) < 2:
        return ""
    if not found.intervals:
        blocks = "one block" if found.blocks == 1 else count(found.blocks, "block")
        return f"{blocks}: no interval, so none of this can be told from chance"
    if found.detectable == math.inf:
        return "no difference can be told here"
    if found.detectable >= 2:
        return f"differences under {times_text(found.detectable)} cannot be told here"
    share = percent_of(float(f"{found.detectable - 1:.2g}"))
    return f"differences under {share} cannot be told here"


def failures(failed, known):
    """ "a (oom) and b (overloaded) failed in half of the runs or more"."""
    names = [f"{name_in(cell, known)} ({word})" for cell, word in failed]
    return f"{some(names)} failed in half of the runs or more"


def ends(found):
    """The cells of the lowest and the highest place, once if they are one."""
    return [place.cell for place in (found.places[:1] + found.places[1:][-1:])]


def some_failed(found, known):
    """In how many of its runs the lowest or the highest failed, if in any."""
    failed = [(cell, sum(run["status"] != "ok" for run in cell.runs)) for cell in ends(found)]
    return [f"{name_in(cell, known)} failed in {number} of its {count(len(cell.runs), 'run')}"
            for cell, number in failed if number]


def doubts(found, known):
    """Which of the lowest and the highest is noise-limited; whether any rests on few samples."""
    key = found.metric.name.replace(".", "_")
    noisy = [name_in(cell, known) for cell in ends(found) if noise_limited(cell.runs, key)]
    few = any(cell_quantile(place.cell.runs, key).low for place in found.places)
    return [f"that of {listed(noisy)} is noise-limited" if noisy else "",
            "some of these rest on few samples" if few else ""]


def memory(cells, known):
    """[the sentence on peak memory] or []."""
    found = ranking(cells, METRICS["rss-peak"])
    if len(found.places) < 2 or not found.places[-1].ratio.blocks:
        return []
    first, last = found.places[0], found.places[-1]
    low, high = (found.metric.text(place.value) for place in (first, last))
    if found.intervals and not last.told:
        return [f"Peak memory cannot be told apart ({low} to {high})."]
    return [f"Peak memory is lowest with {name_in(first.cell, known)} ({low}) and highest with "
            f"{name_in(last.cell, known)} ({times_text(last.ratio.ratio)} as much"
            + (bounds(last.ratio) if found.intervals else "") + ")."]
