# SPDX-License-Identifier: MIT
"""A result set as Markdown tables for a job's page (GitHub's dialect), one for each comparison."""

import re
from collections import defaultdict

from .arms import KEYS
from .metrics import noise_limited
from .paired import compare_logs, paired_logs
from .text import count, interval, listed, ratio

RESPONSE = ("p50", "p99", "p99.9")
OTHERS = ("rate", "wall", "cpu", "rss-peak")
RANKING = ("p99.9", "p99", "p90", "p50", "service-p99.9", "service-p99", "service-p90",
           "service-p50", "rate", "wall")
# What cells of one table have in common; the workload is first.
ALIKE = [key for key in KEYS if key not in ("scenario", "strategy", "heap", "tune", "arm")]


def markdown(cells, manifest, _note):
    """A table for each group of cells that differ in strategy, heap and tuning alone."""
    groups = defaultdict(list)
    for cell in cells:
        groups[tuple(KEYS[key](cell.spec) for key in ALIKE)].append(cell)
    parts = [f"# tailrace: {text(manifest['suite'])}", introduction(manifest)]
    for values, members in groups.items():
        parts += [f"## {text(title(values, groups))}", table(members)]
    return "\n\n".join(parts) + "\n"


def title(values, groups):
    """The workload of a group, and what sets it apart from others of that workload."""
    rivals = [dict(zip(ALIKE, other)) for other in groups if other[0] == values[0]]
    return " · ".join([values[0], *(f"{key} {value}" for key, value in
                                    list(zip(ALIKE, values))[1:]
                                    if any(rival[key] != value for rival in rivals))])


def introduction(manifest):
    """What the numbers are, and where they are from."""
    context = manifest["context"]
    where = [f"{prefix}{context[key]}" for key, prefix in
             (("cpu_model", ""), ("kernel", ""), ("libc", ""), ("compiler", ""),
              ("commit", "commit ")) if context.get(key)]
    return (f"{count(manifest['blocks'], 'block')}; the median over runs, with its 98 % interval; "
            "∞ stands for runs that failed, ~ marks quantiles of which more than half is noise of "
            "the machine, † those with fewer than 100 samples beyond."
            + (f" {text(', '.join(where))}." if where else ""))


def table(cells):
    """The table of cells that may be compared; ratios are to the first that is no control."""
    latencies = RESPONSE if has(cells, "p50") else [f"service-{name}" for name in RESPONSE]
    names = [name for name in (*latencies, *OTHERS) if has(cells, name)]
    first = next((cell for cell in cells if not cell.spec.get("control")), cells[0])
    ranked = next((name for name in RANKING if comparable(cells, name)), None)
    heads = ["cell", "runs", *names]
    if ranked and len(cells) > 1:
        heads.append(f"{ranked} relative to {code(first.name)}")
    rows = [heads, ["---"] * len(heads)]
    for cell in cells:
        rows.append([code(cell.name), text(outcome(cell)),
                     *(text(shown(cell, name)) for name in names)])
        if ranked and len(cells) > 1:
            rows[-1].append("1" if cell is first else relative(first, cell, ranked))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def has(cells, name):
    """Whether any of the cells has the metric."""
    return any(name in cell.estimates for cell in cells)


def comparable(cells, name):
    """Whether all cells that can be run have the metric, and there is one."""
    found = [cell.estimates.get(name) for cell in cells if cell.supported]
    return bool(found) and all(one and one.median is not None for one in found)


def outcome(cell):
    """How the runs ended, and why where none could."""
    reasons = dict.fromkeys(run.get("reason") for run in cell.runs
                            if run["status"] == "unsupported" and run.get("reason"))
    return cell.statuses() + (f" ({listed(reasons)})" if reasons else "")


def shown(cell, name):
    """The estimate of a metric with its marks."""
    if name not in cell.estimates:
        return "–"
    key = name.replace(".", "_")
    low = any(key in ((run.get("response_ns") or {}).get("low_samples") or ())
              for run in cell.runs if run["status"] == "ok")
    return ("~" * noise_limited(cell.runs, key) + cell.estimates[name].text() + "†" * low)


def relative(first, cell, name):
    """The paired ratio to the first cell with its interval."""
    if name not in cell.estimates or name not in first.estimates:
        return "–"
    found = compare_logs(paired_logs(first.estimates[name].values, cell.estimates[name].values))
    return f"{ratio(found.ratio)} ({interval(found)})" if found.blocks else "–"


def text(words):
    """`words` so that Markdown takes them as they are."""
    return re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", " ".join(words.split()))


def code(name):
    """`name` as code, also in a table."""
    fence = "`" * (max(map(len, re.findall("`+", name)), default=0) + 1)
    pad = " " if len(fence) > 1 else ""
    return f"{fence}{pad}{' '.join(name.split())}{pad}{fence}".replace("|", r"\|")
