# SPDX-License-Identifier: MIT
"""What a gate's result says in words: the verdict, a table, sentences. All computed from it."""

import math

from .gate_rule import FAILED
from .metrics import METRICS
from .resultset import UNFIT
from .text import SPACE, count, listed

COLUMNS = ("pair", "metric", "baseline", "head", "change [98 % interval]", "margin", "verdict")


def clean(text):
    """`text` in one line, without what no terminal or file should be given."""
    return UNFIT.sub("\ufffd", " ".join(text.split()))


def change(ratio):
    """A ratio as "+52 %"."""
    if ratio is None or ratio == math.inf:
        return "infinite" if ratio else "unknown"
    if ratio >= 10:
        return f"×{SPACE}{ratio:,.3g}"
    rise = 100 * (ratio - 1)
    return f"{round(rise, 1 if abs(rise) < 9.95 else 0) + 0.0:+.{int(abs(rise) < 9.95)}f}{SPACE}%"


def interval(one):
    """A comparison as "+52 % [+41 %, +66 %]"."""
    if not one["blocks"]:
        return "not measured"
    return f"{change(one['ratio'])} [{change(one['low'])}, {change(one['high'])}]"


def share(fraction):
    """A fraction as "13.6 %" or "20 %"."""
    return f"{100 * fraction:,.1f}".removesuffix(".0") + f"{SPACE}%"


def margin(row):
    """The margin of a row, and whether A/A raised it."""
    if row["margin"] == math.inf:
        return "none: A/A without a bound"
    return share(row["margin"]) + (" (A/A)" if row["margin"] > row.get("margin_default", math.inf)
                                   else "")


def shown(row, arm):
    """The value of an arm in a row, with its unit."""
    if row["metric"] == FAILED:
        return f"{row[arm]} of {row['blocks']}"
    value, metric = row[arm], METRICS[row["metric"]]
    failed = math.inf if not metric.higher_is_better else 0
    return "unknown" if value is None else "failed" if value == failed else metric.text(value)


def told(row):
    """What a row found, in one line without the pair's name."""
    if "aa" in row:
        return f"{row['metric']} {interval(row)}, margin {margin(row)}" + again(row)
    if row["metric"] == FAILED:
        why = f" ({row['why']})" if row["why"] else ""
        return f"{row['metric']}: {arms(row)}{why}" + again(row)
    values = f"{shown(row, 'baseline')} to {shown(row, 'head')} per request"
    if row["ratio"] not in (None, math.inf):
        values += f" ({change(row['ratio'])})"
    return f"{row['metric']} {values}, margin {margin(row)}" \
           + (f"; {row['why']}" if row["why"] else "")


def arms(row):
    """How many runs failed in each arm."""
    return (f"head {row['head']}, baseline {row['baseline']}, again {row['again']} of "
            f"{row['blocks']} runs each")


def again(row):
    """What the fresh blocks said, or nothing."""
    fresh = row["confirmation"]
    if not fresh:
        return ""
    said = interval(fresh) if "ratio" in fresh else arms(fresh)
    return f"; {'confirmed' if row['verdict'] == 'worse' else 'in fresh blocks'} {said}"


def rows(result):
    """All rows of a result: metrics, failed runs, counters."""
    return [*result["metrics"], *result["failures"], *result["counters"]]


def headlines(result):
    """[(verdict word, pair, what was found)]: each row that fails, or what there is instead."""
    worse = [row for row in rows(result) if row["verdict"] == "worse"]
    if worse:
        return [("FAIL", clean(row["pair"]), clean(told(row))) for row in worse]
    words = [row["verdict"] for row in rows(result)]
    tally = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    return [("PASS", "", f"of {count(len(words), 'comparison')} {listed(tally)}, none worse")]


def table(result):
    """The rows as texts, in the order of COLUMNS."""
    return [[clean(cell) for cell in (
        row["pair"], row["metric"], shown(row, "baseline"), shown(row, "head"), middle(row),
        margin(row) if "margin" in row else "", outcome(row))] for row in rows(result)]


def middle(row):
    """The change of a row, with its interval where it is an estimate."""
    if "aa" in row:
        return interval(row)
    exact = row["metric"] != FAILED and row["ratio"] is not None
    return f"{change(row['ratio'])} (exact)" if exact else ""


def outcome(row):
    """The verdict word of a row, and what must be known of it."""
    if row["verdict"] != "inconclusive":
        return row["verdict"]
    if row.get("why"):
        return f"inconclusive ({row['why']})"
    if "could_show" not in row:
        return "inconclusive"
    if row["could_show"] == math.inf:
        return "inconclusive (nothing could have shown: failed runs have no bound)"
    return f"inconclusive (could have shown {change(row['could_show'])} or more)"


def sentences(result):
    """What else the reader must know, each a sentence."""
    return [clean(one) for one in (
        f"Baseline: {result['baseline']}; head: {result['head']}.", blocks(result), aa(result),
        *doubts(result), *broken(result), uncounted(result)) if one]


def blocks(result):
    """How long the gate ran."""
    looks, fresh = result["rule"]["looks"], result["confirmation_blocks"]
    confirmed = f" and {count(fresh, 'fresh block')} for confirmation" if fresh else ""
    return (f"Decided at look {result['look']} of {len(looks)}, after {result['blocks']} of "
            f"{count(looks[-1], 'block')}{confirmed}; all looks together find a metric worse by "
            f"chance in at most {share(result['rule']['alpha'])} of gates.")


def aa(result):
    """What the machine told of two copies of one build."""
    bounds = {}
    for row in result["metrics"]:
        if row["aa"]["blocks"]:
            low, high = row["aa"]["low"], row["aa"]["high"]
            bound = max(high, 1 / low if low else math.inf) - 1
            bounds[row["metric"]] = max(bound, bounds.get(row["metric"], 0))
    said = [f"{name} " + (f"within ±{share(bound)}" if bound < math.inf else "without a bound")
            for name, bound in bounds.items()]
    return f"A/A of this machine in the same blocks: {listed(said)}." if said else ""


def doubts(result):
    """Findings that do not fail the gate, and what could not have."""
    for row in result["metrics"] + result["failures"]:
        if row["verdict"] == "host":
            seen = row["confirmation"] or row
            yield (f"{row['pair']}: {told(row)}: the baseline differed from itself as well "
                   f"({interval(seen['aa'])}), so it is the host, and does not fail the gate.")
        if row["verdict"] == "unconfirmed":
            yield f"{row['pair']}: {told(row)}: unconfirmed, which does not fail the gate."
        if row.get("can_fail") is False:
            yield f"{row['pair']}: {row['metric']} {row['why']}."


def broken(result):
    """Pairs whose baseline fails as well."""
    for row in result["failures"]:
        if row["baseline"] or row["again"]:
            yield (f"{row['pair']}: the baseline's own build fails as well ({arms(row)}; "
                   f"{row['why']}): head's failures count only beyond chance "
                   f"(p = {row['p']:.2g}).")


def uncounted(result):
    """That nobody counted allocations."""
    return "" if result["counted"] else \
        "Allocations were not counted: there is no counters.jsonl."


def human(result):
    """The whole result for people at a terminal."""
    lines = [f"gate: {'  '.join(filter(None, parts))}" for parts in headlines(result)]
    grid = [list(COLUMNS), *table(result)]
    widths = [max(map(len, column)) for column in zip(*grid)]
    lines += ["", *("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                    for line in grid), "", *sentences(result)]
    return "\n".join(lines) + "\n"
