# SPDX-License-Identifier: MIT
"""A history in words: its changes as sentences, its series as tables of text, Markdown or JSON."""

import json
import math
from itertools import groupby

from .compare import clean
from .compare_text import escaped, finite
from .history_changes import SIGNIFICANCE, sets_needed, side_needed
from .paired import LEVEL
from .text import SPACE, count, listed

COLUMNS = ("started (UTC)", "commit", f"median [{100 * LEVEL:.0f}{SPACE}%]", "runs", "null control",
           "change")


def sentence(series, change, name=True):
    """One change in words; with the `name` of cell and metric before it."""
    unit = series.metric.text
    last, first = (series.points[at].set for at in (change.index - 1, change.index))
    told = (f"{shown(change.before, unit)} → {shown(change.after, unit)} "
            f"({moved_text(change, series.metric)}) between commits {clean(last.name)} and "
            f"{clean(first.name)}, {first.day}: {change.word}")
    moves = [f"{clean(cell)} {ratio_text(moved, series.metric)}" for cell, moved in change.controls]
    told += "" if series.is_control else f"; null control {listed(moves) or 'not in these sets'}"
    told += f"; {clean(', '.join(change.also))}" if change.also else ""
    return f"{title(series)}: {told}" if name else told


def title(series):
    """Cell and metric."""
    return f"{clean(series.cell)} {series.metric.name}"


def about(series):
    """What the metric is, and which null control is beside it."""
    names = listed(clean(one.cell) for one in series.controls)
    return series.metric.what + (f"; null control: {names}" if names else "")


def shown(value, unit):
    """A value with its unit; an infinite one is of failed runs."""
    return "failed" if math.isinf(value) else unit(value)


def ratio_text(comparison, metric):
    """ "+51 % [+40 %, +63 %]"; without the interval where the metric has no spread."""
    if metric.deterministic:
        return signed(comparison.ratio)
    if comparison.low == 0 and comparison.high == math.inf:
        return f"{signed(comparison.ratio)} [too few sets]"
    return f"{signed(comparison.ratio)} [{signed(comparison.low)}, {signed(comparison.high)}]"


def moved_text(change, metric):
    """A change with its interval; whether runs fail has no ratio."""
    failing = math.isinf(change.before) or math.isinf(change.after)
    return mark(change) if failing else ratio_text(change.shift, metric)


def mark(change):
    """A change in two words: "+51 % worse", or that from here on the median run fails."""
    if math.isinf(change.after) or math.isinf(change.before):
        return "fails" if math.isinf(change.after) else "works again"
    return f"{signed(change.shift.ratio)} {change.word}"


def signed(ratio):
    """A ratio as what it is more or less, "+51 %"."""
    change = 100 * (ratio - 1)
    if math.isinf(change):
        return "+∞"
    return f"{change:+.{0 if abs(change) >= 10 else 1}f}{SPACE}%".replace("-", "−")


def rows(series):
    """The table's rows, texts in the order of COLUMNS."""
    unit, at = series.metric.text, {change.index: change for change in series.changes}
    controls = [{point.set.id: point.median for point in one.points} for one in series.controls]
    for index, point in enumerate(series.points):
        beside = [shown(medians[point.set.id], unit) for medians in controls
                  if point.set.id in medians]
        yield (point.set.start_time[:16].replace("T", " "), clean(point.set.name),
               median_text(point, unit), runs_text(point), " · ".join(beside) or "–",
               mark(at[index]) if index in at else "")


def median_text(point, unit):
    """The median over blocks and its interval."""
    ends = [shown(end, unit) for end in point.interval or ()]
    return f"{shown(point.median, unit)} [{', '.join(ends) or 'too few blocks'}]"


def runs_text(point):
    """ "8 ok" or "6 ok, 2 oom"."""
    return ", ".join(f"{number} {clean(status)}" for status, number in
                     sorted(point.statuses.items(), key=lambda item: item[0] != "ok"))


def groups(all_series):
    """[(machine, suite, its series)]."""
    return [(*key, list(of)) for key, of in
            groupby(all_series, key=lambda one: (one.machine, one.suite))]


def heading(machine, suite, of_group):
    """Machine, suite, number of sets and their time."""
    sets = sorted({point.set.start_time: point.set for one in of_group
                   for point in one.points}.items())
    return (f"{clean(machine)} · suite {clean(suite)} · {count(len(sets), 'result set')}, "
            f"{sets[0][1].day} to {sets[-1][1].day}")


def limit(of_group):
    """What these series can show at all, in sentences."""
    of_group = [one for one in of_group if not one.metric.deterministic] or of_group
    longest = max(len(one.points) for one in of_group)
    if longest < sets_needed():
        return (f"No change can be told yet: that needs at least {sets_needed()} sets of a cell, "
                f"and here are {longest}.")
    tested = sum(len(one.points) >= sets_needed() for one in of_group)
    return (f"A change needs at least {side_needed(longest)} sets on either side. Without any "
            f"change {100 * SIGNIFICANCE:g}{SPACE}% of series show one by chance: about "
            f"{tested * SIGNIFICANCE:.2g} of the {tested:,} here.")


LIMITS = (
    "A change says that the level differs between two sets, by one set more or less; the sets were "
    "measured at different times, so the machine may be the cause as well as the commit, and a "
    "machine that drifts slowly looks like changes. Many changes within few sets hide one another. "
    "host: the null control, which does no memory "
    "management, went the same way at least half as far, or the commit is the same. small: within "
    "the margin of the metric. To hold two commits against each other, use `tailrace gate`, which "
    "interleaves them.")


def as_text(all_series):
    """The whole history for a terminal: changes first, then a table per series."""
    lines = []
    for machine, suite, of_group in groups(all_series):
        lines += [heading(machine, suite, of_group), *wrapped(limit(of_group)), "",
                  *(f"  {one}" for one in sentences(of_group)), ""]
        for one in of_group:
            table = [COLUMNS, *rows(one)]
            widths = [max(map(len, column)) for column in zip(*table)]
            lines += [f"{title(one)} ({about(one)})",
                      *("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths))
                        .rstrip() for row in table), ""]
    return "\n".join([*lines, *wrapped(LIMITS)])


def sentences(of_group):
    """Every change of these series, or that there is none; nothing if none could be told."""
    told = [sentence(one, change) for one in of_group for change in one.changes]
    testable = max(len(one.points) for one in of_group) >= sets_needed()
    return told or ["no change found"] * testable


def wrapped(text, width=100):
    """Lines of `text`; no-break spaces hold."""
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


def as_markdown(all_series):
    """The whole history as Markdown."""
    lines = ["# History"]
    for machine, suite, of_group in groups(all_series):
        lines += ["", f"## {escaped(heading(machine, suite, of_group))}", "", limit(of_group), "",
                  *(f"- {escaped(one)}" for one in sentences(of_group))]
        for one in of_group:
            lines += ["", f"### {escaped(title(one))}", "", escaped(about(one)), "",
                      f"| {' | '.join(COLUMNS)} |", "|" + " --- |" * len(COLUMNS),
                      *(f"| {' | '.join(map(escaped, row))} |" for row in rows(one))]
    return "\n".join([*lines, "", LIMITS])


def as_json(all_series):
    """The whole history as JSON: keys as in ../README.md; failed medians are "infinite"."""
    return json.dumps({
        "schema": "tailrace/history/1", "significance": SIGNIFICANCE, "level": LEVEL,
        "sets_needed": sets_needed(),
        "series": [{"machine": one.machine, "suite": one.suite, "cell": one.cell,
                    "metric": one.metric.name, "control": one.is_control,
                    "sets": [point_object(point) for point in one.points],
                    "changes": [change_object(one, change) for change in one.changes]}
                   for one in all_series]}, ensure_ascii=False, indent=1, allow_nan=False)


def point_object(point):
    """A set of a series."""
    return {"start_time": point.set.start_time, "commit": point.set.commit,
            "median": finite(point.median),
            "interval": point.interval and [finite(end) for end in point.interval],
            "statuses": dict(point.statuses), "offered_rate": point.offered_rate}


def change_object(series, change):
    """A change of a series; `set` is the index of the first set after it."""
    return {"set": change.index, "before": finite(change.before), "after": finite(change.after),
            **comparison_object(change.shift), "word": change.word, "also": change.also,
            "controls": [{"cell": cell, **comparison_object(moved)}
                         for cell, moved in change.controls],
            "sentence": sentence(series, change)}


def comparison_object(comparison):
    """Ratio and interval."""
    return {"ratio": finite(comparison.ratio), "low": finite(comparison.low),
            "high": finite(comparison.high)}
