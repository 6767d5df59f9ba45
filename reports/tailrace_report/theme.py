# SPDX-License-Identifier: MIT
"""The colours of figures on the page: as drawn on light paper, a counterpart on dark paper."""

import colorsys

from .style import FAINT, FLOOR, FLOOR_LINE, INK, MUTED, PAUSE, RULE

NAMED = {"#ffffff": "paper", INK: "ink", MUTED: "muted", RULE: "rule"}  # those of page.css
DARK = {FAINT: "#6b727b", PAUSE: "#343d63", FLOOR_LINE: "#59606a", FLOOR.color: "#969da6"}


def themed(color):
    """`color` ("#rrggbb") as CSS that follows the theme; define() must be given it."""
    return f"var(--{NAMED.get(color) or 'x' + color[1:]})"


def define(colors):
    """CSS that gives `colors` their values; light ones only where a browser knows no themes."""
    others = sorted(set(colors) - NAMED.keys())
    light = "".join(f"--x{color[1:]}:{color};" for color in others)
    both = "".join(f"--x{color[1:]}:light-dark({color},{dark(color)});" for color in others)
    return f":root{{{light}}}\n@supports (color:light-dark(red,red)){{:root{{{both}}}}}"


def dark(color):
    """What stands for `color` on dark paper: its hue, the lighter the darker it was."""
    if color in DARK:
        return DARK[color]
    hue, light, full = colorsys.rgb_to_hls(*(int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)))
    parts = colorsys.hls_to_rgb(hue, 0.92 - 0.6 * light, 0.85 * full)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
