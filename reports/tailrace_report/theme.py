# SPDX-License-Identifier: MIT
"""The page's colours, light and dark: names for its own, and a dark counterpart of any other."""

import colorsys

from .style import FAINT, FLOOR, FLOOR_LINE, INK, MUTED, PAUSE, RULE

PAGE = {  # name: light, dark
    "paper": ("#ffffff", "#14171a"), "ink": (INK, "#e4e6e9"), "muted": ("#5f656d", "#a3aab3"),
    "rule": (RULE, "#363b42"), "bad": ("#b3261e", "#ff8b7e"), "link": ("#0b5cad", "#7ab7ff"),
    "faint": ("#f5f6f7", "#1e2227")}
FIGURE = {  # light: dark; what is no series of a figure
    "#ffffff": "#14171a", INK: "#e4e6e9", MUTED: "#a3aab3", RULE: "#33383f", FAINT: "#6b727b",
    PAUSE: "#343d63", FLOOR_LINE: "#59606a", FLOOR.color: "#969da6"}


def dark(color):
    """What stands for `color` ("#rrggbb") on dark paper: its hue, the lighter the darker it was."""
    if color in FIGURE:
        return FIGURE[color]
    hue, light, full = colorsys.rgb_to_hls(*(int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)))
    parts = colorsys.hls_to_rgb(hue, 0.92 - 0.6 * light, 0.85 * full)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def themed(color):
    """`color` as CSS that follows the theme; define() must be given it."""
    return f"var(--x{color[1:]})"


def define(colors, named):
    """CSS that gives the `named` ({name: (light, dark)}) and other `colors` their values.

    Dark is what the system asks for, unless the page's button says otherwise; print is light.
    """
    pairs = {**named, **{f"x{color[1:]}": (color, dark(color)) for color in sorted(colors)}}
    light, night = ("".join(f"--{name}:{pair[side]};" for name, pair in pairs.items())
                    for side in (0, 1))
    night = f"color-scheme:dark;{night}"
    return (f":root{{color-scheme:light;{light}}}\n"
            f"@media screen and (prefers-color-scheme:dark){{"
            f":root:not([data-theme=light]){{{night}}}}}\n"
            f"@media screen{{:root[data-theme=dark]{{{night}}}}}")
