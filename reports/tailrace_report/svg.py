# SPDX-License-Identifier: MIT
"""Makes a figure's SVG fit to stand in a page: short, in the page's colours, with names of its own.

Colours become custom properties of theme.py, so that the page's theme holds for figures as well.
Coordinates are rounded to a tenth of a point (0.15 px as shown), paths relative.
"""

import re

from .theme import themed

HEAD = re.compile(r'.*?<svg[^>]*viewBox="([^"]*)"[^>]*>', re.S)
METADATA = re.compile(r"<metadata>.*?</metadata>", re.S)
BETWEEN = re.compile(r">\s+<")
PATH = re.compile(r' d="([^"]*)"')
PLACE = re.compile(r' (x|y|width|height)="(-?[\d.]+)"')
TURN = re.compile(r' transform="rotate\((-?[\d.]+) (-?[\d.]+) (-?[\d.]+)\)"')
THEMED = re.compile(r"var\(--x([0-9a-f]{6})\)")
COLOR = re.compile(r"(?<=: )#[0-9a-f]{6}")
USED = re.compile(r'(?:url\(|href=")#([^")]+)')
IDENTITY = re.compile(r' id="([^"]*)"')
GROUP = re.compile(r"<g>|<g [^>]*>|</g>")
CELL = re.compile(r"cell-(\d+)")


def inlined(svg, prefix):
    """The <svg> element of a figure that matplotlib wrote (bytes), its names beginning `prefix`.

    What was drawn with gid "cell-N" is marked data-cell="N".
    """
    text = METADATA.sub("", svg.decode())
    head = HEAD.match(text)
    text = BETWEEN.sub("><", text[head.end():]).strip()
    text = PATH.sub(lambda found: f' d="{short_path(found[1])}"', text)
    text = PLACE.sub(lambda found: f' {found[1]}="{tenths(round(10 * float(found[2])))}"', text)
    text = TURN.sub(turned, text)
    text = COLOR.sub(lambda found: themed(found[0]), text).replace("'DejaVu Sans'", "var(--face)")
    used = set(USED.findall(text))
    text = USED.sub(lambda found: f"{found[0][:-len(found[1])]}{prefix}-{found[1]}", text)
    text = IDENTITY.sub(lambda found: identity(found[1], used, prefix), text)
    return f'<svg viewBox="{head[1]}">' + without_bare_groups(text)


def colors_of(svg):
    """The colours ("#rrggbb") that an inlined figure has."""
    return {f"#{digits}" for digits in THEMED.findall(svg)}


def identity(name, used, prefix):
    """The attribute that stands for id `name`: none where nothing refers to it."""
    cell = CELL.fullmatch(name)
    if cell:
        return f' data-cell="{cell[1]}"'
    return f' id="{prefix}-{name}"' if name in used else ""


def tenths(number):
    """A whole number of tenths, as short as can be."""
    whole, tenth = divmod(abs(number), 10)
    digits = (f"{whole}" if whole or not tenth else "") + (f".{tenth}" if tenth else "")
    return f"-{digits}" if number < 0 else digits


def turned(found):
    """A rotation with short numbers, nothing where there is none."""
    if not float(found[1]):
        return ""
    x, y = (tenths(round(10 * float(number))) for number in found.groups()[1:])
    return f' transform="rotate({found[1]} {x} {y})"'


def short_path(path):
    """A path's commands with lines relative to the point before; curves are only rounded."""
    tokens = path.split()
    if not {"C", "Q"}.isdisjoint(tokens):
        return " ".join(token if token.isalpha() else f"{float(token):.4g}" for token in tokens)
    out, x, y, drawn = [], 0, 0, True
    position = 0
    while position < len(tokens):
        command = tokens[position]
        if command == "z":
            out.append("z")
            position += 1
            continue
        to_x, to_y = (round(10 * float(token)) for token in tokens[position + 1:position + 3])
        position += 3
        if command == "M":
            out.append("M" + pair(to_x, to_y))
        elif (to_x, to_y) != (x, y) or not drawn:
            out.append("l" + pair(to_x - x, to_y - y))
        drawn = command == "L"
        x, y = to_x, to_y
    return "".join(out)


def pair(x, y):
    """Two numbers of tenths with what keeps them apart."""
    second = tenths(y)
    return tenths(x) + ("" if second[0] == "-" else " ") + second


def without_bare_groups(text):
    """`text` without groups that have no attribute."""
    kept = []

    def replaced(found):
        if found[0] == "</g>":
            return "</g>" if kept.pop() else ""
        kept.append(found[0] != "<g>")
        return found[0] if kept[-1] else ""

    return GROUP.sub(replaced, text)
