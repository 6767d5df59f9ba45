# SPDX-License-Identifier: MIT
"""How to get a result set again: the commands, and what they depend on."""

import re
from datetime import datetime

from .text import seconds

BUILD = "scripts/setup bench && cmake --preset release && cmake --build --preset release"


def again(manifest):
    """`lines` to run in the repository, the last the exact command; `words`: sentences on it."""
    context = manifest["context"]
    commit, command = str(context.get("commit") or ""), context.get("command")
    lines = [f"git checkout {commit}"] if re.fullmatch("[0-9a-f]{7,40}", commit) else []
    lines.append(BUILD)
    if command:
        lines.append(str(command))
    words = ["The last line is the command as it was given; tailrace is build/tailrace."
             if command else "The command was not recorded.",
             seed_words(manifest.get("seed")), built_words(context), time_words(context)]
    return {"lines": lines, "words": [text for text in words if text]}


def seed_words(seed):
    """What the seed fixes, or None."""
    return None if seed is None else (f"Its seed, {seed}, fixes the order of the cells in every "
                                      "block, when requests are due, and what they ask.")


def built_words(context):
    """Compiler and flags, or None."""
    compiler, flags = context.get("compiler"), context.get("flags")
    return compiler and f"It was built by {compiler}" + (f" with {flags}." if flags else ".")


def time_words(context):
    """How long it took, or None."""
    times = [moment(context.get(key)) for key in ("start_time", "end_time")]
    if None in times:
        return None
    length_s = (times[1] - times[0]).total_seconds()
    return f"It took {clock(length_s)}." if length_s > 0 else None


def moment(text):
    """A time in ISO 8601, in UTC where it names no zone, or None."""
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.replace(tzinfo=None) - (found.utcoffset() or found - found)


def clock(length_s):
    """Seconds as hours and minutes from a minute on."""
    if length_s < 60:
        return seconds(length_s)
    hours, minutes = divmod(round(length_s / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
