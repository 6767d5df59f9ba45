# SPDX-License-Identifier: MIT
"""What the harness measured of queues and a stall that theory knows, before the result set."""

from .text import duration, percent


def theory_section(manifest):
    """Title, verdict and rows of each case in the manifest's `oracle`, or [] if there is none."""
    oracle = manifest.get("oracle")
    if not oracle:
        return []
    queue, stall = oracle["queue"], oracle["stall"]
    return [
        {"title": f"Queue {queue['scenario']} at utilisation {queue['utilisation']:g}",
         "verdict": queue["verdict"], "well": queue["agrees"] and queue["within_plan"],
         "rows": [row(one, "planned_ns", "planned_error", "replayed_error")
                  for one in queue["rows"] if one["measured_ns"] is not None]},
        {"title": f"Stall of {duration(stall['stall_ns'])} on all workers",
         "verdict": stall["verdict"], "well": stall["within_plan"],
         "rows": [row(one, "predicted_ns", "error", None) for one in stall["rows"]]}]


def row(one, predicted, error, replay):
    """A row of the table; `replay` is the key of the second error, if there is one."""
    return {"name": one["name"], "measured": duration(one["measured_ns"]),
            "predicted": duration(max(0, one[predicted])), "error": signed(one[error]),
            "replay": signed(one[replay]) if replay else None}


def signed(fraction):
    """A fraction as a percentage with its sign."""
    return ("+" if fraction >= 0 else "−") + percent(abs(fraction))
