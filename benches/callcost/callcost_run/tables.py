# SPDX-License-Identifier: MIT
"""The tables: Markdown that is laid out, so that it can be read as text too."""

from .summary import FEW, MANY, PAIRS, SIZE, SIZES

NOTE = """\
ns per object: median over {rounds} rounds [quartiles]. × is the median of the ratios within rounds
[least, greatest]. Timed are whole batches, 0.1 ms or longer, between two readings of the clock
({clock:.0f} ns each); every cache line of every object is written. *each*: the objects of a scope
live together, then are released one by one; *scope*: the end of the scope releases them; *at once*:
each is released before the next one is made; *handed over*: one thread makes, another one releases,
both at work, {few} a scope. Collectors are timed until they have collected: *collections* is how
often. `audit` checks what it is told and stands here for completeness.
"""


def shorten(value):
    """Three significant digits, without an exponent."""
    return f"{value:.0f}" if value >= 99.5 else f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def way_of(cell, mode, size, batch):
    """The cell's way, or None."""
    found = [way for way in cell["ways"]
             if (way["mode"], way["size"], way["batch"]) == (mode, size, batch)]
    return found[0] if found else None


def local(cell, size, batch):
    """The way in which the cell is best used on one thread."""
    scope = way_of(cell, "scope", size, batch)
    return scope if scope and scope["ns"] else way_of(cell, "each", size, batch)


def told(way):
    """ "7.41 [7.2 7.6]", a reason, or a dash where the cell has no such way."""
    if not way:
        return "–"
    if not way["ns"]:
        return way["reason"] or "–"
    return f"{shorten(way['ns']['median'])} [{shorten(way['ns']['q1'])} {shorten(way['ns']['q3'])}]"


def told_ratio(way):
    """ "1.02 [0.98, 1.04] malloc"."""
    ratio = way and way["ratio"]
    if not ratio:
        return "–"
    return (f"{shorten(ratio['median'])} [{shorten(ratio['min'])}, {shorten(ratio['max'])}] "
            f"{way['bare']}")


def table(heads, rows):
    """A Markdown table with columns as wide as they need."""
    rows = [heads, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |"
             for row in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def objects(cells):
    """One 64-byte object, all modes."""
    heads = ["64-byte object", f"each, {FEW}", f"each, {MANY}", f"scope, {FEW}", f"scope, {MANY}",
             "at once", "handed over", "× bare library", "collections"]
    rows = []
    for cell in cells:
        ways = [way_of(cell, mode, SIZE, batch) for mode, batch in
                (("each", FEW), ("each", MANY), ("scope", FEW), ("scope", MANY), ("at-once", FEW),
                 ("handoff", FEW))]
        best = local(cell, SIZE, FEW)
        stops = best and best["collections"]
        rows.append([cell["label"], *map(told, ways), told_ratio(best),
                     "–" if stops is None else f"{stops:.0f}"])
    return table(heads, rows)


def sizes(cells):
    """Released by its scope or one by one, whichever the strategy is best at."""
    heads = [f"local, {FEW} a scope", *(f"{size} B" for size in SIZES),
             *(f"× bare, {size} B" for size in (SIZES[0], SIZES[-1]))]
    rows = []
    for cell in cells:
        ways = [local(cell, size, FEW) for size in SIZES]
        rows.append([cell["label"], *map(told, ways), told_ratio(ways[0]), told_ratio(ways[-1])])
    return table(heads, rows)


def counts(cells):
    """Pairs of keep and drop."""
    heads = ["keep and drop", "own", "× bare", "another thread's", "× bare", "both at once",
             "× bare"]
    rows = []
    for cell in cells:
        ways = [way_of(cell, mode, SIZE, PAIRS) for mode in ("keep-own", "keep-other", "keep-both")]
        if any(ways):
            rows.append([cell["label"], *(text for way in ways for text in (told(way),
                                                                            told_ratio(way)))])
    return table(heads, rows)


def claim_line(claim):
    """One claim in one line."""
    wanted = f"wanted {'at least' if claim['at_least'] else 'at most'} {claim['wanted']:g}"
    ratio = claim["ratio"]
    said = (f"{ratio['median']:.2f} [{ratio['min']:.2f}, {ratio['max']:.2f}] over "
            f"{ratio['rounds']} rounds" if ratio else "a strategy or library was not run")
    note = f"; {claim['note']}" if claim["note"] else ""
    return f"- {claim['name']}: {said}; {wanted}: {claim['verdict']}{note}"


def stores(cells):
    """The loops without memory management."""
    rows = [[f"{size} B", *(told(way_of(cell, "store", size, batch)) for batch in (FEW, MANY))]
            for cell in cells for size in SIZES]
    empty = [told(way_of(cell, "empty", 0, FEW)) for cell in cells]
    return (table(["store-only loop", f"{FEW} at a time", f"{MANY} at a time"], rows) +
            f"\n\nEmpty loop: {', '.join(empty)}.\n")


def tables(summary):
    """callcost.md."""
    shown = [cell for cell in summary["cells"] if cell["ways"]]
    loops = [cell for cell in shown if cell["bare"] == "loop"]
    shown = [cell for cell in shown if cell["bare"] != "loop"]
    where = summary["machine"]
    parts = [f"# What one object costs\n\n{where['processors']} processors, {where['cpu']}, "
             f"Linux {where['kernel']}, {summary['time']}.\n",
             NOTE.format(rounds=summary["rounds"], clock=summary["clock_ns"] or 0, few=FEW),
             objects(shown) + "\n", sizes(shown) + "\n"]
    if any(way["mode"].startswith("keep") for cell in shown for way in cell["ways"]):
        parts.append("Pairs of keep and drop on one object, ns per pair (both at once: of each "
                     "thread, until both have done as many):\n\n" + counts(shown) + "\n")
    if loops:
        parts.append(stores(loops))
    missing = [f"- {cell['label']}: {cell['reason']}"
               for cell in summary["cells"] if cell["reason"]]
    if missing:
        parts.append("Not, or not always, measured:\n\n" + "\n".join(missing) + "\n")
    parts.append("Claims, ratios of times on glibc, 64-byte objects:\n\n" +
                 "\n".join(map(claim_line, summary["claims"])) + "\n")
    return "\n".join(parts)
