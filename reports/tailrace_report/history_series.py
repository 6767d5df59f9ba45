# SPDX-License-Identifier: MIT
"""Series of a history: each cell's metric over the sets of one machine and suite, with its changes.

A machine is its processor model and number of cores. The kernel is no part of it: an update would
break the series just where one wants to know what it did; what else differed is told with a change.
"""

import json
import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from statistics import median

from .history_changes import change_points, shift
from .metrics import METRICS
from .paired import Comparison, difference, sign_interval, verdict
from .text import count, rate

COMPARED = ("kernel", "libc", "compiler", "flags", "governor", "thp", "aslr", "duration_s",
            "warmup_s", "load")  # of the context: told where it differs across a change
RATE_APART = 0.05  # offered rates further apart are told


@dataclass(frozen=True)
class StoredSet:
    """A result set; `machine` and `suite` say what it may be compared with."""

    id: int
    machine: str
    suite: str
    commit: str
    start_time: str
    context: dict

    @property
    def name(self):
        """The commit, its hash cut to 7 digits."""
        return re.sub(r"([0-9a-f]{7})[0-9a-f]+", r"\1", self.commit or "no commit")

    @property
    def day(self):
        """The date, in UTC."""
        return self.start_time[:10]


@dataclass(frozen=True)
class Point:
    """One set of a series: `values` by block, infinite where the run failed; never empty.

    `statuses`: Counter of all its runs; `measured`: whether any run has the metric;
    `offered_rate`: median over blocks in 1/s, or None.
    """

    set: StoredSet
    values: list
    statuses: Counter
    measured: bool
    offered_rate: float

    @property
    def median(self):
        """The median over blocks."""
        return median(self.values)

    @property
    def interval(self):
        """[low, high] of the median, or None where there are too few blocks."""
        return sign_interval(self.values)


@dataclass(frozen=True)
class Change:
    """The level changed between points `index` - 1 and `index` of its series.

    `before` and `after`: medians of the sets up to the neighbouring changes; `shift`: how much.
    `controls`: [(cell, Comparison)] of the null controls across the same sets. `word`: worse,
    better, small (within the metric's margin) or host. `also`: what else differed, as texts.
    """

    index: int
    before: float
    after: float
    shift: Comparison
    controls: list
    word: str
    also: list


@dataclass(frozen=True)
class Series:
    """`cell` by `metric` on one machine in one suite; `points` in the order of time.

    `controls`: the Series of the null controls of its workload, or else of all in the suite.
    """

    machine: str
    suite: str
    cell: str
    workload: str
    is_control: bool
    metric: object
    points: list
    controls: list
    changes: list


def stored_sets(connection):
    """{id: StoredSet} in the order of time."""
    rows = connection.execute('SELECT id, cpu_model, cores, suite, "commit", start_time, context '
                              "FROM result_set ORDER BY start_time, id")
    return {row[0]: StoredSet(row[0], machine(*row[1:3]), *row[3:6], json.loads(row[6]))
            for row in rows}


def machine(cpu_model, cores):
    """What a machine is called."""
    return f"{cpu_model}, {count(cores, 'core') if cores else 'cores not known'}"


def matches(name, pattern):
    """Whether `name` contains `pattern` or matches it, as with `tailrace bench --only`."""
    return pattern in name or fnmatchcase(name, pattern)


def read_series(connection, metrics, cell="*", machine_part=""):
    """[Series] of the cells whose name matches, on machines whose name contains the part."""
    sets = {key: one for key, one in stored_sets(connection).items()
            if machine_part.casefold() in one.machine.casefold()}
    cells = read_cells(connection)
    values = read_values(connection, metrics)
    points = defaultdict(list)
    runs = read_runs(connection)
    for set_id, one in sets.items():
        for cell_id, blocks in runs[set_id].items():
            for metric in metrics:
                found = values.get((set_id, cell_id, metric.name), {})
                point = point_of(one, blocks, found, metric)
                if point:
                    points[one.machine, one.suite, metric.name, cell_id].append(point)
    points = {key: of for key, of in points.items() if any(point.measured for point in of)}
    controls = [with_changes(bare(key, of, cells), []) for key, of in points.items()
                if cells[key[3]].control]
    shown = [bare(key, of, cells) for key, of in points.items()]
    return [with_changes(one, controls) for one in sorted(shown, key=place)
            if matches(one.cell, cell)]


def place(series):
    """What series are ordered by; the null control of a workload comes first."""
    return (series.machine, series.suite, series.workload, not series.is_control, series.cell,
            list(METRICS).index(series.metric.name))


@dataclass(frozen=True)
class StoredCell:
    """A cell; `label` is its name and, where the name is not unique, what tells it apart."""

    label: str
    workload: str
    control: bool


def read_cells(connection):
    """{id: StoredCell}."""
    rows = [(*row[:2], json.loads(row[2]), bool(row[3])) for row in
            connection.execute("SELECT id, name, identity, control FROM cell")]
    of_name = defaultdict(list)
    for _, name, identity, _ in rows:
        of_name[name].append(identity)

    def label(name, identity):
        """The name, with what other cells of that name have otherwise."""
        apart = [f"{key} {value}" for key, value in identity.items()
                 if any(other.get(key) != value for other in of_name[name])]
        return name + (f" ({', '.join(apart)})" if apart else "")

    return {key: StoredCell(label(name, identity), identity["workload"], control)
            for key, name, identity, control in rows}


def read_runs(connection):
    """{set id: {cell id: {block: (status, offered rate)}}}."""
    found = defaultdict(lambda: defaultdict(dict))
    for set_id, cell_id, *run in connection.execute(
            "SELECT set_id, cell_id, block, status, offered_rate FROM run ORDER BY block"):
        found[set_id][cell_id][run[0]] = tuple(run[1:])
    return found


def read_values(connection, metrics):
    """{(set id, cell id, metric): {block: value}}."""
    found = defaultdict(dict)
    for *key, block, value in connection.execute(
            "SELECT set_id, cell_id, metric, block, value FROM value WHERE metric IN "
            f"({', '.join('?' * len(metrics))})", [metric.name for metric in metrics]):
        found[tuple(key)][block] = value
    return found


def point_of(one, blocks, found, metric):
    """The Point of a set's runs ({block: (status, offered rate)}) with the values `found`, or None.

    A failed run counts as the metric has it, unless runs succeed and do not have the metric.
    """
    statuses = Counter(status for status, _ in blocks.values())
    if not found and statuses["ok"]:
        return None
    values = [found[block] if block in found else metric.value({"status": status})
              for block, (status, _) in blocks.items()]
    values = [value for value in values if value is not None]
    offered = [number for _, number in blocks.values() if number is not None]
    return Point(one, values, statuses, bool(found),
                 median(offered) if offered else None) if values else None


def bare(key, points, cells):
    """A Series without controls and changes."""
    of_machine, suite, metric, cell_id = key
    cell = cells[cell_id]
    return Series(of_machine, suite, cell.label, cell.workload, cell.control, METRICS[metric],
                  points, [], [])


def with_changes(series, controls):
    """The Series with its controls among `controls` and its changes."""
    near = [one for one in controls if one.cell != series.cell and
            (one.machine, one.suite, one.metric) == (series.machine, series.suite, series.metric)]
    near = [one for one in near if one.workload == series.workload] or near
    near = [] if series.is_control else near
    medians = [point.median for point in series.points]
    bounds = [0, *places(series.metric, medians), len(medians)]
    return replace(series, controls=near, changes=[
        change(series, near, *around) for around in zip(bounds, bounds[1:], bounds[2:])])


def places(metric, medians):
    """Indices where the level changed; of a deterministic metric, wherever it left its margin."""
    if not metric.deterministic:
        return change_points(medians)
    found, level = [], 0
    for index, value in enumerate(medians):
        if abs(difference(medians[level], value)) > math.log1p(metric.delta):
            found, level = [*found, index], index
    return found


def change(series, controls, first, index, last):
    """The Change at `index` between the points from `first` to before `last`."""
    before, after = series.points[first:index], series.points[index:last]
    moved = level_shift(before, after, series.metric)
    moves = [(one.cell, of_control) for one in controls
             if (of_control := control_shift(one, before, after))]
    also = also_changed(before[-1], after[0], before, after)
    word = verdict(moved, series.metric.delta, series.metric.higher_is_better)
    if series.is_control or same_commit(before[-1].set, after[0].set) or any(
            explains(of_control, moved) for _, of_control in moves):
        word = "host"
    return Change(index, median(point.median for point in before),
                  median(point.median for point in after), moved, moves,
                  word if word in ("worse", "better", "host") else "small", also)


def level_shift(before, after, metric):
    """The Comparison of the points `after` to those `before`; without spread if deterministic."""
    medians = [[point.median for point in side] for side in (before, after)]
    found = shift(*medians)
    return replace(found, low=found.ratio, high=found.ratio) if metric.deterministic else found


def control_shift(control, before, after):
    """The Comparison of a null control across the sets of these points, or None.

    Only up to the control's own changes elsewhere, which are not what happened here.
    """
    order = [(point.set.start_time, point.set.id) for point in control.points]
    edge = bisect_left(order, (after[0].set.start_time, after[0].set.id))
    others = [one.index for one in control.changes if abs(one.index - edge) > 1]
    first = max((index for index in others if index < edge), default=0)
    last = min((index for index in others if index > edge), default=len(order))
    wanted = {point.set.id for point in (*before, *after)}
    sides = [[point for point in part if point.set.id in wanted]
             for part in (control.points[first:edge], control.points[edge:last])]
    return level_shift(*sides, control.metric) if all(sides) else None


def explains(control, moved):
    """Whether the null control surely went the same way, at least half as far on logarithms."""
    far, own = difference(1, control.ratio), difference(1, moved.ratio)
    return not control.low <= 1 <= control.high and far * own > 0 and 2 * abs(far) >= abs(own)


def same_commit(one, other):
    """Whether two sets are of the same commit, without changes that were not committed."""
    return bool(one.commit) and one.commit == other.commit and not one.commit.endswith("-dirty")


def also_changed(last, first, before, after):
    """What else differs between the sets of the points `last` and `first`, as texts."""
    texts = ["the commit is the same"] if same_commit(last.set, first.set) else []
    for key in COMPARED:
        values = [point.set.context.get(key) for point in (last, first)]
        if values[0] != values[1]:
            texts.append(f"{key} {values[0]} → {values[1]}")
    rates = [[point.offered_rate for point in side if point.offered_rate]
             for side in (before, after)]
    if all(rates) and abs(difference(*map(median, rates))) > RATE_APART:
        texts.append("offered rate " + " → ".join(rate(median(side)) for side in rates))
    return texts
