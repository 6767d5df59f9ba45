# SPDX-License-Identifier: MIT
"""Which cells are the headline of a scenario, and which make its load and budget curves.

A curve joins the cells of one series (equal but for load and budget multiple) in the order of x.
"""

from dataclasses import dataclass, replace

from .cells import Cell, load_of

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

    Where all have that load their labels are those of their series.
    """
    load, chosen = headline_load(cells), []
    for group in by_series(cells).values():
        def rank(cell):
            own, spec = cell.spec.get("load"), cell.spec
            return (-(spec.get("budget_times") or float("inf")), load_of(spec) == "own",
                    0 if own is None else abs(own - load))
        best = min(map(rank, group))
        chosen += [cell for cell in group if rank(cell) == best]
    plain = len({load_key(cell) for cell in chosen}) == 1
    plain = plain and len({cell.series for cell in chosen}) == len(chosen)
    kept = {cell.spec["cell"]: replace(cell, label=cell.series, variant=without_point(cell))
            if plain else cell for cell in chosen}
    return [kept[cell.spec["cell"]] for cell in cells if cell.spec["cell"] in kept]


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
    loaded = [cell for cell in cells
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
    return [cell for cell in cells if cell.spec.get("budget_times")]


def budget_lines(cells, key="budget_times"):
    """[Line, …] over the budget (a multiple or bytes); `apart` is the same cell without a budget.

    Where there are budgets at several loads, those at the headline load; [] with one multiple.
    """
    capped = budget_cells(cells)
    if len({cell.spec["budget_times"] for cell in capped}) < 2:
        return []
    load = headline_load(capped)
    lines = []
    for group in by_series(cells).values():
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
