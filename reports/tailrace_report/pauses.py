# SPDX-License-Identifier: MIT
"""How long the world was stopped: the pauses of each cell, of whatever cause, in the recording.

Like memory and rates they are of the runs that executed every request: medians over these runs of
each run's own value, but for the longest, which is that of all runs. Seconds.
"""

import math
from dataclasses import dataclass
from statistics import median

from .curves import live_of
from .stats import COMPLETED, MIN_BEYOND
from .text import counted, percent, seconds

COLLECTOR = "collector-pause"
NAMES = {COLLECTOR: "collector", "stall": "stall"}
TRUSTED_BEYOND = 100  # samples beyond a quantile below which it is shown grey


@dataclass(frozen=True)
class Pauses:
    """The pauses of one cause of a cell; a value that is not known is None.

    `few_p50` and `few_p99`: a run has fewer than TRUSTED_BEYOND beyond p99, or MIN_BEYOND beyond
    p50. `longest_own_s` leaves out of each pause what the host took. `lost` were not logged.
    """

    count: float
    p50_s: float
    few_p50: bool
    p99_s: float
    few_p99: bool
    longest_s: float
    longest_own_s: float
    share: float
    lost: int


def recorded(run, cause):
    """[(length_s, length without the host's part or None)] of the pauses begun in the recording.

    One that outlasts the recording counts up to its end.
    """
    end_s, found = run.get("duration_s") or 0, []
    for pause in run.get("pauses") or []:
        if pause["cause"] == cause and 0 <= pause["begin_s"] < end_s:
            length_s, gap_s = min(pause["end_s"], end_s) - pause["begin_s"], pause.get("host_gap_s")
            own_s = None if gap_s is None else max(round(length_s - gap_s, 9), 0.0)
            found.append((length_s, own_s))
    return found


def quantile(lengths_s, p):
    """The quantile `p` by nearest rank."""
    return sorted(lengths_s)[max(math.ceil(p * len(lengths_s)) - 1, 0)]


def pauses_of(cell, cause=COLLECTOR):
    """The Pauses of a cell, or None if none of its runs executed every request."""
    runs = [run for run in cell.runs if run["status"] in COMPLETED and run.get("duration_s")]
    if not runs:
        return None
    each = [recorded(run, cause) for run in runs]
    lengths = [[length_s for length_s, _ in found] for found in each if found]
    own = [own_s for found in each for _, own_s in found]
    beyond = min((0.01 * len(found) for found in lengths), default=0) + 1e-9
    totals = [sum(length_s for length_s, _ in found) / run["duration_s"]
              for run, found in zip(runs, each)]
    return Pauses(
        median(map(len, each)),
        median([quantile(found, 0.5) for found in lengths]) if lengths else None,
        any(len(found) < 2 * MIN_BEYOND for found in lengths),
        median([quantile(found, 0.99) for found in lengths]) if beyond >= MIN_BEYOND else None,
        beyond < TRUSTED_BEYOND,
        max(map(max, lengths)) if lengths else None,
        max(own) if own and None not in own else None,
        median(totals), sum(run.get("pauses_lost") or 0 for run in runs))


def pause_rows(cells):
    """A row per cell and cause of pause, and of collectors without any; [] if none has pauses.

    Cells of a series follow each other by live set.
    """
    rows, order = [], list(dict.fromkeys(cell.series for cell in cells))
    for cell in sorted(cells, key=lambda cell: (order.index(cell.series), live_of(cell))):
        present = {pause["cause"] for run in cell.runs for pause in run.get("pauses") or []}
        causes = sorted(present) or [COLLECTOR] * (cell.spec.get("family") == "collector")
        found = {cause: pauses for cause in causes if (pauses := pauses_of(cell, cause))}
        rows += [{"cell": cell, "cause": NAMES.get(cause, cause), **texts(pauses)}
                 for cause, pauses in found.items()]
    return rows if any(row["longest"] for row in rows) else []


def texts(pauses):
    """The Pauses as the page shows them."""
    def shown(value, unit):
        return None if value is None else unit(value)
    return {"count": counted(pauses.count), "lost": pauses.lost,
            "p50": {"text": shown(pauses.p50_s, seconds), "low": pauses.few_p50},
            "p99": {"text": shown(pauses.p99_s, seconds), "low": pauses.few_p99},
            "longest": shown(pauses.longest_s, seconds),
            "own": shown(pauses.longest_own_s, seconds),
            "share": percent(pauses.share) if pauses.longest_s else None}
