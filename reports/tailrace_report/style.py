# SPDX-License-Identifier: MIT
"""How cells and figures look: colours that colour-blind readers and grey printers can tell apart.

Colours are Okabe and Ito's; dash and marker differ as well, so that no cell depends on its colour.
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
# From the ninth on colours come again, with another dash and another marker.
STYLES = tuple(
    Style(COLORS[i % 8], DASHES[(i + 3 * (i // 8)) % 8], MARKERS[(i + 5 * (i // 8)) % 8])
    for i in range(64))

RC = {
    "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": MUTED, "axes.linewidth": 0.7, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True, "grid.color": RULE,
    "grid.linewidth": 0.6, "xtick.color": MUTED, "ytick.color": MUTED, "xtick.labelcolor": INK,
    "ytick.labelcolor": INK, "svg.fonttype": "path", "svg.hashsalt": "tailrace",
    "lines.markersize": 5.5, "xtick.minor.size": 0, "ytick.minor.size": 0, "path.simplify": True}
