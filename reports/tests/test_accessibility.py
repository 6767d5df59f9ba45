# SPDX-License-Identifier: MIT
"""Holds the pages against axe-core in a real browser, light and dark, wide and narrow.

Runs where TAILRACE_AXE names an axe.min.js (`npm pack axe-core`) and there is a Chromium.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

import synthetic_race
from browser import CHROMIUM, Browser
from test_report import REPORTS, edit_lines, report

AXE = os.environ.get("TAILRACE_AXE")
pytestmark = [
    pytest.mark.skipif(not AXE, reason="TAILRACE_AXE does not name an axe.min.js"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium")]
USED = """(() => {  // everything is open, a curve hidden, a table sorted, a panel shown
    document.querySelectorAll('details').forEach((one) => { one.open = true; });
    document.querySelectorAll('figure.readable button:first-child, th:last-child > .sort').forEach(
        (one) => one.click());
    const panel = document.querySelector('.opens > i[id^=p]');
    if (panel) location.hash = panel.id; })()"""
SCREENS = [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")]


@pytest.fixture(scope="module")
def browser():
    """A browser for all pages."""
    with Browser() as browser:
        yield browser


def begun(pristine, directory):
    """A set of which one run is recorded."""
    shutil.copytree(pristine, directory)
    edit_lines(directory, lambda lines: lines[:1])


@pytest.fixture(scope="module")
def pages(pristine, curves, tmp_path_factory):
    """{kind: page}, each made once."""
    folder, made = tmp_path_factory.mktemp("pages"), {}
    for kind, build in {
            "normal": lambda at: shutil.copytree(pristine, at),
            "curves": lambda at: shutil.copytree(curves, at),
            "sample": lambda at: shutil.copytree(REPORTS / "sample", at),
            "begun": lambda at: begun(pristine, at), "race": synthetic_race.write}.items():
        build(folder / kind)
        if kind == "normal":
            synthetic_race.write(folder / kind / "race")
        result = report(folder / kind)
        assert result.returncode == 0, result.stderr
        made[kind] = folder / kind / "index.html"
    return made


@pytest.mark.parametrize("width, scheme", SCREENS)
@pytest.mark.parametrize("kind", ["normal", "curves", "sample", "begun", "race"])
def test_axe_finds_nothing_serious(browser, pages, kind, width, scheme):
    browser.open(pages[kind], width, scheme)
    browser.run(USED)
    browser.run(Path(AXE).read_text(encoding="utf-8") + ";0")
    found = browser.run("axe.run().then((found) => found.violations.map((one) => ({id: one.id,"
                        " impact: one.impact, help: one.help, nodes: one.nodes.map((node) =>"
                        " node.html.slice(0, 200) + ' | ' + node.failureSummary)})))")
    print(kind, width, scheme, [(one["impact"], one["id"], len(one["nodes"])) for one in found])
    bad = [{**one, "nodes": one["nodes"][:5]} for one in found
           if one["impact"] in ("serious", "critical")]
    assert not bad, json.dumps(bad, indent=1)


@pytest.mark.parametrize("width, scheme", SCREENS)
@pytest.mark.parametrize("kind", ["normal", "race"])
def test_page_is_as_wide_as_the_screen(browser, pages, kind, width, scheme):
    browser.open(pages[kind], width, scheme)
    assert browser.run("[document.documentElement.clientWidth,"
                       " document.documentElement.scrollWidth]") == [width, width]
