# SPDX-License-Identifier: MIT
"""Statistics of runs: medians over runs, percentile curves, pauses, checksums.

The rules are those of the design's "Statistics": the value of a cell is the median over its runs
of the per-run quantile, a run that failed ranks as +infinity, nothing is averaged or dropped.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from statistics import median

import numpy as np

from .metrics import COMPLETED

CURVE_POINTS = 241  # every third of them have both ends
MIN_BEYOND = 10  # samples beyond a quantile below which it is not drawn


@dataclass(frozen=True)
class Quantile:
    """One quantile of one cell in ns; `value` is None where blank, infinite where failed.

    `low` says that a run has fewer than 100 samples beyond it; `best` and `worst` over runs.
    """

    value: float
    low: bool
    best: float
    worst: float


def run_quantile(run, key):
    """Response quantile of a run in ns: infinite if it failed, None if it has too few samples."""
    if run["status"] != "ok":
        return math.inf
    return (run.get("response_ns") or {}).get(key)


def cell_quantile(runs, key):
    """Median over `runs` of quantile `key`; blank unless every run that is ok has it."""
    values = [run_quantile(run, key) for run in runs]
    known = [value for value in values if value is not None]
    if not known:
        return Quantile(None, False, None, None)
    value = ranked_median(values)
    low = any(key in ((run.get("response_ns") or {}).get("low_samples") or [])
              for run in runs if run["status"] == "ok")
    return Quantile(value, low, min(known), max(known))


def ranked_median(values):
    """Median of `values`, infinite ones ranked last; None where one that matters is None."""
    if 2 * sum(value == math.inf for value in values) >= len(values):
        return math.inf if values else None
    return None if None in values else median(values)


def failed(runs):
    """Whether the median over `runs` is infinite, which it then is for every quantile."""
    return 2 * sum(run["status"] != "ok" for run in runs) >= len(runs)


def values_of(runs, key):
    """Field `key` of the runs that executed every request and have it."""
    return [run[key] for run in runs if run["status"] in COMPLETED and run.get(key) is not None]


def median_of(runs, key):
    """Median of field `key` over the runs that executed every request, or None."""
    values = values_of(runs, key)
    return median(values) if values else None


def status_word(runs):
    """The commonest status other than ok, or None."""
    counts = Counter(run["status"] for run in runs if run["status"] != "ok")
    return counts.most_common(1)[0][0] if counts else None


def sample_count(run):
    """Number of response times in the run's histogram."""
    return int(histogram_of(run)[:, 1].sum())


def histogram_of(run):
    """The run's response times: values in ns and counts, an array of shape (n, 2)."""
    return np.array(run.get("response_histogram") or np.empty((0, 2)), dtype=float)


def curve_grid(runs):
    """Abscissae 1/(1-p) from 2 (the median) to the last with MIN_BEYOND samples, or None."""
    last = max((sample_count(run) for run in runs), default=0) / MIN_BEYOND
    if last <= 2:
        return None
    return np.geomspace(2, last, CURVE_POINTS)


def run_curve(run, grid):
    """Response time in ns at each 1/(1-p) of `grid`; NaN where n(1-p) < MIN_BEYOND."""
    histogram = histogram_of(run)
    count = histogram[:, 1].sum()
    beyond = count / grid
    shown = beyond >= MIN_BEYOND - 1e-9
    curve = np.full(len(grid), np.nan)
    rank = np.maximum(count - np.floor(beyond[shown] + 1e-9), 1)
    curve[shown] = histogram[np.searchsorted(np.cumsum(histogram[:, 1]), rank), 0]
    return curve


def median_curve(runs, grid):
    """Pointwise median over runs in ns, failed ones infinite; NaN where blank or infinite."""
    curves = [run_curve(run, grid) if run["status"] == "ok" else np.full(len(grid), np.inf)
              for run in runs]
    middle = np.median(np.array(curves or [np.full(len(grid), np.nan)]), axis=0)
    return np.where(np.isfinite(middle), middle, np.nan)


def ranking_key(runs):
    """The highest of p99.9, p99, p90 and p50 that every ok run has: what runs are ranked by."""
    for key in ("p99_9", "p99", "p90", "p50"):
        if all(run_quantile(run, key) is not None for run in runs):
            return key
    return None


def representative(runs):
    """The run with the (lower) median p99.9 that has a time series, or None if none has.

    Failed runs rank last; where the median run left no series the next better one stands in.
    """
    key = ranking_key(runs)
    if key is None:
        return None

    def rank(run):
        own = (run.get("response_ns") or {}).get(key)
        return run_quantile(run, key), math.inf if own is None else own, run["block"]

    ranked = sorted(runs, key=rank)
    middle = (len(ranked) - 1) // 2
    drawable = [run for run in ranked[:middle + 1] if run.get("intervals")]
    return drawable[-1] if drawable else None


def clipped_pauses(run):
    """{cause: [(begin_s, end_s), …]} of the part of each pause inside the recording."""
    end_of_recording_s = run.get("duration_s") or 0
    by_cause = defaultdict(list)
    for pause in run.get("pauses") or []:
        begin_s, end_s = max(pause["begin_s"], 0), min(pause["end_s"], end_of_recording_s)
        if end_s > begin_s:
            by_cause[pause["cause"]].append((begin_s, end_s))
    return dict(by_cause)


@dataclass(frozen=True)
class Checksums:
    """`compared` runs in `groups` of equal scenario, seed and request count; `odd` disagree."""

    compared: int
    groups: int
    odd: list  # of (run, the checksum that most runs of its group have, None if there is none)


def compare_checksums(runs):
    """Compare the completed runs of one scenario that have a checksum."""
    groups = defaultdict(list)
    for run in runs:
        if run["status"] in COMPLETED and run.get("checksum") is not None:
            groups[run.get("seed"), run.get("requests")].append(run)
    groups = [group for group in groups.values() if len(group) > 1]
    odd = []
    for group in groups:
        counts = Counter(run["checksum"] for run in group).most_common()
        tied = len(counts) > 1 and counts[0][1] == counts[1][1]
        usual = None if tied else counts[0][0]
        odd += [(run, usual) for run in group if run["checksum"] != usual]
    return Checksums(sum(map(len, groups)), len(groups), odd)
