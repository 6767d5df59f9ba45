# SPDX-License-Identifier: MIT
"""Runs the program as users do: files written, exit status, and what it says when it cannot."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import synthetic_race

REPORTS = Path(__file__).parents[1]


def report(directory, **options):
    """Run the report on `directory`; `path` comes before the package on PYTHONPATH."""
    path = os.pathsep.join(filter(None, (options.pop("path", ""), str(REPORTS))))
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1",
           **options.pop("env", {})}
    return subprocess.run([sys.executable, "-m", "tailrace_report", "report", str(directory)],
                          env=env, capture_output=True, text=True, **options)


def refused(result, status=2):
    """Assert that the program ended with `status` and one sentence; return the sentence."""
    assert result.returncode == status, result.stderr
    last = result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr and last.startswith("tailrace: ") and last[-1] != "."
    assert not result.stdout
    return last


def edit_lines(directory, change):
    """Rewrite runs.jsonl through `change`, which gets and gives its lines."""
    path = directory / "runs.jsonl"
    path.write_text("\n".join(change(path.read_text().splitlines())))


def edit_runs(directory, change):
    """Apply `change` to every run in runs.jsonl."""
    def all_changed(lines):
        runs = list(map(json.loads, lines))
        for run in runs:
            change(run)
        return map(json.dumps, runs)
    edit_lines(directory, all_changed)


def without_script(page):
    """A page without its style, its one script, and the numbers for it."""
    page, number = re.subn(r"<script>.*?</script>", "", page, flags=re.S)
    assert number == 1
    page = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    return re.sub(r"<script type=.application/json.>[^<]*</script>", "", page)


def undrawn(run):
    """Take from a run what most figures are drawn from, for tests that look at words."""
    for key in ("response_histogram", "intervals", "rss_series", "causes"):
        run.pop(key, None)


@pytest.fixture(scope="module")
def made(pristine, tmp_path_factory):
    """A folder with a report in it, and the result of making it; home is not writable."""
    directory = Path(shutil.copytree(pristine, tmp_path_factory.mktemp("made") / "set"))
    return directory, report(directory, env={"HOME": "/dev/null", "XDG_CONFIG_HOME": "",
                                             "XDG_CACHE_HOME": "", "MPLBACKEND": "TkAgg"})


def test_path_on_stdout_and_little_on_stderr(made):
    directory, result = made
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{directory / 'index.html'}\n"
    assert result.stderr == "report: drawing 112 runs\n"


def test_every_figure_is_there_as_png_and_svg(made):
    directory, _ = made
    names = {f"{what}-{scenario}" for what in (
        "percentiles", "intervals", "memory", "heat", "forest", "pareto")
             for scenario in ("read-states", "json-api")} | {"overview"}
    assert {p.stem for p in directory.glob("*.png")} == names
    assert {p.stem for p in directory.glob("*.svg")} == names
    for name in names:
        assert (directory / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n")
        assert b"</svg>" in (directory / f"{name}.svg").read_bytes()
    assert len(list(directory.iterdir())) == 2 + 1 + 2 * len(names), "nothing else is left behind"


def test_page_needs_nothing_but_itself(made):
    page = without_script((made[0] / "index.html").read_text())
    assert not re.findall(r"https?://.{9}|<link|@import|url\([^#].{9}| src=.{9}", page)
    assert page.count("<figure") == page.count("<svg viewBox") == 13
    references = re.findall(r'href="([^"]{1,40})', page)
    assert all(one.startswith(("#", "data:image/png;base64,")) for one in references)
    names = re.findall(r' id="([^"]+)"', page)
    assert len(set(names)) == len(names), "a name occurs twice"
    assert {one[1:] for one in references if one[0] == "#"} <= set(names)
    assert set(re.findall(r"url\(#([^)]+)", page)) <= set(names)


def test_page_says_what_the_data_says(made):
    page = re.sub(r"\s+", " ", without_script((made[0] / "index.html").read_text()))
    assert "with no test of significance" not in page
    for words in ("104 of 104 planned runs are recorded",
                  "json-api: arena has the lowest p99.9", "the worker died of signal 11",
                  "unsupported: the scenario needs RECLAIM", "null control", "7 ok, 1 crashed",
                  "full-moon", "all 47 runs agree", "libjemalloc.so.2", "5.3.0", "Example CPU"):
        assert words in page, words
    page = re.sub("base64,[^\"]*", "", page).lower().replace("nanoseconds", "")
    assert not re.findall(".{20}nan.{20}", page)


def test_older_set_has_no_sections_of_what_it_does_not_know(made):
    page = (made[0] / "index.html").read_text()
    for words in ("<h3>What made", "The machine's part", "Load curve", "Memory budgets",
                  'class="noise" title'):
        assert words not in page, words


def test_curves_causes_and_noise_are_on_the_page(curves_dir):
    edit_runs(curves_dir, lambda run: run.update(stamps=["not-steady"], future_key={"a": 1}))
    result = report(curves_dir)
    assert result.returncode == 0, result.stderr
    page = re.sub(r"\s+", " ", (curves_dir / "index.html").read_text()).replace("\u00a0", " ")
    for words in ("Load curve", "Memory budgets", "82.0 % of p99.9", "is collector pauses",
                  "stays unexplained", "The machine's part", "changed in the last half",
                  'title="noise-limited">~<', "load 0.6 of the slowest cell&#39;s capacity",
                  "13 more are in the curves below", "<td class=\"n\">1.25×</td>"):
        assert words in page, words
    names = {p.stem for p in curves_dir.glob("*.svg")}
    assert {"load-json-api", "budget-json-api", "causes-json-api"} <= names


def test_objective_of_the_suite_is_drawn_and_said(curves_dir):
    manifest = json.loads((curves_dir / "manifest.json").read_text())
    (curves_dir / "manifest.json").write_text(json.dumps(
        {**manifest, "definition": {"slo_us": 1000}}))
    assert report(curves_dir).returncode == 0
    page = (curves_dir / "index.html").read_text().replace("\u00a0", " ")
    assert "p99.9 stays within the objective of 1.00 ms, by load of the slowest cell" in page
    (curves_dir / "manifest.json").write_text(json.dumps(
        {**manifest, "definition": {"slo_us": "1 ms"}}))
    assert "slo_us" in refused(report(curves_dir))


def test_text_from_the_data_is_escaped(result_dir):
    def poison(run):
        run["reason"] = "<script>alert(1)</script>"
        run["status"] = "crashed"
        undrawn(run)
    edit_runs(result_dir, poison)
    assert report(result_dir).returncode == 0
    page = without_script((result_dir / "index.html").read_text())
    assert not re.findall("<script.{9}", page) and "&lt;script&gt;" in page


ODD = "<b>'\"&`</b></script> $x_1$ {{ 7*7 }} %s \\ ü試験\u202e\x1b\ud800 " + "long " * 60


def test_odd_and_long_names_are_shown_as_they_are(curves_dir):
    def renamed(text):
        data = json.loads(text)
        for one in [data, *data.get("cells", []), *data.get("calibration", []),
                    *data.get("smallest", [])]:
            if "scenario" in one:
                one.update(scenario=ODD, workload=ODD + "w", heap=ODD + one["heap"])
                one["cell"] = ODD + one["cell"]
            if "strategy" in one:
                one["strategy"] += ODD
        if "cells" in data:
            data.update(suite=ODD, context=dict.fromkeys(data["context"], ODD))
        return json.dumps(data)
    manifest = curves_dir / "manifest.json"
    manifest.write_text(renamed(manifest.read_text()))
    edit_lines(curves_dir, lambda lines: map(renamed, lines[:20]))
    result = report(curves_dir)
    assert result.returncode == 0 and result.stderr == "report: drawing 20 runs\n", result.stderr
    page = without_script((curves_dir / "index.html").read_text())
    shown = "&lt;b&gt;&#39;&#34;&amp;`&lt;/b&gt;&lt;/script&gt; $x_1$ {{ 7*7 }} %s \\ ü試験"
    assert shown in page and not re.findall("<b>'.{9}", page)
    assert not re.findall("[\x00-\x08\x0b-\x1f\u202a-\u202e\ud800]", page)
    assert all(len(path.name) < 120 and path.name.isascii() for path in curves_dir.iterdir())


def test_scenarios_whose_names_differ_little_have_files_of_their_own(result_dir):
    for name in ("manifest.json", "runs.jsonl"):
        text = (result_dir / name).read_text()
        text = text.replace("read-states", "a b").replace("json-api", "a:b")
        (result_dir / name).write_text(text)
    edit_lines(result_dir, lambda lines: lines[:40])
    assert report(result_dir).returncode == 0
    assert {"memory-a-b.svg", "memory-a-b-2.svg"} <= {path.name for path in result_dir.iterdir()}


def test_same_input_gives_the_same_files(curves_dir):
    edit_lines(curves_dir, lambda lines: lines[:8])
    contents = []
    for _ in range(2):
        assert report(curves_dir).returncode == 0
        contents.append({p.name: p.read_bytes() for p in curves_dir.iterdir()})
    assert contents[0] == contents[1]


def test_torn_last_line_is_ignored_and_told(curves_dir):
    edit_lines(curves_dir, lambda lines: [*lines[:3], lines[3][:1000]])
    result = report(curves_dir)
    assert result.returncode == 0 and "3 runs" in result.stderr
    assert "was torn" in (curves_dir / "index.html").read_text()


def test_garbled_line_in_the_middle_is_refused_by_number(result_dir):
    edit_lines(result_dir, lambda lines: [*lines[:4], lines[4][:1000], *lines[5:]])
    assert "line 5 " in refused(report(result_dir))
    assert not (result_dir / "index.html").exists()


@pytest.mark.parametrize("change, words", [
    ({"schema": "tailrace/run/9"}, "schema"), ({"cell": "unheard-of"}, "unheard-of"),
    ({"block": "one"}, "block"), ({"response_histogram": [[1]]}, "response_histogram"),
    ({"pauses": [{"cause": "x"}]}, "pauses"), ({"intervals": {"width_s": 1}}, "intervals"),
    ({"causes": {"effects": [{"cause": 1}]}}, "causes"), ({"noise": {"workers": [1]}}, "noise"),
    ({"noise_floor_ns": {"p99": "x"}}, "noise_floor_ns"),
    ({"response_ns": {"noise_limited": "p99"}}, "response_ns"),
    ({"block": 1, "cell": "json-api/boehm/glibc"}, "repeats")])
def test_run_that_is_not_as_the_format_says_is_refused(result_dir, change, words):
    def changed(lines):
        return [json.dumps({**json.loads(line), **change}) if i in (1, 2) else line
                for i, line in enumerate(lines)]
    edit_lines(result_dir, changed)
    assert words in refused(report(result_dir))


def test_report_without_any_ok_run(result_dir):
    def crash(run):
        for key in set(run) - {"schema", "cell", "block", "scenario", "strategy", "heap"}:
            run[key] = None
        run.update(status="crashed", reason="signal 9")
    edit_runs(result_dir, crash)
    assert report(result_dir).returncode == 0
    page = (result_dir / "index.html").read_text()
    assert "8 crashed" in page and "the lowest p99" not in page and "<figure" not in page
    assert "failed in half of the runs or more, so there is no lowest to name" in page


def test_report_with_overloaded_runs_only(curves_dir):
    edit_runs(curves_dir, lambda run: run.update(status="overloaded"))
    assert report(curves_dir).returncode == 0
    assert "the lowest p99" not in (curves_dir / "index.html").read_text()


def test_report_of_a_suite_that_has_only_begun(curves_dir):
    edit_lines(curves_dir, lambda lines: lines[:1])
    assert report(curves_dir).returncode == 0
    assert "no run is recorded" in (curves_dir / "index.html").read_text()


def test_disagreeing_checksum_is_a_finding(result_dir):
    def disagree(run):
        undrawn(run)
        if (run["cell"], run["block"]) == ("json-api/arena/glibc", 4):
            run["checksum"] = "feedfacefeedface"
    edit_runs(result_dir, disagree)
    assert report(result_dir).returncode == 0
    page = (result_dir / "index.html").read_text()
    assert "1 of 55 runs disagree" in page and "feedfacefeedface" in page


def test_race_matrix_inside_becomes_a_section(result_dir):
    edit_lines(result_dir, lambda lines: lines[:2])
    assert report(result_dir).returncode == 0
    page = (result_dir / "index.html").read_text()
    assert "tailrace race --out DIR/race" in page and "Race matrix" not in page
    synthetic_race.write(result_dir / "race")
    assert report(result_dir).returncode == 0
    page = without_script((result_dir / "index.html").read_text())
    assert "Race matrix</h2>" in page and '<table class="matrix">' in page
    assert "--out DIR/race" not in page
    names = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)', page)) <= names, "nothing points to what is not here"
    (result_dir / "race" / "cells.jsonl").write_text("{}\n{}\n")
    assert "cells.jsonl line 1" in refused(report(result_dir))


def test_how_to_reproduce_is_told(result_dir):
    edit_lines(result_dir, lambda lines: lines[:2])
    assert report(result_dir).returncode == 0
    page = (result_dir / "index.html").read_text()
    for words in ("git checkout 0123abc\nscripts/setup bench", "\ntailrace bench quick\n",
                  "Its seed, 7,", "gcc 12.2.0 with -O2 -g.", "It took 30 min."):
        assert words in page, words


def test_missing_or_garbled_input_is_refused(result_dir):
    assert "not a folder" in refused(report(result_dir / "nowhere"))
    (result_dir / "manifest.json").write_text("{")
    assert "not valid JSON" in refused(report(result_dir))
    (result_dir / "manifest.json").write_text('{"schema": "tailrace/set/1"}')
    assert "missing suite" in refused(report(result_dir))
    (result_dir / "manifest.json").unlink()
    assert "cannot be read" in refused(report(result_dir))


@pytest.mark.parametrize("content", ["", "\n", '{"torn'])
def test_no_runs_at_all_is_refused(result_dir, content):
    (result_dir / "runs.jsonl").write_text(content)
    assert "no run" in refused(report(result_dir))


def test_full_disk_leaves_nothing_behind(curves_dir):
    edit_lines(curves_dir, lambda lines: lines[:2])
    before = {p.name: p.stat().st_mtime_ns for p in curves_dir.iterdir()}
    limit = (50_000, 50_000)  # bytes per file: the first figures exceed it
    result = report(curves_dir,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert "cannot be written" in refused(result)
    assert {p.name: p.stat().st_mtime_ns for p in curves_dir.iterdir()} == before


def test_page_that_cannot_be_replaced_is_told(curves_dir):
    edit_lines(curves_dir, lambda lines: lines[:2])
    (curves_dir / "index.html").mkdir()
    assert "cannot be written" in refused(report(curves_dir))
    assert not list(curves_dir.glob(".report-*"))


@pytest.mark.parametrize("library", ["matplotlib", "numpy", "jinja2"])
def test_missing_library_names_the_packages(result_dir, tmp_path, library):
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / f"{library}.py").write_text(
        f"raise ModuleNotFoundError(name={library!r})")
    sentence = refused(report(result_dir, path=str(tmp_path / "stub")), status=3)
    for package in ("python3-matplotlib", "python3-numpy", "python3-jinja2"):
        assert package in sentence
