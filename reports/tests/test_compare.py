# SPDX-License-Identifier: MIT
"""Runs `compare` on sets whose truth is known: what it finds, says, and refuses."""

import json
import os
import pty
import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import pytest
from synthetic_compare import write

REPORTS = Path(__file__).parents[1]
MALLOC, BOEHM, NONE = "web/malloc/glibc", "web/boehm/glibc", "web/none/glibc"
STEADY = {MALLOC: 1, BOEHM: 3, NONE: 0.5}
LATER = {"start_time": "2026-01-02T04:00:00Z"}


def compare(*arguments, path=(), **options):
    """Run the command; `path` comes before the package on PYTHONPATH."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), str(REPORTS)]),
           "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "tailrace_report", "compare", *map(str, arguments)],
        env=env, capture_output=True, text=True, **options)


def said(*arguments, **options):
    """What the command prints, with every stretch of white space as one space."""
    result = compare(*arguments, **options)
    assert result.returncode == 0 and not result.stderr, result.stderr
    return re.sub(r"\s+", " ", result.stdout)


def found(*arguments):
    """{(cell, metric): entry} of --json."""
    result = compare(*arguments, "--json")
    assert result.returncode == 0, result.stderr
    return {(entry["cell"], entry["metric"]): entry for entry in json.loads(result.stdout)}


def refused(*arguments, status=2):
    """Assert that it ends with `status` and one sentence, which is returned."""
    result = compare(*arguments)
    assert result.returncode == status, result.stderr
    assert not result.stdout and result.stderr.count("\n") == 1 and "Traceback" not in result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Folders that tests only read: a, the same again, and one with other factors."""
    folder = tmp_path_factory.mktemp("sets")
    return {"a": write(folder / "a", STEADY), "again": write(folder / "again", STEADY, seed=2,
                                                             **LATER),
            "shifted": write(folder / "shifted", {**STEADY, MALLOC: 1.5, BOEHM: 1}, seed=3, **LATER)}


def test_shifts_are_found_with_their_size(sets):
    entries = found(sets["a"], sets["shifted"])
    worse, better = entries["web · malloc", "p99.9"], entries["web · boehm", "p99.9"]
    assert worse["verdict"] == "worse" and worse["low"] < 1.5 < worse["high"]
    assert better["verdict"] == "better" and better["low"] < 1 / 3 < better["high"]
    assert worse["blocks"] == 10 and worse["delta"] == 0.2 and worse["level"] == 0.98
    assert 150e3 < worse["a"]["median"] < 250e3 and worse["a"]["cell"] == MALLOC
    assert entries["web · malloc", "rss-peak"]["verdict"] == "equivalent"
    assert entries["web (null control)", "p99.9"]["control"]


def test_no_shift_is_not_found(sets):
    words = {entry["verdict"] for entry in found(sets["a"], sets["again"]).values()}
    assert words <= {"equivalent", "inconclusive"}
    text = said(sets["a"], sets["again"])
    assert "No cell is better or worse in any of these." in text


def test_arms_of_one_set_are_paired_within_blocks(sets):
    text = said(f"{sets['a']}:strategy=malloc", f"{sets['a']}:strategy=boehm")
    assert "arms of one result set" in text and "one after the other" not in text
    assert "B against A in 4 comparisons (1 cell): 3 worse, 1 equivalent" in text
    assert re.search(r"The largest difference: p\S+ of web, .* ratio [23]\.\d+ \(.* worse\.", text)


def test_two_sets_are_said_to_be_no_fair_pair(sets):
    text = said(sets["a"], sets["again"])
    assert "(A's start: 2026-01-02T03:04:05Z, B's: 2026-01-02T04:00:00Z)" in text
    assert "drifted on the machine" in text and "The null control" in text


@pytest.mark.parametrize("control, word", [(0.5, "worse"), (0.75, "host")])
def test_where_the_control_moved_it_was_the_machine(sets, tmp_path, control, word):
    after = write(tmp_path / "after", {**STEADY, MALLOC: 1.5, NONE: control}, seed=4)
    assert found(sets["a"], after)["web · malloc", "p99.9"]["verdict"] == word
    text = said(sets["a"], after)
    assert ("It moved in" in text) == (word == "host") == ("are called host" in text)


def test_control_stands_beside_although_the_arms_do_not_choose_it(sets, tmp_path):
    after = write(tmp_path / "after", {**STEADY, MALLOC: 1.5, NONE: 0.75}, seed=4)
    entries = found(f"{sets['a']}:strategy=malloc", f"{after}:strategy=malloc")
    assert entries["web", "p99"]["verdict"] == "host"
    assert entries["web (null control)", "p99"]["verdict"] == "worse"


def test_without_a_control_it_is_said(tmp_path):
    a, b = (write(tmp_path / name, {MALLOC: factor}, seed=factor) for name, factor in
            (("a", 1), ("b", 2)))
    assert found(a, b)["web", "p50"]["verdict"] == "worse"
    assert "4 comparisons of 4 have no null control in both sets" in said(a, b)


def test_nearest_control_is_the_one_of_the_same_load(tmp_path):
    cells = {f"web/{strategy}/glibc/{load}": {"load": load} for strategy in ("none", "malloc")
             for load in (0.3, 0.9)}
    moved = {"web/none/glibc/0.9": 1.5, "web/malloc/glibc/0.3": 2, "web/malloc/glibc/0.9": 2}
    a = write(tmp_path / "a", dict.fromkeys(cells, 1), more=cells)
    b = write(tmp_path / "b", {**dict.fromkeys(cells, 1), **moved}, seed=2, more=cells)
    entries = found(a, b)
    assert entries["web · malloc · load 0.3", "p99"]["verdict"] == "worse"
    assert entries["web · malloc · load 0.9", "p99"]["verdict"] == "host"


def fail(cell, blocks):
    """A change that makes the runs of `cell` fail in `blocks`."""
    def change(run):
        if run["cell"] == cell and run["block"] in blocks:
            run.update(status="oom", reason="memory ran out", response_ns=None)
    return change


def test_a_cell_that_failed_in_b_only_is_worse_without_bound(sets, tmp_path):
    after = write(tmp_path / "after", STEADY, change=fail(MALLOC, range(10)))
    entry = found(sets["a"], after)["web · malloc", "p99.9"]
    assert (entry["ratio"], entry["low"], entry["verdict"]) == ("infinite", "infinite", "worse")
    text = said(sets["a"], after)
    assert re.search(r"p99\.9 \d+ µs failed ∞ \(∞ to ∞\) 10 worse", text)
    assert "0 of 20 runs of A and 10 of 20 runs of B (10 oom) failed" in text


def test_failed_runs_open_the_interval_and_failures_of_both_say_nothing(sets, tmp_path):
    some = write(tmp_path / "some", STEADY, change=fail(MALLOC, range(4)))
    entry = found(sets["a"], some)["web · malloc", "p99"]
    assert (entry["high"], entry["verdict"]) == ("infinite", "inconclusive")
    assert "inconclusive (failed runs leave it open)" in said(sets["a"], some)
    a, b = (write(tmp_path / name, STEADY, change=fail(MALLOC, range(10)), seed=seed)
            for seed, name in enumerate("ab"))
    entry = found(a, b)["web · malloc", "p99"]
    assert (entry["ratio"], entry["blocks"], entry["verdict"]) == (None, 0, "inconclusive")
    assert "inconclusive (every run failed)" in said(a, b)


def test_what_a_side_does_not_support_is_no_difference(sets, tmp_path):
    def change(run):
        if run["cell"] == BOEHM:
            run.update(status="unsupported", reason="it needs FINALIZERS", response_ns=None)
    after = write(tmp_path / "after", STEADY, change=change)
    assert not any("boehm" in cell for cell, _ in found(sets["a"], after))
    assert "web · boehm (B: it needs FINALIZERS)" in said(sets["a"], after)
    assert "it needs FINALIZERS" in refused(f"{after}:strategy=malloc", f"{after}:strategy=boehm")


def test_unequal_numbers_of_blocks_and_cells(sets, tmp_path):
    short = write(tmp_path / "short", {MALLOC: 1, "web/arena/glibc": 1}, blocks=5, seed=9)
    assert found(sets["a"], short)["web · malloc", "p99"]["blocks"] == 5
    text = said(sets["a"], short)
    assert "5 runs of A have no run of the same block on the other side" in text
    assert "Only A has 1 cell: web · boehm" not in text, "the label needs no more than it tells"
    assert "Only A has 2 cells: boehm and none." in text and "Only B has 1 cell: arena." in text
    assert "inconclusive (7 blocks are the fewest)" in text
    assert "have fewer than the 7 blocks" in text


def test_conditions_that_differ_are_listed(sets, tmp_path):
    def change(run):
        run["heap_library"]["version"] = "2"
        run["offered_rate"] = 9900.0
    after = write(tmp_path / "after", STEADY, seed=2, change=change, kernel="6.2.0", commit="fff")
    text = said(sets["a"], after)
    for words in ("kernel 6.1.0 against 6.2.0", "commit 0123abc against fff",
                  "heap glibc 1 against 2", "9,900 against 9,000 requests per second"):
        assert words in text, words
    assert "cpu_model" not in text and "start_time" not in text
    assert "different conditions" not in said(sets["a"], sets["again"])


def test_cells_that_did_other_work_are_an_error_told(sets, tmp_path):
    def change(run):
        if run["cell"] == MALLOC and run["block"] == 3:
            run["checksum"] = "f" * 16
    after = write(tmp_path / "after", {**STEADY, BOEHM: 6}, change=change)
    text = said(sets["a"], after)
    assert "web · malloc did not do the same work in A and B" in text and "seed 4" in text
    assert not any("malloc" in cell for cell, _ in found(sets["a"], after))
    assert "did not do the same work" in refused(f"{sets['a']}:strategy=malloc",
                                                 f"{after}:strategy=malloc")


def test_every_metric_can_be_named_and_closed_loop_has_its_own(tmp_path):
    def closed(run):
        run.update(mode="closed", offered_rate=None, achieved_rate=1e6 / run["response_ns"]["p50"],
                   cpu_s=1.0, faults_minor=0, rss_drained_bytes=5,
                   allocations={"calls": 18000, "bytes": 900000})
    a, b = (write(tmp_path / name, {MALLOC: factor}, change=closed, seed=factor)
            for name, factor in (("a", 1), ("b", 2)))
    entries = found(a, b)
    assert {metric for _, metric in entries} == {"rate", "service-p99.9", "rss-peak"}
    assert entries["web", "rate"]["verdict"] == "worse", "fewer per second are worse"
    named = found(a, b, "--metric", "allocations", "--metric", "cpu", "--metric", "service-p99_9",
                  "--metric", "faults")
    assert [metric for _, metric in named] == ["allocations", "cpu", "service-p99.9", "faults"]
    assert named["web", "allocations"]["ratio"] == named["web", "faults"]["ratio"] == 1
    assert "has p99.99" in refused(a, b, "--metric", "p99.99")


def test_quantiles_of_few_samples_and_noise_are_marked(sets, tmp_path):
    def change(run):
        run["response_ns"].update(low_samples=["p99_9"], noise_limited=["p50"])
    a, b = (write(tmp_path / name, {MALLOC: 1}, change=change, seed=seed)
            for seed, name in enumerate("ab"))
    text = said(a, b)
    assert re.search(r"p50 [\d.]+ µs~ [\d.]+ µs~", text) and re.search(r"p99\.9 \d+ µs\* ", text)
    assert "In 1 of 4 comparisons a run has fewer than 100 samples" in text
    assert "marked" not in said(sets["a"], sets["again"])


def test_chance_counts_what_can_be_called(sets):
    assert "8 comparisons, each by itself" in said(sets["a"], sets["again"])
    assert "at most 0.16 of them" in said(sets["a"], sets["again"])


def test_bad_input_is_refused_in_a_sentence(sets, tmp_path):
    other = write(tmp_path / "other", {"db/malloc/glibc": 1})
    assert "no cell in common" in refused(sets["a"], other)
    assert "same cells of one result set" in refused(sets["a"], sets["a"])
    assert "no metric" in refused(sets["a"], sets["again"], "--metric", "p77")
    assert "chooses no cells" in refused(f"{sets['a']}:colour=red", sets["a"])
    assert "no such cell" in refused(f"{sets['a']}:strategy=arena", sets["a"])
    assert "not a folder" in refused(tmp_path / "nothing", sets["a"])
    assert "not allowed with" in refused(sets["a"], sets["again"], "--json", "--markdown")
    assert "several cells" in refused(sets["a"], f"{sets['a']}:strategy=malloc")
    assert "cannot write" in refused(sets["a"], sets["again"], "--html", tmp_path / "no" / "x.html")


@pytest.mark.parametrize("value", ["-1", "NaN", "Infinity", '"x"', "[]"])
def test_numbers_that_none_can_compare_are_refused(tmp_path, value):
    folder = write(tmp_path / "a", STEADY)
    path = folder / "runs.jsonl"
    path.write_text(re.sub(r'"rss_peak_bytes": \d+', f'"rss_peak_bytes": {value}',
                           path.read_text(), count=1))
    assert "rss_peak_bytes" in refused(f"{folder}:strategy=malloc", f"{folder}:strategy=boehm")


ODD = "a|b<i>*_`$x$ & \u202e\u001b[31m\ud800\n"


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Two sets with a workload whose name is no name."""
    folder, more = tmp_path_factory.mktemp("odd"), {MALLOC: {"workload": ODD}}
    return [write(folder / name, {MALLOC: 1}, seed=seed, more=more, kernel=ODD + name)
            for seed, name in enumerate("ab")]


def test_odd_names_upset_no_table(odd):
    text = compare(*odd).stdout
    assert "\033" not in text and "\u202e" not in text and "a|b<i>*_`$x$ & " in text
    lines = compare(*odd, "--markdown").stdout.splitlines()
    rows = [line for line in lines if line.startswith("|")]
    cells = [len(re.findall(r"(?<!\\)\|", line)) - 1 for line in rows]
    assert set(cells) == {7} and len(rows) == 2 + 4
    assert r"a\|b&lt;i&gt;\*\_\`\$x\$ &amp; " in rows[2]


def test_markdown_is_a_table_and_a_list(sets):
    lines = compare(sets["a"], sets["shifted"], "--markdown").stdout.splitlines()
    assert lines[5] == "| cell | metric | A | B | B/A (98 %) | blocks | verdict |"
    assert sum(line.endswith("| **worse** |") for line in lines) == 3
    assert sum(line.startswith("- **") for line in lines) >= 4


class Nesting(HTMLParser):
    """Holds a page against the rules that a slip in a template breaks: nesting, attributes, ids."""

    VOID = {"meta", "img", "source", "br", "link"}

    def __init__(self, page):
        super().__init__()
        self.open, self.images, self.ids, self.tags = [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open, f"never closed: {self.open}"
        assert len(set(self.ids)) == len(self.ids)

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} occurs twice"
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.images += [given[key] for key in ("src", "srcset") if key in given]
        assert tag != "img" or given.get("alt")
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"


@pytest.mark.parametrize("which", ["shifted", "odd"])
def test_page_is_whole_and_needs_nothing_but_itself(sets, odd, tmp_path, which):
    arms = odd if which == "odd" else (sets["a"], sets["shifted"])
    result = compare(*arms, "--html", tmp_path / "page.html")
    assert result.returncode == 0 and not result.stderr, result.stderr
    assert result.stdout.startswith("A  ") and [p.name for p in tmp_path.iterdir()] == ["page.html"]
    text = (tmp_path / "page.html").read_text()
    parsed = Nesting(text)
    assert not re.search(r"https?://|@import|url\(", text)
    assert not {"script", "link", "iframe", "i"} & set(parsed.tags)
    assert len(parsed.images) == 8, "four metrics, each for wide and narrow screens"
    for image in parsed.images:
        svg = b64decode(image.removeprefix("data:image/svg+xml;base64,")).decode()
        assert svg.rstrip().endswith("</svg>") and not re.search('href="[^#]', svg)
    if which == "shifted":
        assert "B against A in 8 comparisons (2 cells)" in text and "web (null control)" in text


def test_text_needs_no_library_and_the_page_says_what_it_lacks(sets, tmp_path):
    for library in ("numpy", "matplotlib", "jinja2"):
        (tmp_path / f"{library}.py").write_text("raise ImportError('not here')")
    for form in ((), ("--markdown",), ("--json",)):
        result = compare(sets["a"], sets["shifted"], *form, path=[tmp_path])
        assert result.returncode == 0 and "worse" in result.stdout
    lacking = compare(sets["a"], sets["shifted"], "--html", tmp_path / "x.html", path=[tmp_path])
    assert lacking.returncode == 3 and not lacking.stdout
    assert "python3-matplotlib" in lacking.stderr and not (tmp_path / "x.html").exists()


@pytest.mark.parametrize("no_color, colored", [("", True), ("1", False)])
def test_colour_is_for_terminals_that_want_it(sets, no_color, colored):
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(REPORTS), "NO_COLOR": no_color}
    with subprocess.Popen([sys.executable, "-m", "tailrace_report", "compare", sets["a"],
                           sets["shifted"], "--metric", "p99"], env=env, stdout=theirs) as process:
        os.close(theirs)
        output = b""
        while chunk := read_or_end(ours):
            output += chunk
    os.close(ours)
    assert process.returncode == 0 and b"worse" in output
    assert (b"\033[31m" in output) == colored
    assert "\033" not in compare(sets["a"], sets["shifted"]).stdout


def read_or_end(terminal):
    """What comes from a pseudo-terminal, empty when the other end is closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
