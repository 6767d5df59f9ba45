# SPDX-License-Identifier: MIT
"""Drives the page's script in a real browser: theme, sorting, filtering, reading of the curves."""

import shutil
from pathlib import Path

import pytest

from browser import CHROMIUM, Browser
from test_report import edit_lines, report

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium")
TABLE = "document.querySelector('table.headline')"
FIGURE = "document.querySelector('figure.readable')"


@pytest.fixture(scope="module")
def page(pristine, tmp_path_factory):
    """The page of the synthetic set, in which json-api on refcount fails."""
    directory = Path(shutil.copytree(pristine, tmp_path_factory.mktemp("page") / "set"))
    assert report(directory).returncode == 0
    return directory / "index.html"


@pytest.fixture(scope="module")
def browser():
    """A browser for all tests."""
    with Browser() as browser:
        yield browser


@pytest.fixture
def shown(browser, page):
    """The browser with the page in it, freshly loaded."""
    browser.open(page)
    return browser


def column(browser, table, number):
    """The texts of a column of the rows that are shown, from the top."""
    return browser.run(f"[...{table}.tBodies[0].rows].filter((row) => !row.hidden)"
                       f".map((row) => row.cells[{number}]?.textContent.trim() ?? '')")


def press(browser, table, name):
    """Press the sort button of a column; what aria-sort then is in each column that has it."""
    return browser.run(f"(() => {{ [...{table}.querySelectorAll('.sort')].find((one) =>"
                       f" one.textContent === '{name}').click(); return"
                       f" [...{table}.querySelectorAll('[aria-sort]')].map((one) =>"
                       " [one.textContent, one.getAttribute('aria-sort')]) })()")


def test_numbers_sort_by_value_with_dashes_last(shown):
    table = "document.querySelector('#scenario-1 table.headline')"
    before = column(shown, table, 0)
    assert press(shown, table, "p99.9") == [["p99.9", "ascending"]]
    ascending = column(shown, table, 0)
    values = shown.run(f"[...{table}.tBodies[0].rows].map((row) => Number("
                       "row.cells[4]?.querySelector('data')?.value ?? NaN))")
    assert values[:-1] == sorted(values[:-1]) and values[-1] is None
    assert ascending[-1] == "arena", "what cannot be run comes last"
    assert press(shown, table, "p99.9") == [["p99.9", "descending"]]
    descending = column(shown, table, 0)
    assert descending[:-1] == ascending[:-1][::-1] and descending[-1] == "arena"
    assert press(shown, table, "p99.9") == []
    assert column(shown, table, 0) == before


def test_failed_cells_sort_as_infinite(shown):
    table = "document.querySelector('#scenario-2 table.headline')"
    press(shown, table, "p50")
    assert column(shown, table, 0)[-1] == "refcount"
    press(shown, table, "p50")
    assert column(shown, table, 0)[0] == "refcount"


def test_texts_sort_as_texts(shown):
    table = "document.querySelector('#scenario-1 table.headline')"
    press(shown, table, "Heap")
    heaps = column(shown, table, 1)
    assert heaps == sorted(heaps)


def test_filter_hides_rows_and_tells_how_many(shown):
    table = "document.querySelector('#calibration table')"
    assert shown.run("document.querySelectorAll('.filter').length") == 1, "only long tables"
    told = shown.run("""(() => {
        const box = document.querySelector('#calibration .filter');
        const input = box.querySelector('input');
        input.value = 'MALLOC json';
        input.dispatchEvent(new Event('input'));
        return box.querySelector('[role=status]').textContent; })()""")
    assert told == "3 of 14 rows" and len(column(shown, table, 0)) == 3


def test_repeated_names_show_once_sorted(browser, curves, tmp_path):
    directory = Path(shutil.copytree(curves, tmp_path / "set"))
    edit_lines(directory, lambda lines: lines[:16])
    assert report(directory).returncode == 0
    browser.open(directory / "index.html")
    again = "getComputedStyle(document.querySelector('th.again > span')).position"
    assert browser.run(again) == "absolute"
    press(browser, "document.querySelector('th.again').closest('table')", "p99")
    assert browser.run(again) == "static"


def test_percentile_plot_is_read_by_slider_and_by_pointer(shown):
    told = f"{FIGURE}.querySelector('output').textContent"
    values = f"[...{FIGURE}.querySelectorAll('.controls button b')].map((one) => one.textContent)"
    assert shown.run(told).startswith("99.9"), "it begins at p99.9"
    at_p999 = shown.run(values)
    shown.run(f"(() => {{ const s = {FIGURE}.querySelector('[type=range]'); s.value = 0;"
              " s.dispatchEvent(new Event('input')); })()")
    assert shown.run(told) == "50.0\u00a0%"
    assert shown.run(f"{FIGURE}.querySelector('[type=range]').getAttribute('aria-valuetext')"
                     ) == "50.0\u00a0%"
    assert shown.run(values) != at_p999
    shown.run(f"(() => {{ const s = {FIGURE}.querySelector('svg'); s.scrollIntoView();"
              " const at = s.getBoundingClientRect(); s.dispatchEvent(new PointerEvent("
              "'pointermove', { clientX: at.x + at.width * 0.3, clientY: at.y + at.height / 2 }));"
              " })()")
    assert 60 < float(shown.run(told).split("\u00a0")[0]) < 99.9


def test_values_read_are_those_of_the_table(shown):
    """At p50 the plot says what the table says, to the width of a bucket."""
    shown.run(f"(() => {{ const s = {FIGURE}.querySelector('[type=range]'); s.value = 0;"
              " s.dispatchEvent(new Event('input')); })()")
    read = dict(shown.run(f"JSON.parse({FIGURE}.querySelector('script').textContent).curves.map("
                          "(one) => [one.name.replaceAll('\u00a0', ' ')"
                          ".replace(' (null control)', ''), one.ns[0]])"))
    table = shown.run("[...document.querySelector('#scenario-1 table.headline').tBodies[0].rows]"
                      ".filter((row) => row.querySelector('data')).map((row) => ["
                      "row.cells[0].querySelector('span').childNodes[1].textContent.trim() + ' · '"
                      " + row.cells[1].textContent, Number(row.querySelector('data').value)])")
    assert len(table) == 6
    for name, value in table:
        assert read[name] == pytest.approx(value, rel=0.03), name


def test_curves_hide_and_show(shown):
    state = ("(() => [...{figure}.querySelectorAll('[data-cell=\"2\"]')].map((one) =>"
             " getComputedStyle(one).display))()").format(figure=FIGURE)
    assert set(shown.run(state)) == {"inline"}
    button = f"{FIGURE}.querySelectorAll('.controls button')[2]"
    shown.run(f"{button}.click()")
    assert set(shown.run(state)) == {"none"} and shown.run(f"{button}.ariaPressed") == "false"
    shown.run(f"{button}.click()")
    assert set(shown.run(state)) == {"inline"} and shown.run(f"{button}.ariaPressed") == "true"


@pytest.mark.parametrize("scheme, other", [("light", "dark"), ("dark", "light")])
def test_theme_follows_the_system_until_the_button_is_pressed(browser, page, scheme, other):
    paper = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('figure text')).fill"
    browser.open(page, scheme=other)
    seen = browser.run(paper), browser.run(ink)
    browser.open(page, scheme=scheme)
    assert browser.run(paper) != seen[0] and browser.run(ink) != seen[1]
    browser.run("document.querySelector('.theme').click()")
    assert (browser.run(paper), browser.run(ink)) == seen
    browser.open(page, scheme=scheme)
    assert browser.run(paper) == seen[0], "it is kept"
    browser.run("localStorage.clear()")


def test_only_what_scrolls_is_a_stop_for_the_keyboard(browser, page):
    stops = "document.querySelectorAll('.scroll[tabindex]').length"
    settled = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    counts = []
    for width in (400, 1280):
        browser.open(page, width)
        browser.run(settled)
        counts.append(browser.run(stops))
    assert counts[0] > counts[1] == 0


def test_without_script_the_page_is_whole(browser, page):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.querySelectorAll('button, input').length") == 0
    assert browser.run("document.querySelectorAll('figure svg').length") == 13
    assert browser.run(f"{TABLE}.tBodies[0].rows.length") == 7
