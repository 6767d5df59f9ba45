# SPDX-License-Identifier: MIT
"""What the race matrix shows, in sentences computed from its cells."""

from collections import Counter
from statistics import median

from .race_matrix import (best_rate, by_case, catchers, detector_name, false_positive, is_tool,
                          rust_of, unmet)
from .text import SPACE, count, listed

PLAIN = ("plain", "none")  # schedules that leave the order to the system
NAMES_MAX = 12  # cases named in a sentence; the rest are counted
ITSELF = {  # of one case, of several
    "hang-only": ("hangs", "hang"), "crash-only": ("crashes", "crash"),
    "oracle-only": ("fails a check of its own", "fail a check of their own")}


def summary(matrix):
    """The paragraphs at the top of the page, each a list of sentences."""
    cases = {name: rows for name, rows in by_case(matrix).items()
             if any(cell for row in rows for cell in row.cells)}
    if not cases:
        return []
    caught = {name: catchers(rows, matrix) for name, rows in cases.items()}
    return [part for part in (
        [caught_sentence(caught), *alone_sentences(caught), *none_sentences(cases, caught)],
        rust_sentences(cases, matrix, caught), [twin_sentence(matrix)]) if any(part)]


def caught_sentence(caught):
    """How many cases there are and how many any tool catches."""
    hit = sum(map(bool, caught.values()))
    return (f"Of {count(len(caught), 'seeded bug')}, C's tools catch {hit}: at least one of them "
            "reports it on the marked lines in at least one run.")


def alone_sentences(caught):
    """How many cases a single tool catches, and which."""
    alone = Counter(names[0] for names in caught.values() if len(names) == 1)
    if not alone:
        return ["None is caught by one tool alone."] if any(caught.values()) else []
    tools = [f"{detector_name(name)} ({hits})" for name, hits in alone.most_common()]
    total = sum(alone.values())
    return [f"{total} of them {'is' if total == 1 else 'are'} caught by one tool alone: "
            f"{listed(tools)}."]


def none_sentences(cases, caught):
    """How many cases no tool catches, and how they show."""
    missed = [name for name, names in caught.items() if not names]
    if not missed:
        return []
    ways = {name: next((verdict for verdict in ITSELF if verdict in seen_in(cases[name])), None)
            for name in missed}
    counts = Counter(ways.values())
    told = [f"{counts[verdict]} {how[counts[verdict] > 1]}"
            for verdict, how in ITSELF.items() if counts[verdict]]
    dark = [name for name, way in ways.items() if way is None]
    if dark:
        told.append(f"{len(dark)} {'does' if len(dark) == 1 else 'do'} not show at all "
                    f"({named(dark)})")
    return [f"{len(missed)} {'is' if len(missed) == 1 else 'are'} caught by none; of these, "
            f"{listed(told)}."]


def seen_in(rows):
    """The verdicts in some rows."""
    return {cell["verdict"] for row in rows for cell in row.cells if cell}


def rust_sentences(cases, matrix, caught):
    """What Rust makes of the cases, and what of that C's tools catch."""
    rust = {name: rust_of(rows, matrix) for name, rows in cases.items()}
    words = Counter(word for word, *_ in rust.values())
    told = [(words["rejects"], "rejects {}"), (words["panics"], "turns {} into a panic"),
            (words["accepts"], "accepts {}"), (words["cannot say"], "has no safe way to write {}")]
    told = [text.format(number) for number, text in told if number]
    if not told:
        return []
    measured = any(measured for _, _, measured, _ in rust.values())
    sentences = [f"Rust {listed(told)}" + ("." if measured else
                 ", as the cases say: its compiler was not run here.")]
    odd = [name for name, (*_, agrees) in rust.items() if not agrees]
    if odd:
        sentences.append(f"It did otherwise than the case says in {named(odd)}.")
    return sentences + rejected_sentences(
        {name: cases[name] for name, (word, *_) in rust.items() if word == "rejects"},
        matrix, caught)


def rejected_sentences(rejected, matrix, caught):
    """What C's tools catch of the cases that Rust's compiler rejects, and how surely."""
    if not rejected:
        return []
    hit = {name: rows for name, rows in rejected.items() if caught[name]}
    missed = [name for name in rejected if name not in hit]
    sentences = [f"Of the {len(rejected)} that Rust rejects, C's tools catch {len(hit)}"
                 + (f"; not {named(missed)}." if missed else ".")]
    if hit:
        best = [best_rate(rows, matrix) for rows in hit.values()]
        plain = [best_rate(rows, matrix, PLAIN) for rows in hit.values()]
        sentences.append(f"A run under the best tool and schedule shows one with a probability of "
                         f"{share(median(best))} (median); {below(best)}. "
                         f"Without schedules, {below(plain)}.")
    return sentences


def below(rates):
    """How many of `rates` are low."""
    half, rare = sum(rate < 0.5 for rate in rates), sum(rate < 0.05 for rate in rates)
    if not half:
        return "none is below one half"
    few = f"5{SPACE}%"
    return (f"{half} {'is' if half == 1 else 'are'} below {few if rare == half else 'one half'}"
            + (f", {rare} of these below {few}" if 0 < rare < half else ""))


def twin_sentence(matrix):
    """False positives on the correct twins, by detector."""
    tallies = twin_tallies(matrix)
    wrong = {name: tally for name, tally in tallies.items() if tally[0]}
    clean = [detector_name(name) for name, tally in tallies.items() if tally[1] and not tally[0]]
    if not any(of for _, of in tallies.values()):
        return None
    if not wrong:
        return "No tool reports any of the correct twins."
    told = [f"{detector_name(name)} {wrong_rows} of {of}"
            for name, (wrong_rows, of) in sorted(wrong.items(), key=lambda one: -one[1][0])]
    return (f"False positives on the correct twins: {listed(told)}"
            + (f"; none by {listed(clean)}." if clean else "."))


def twin_tallies(matrix):
    """{tool: (twins reported, twins run)}: a twin per case and mode, per case for what reads."""
    tallies = {}
    for name in dict.fromkeys(column.name for column in matrix.columns if is_tool(column.name)):
        run = {}  # by what tells two twins apart, the cells that ran it
        for row in matrix.rows:
            cells = [c for c in matrix.of(row, name) if (c.get("twin") or {}).get("runs")]
            run.update({(cells[0]["case"], cells[0]["mode"]): cells} if cells else {})
        tallies[name] = (sum(any(map(false_positive, cells)) for cells in run.values()), len(run))
    return tallies


def unmet_expectations(matrix):
    """[(row, [detector's name])] of what was expected to be seen in a row and was not."""
    names = dict.fromkeys(column.name for column in matrix.columns)
    found = [(row, [name for name in names
                    if any(unmet(row, matrix, cell) for cell in matrix.of(row, name))])
             for row in matrix.rows]
    return [(row, missed) for row, missed in found if missed]


def problems(race_set, matrix):
    """What the reader must know before the rest, as sentences."""
    told = []
    recorded = len(race_set.runs)
    if not matrix.rows:
        told.append("The manifest names no case.")
    elif not race_set.runs:
        told.append("No cell is recorded: the run ended before its first one.")
    elif matrix.missing:
        told.append(f"Interrupted: {matrix.missing:,} of {recorded + matrix.missing:,} cells are "
                    "not recorded. They are blank in the matrix; what follows is of what there is.")
    if race_set.torn:
        told.append("The last line of cells.jsonl was torn and is left out.")
    if race_set.repeated:
        told.append(f"{count(race_set.repeated, 'line')} of cells.jsonl repeated a cell: the last "
                    "one counts.")
    told += [f"The correct twin of {name} {what}." for name, what in broken_twins(matrix)]
    return told


def broken_twins(matrix):
    """[(case and mode, what its twin did)] where the correct program did not end well."""
    words = {"hangs": "hung", "crashes": "crashed", "oracle": "failed its own check"}
    for row in matrix.rows:
        for key, did in words.items():
            bad = [cell["detector"] for cell in row.cells
                   if cell and (cell.get("twin") or {}).get(key)]
            if bad:
                under = listed(detector_name(name) for name in dict.fromkeys(bad))
                yield f"{row.case['name']} ({row.mode})", f"{did} under {under}"


def named(names):
    """Some names, at most NAMES_MAX of them."""
    rest = len(names) - NAMES_MAX
    return listed([*names[:NAMES_MAX], f"{rest} more"] if rest > 0 else names)


def share(fraction):
    """A share as a percentage: whole from 10 %, never rounded to none or all."""
    percent = 100 * fraction
    if abs(percent - round(percent, -2)) < 1e-9:  # an interval's end may be 1 less a rounding
        return f"{percent:.0f}{SPACE}%"
    if percent >= 99.5:
        return f"{min(percent, 99.9):.1f}{SPACE}%"
    digits = 0 if percent >= 9.95 else 1 if percent >= 0.95 else 2
    return f"{max(percent, 0.01):.{digits}f}{SPACE}%"
