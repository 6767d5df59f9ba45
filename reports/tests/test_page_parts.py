# SPDX-License-Identifier: MIT
"""Checks the parts a page is made of: SVG, its colours, slim runs, quantities, their words."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import synthetic_large
from tailrace_report import page, style
from tailrace_report.again import again
from tailrace_report.alt import alternative
from tailrace_report.cells import scenarios
from tailrace_report.curves import headline
from tailrace_report.rendering import file_names
from tailrace_report.resultset import parsed, read_result_set
from tailrace_report.slim import Pairs, slim
from tailrace_report.svg import colors_of, inlined, short_path, tenths
from tailrace_report.text import SPACE, Quantity, duration, estimate, size, span
from tailrace_report.theme import DARK, NAMED, dark, define, themed

CELLS, BYTES_PER_CELL = 32, 50_000  # a page of 200 cells may have 15 MB: 75,000 each
PAPERS = {"light": "#ffffff", "dark": "#14171a"}  # as in page.css


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The files of the report of a large set."""
    directory = tmp_path_factory.mktemp("large") / "set"
    synthetic_large.write(directory, CELLS)
    return page.build_report(read_result_set(directory, slim))


class Outline(HTMLParser):
    """The tags of a page as they are opened, and whether each is closed."""

    def __init__(self, text):
        super().__init__()
        self.opened, self.stack, self.wrong = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """One more tag."""
        self.opened.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "br", "wbr"):
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        """One that closes itself."""
        self.opened.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        """The end of the last tag, or a mistake."""
        if not self.stack or self.stack.pop() != tag:
            self.wrong.append(tag)


def test_page_of_a_large_set_stays_small(large):
    assert len(large["index.html"]) < CELLS * BYTES_PER_CELL


def test_structure_of_a_large_page(large):
    outline = Outline(large["index.html"].decode())
    assert not outline.wrong and not outline.stack
    tags = [tag for tag, _ in outline.opened]
    assert tags.count("h1") == tags.count("main") == tags.count("header") == tags.count("nav") == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(level <= before + 1 for before, level in zip(levels, levels[1:]))
    assert tags.count("table") == tags.count("caption"), "each table has a title"
    assert all("scope" in attrs for tag, attrs in outline.opened if tag == "th")
    named = [attrs for _, attrs in outline.opened if attrs.get("role") in ("img", "group")]
    assert len(named) > 40 and all(attrs["aria-label"] for attrs in named)
    images = [attrs["aria-label"] for attrs in named if attrs["role"] == "img"]
    assert len(set(images)) == len(images), "no two figures are told in the same words"


def test_every_colour_of_a_large_page_is_defined_once_per_theme(large):
    text = large["index.html"].decode()
    used = set(re.findall(r"var\(--(x[0-9a-f]{6})\)", text))
    assert used == set(re.findall(r"--(x[0-9a-f]{6}):light-dark", text)) and len(used) > 8


def luminance(color):
    """The relative luminance of "#rrggbb", by WCAG 2."""
    parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """The contrast of two colours, by WCAG 2."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_series_can_be_seen_on_dark_paper_and_told_apart_as_on_light():
    colors = {style.member_style(family, number).color for family in style.FAMILIES
              for number in range(3)}
    assert all(contrast(dark(color), PAPERS["dark"]) >= 3 for color in colors)
    assert len({dark(color) for color in colors}) == len(colors)


def test_theme_names_what_the_page_has_and_defines_the_rest():
    assert themed("#ffffff") == "var(--paper)" and themed("#0072b2") == "var(--x0072b2)"
    css = define({"#0072b2", *NAMED, *DARK})
    assert f"--x0072b2:light-dark(#0072b2,{dark('#0072b2')});" in css
    assert css.count("light-dark(#") == 1 + len(DARK)


@pytest.mark.parametrize("number, text", [(0, "0"), (5, ".5"), (-5, "-.5"), (10, "1"),
                                          (-123, "-12.3"), (100, "10")])
def test_tenths(number, text):
    assert tenths(number) == text


def points_of(path):
    """The points of a short path of lines."""
    found, at = [], np.zeros(2)
    for command, x, y in re.findall(r"([Ml])(-?[\d.]+?)(?: |(?=-))(-?[\d.]+)", path):
        at = np.array([float(x), float(y)]) + (at if command == "l" else 0)
        found.append(at)
    return np.array(found)


def test_short_path_keeps_every_point_to_a_tenth():
    rng = np.random.default_rng(1)
    points = rng.uniform(-50, 900, (300, 2))
    path = "M " + " \nL ".join(f"{x:.6f} {y:.6f}" for x, y in points) + " \n"
    short = short_path(path)
    assert len(short) < 0.65 * len(path)
    assert np.abs(points_of(short) - points).max() <= 0.05 + 1e-9, "errors do not add up"


def test_short_path_of_points_closed_shapes_and_curves():
    assert short_path("M 1.04 2 \nL 1.01 2 \n") == "M1 2l0 0", "a dot stays one"
    assert short_path("M 0 0 \nL 1 0 \nL 1 1 \nz\nM 5 5 \nL 6 6") == "M0 0l1 0l0 1zM5 5l1 1"
    assert short_path("M 0 3 \nC 0.795609 3 1 2 3 0 \nz") == "M 0 3 C 0.7956 3 1 2 3 0 z"


def test_inlined_figures_share_no_names():
    svg = (b'<?xml version="1.0"?><svg width="1pt" viewBox="0 0 9 9"><metadata>x</metadata>'
           b'<defs><path id="m1" d="M 0 0"/></defs><g id="line2d_1"><g id="cell-3">'
           b'<use xlink:href="#m1" x="1.239" style="fill: #0072b2; stroke: #ffffff"/>'
           b'</g></g></svg>')
    one = inlined(svg, "a")
    assert one == ('<svg viewBox="0 0 9 9"><defs><path id="a-m1" d="M0 0"/></defs>'
                   '<g data-cell="3"><use xlink:href="#a-m1" x="1.2" style="fill: var(--x0072b2);'
                   ' stroke: var(--paper)"/></g></svg>')
    assert colors_of(one) == {"#0072b2"}
    assert set(re.findall(r"\bid=.(\w+)-", inlined(svg, "b"))) == {"b"}


def test_pairs_are_as_the_list_they_keep():
    pairs = [[1, 2], [3, 4.5], [2**40, 0]]
    kept = Pairs(pairs)
    assert len(kept) == 3 and list(map(list, kept)) == pairs and kept[-1] == pairs[-1]
    assert kept[1:] == pairs[1:] and np.array(kept).tolist() == pairs and not Pairs([])
    with pytest.raises(IndexError):
        kept[3]


def test_slim_runs_give_the_same_report(curves):
    thick, thin = (read_result_set(curves, each) for each in (None, slim))
    assert isinstance(thin.runs[0]["response_histogram"], Pairs)
    for scenario, cells in scenarios(thick).items():
        slender = scenarios(thin)[scenario]
        assert [cell.label for cell in cells] == [cell.label for cell in slender]
        assert alternative("percentiles", scenario, headline(cells), cells) == alternative(
            "percentiles", scenario, headline(slender), slender)


def test_alternatives_name_values_from_the_lowest(curves):
    cells = scenarios(read_result_set(curves))["json-api"]
    words = alternative("percentiles", "json-api", headline(cells), cells).replace(SPACE, " ")
    assert re.fullmatch(r"Percentile plot, json-api\. p99\.9: none · glibc [\d.]+ µs, "
                        r"refcount · glibc [\d.]+ µs and boehm · glibc [\d.]+ ms\.", words), words
    text = alternative("load", "json-api", headline(cells), cells)
    assert "6 lines of" in text.replace(SPACE, " ")


def test_quantities_have_their_value_and_what_is_over_runs():
    middle = estimate([2e3, 1e3, 4e3], duration)
    assert middle == f"2.00{SPACE}µs" and middle.value == 2e3
    assert middle.range == f"1.00–4.00{SPACE}µs"
    assert span(1e3, 4e6, duration) == f"1.00{SPACE}µs – 4.00{SPACE}ms"
    assert span(1e3, float("inf"), duration) == f"1.00{SPACE}µs – ∞"
    assert span(5, 5, size) is None and estimate([], size) is None
    assert page.number(middle) == ('<data value="2000">2.00<span class="unit">µs</span></data>'
                                   f"<small>1.00–4.00{SPACE}µs</small>")
    assert page.number(Quantity("<1", 0.5)).startswith('<data value="0.5">&lt;1')
    assert "—" in page.number(None)


def test_json_ends_no_script():
    text = page.json_in_script({"name": "</script><!--", "ns": [1.5, None]})
    assert "<" not in text and json.loads(text) == {"name": "</script><!--", "ns": [1.5, None]}


def test_names_of_files_are_plain_short_and_all_different():
    names = file_names(["a b", "a:b", "試験", "x" * 300, "a-b-2", "a b"] + ["y" * 200 + "1"])
    assert len(set(names)) == len(names) and all(len(name) < 90 for name in names)
    assert names[:2] == ["a-b", "a-b-2"]


def test_text_that_cannot_be_shown_is_replaced_and_numbers_stay():
    assert parsed(b'{"a": "x\\u202e\\ud800", "b": [1, 2.5]}') == {
        "a": "x\ufffd\ufffd", "b": [1, 2.5]}
    assert parsed('"ü\u2066"'.encode()) == "ü\ufffd"


def test_again_tells_only_what_is_known():
    assert again({"context": {}})["lines"] == ["scripts/setup bench && cmake --preset release && "
                                               "cmake --build --preset release"]
    known = again({"seed": 7, "context": {
        "commit": "unknown", "command": "tailrace bench quick", "compiler": "gcc 12",
        "start_time": "2026-01-01T10:00:00Z", "end_time": "2026-01-01T13:05:00+01:00"}})
    assert known["lines"][-1] == "tailrace bench quick" and len(known["lines"]) == 2
    assert known["words"][-2:] == ["It was built by gcc 12.", "It took 2 h 5 min."]
