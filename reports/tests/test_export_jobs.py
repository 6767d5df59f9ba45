# SPDX-License-Identifier: MIT
"""`tailrace export` for CI servers, job pages and readers of histograms; odd names in all."""

import csv
import io
import json
import math
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from statistics import median

import junitparser
import pytest
from exporting import STEADY, export, exported, refused_last, runs_of, strict_json
from test_hlog_reader import encoded
from test_report import edit_lines, edit_runs, refused

from tailrace_report import export_histograms, hlog
from tailrace_report.export_data import COLUMNS

ODD = 'a|b`c"d\\e\nf,g <&> ü*_#~{x}/\x01\ud800'
CLEANED = re.sub("[\x01\ud800]", "\ufffd", ODD)  # as every command reads it


def rename(directory, old, new):
    """Give a cell of a set another name, scenario and all."""
    manifest = json.loads((directory / "manifest.json").read_text())
    for cell in manifest["cells"]:
        if cell["cell"] == old:
            cell.update(cell=new, scenario=new, strategy=new, heap=new)
    (directory / "manifest.json").write_text(json.dumps(manifest))
    edit_runs(directory, lambda run: run.update(cell=new) if run["cell"] == old else None)


@pytest.fixture
def odd(result_dir):
    """A set in which a cell's name holds what formats have to escape."""
    edit_lines(result_dir, lambda lines: [line for line in lines if json.loads(line)["block"] < 2])
    rename(result_dir, STEADY, ODD)
    return result_dir


def test_csv_ends_its_lines_as_rfc_4180_says(odd, tmp_path):
    assert export(odd, "csv", "--out", tmp_path / "csv").returncode == 0
    content = (tmp_path / "csv").read_bytes()
    rows = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    assert content.count(b"\r\n") == len(rows) == 29
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert sum(row[0] == CLEANED for row in rows) == 2


def cases(text, tmp_path):
    """{cell: test case} as junitparser reads them."""
    (tmp_path / "junit.xml").write_text(text, encoding="utf-8")
    xml = junitparser.JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    suites = list(xml)
    for suite in suites:
        kinds = [type(one) for case in suite for one in case.result]
        assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (
            len(list(suite)), *(kinds.count(kind) for kind in (
                junitparser.Failure, junitparser.Error, junitparser.Skipped)))
    return {case.name: case for suite in suites for case in suite}


def test_junit_has_a_case_for_each_cell(pristine, tmp_path):
    found = cases(exported(pristine, "junit")[0], tmp_path)
    assert len(found) == 14 and found[STEADY].result == []
    assert found[STEADY].time == pytest.approx(8 * 12)
    assert "response time, p99.9: " in found[STEADY].system_out
    crash, = found["read-states/malloc/mimalloc"].result
    assert isinstance(crash, junitparser.Error) and crash.type == "crashed"
    assert crash.message == ("1 of 8 runs failed: block 3 crashed: the worker died of signal 11")
    late, = found["json-api/refcount/glibc"].result
    assert isinstance(late, junitparser.Failure) and late.message.startswith("7 of 8 runs failed")
    assert len(late.text.splitlines()) == 7
    skipped, = found["read-states/arena/glibc"].result
    assert isinstance(skipped, junitparser.Skipped) and "RECLAIM" in skipped.message


def test_openmetrics_is_read_by_prometheus(pristine, odd):
    parser = pytest.importorskip("prometheus_client.openmetrics.parser",
                                 reason="install python3-prometheus-client")
    families = {one.name: one for one in
                parser.text_string_to_metric_families(exported(pristine, "openmetrics")[0])}
    response = families["tailrace_response_seconds"]
    assert (response.type, response.unit) == ("gauge", "seconds")
    values = {(s.labels["cell"], s.labels["quantile"], s.labels["estimate"]): s.value
              for s in response.samples}
    runs = runs_of(pristine)
    own = [runs[STEADY, block]["response_ns"]["p99_9"] * 1e-9 for block in range(8)]
    assert [values[STEADY, "0.999", word] for word in ("low", "median", "high")
            ] == pytest.approx([min(own), median(own), max(own)])
    assert values["json-api/refcount/glibc", "0.999", "median"] == math.inf
    assert families["tailrace_rss_peak_bytes"].unit == "bytes"
    statuses = {(s.labels["cell"], s.labels["status"]): s.value
                for s in families["tailrace_runs"].samples}
    assert statuses["json-api/refcount/glibc", "overloaded"] == 7
    assert statuses["read-states/arena/glibc", "unsupported"] == 8
    text = exported(odd, "openmetrics")[0]
    names = {s.labels["cell"] for one in parser.text_string_to_metric_families(text)
             for s in one.samples}
    assert CLEANED in names


def tables(text):
    """The tables of a Markdown text as GitHub's parser reads them: [[row as [text, …], …], …]."""
    if not shutil.which("cmark-gfm"):
        pytest.skip("GitHub's Markdown parser is not here: install cmark-gfm")
    html = subprocess.run(["cmark-gfm", "--extension", "table", "--extension", "strikethrough"],
                          input=text.encode(), capture_output=True, check=True).stdout.decode()
    root = ElementTree.fromstring(f"<page>{html}</page>".replace("\x01", "\ufffd"))
    return [[["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
            for table in root.iter("table")]


def test_markdown_tables_are_whole(pristine):
    text = exported(pristine, "markdown")[0].replace("\u00a0", " ")
    first, second = tables(text)
    assert first[0] == ["cell", "runs", "p50", "p99", "p99.9", "rss-peak",
                        f"p99.9 relative to {STEADY}"]
    assert all(len(row) == 7 for row in (*first, *second)) and len(first) == len(second) == 8
    rows = {row[0]: row for row in (*first, *second)}
    assert rows[STEADY][-1] == "1" and rows["read-states/malloc/mimalloc"][1] == "7 ok, 1 crashed"
    assert re.fullmatch(r"[\d.]+ µs \([\d.]+ µs to ∞\)†?", rows["read-states/malloc/mimalloc"][2])
    assert rows["json-api/refcount/glibc"][2].startswith("∞")
    assert rows["read-states/arena/glibc"][1] == "8 unsupported (the scenario needs RECLAIM)"
    assert rows["read-states/arena/glibc"][2:] == ["–"] * 5
    assert re.fullmatch(r"[\d.,]+ \([\d.,]+ to [\d.,]+\)", rows["read-states/boehm/glibc"][-1])


def test_markdown_escapes_names(odd):
    rows = [row for table in tables(exported(odd, "markdown")[0]) for row in table]
    widths = {len(row) for row in rows if len(rows) > 2}
    assert widths <= {6, 7}, widths
    cleaned = " ".join(CLEANED.split())
    assert sum(row[0] == cleaned for row in rows) == 1


def test_odd_names_in_junit(odd, tmp_path):
    name = CLEANED.replace("\n", " ")
    assert {name, CLEANED
            } & set(cases(exported(odd, "junit")[0], tmp_path))


def put_logs(directory):
    """Give a set logs of two cells with two runs each, and of a cell that it does not have."""
    (directory / "hlog").mkdir()
    for i, cell in enumerate((STEADY, "json-api/malloc/glibc", "unheard/of")):
        lines = ["#[Histogram log format version 1.3]",
                 f"#[StartTime: {1700000000 + i}.250 (seconds since epoch), x]"]
        for block in range(2):
            lines += [f"#[Run: block {block}, status ok]",
                      *(f"Tag={cell},{10 * block + k / 2:.6f},0.500000,0.001000,"
                        f"{encoded(bytes([4 + 2 * k, 2 + 2 * i]))}" for k in range(2))]
        path = directory / "hlog" / export_histograms.file_name(cell, "hlog")
        path.write_text("\n".join([*lines, ""]))


def test_logs_are_joined_run_by_run_in_order_of_time(result_dir, tmp_path):
    put_logs(result_dir)
    done = export(result_dir, "hlog", "--out", tmp_path / "all.hlog")
    assert done.returncode == 0 and "tag unheard/of, block 0" in done.stderr
    log = hlog.read_log(tmp_path / "all.hlog")
    assert log.start_s == 1700000000.25 and log.runs == [(0, "ok"), (0, "ok"), (1, "ok"), (1, "ok")]
    assert [(one.tag, one.block, one.start_s - log.start_s) for one in log.intervals] == [
        (cell, block, 10 * block + i + k / 2) for block in range(2)
        for i, cell in enumerate((STEADY, "json-api/malloc/glibc")) for k in range(2)]
    before = hlog.read_log(result_dir / "hlog" / "json-api+malloc+glibc.hlog").intervals
    after = [one for one in log.intervals if one.tag == "json-api/malloc/glibc"]
    assert [one.payload for one in before] == [one.payload for one in after]


def test_a_set_without_logs_is_told(result_dir):
    assert "no histogram logs" in refused(export(result_dir, "hlog"))
    (result_dir / "hlog").mkdir()
    (result_dir / "hlog" / "x.hlog").write_text("notes\nmore\n")
    assert "x.hlog line 1 " in refused(export(result_dir, "hlog"))


def test_percentile_tables_are_of_all_completed_runs(pristine, tmp_path):
    done = export(pristine, "hgrm", "--out", tmp_path / "tables")
    assert done.returncode == 0 and "read-states/arena/glibc is left out" in done.stderr
    names = sorted(path.name for path in (tmp_path / "tables").iterdir())
    assert len(names) == 13 and names[0] == "json-api+arena+glibc.hgrm"
    runs = [run for (cell, _), run in runs_of(pristine).items()
            if cell == "read-states/malloc/mimalloc" and run["status"] == "ok"]
    counts = export_histograms.add_histograms(run["response_histogram"] for run in runs)
    text = (tmp_path / "tables" / "read-states+malloc+mimalloc.hgrm").read_text()
    rows = [list(map(float, line.split())) for line in text.splitlines()[2:] if line[0] != "#"]
    assert rows[-1][2] == sum(counts.values()) == sum(run["requests"] for run in runs)
    for value, p, seen, *_ in rows:
        assert value == pytest.approx(hlog.quantile(counts, p) * 1e-6, abs=1e-6)
        assert seen == sum(n for v, n in counts.items() if v * 1e-6 < value + 1e-7)
    assert text.splitlines()[-1] == (
        "#[response time in milliseconds of 7 runs added up, to look at and not to compare; "
        "without block 3 (crashed)]")


def test_file_names_are_those_of_the_logs():
    assert export_histograms.file_name("a b/c:ü", "hgrm") == "a%20b+c%3A%C3%BC.hgrm"
    long = export_histograms.file_name("x" * 300, "hgrm")
    assert len(long) == 254 and re.fullmatch(r"x{232}~[0-9a-f]{16}\.hgrm", long)


def test_a_set_with_every_run_failed(result_dir, tmp_path):
    def crash(run):
        for key in set(run) - {"schema", "cell", "block", "scenario", "strategy", "heap"}:
            run[key] = None
        run.update(status="crashed", reason="signal 9")
    edit_runs(result_dir, crash)
    assert exported(result_dir, "csv")[0].count("signal 9") == 112
    assert strict_json(exported(result_dir, "bmf")[0]) == {}
    found = cases(exported(result_dir, "junit")[0], tmp_path)
    assert all(isinstance(case.result[0], junitparser.Error) for case in found.values())
    assert "no run in" in refused_last(export(result_dir, "hgrm", "--out", tmp_path / "tables"))
    assert not (tmp_path / "tables").exists()
    for name in ("json", "google-benchmark", "openmetrics", "markdown"):
        exported(result_dir, name)
