# SPDX-License-Identifier: MIT
"""`tailrace export` for trackers and spreadsheets, and what it says when it cannot."""

import csv
import io
import json
import math
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

import jsonschema
import pytest
import synthetic_race
from exporting import REPORTS, STEADY, export, exported, refused_last, runs_of, strict_json
from test_report import edit_lines, edit_runs, refused

from tailrace_report.command_export import FORMATS
from tailrace_report.export_cells import export_cells
from tailrace_report.export_data import COLUMNS
from tailrace_report.metrics import METRICS
from tailrace_report.resultset import read_result_set

COMPARE = Path("/usr/share/benchmark/compare.py")


def schema(name):
    """A schema kept here."""
    return json.loads((Path(__file__).parent / "schemas" / name).read_text())


def test_csv_has_a_line_for_each_run(pristine):
    text, said = exported(pristine, "csv")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    runs = runs_of(pristine)
    assert len(rows) == len(runs) == 112 and said == [] and tuple(rows[0]) == COLUMNS
    for row in rows:
        run = runs[row["cell"], int(row["block"])]
        assert row["status"] == run["status"] and row["reason"] == (run["reason"] or "")
        if run["status"] == "ok":
            assert float(row["p99_9_ns"]) == run["response_ns"]["p99_9"]
            assert float(row["rss_peak_bytes"]) == run["rss_peak_bytes"]
        else:
            assert row["p99_9_ns"] == ("" if run["status"] == "unsupported" else "inf")
    assert {row["p99_9_ns"] for row in rows if row["status"] != "ok"} == {"", "inf"}


def test_json_holds_medians_intervals_and_values(pristine):
    document = strict_json(exported(pristine, "json")[0])
    assert document["schema"] == "tailrace/export/1" and document["context"]["commit"] == "0123abc"
    cells, runs = {cell["cell"]: cell for cell in document["cells"]}, runs_of(pristine)
    assert list(cells) == [cell["cell"] for cell in read_result_set(pristine).manifest["cells"]]
    p99 = cells[STEADY]["metrics"]["p99"]
    values = [runs[STEADY, block]["response_ns"]["p99"] for block in range(8)]
    assert p99["values"] == {str(block): value for block, value in enumerate(values)}
    assert (p99["unit"], p99["median"], p99["low"], p99["high"], p99["failed_blocks"]) == (
        "ns", median(values), min(values), max(values), [])
    once = cells["read-states/malloc/mimalloc"]["metrics"]["p99"]
    assert once["failed_blocks"] == [3] and once["values"]["3"] is None
    assert once["median"] and once["low"] and once["high"] is None
    mostly = cells["json-api/refcount/glibc"]["metrics"]["p99"]
    assert mostly["median"] is None and len(mostly["failed_blocks"]) == 7
    assert cells["read-states/arena/glibc"]["metrics"] == {}
    assert cells["read-states/arena/glibc"]["runs"][0]["reason"] == "the scenario needs RECLAIM"


def test_google_benchmark_s_compare_reads_it(pristine, result_dir, tmp_path):
    if not COMPARE.exists():
        pytest.skip("Google Benchmark's compare.py is not here: install libbenchmark-tools")
    pytest.importorskip("scipy", reason="compare.py needs python3-scipy")

    def slow(run):
        if run["cell"] == STEADY:
            run["response_ns"]["p99"] *= 1.5
    edit_runs(result_dir, slow)
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for directory, path in zip((pristine, result_dir), paths):
        assert export(directory, "google-benchmark", "--out", path).returncode == 0
    done = subprocess.run([sys.executable, COMPARE, "--no-color", "-d", tmp_path / "diff",
                           "benchmarks", *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = {entry["name"]: entry for entry in json.loads((tmp_path / "diff").read_text())}
    changed = report[f"{STEADY}/p99"]
    assert [round(one["time"], 6) for one in changed["measurements"]] == [0.5] * 8
    assert changed["utest"]["nr_of_repetitions"] == 8 and changed["utest"]["time_pvalue"] < 0.01
    assert report[f"{STEADY}/p99_median"]["aggregate_name"] == "median"
    assert all(one["time"] == 0 for one in report[f"{STEADY}/p50"]["measurements"])
    worst = report["read-states/malloc/mimalloc/p99"]["measurements"]
    assert [one["real_time"] == math.inf for one in worst] == [block == 3 for block in range(8)]


def test_google_benchmark_tells_failures_as_errors(pristine):
    text, said = exported(pristine, "google-benchmark")
    entries = json.loads(text)["benchmarks"]
    runs = runs_of(pristine)
    for entry in entries:
        cell, name = entry["run_name"].rsplit("/", 1)
        if entry["run_type"] == "aggregate":
            continue
        run = runs[cell, entry["repetition_index"]]
        assert entry.get("error_occurred", False) == (run["status"] != "ok")
        assert entry["real_time"] == METRICS[name].value(run)
        if run["status"] != "ok":
            assert run["reason"] in entry["error_message"] and entry["real_time"] == math.inf
    assert {entry["per_family_instance_index"] for entry in entries} == {0, 1, 2, 3, 4}
    assert said == ["export: read-states/arena/glibc is left out: unsupported: the scenario needs "
                    "RECLAIM"]


@pytest.mark.parametrize("name", ["bmf", "github-action-benchmark"])
def test_trackers_get_finite_numbers_and_the_rest_is_told(pristine, name):
    text, said = exported(pristine, name)
    document = strict_json(text)
    jsonschema.validate(document, schema(f"{name}.json"))
    assert any("json-api/refcount/glibc is left out: overloaded" in line for line in said)
    assert any("read-states/arena/glibc is left out: unsupported" in line for line in said)
    if name == "bmf":
        assert len(document) == 12 and "json-api/refcount/glibc" not in document
        values = [document[STEADY]["p99-9"][key] for key in ("lower_value", "value",
                                                             "upper_value")]
        assert values == sorted(values)
        assert "upper_value" not in document["json-api/boehm/glibc"]["p50"], "it is infinite"
    else:
        names = {entry["name"].rsplit(": ", 1)[1] for entry in document}
        assert {"p50", "p99.9", "rss-peak"} <= names and "rate" not in names
        assert "to ∞" in next(entry["range"] for entry in document
                              if entry["name"] == "json-api/boehm/glibc: p50")


def test_schemas_refuse_what_their_readers_refuse():
    for wrong in ({"a": {"P99": {"value": 1}}}, {"a": {"p99": {"value": None}}}, {"a": {}}, []):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema("bmf.json"))
    for wrong in ([], [{"name": "a", "unit": "ns"}], {}, [{"name": "a", "unit": "", "value": 1}]):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema("github-action-benchmark.json"))


def test_a_suite_that_has_only_begun(result_dir):
    edit_lines(result_dir, lambda lines: [lines[0], lines[1][:500]])
    for name in set(FORMATS) - {"hlog", "hgrm"}:
        text, said = exported(result_dir, name)
        assert text and any("was torn" in line for line in said), name
    assert "no run of it is recorded" in exported(result_dir, "junit")[0]


def test_closed_loop_has_rates_and_service_times(result_dir):
    def closed(run):
        if run["status"] == "ok":
            run.update(mode="closed", service_ns=run.pop("response_ns"), achieved_rate=5000 + 10
                       * run["block"], service_histogram=run.pop("response_histogram"))
    edit_runs(result_dir, closed)
    metrics = {cell["cell"]: cell["metrics"]
               for cell in strict_json(exported(result_dir, "json")[0])["cells"]}
    assert metrics[STEADY]["rate"]["median"] == 5035 and "p99" not in metrics[STEADY]
    assert "service-p99" in metrics[STEADY]
    names = {entry["name"] for entry in strict_json(
        exported(result_dir, "github-action-benchmark")[0])}
    assert f"{STEADY}: service-p99" in names and f"{STEADY}: rate" not in names
    entries = json.loads(exported(result_dir, "google-benchmark")[0])["benchmarks"]
    assert all(one["real_time"] == one["cpu_time"] for one in entries)


def test_arguments_that_cannot_be(pristine, tmp_path):
    sentence = refused(export(pristine, "xml"))
    assert all(name in sentence for name in FORMATS)
    assert "--out DIR" in refused(export(pristine, "hgrm"))
    assert "not a folder" in refused(export(tmp_path / "missing", "csv"))
    synthetic_race.write(tmp_path / "race")
    for name in FORMATS:
        assert "is a race matrix" in refused(export(tmp_path / "race", name, "--out", "x"))


def test_output_that_cannot_be_written(curves_dir, tmp_path):
    edit_lines(curves_dir, lambda lines: lines[:2])
    assert "No such file" in refused(export(curves_dir, "csv", "--out", tmp_path / "a" / "b"))
    assert "Is a directory" in refused(export(curves_dir, "csv", "--out", tmp_path))
    assert "No space left" in refused(export(curves_dir, "csv", "--out", "/dev/full"))
    (tmp_path / "file").write_text("kept")
    assert "File exists" in refused_last(export(curves_dir, "hgrm", "--out", tmp_path / "file"))
    before = sorted(tmp_path.iterdir())
    for name in ("json", "hgrm"):
        done = export(curves_dir, name, "--out", tmp_path / ("file" if name == "json" else "new"),
                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)))
        assert "File too large" in refused_last(done)
    assert sorted(tmp_path.iterdir()) == before and (tmp_path / "file").read_text() == "kept"
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert export(curves_dir, "json", "--out", tmp_path / "link").returncode == 0
    assert (tmp_path / "link").is_symlink() and strict_json((tmp_path / "file").read_text())


def test_a_full_standard_output_is_told(curves_dir):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([sys.executable, "-m", "tailrace_report", "export", curves_dir,
                               "--format", "csv"], stdout=full, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": str(REPORTS)}, check=False)
    assert done.returncode == 2 and "No space left" in done.stderr


def test_the_sample_in_all_formats_with_python_alone(tmp_path):
    sample = Path(shutil.copytree(REPORTS / "sample", tmp_path / "sample"))
    bare = (sys.executable, "-S")  # without packages
    for name in set(FORMATS) - {"hlog"}:
        done = export(sample, name, "--out", tmp_path / name, interpreter=bare)
        assert done.returncode == 0 and done.stdout == "", done.stderr
    assert "no histogram logs" in refused(export(sample, "hlog", interpreter=bare))
    jsonschema.validate(strict_json((tmp_path / "bmf").read_text()), schema("bmf.json"))
    tables_made = list((tmp_path / "hgrm").iterdir())
    with_histogram = {cell.name for cell in export_cells(read_result_set(sample))
                      if any(run.get("response_histogram") for run in cell.runs)}
    assert len(tables_made) == len(with_histogram) >= 1


def test_the_readme_names_every_format_and_column():
    readme = (REPORTS / "README.md").read_text()
    for name in (*FORMATS, *COLUMNS):
        assert f"`{name}`" in readme, name
