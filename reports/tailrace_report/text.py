# SPDX-License-Identifier: MIT
"""Numbers and lists as people read them: three significant digits, a no-break space, a unit."""

import math
from statistics import median

SPACE = "\u00a0"


class Quantity(str):
    """A number as text; `value` is the number itself, `range` that over runs as text, or None."""

    def __new__(cls, text, value, over_runs=None):
        made = super().__new__(cls, text)
        made.value, made.range = value, over_runs
        return made


def estimate(values, unit):
    """The median of `values`, one per run, as a Quantity in `unit` (a function); None if empty."""
    if not values:
        return None
    middle = median(values)
    return Quantity(unit(middle), middle, span(min(values), max(values), unit))


def span(low, high, unit):
    """ "1.25–3.40 µs": what is over runs, or None where all are the same; ∞ is a failed run."""
    first, last = unit(low), "∞" if math.isinf(high) else unit(high)
    if first == last:
        return None
    number, _, name = first.partition(SPACE)
    return f"{number}–{last}" if name == last.partition(SPACE)[2] else f"{first} – {last}"


def scaled(value, units):
    """`value` with the first of `units` ((factor, name), …) that leaves it ≥ 1, or the last."""
    for factor, name in units:
        number = float(f"{value / factor:.3g}")
        if number >= 1:
            break
    digits = 2 if number < 10 else 1 if number < 100 else 0
    return Quantity(f"{number:,.{digits}f}{SPACE}{name}", value)


def duration(ns):
    """Nanoseconds as ns, µs, ms or s; whole nanoseconds stay whole."""
    if ns < 999.5:
        return Quantity(f"{ns:.3g}{SPACE}ns", ns)
    return scaled(ns, ((1e9, "s"), (1e6, "ms"), (1e3, "µs")))


def seconds(value_s):
    """Seconds as a duration."""
    return duration(value_s * 1e9)


def rate(per_second):
    """Events per second."""
    return scaled(per_second, ((1e6, "M/s"), (1e3, "k/s"), (1, "/s")))


def size(count_bytes):
    """Bytes as KiB, MiB or GiB."""
    return scaled(count_bytes, ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")))


def ratio(value):
    """A ratio without a unit: three decimals near 1, three significant digits elsewhere, ∞."""
    if value in (0, float("inf")):
        return "∞" if value else "0"
    if 0.5 <= value < 2:
        return f"{value:.3f}"
    return f"{value:,.0f}" if value >= 99.95 else f"{value:#.3g}".rstrip(".")


def interval(comparison):
    """The interval of a Comparison, such as "0.912 to 1.034"."""
    return f"{ratio(comparison.low)} to {ratio(comparison.high)}"


def percent(fraction):
    """A fraction as a percentage."""
    return Quantity(f"{100 * fraction:#.3g}".rstrip(".") + f"{SPACE}%", fraction)


def counted(number):
    """A count; medians may end in a half."""
    return Quantity(f"{number:,.10g}", number)


def count(number, noun):
    """ "1 run" or "2 runs"."""
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def listed(words):
    """ "a", "a and b" or "a, b and c"."""
    words = list(words)
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def percentile_name(key):
    """ "p99_9" as "p99.9"."""
    return key.replace("_", ".")


def tuning(tune):
    """A tuning as text, whatever JSON it is."""
    if isinstance(tune, dict):
        return " ".join(f"{key}={value}" for key, value in tune.items()) or "defaults"
    if isinstance(tune, list):
        return " ".join(map(str, tune)) or "defaults"
    return str(tune) if tune else "defaults"
