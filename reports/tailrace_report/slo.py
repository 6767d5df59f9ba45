# SPDX-License-Identifier: MIT
"""A suite's objective (`slo_us`, for p99.9 response time): up to which load each cell meets it.

Only loads that were measured count, and only up to the first that misses it or is not known.
"""

from .curves import load_lines
from .stats import cell_quantile
from .text import duration

KEY = "p99_9"
OF = {"slowest": "of the slowest cell's capacity", "own": "of the cell's own capacity"}


def slo_ns(manifest):
    """The objective in ns, or None: the suite has none."""
    slo_us = (manifest.get("definition") or {}).get("slo_us")
    return None if slo_us is None else 1000 * slo_us


def highest_load(line, limit_ns):
    """(the highest load of a Line up to which all points meet the limit, whether all do)."""
    met = None
    for load, cell in line.points:
        value = None if cell.unsupported or not cell.runs else cell_quantile(cell.runs, KEY).value
        if value is None or value > limit_ns:
            return met, False
        met = load
    return met, True


def slo_sentences(cells, limit_ns):
    """A sentence per kind of load: up to which load which cells meet the objective; [] without."""
    return [sentence for of in OF if limit_ns is not None
            for sentence in of_kind(load_lines(cells, of), OF[of], limit_ns)]


def of_kind(lines, whose, limit_ns):
    """[the sentence on some lines, grouped by the load they reach] or []."""
    groups = {}
    for line in lines:
        groups.setdefault(highest_load(line, limit_ns), []).append(line.cells[0].series)
    parts = []
    for load, everywhere in sorted(groups, key=lambda key: -(key[0] or 0)):
        upto = ("at no load measured" if load is None else
                f"up to {load:g}, the highest measured" if everywhere else f"up to {load:g}")
        parts.append(f"{upto}: {', '.join(groups[load, everywhere])}")
    return [f"p99.9 stays within the objective of {duration(limit_ns)}, by load {whose}: "
            f"{'; '.join(parts)}."] if parts else []
