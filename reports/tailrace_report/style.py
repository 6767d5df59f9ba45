# SPDX-License-Identifier: MIT
"""How cells and figures look: a colour and a kind of marker per strategy family.

Hues are Okabe and Ito's, with a contrast to white of 3 or more, and lightness apart where the
colour-blind see one hue; marker and dash differ as well, so that no cell depends on its colour.
"""

from dataclasses import dataclass

INK, MUTED, FAINT, RULE = "#1f2328", "#676d75", "#a9aeb5", "#d9dce0"
PAUSE = "#c3cbe6"  # collector pauses


@dataclass(frozen=True)
class Style:
    """Colour, dash pattern in points (empty: solid) and matplotlib marker of a cell."""

    color: str
    dash: tuple
    marker: str

    @property
    def line(self):
        """The dash pattern as matplotlib wants it."""
        return (0, self.dash) if self.dash else "solid"


CONTROL = Style("#8d9399", (), "")
FLOOR_LINE = "#a9aeb5"
FLOOR = Style("#7c828a", (1, 2), "")  # the noise floor: dotted
CAUSE_MARKERS = {"collector-pause": "s", "collector-assist": "<", "free-cascade": "v",
                 "ring-search": "h", "batch-free": "p", "arena-reset": "^", "fault-burst": "D",
                 "preemption": "X", "stall": "P"}
COLORS = ("#0072b2", "#d55e00", "#009e73", "#b2559a", "#000000", "#7a4b24", "#56b4e9", "#e69f00")
DASHES = ((), (7, 2), (7, 2, 1.5, 2), (2, 1.5), (4, 1.5), (14, 2, 3, 2), (7, 2, 1.5, 2, 1.5, 2),
          (12, 3))
MARKERS = ("o", "s", "^", "D", "X", "v", "P", "*")

FAMILIES = {  # colour, and markers of one kind
    "manual": ("#0072b2", ("o", "h", "p")), "arena": ("#009e73", ("^", "v", "<")),
    "reference count": ("#c98500", ("s", "P", "8")), "collector": ("#c03c00", ("X", "*", "x")),
    "deferred": ("#8a3d74", ("D", "d", ">")), "control": ("#565c63", ("|", "_", ".")),
    None: ("#2b2b2b", ("+", "1", "2"))}  # families that are not known
SHADES = (0.0, 0.45, -0.25)  # towards black (above 0) or white


def member_style(family, number):
    """The Style of the cell `number` (from 0) of a family: 72 that differ, then from the first."""
    color, markers = FAMILIES.get(family, FAMILIES[None])
    return Style(shaded(color, SHADES[number % 3]), DASHES[number % 8],
                 markers[(number + number // 3) % 3])


def shaded(color, towards):
    """`color` ("#rrggbb") mixed with black (`towards` above 0) or white (below), by that share."""
    end = 0 if towards > 0 else 255
    parts = [int(color[i:i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part + abs(towards) * (end - part)):02x}" for part in parts)


RC = {
    "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": MUTED, "axes.linewidth": 0.7, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True, "grid.color": RULE,
    "grid.linewidth": 0.6, "xtick.color": MUTED, "ytick.color": MUTED, "xtick.labelcolor": INK,
    "ytick.labelcolor": INK, "svg.fonttype": "none", "svg.hashsalt": "tailrace",
    "lines.markersize": 5.5, "text.parse_math": False, "xtick.minor.size": 0,
    "ytick.minor.size": 0, "path.simplify": True}
