# SPDX-License-Identifier: MIT
"""Which cells are the headline of a scenario, and which make its load, budget and live curves.

A curve joins the cells of one series (equal but for live set, load and budget multiple) in the
order of x. Cells are compared at one live set: that of most cells, the smallest of several.
"""

from collections import Counter
from dataclasses import dataclass, replace

from .cells import Cell, load_of
from .stats import median_of

HEADLINE_LOAD = 0.5  # of the slowest cell's capacity: the load nearest to it is the headline


@dataclass(frozen=True)
class Line:
    """The `points` [(x, Cell), …] of one series, ascending; `apart` holds the one without an x."""

    points: list
    apart: Cell = None

    @property
    def cells(self):
        """Every cell of the line."""
        return [cell for _, cell in self.points] + ([self.apart] if self.apart else [])


def headline(cells):
    """The cells to compare first: of each series the one without a budget at the headline load.

    Where all have that load and live set their labels are those of their series.
    """
    cells, chosen = of_one_live(cells), []
    load = headline_load(cells)
    for group in by_series(cells).values():
        chosen += leading(group, load)
    plain = len({(cell.spec.get("live"), load_key(cell)) for cell in chosen}) == 1
    plain = plain and len({cell.series for cell in chosen}) == len(chosen)
    kept = {cell.spec["cell"]: replace(cell, label=cell.series, variant=without_point(cell))
            if plain else cell for cell in chosen}
    return [kept[cell.spec["cell"]] for cell in cells if cell.spec["cell"] in kept]


def leading(group, load):
    """Of the cells of one series and live set those without a budget nearest to `load`."""
    def rank(cell):
        own, spec = cell.spec.get("load"), cell.spec
        return (-(spec.get("budget_times") or float("inf")), load_of(spec) == "own",
                0 if own is None else abs(own - load))
    best = min(map(rank, group))
    return [cell for cell in group if rank(cell) == best]


def of_one_live(cells):
    """The cells of the live set that most have; of a series without it those nearest to it."""
    counted = Counter(live_of(cell) for cell in cells)
    usual = min(counted, key=lambda live: (-counted[live], live))
    kept = []
    for group in by_series(cells).values():
        nearest = min(abs(live_of(cell) - usual) for cell in group)
        kept += [cell.spec["cell"] for cell in group if abs(live_of(cell) - usual) == nearest]
    return [cell for cell in cells if cell.spec["cell"] in kept]


def live_of(cell):
    """The live set of a cell, in its scenario's units."""
    live = cell.spec.get("live")
    return live if isinstance(live, (int, float)) else 0


def without_point(cell):
    """The part of a series' label beyond strategy and heap."""
    return cell.series.split("·", 2)[2].strip() if cell.series.count("·") > 1 else ""


def headline_load(cells):
    """The load nearest to HEADLINE_LOAD (the lower of two), of the slowest's where there is one."""
    loads = [(load_of(cell.spec) == "own", abs(cell.spec["load"] - HEADLINE_LOAD),
              cell.spec["load"]) for cell in cells if cell.spec.get("load") is not None]
    return min(loads)[2] if loads else HEADLINE_LOAD


def load_key(cell):
    """What tells cells of different load and budget multiple apart."""
    spec = cell.spec
    return spec.get("load") and (load_of(spec), spec["load"]), spec.get("budget_times")


def by_series(cells):
    """{series: [Cell, …]} in the order of `cells`."""
    groups = {}
    for cell in cells:
        groups.setdefault(cell.series, []).append(cell)
    return groups


def load_cells(cells):
    """The cells of the load curve (no budget multiple), or [] if they do not make one."""
    loaded = [cell for cell in of_one_live(cells)
              if cell.spec.get("load") is not None and not cell.spec.get("budget_times")]
    return loaded if len({load_key(cell) for cell in loaded}) > 1 else []


def load_lines(cells, of):
    """[Line, …] over the load as a fraction of the "slowest"'s or the cell's "own" capacity."""
    lines = []
    for group in by_series(load_cells(cells)).values():
        points = [(cell.spec["load"], cell) for cell in group if load_of(cell.spec) == of]
        if points:
            lines.append(Line(sorted(points, key=lambda point: point[0])))
    return lines


def budget_cells(cells):
    """The cells with a budget multiple."""
    return [cell for cell in of_one_live(cells) if cell.spec.get("budget_times")]


def budget_lines(cells, key="budget_times"):
    """[Line, …] over the budget (a multiple or bytes); `apart` is the same cell without a budget.

    Where there are budgets at several loads, those at the headline load; [] with one multiple.
    """
    capped = budget_cells(cells)
    if len({cell.spec["budget_times"] for cell in capped}) < 2:
        return []
    load = headline_load(capped)
    lines = []
    for group in by_series(of_one_live(cells)).values():
        def ranked(cell):
            own = cell.spec.get("load")
            return load_of(cell.spec) == "own", 0 if own is None else abs(own - load)
        mine = [cell for cell in group if cell in capped]
        points = [(cell.spec[key], cell) for cell in mine
                  if ranked(cell) == min(map(ranked, mine)) and cell.spec.get(key)]
        if points:
            free = [cell for cell in group if not cell.spec.get("budget_times")
                    and load_key(cell)[0] == load_key(points[0][1])[0]]
            lines.append(Line(sorted(points, key=lambda point: point[0]), *free[:1]))
    return lines


def live_cells(cells):
    """The headline cells of each live set and all that are of another than most; [] if all equal.
    """
    if len({live_of(cell) for cell in cells}) < 2:
        return []
    elsewhere = {cell.spec["cell"] for cell in of_one_live(cells)}
    leads = {cell.spec["cell"] for cell in leading_by_live(cells)}
    return [cell for cell in cells if cell.spec["cell"] in leads
            or cell.spec["cell"] not in elsewhere]


def leading_by_live(cells):
    """Of each series and live set the cells without a budget at the headline load."""
    load = headline_load(cells)
    groups = {}
    for cell in cells:
        groups.setdefault((cell.series, live_of(cell)), []).append(cell)
    return [cell for group in groups.values() for cell in leading(group, load)]


def live_lines(cells):
    """[Line, …] over the live bytes that the scenario itself counted; [] with one live set.

    A live set has the same bytes in every cell, so one that failed has its place as well.
    """
    sizes = {}
    for cell in cells:
        if (known := median_of(cell.runs, "live_bytes")) is not None:
            sizes.setdefault(live_of(cell), known)
    points = {}
    for cell in leading_by_live(cells):
        if live_of(cell) in sizes:
            points.setdefault(cell.series, []).append((sizes[live_of(cell)], cell))
    if len({x for line in points.values() for x, _ in line}) < 2:
        return []
    return [Line(sorted(line, key=lambda point: point[0])) for line in points.values()]
