# SPDX-License-Identifier: MIT
"""`--hlog`, `--hgrm` and a set's hlog/: HdrHistogram's own reader finds every count in them."""

import json
import re
import shutil
import subprocess
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

PACKAGES = "default-jdk-headless and libhdrhistogram-java"
JARS = [Path("/usr/share/java") / name for name in ("hdrhistogram.jar", "HdrHistogram.jar")]
DUMP = Path(__file__).with_name("HlogDump.java")
HEAD = ["#[Histogram log format version 1.3]",
        r"#\[StartTime: \d+\.\d{3} \(seconds since epoch\), [-0-9]{10}T[:0-9]{8}Z\]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"']
BRIEF = ["proxy", "--rate", "4000", "--warmup", "0", "--threads", "1"]
OPEN = ["proxy", "--rate", "4000", "--duration", "0.55", "--warmup", "0.05", "--threads", "3"]
CLOSED = ["proxy", "--closed", "--duration", "0.3", "--warmup", "0", "--threads", "2"]
SUITE = {"suite": "tiny", "blocks": 2, "seed": 7, "load": 0.2, "duration_s": 0.25, "warmup_s": 0.02,
         "cells": [{"scenario": "proxy", "strategy": "malloc", "threads": 1},
                   {"scenario": "read-states", "live": 2000, "strategy": "malloc", "threads": 1},
                   {"scenario": "read-states", "live": 2000, "strategy": "arena", "threads": 1}]}
CELLS = ["proxy/malloc/glibc/t1", "read-states/malloc/glibc/t1/live=2000"]
SAFE = ["proxy+malloc+glibc+t1.hlog", "read-states+malloc+glibc+t1+live=2000.hlog"]


class Line:
    """An interval as HdrHistogram's reader understood it; times in seconds since 1970."""

    def __init__(self, tag, start, length, count, maximum):
        self.tag, self.start_s, self.length_s = tag, float(start), float(length)
        self.count, self.max_ns = int(count), int(maximum)
        self.buckets = Counter()


def dump(path):
    """What Java finds in a log: its lines, the sum as encoded, the tables (unit -> text)."""
    jar = next((jar for jar in JARS if jar.exists()), None)
    if not jar or not shutil.which("javac"):
        pytest.skip(f"HdrHistogram for Java is not here: install {PACKAGES}")
    done = subprocess.run(["java", "-cp", jar, DUMP, path], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    text, *tables = re.split(r"^table (\d+)\n", done.stdout, flags=re.M)
    lines = []
    for words in map(str.split, text.splitlines()):
        if words[0] == "line":
            lines.append(Line(*words[1:]))
        elif words[0] == "bucket":
            lines[-1].buckets[int(words[1])] = int(words[2])
    return lines, dict(zip(map(int, tables[::2]), tables[1::2]))


def counted(histogram):
    """A histogram of a result as value -> count."""
    return Counter(dict(histogram))


def total(lines):
    """The counts of several lines together."""
    return sum((line.buckets for line in lines), Counter())


def intervals(text):
    """The interval lines of a log, split at their commas."""
    return [line.split(",") for line in text.splitlines() if line.startswith("Tag=")]


def hold_to_head(text):
    """A log begins as readers expect it."""
    head = text.splitlines()[:3]
    assert head[0] == HEAD[0] and re.fullmatch(HEAD[1], head[1]) and head[2] == HEAD[2], head


@pytest.fixture(scope="module", params=[OPEN, CLOSED], ids=["open", "closed"])
def measured(request, program):
    """A run's result and the folder with its log and table."""
    result, hlog, hgrm = (program.folder / f"run-{request.param_index}.{kind}"
                          for kind in ("json", "hlog", "hgrm"))
    done = program("run", *request.param, "--json", result, "--hlog", hlog, "--hgrm", hgrm)
    assert done.status == 0 and done.stdout == "", done
    return json.loads(result.read_text()), hlog, hgrm


def seconds(iso):
    """Seconds since 1970 of a time in a result."""
    return datetime.fromisoformat(iso.replace("Z", "+00:00")).timestamp()


def test_java_reads_every_count_of_a_run(measured):
    result, hlog, _ = measured
    opened = result["mode"] == "open"
    lines, _ = dump(hlog)
    assert total(lines) == counted(result["response_histogram" if opened else "service_histogram"])
    assert sum(line.count for line in lines) == result["requests"]
    assert {line.tag for line in lines} == {result["cell"] + ("" if opened else "/service")}
    texts = intervals(hlog.read_text())
    assert len(texts) == len(lines)
    hold_to_head(hlog.read_text())
    for line, (_, start, length, maximum, _) in zip(lines, texts):
        assert line.length_s == pytest.approx(float(length), abs=0.0021)
        assert line.start_s - lines[0].start_s == pytest.approx(float(start), abs=0.0021)
        assert line.max_ns * 0.992 <= float(maximum) * 1e6 <= line.max_ns


def test_intervals_follow_each_other_from_the_start_of_recording(measured):
    result, hlog, _ = measured
    texts = [tuple(map(float, text[1:4])) for text in intervals(hlog.read_text())]
    if result["mode"] == "closed":
        assert len(texts) == 1 and texts[0][0] == 0
        assert texts[0][1] == pytest.approx(result["duration_s"], abs=1e-5)
        worst = result["service_ns"]["max"]
    else:
        assert len(texts) >= 5
        assert [start for start, _, _ in texts] == pytest.approx(
            [i * texts[0][1] for i in range(len(texts))], abs=1e-5)
        assert all(length == pytest.approx(0.1) for _, length, _ in texts)
        worst = result["response_ns"]["max"]
    assert max(maximum for _, _, maximum in texts) == pytest.approx(worst * 1e-6, abs=1e-6)
    began = float(re.search(r"StartTime: ([\d.]+)", hlog.read_text())[1])
    context = result["context"]
    assert seconds(context["start_time"]) - 1 < began < seconds(context["end_time"]) + 1


def footer(text):
    """The numbers at the end of a table."""
    return [float(number) for number in re.findall(r"= +([\d.]+)", text)]


def rows(text):
    """The rows of a table as numbers."""
    lines = text.split("\n\n", 1)[1].splitlines()
    return [list(map(float, line.split())) for line in lines if not line.startswith("#")]


def test_the_table_is_javas(measured):
    """Ours has 6 decimals of a ms, Java's as many as there are significant digits: so in ns too.
    A tie in the last digit Java rounds up, and C to even."""
    _, hlog, hgrm = measured
    ours, (_, tables) = hgrm.read_text(), dump(hlog)
    assert ours.splitlines()[0] == tables[1].splitlines()[0]
    assert len(rows(ours)) == len(rows(tables[1])) > 10
    for mine, in_ns, in_ms in zip(rows(ours), rows(tables[1]), rows(tables[1000000])):
        assert round(mine[0] * 1e6) == in_ns[0]
        assert mine[0] == pytest.approx(in_ms[0], abs=0.00500001)
        assert mine[1] == pytest.approx(in_ns[1], rel=0, abs=1.0001e-12)
        assert mine[2] == in_ns[2] and mine[3:] == pytest.approx(in_ns[3:], rel=1e-12, abs=0.01001)
    assert rows(ours)[-1][1] == 1
    mean, deviation, highest, *counts = footer(ours)
    assert [mean * 1e6, deviation * 1e6, highest * 1e6] == pytest.approx(footer(tables[1])[:3],
                                                                         rel=0, abs=0.51)
    assert counts == footer(tables[1])[3:]
    assert re.sub(r"\d+\.\d+", "", ours.splitlines()[-1]) == tables[1].splitlines()[-1]


@pytest.mark.parametrize("option, begin", [("--hlog", HEAD[0]), ("--hgrm", "       Value ")])
def test_standard_output_has_the_file_alone(tailrace, tmp_path, option, begin):
    done = tailrace("run", *BRIEF, "--requests", "20", option, "-")
    assert done.status == 0 and done.stdout.startswith(begin), done
    assert "requests 20" not in done.stdout and done.stderr == ""
    done = tailrace("run", *BRIEF, "--requests", "20", option, tmp_path / "file")
    assert "requests 20" in done.stdout, "with a file, there is a summary as well"
    assert (tmp_path / "file").read_text().startswith(begin)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("options", [["--hlog", "-", "--json", "-"], ["--hlog", "-", "--hgrm", "-"],
                                     ["--hgrm", "-", "--json", "-"]])
def test_only_one_result_goes_to_standard_output(tailrace, options):
    assert "standard output" in tailrace("run", *BRIEF, *options).only_sentence(2)


@pytest.mark.parametrize("option", ["--hlog", "--hgrm"])
def test_a_file_that_cannot_be_written(tailrace, tmp_path, option):
    target = tmp_path / "missing" / "file"
    done = tailrace("run", *BRIEF, "--requests", "20", option, target, "--json", tmp_path / "json")
    assert str(target) in done.only_sentence(2) and "No such file" in done.stderr
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "goal")
    assert tailrace("run", *BRIEF, "--requests", "20", option, link).status == 0
    assert link.is_symlink() and (tmp_path / "goal").stat().st_size > 0


def test_a_run_that_records_nothing_has_files_of_nothing(tailrace, tmp_path):
    hlog, hgrm = tmp_path / "hlog", tmp_path / "hgrm"
    done = tailrace("run", "read-states", "--strategy", "arena", "--rate", "100", "--requests",
                    "10", "--hlog", hlog, "--hgrm", hgrm)
    assert done.status == 0 and "unsupported" in done.stdout
    hold_to_head(hlog.read_text())
    assert len(hlog.read_text().splitlines()) == 3
    assert rows(hgrm.read_text()) == [] and footer(hgrm.read_text())[:4] == [0, 0, 0, 0]


def sections(path):
    """A cell's log in a result set as [(block, status, number of intervals)]."""
    found = []
    for line in path.read_text().splitlines():
        run = re.fullmatch(r"#\[Run: block (\d+), status (\w+)\]", line)
        if run:
            found.append([int(run[1]), run[2], 0])
        elif line.startswith("Tag="):
            found[-1][2] += 1
    return found


def read_runs(folder):
    """The runs of a result set."""
    return list(map(json.loads, (folder / "runs.jsonl").read_text().splitlines()))


@pytest.fixture(scope="module")
def complete(program, tmp_path_factory):
    """A finished result set, not to be changed."""
    folder = tmp_path_factory.mktemp("hlog")
    (folder / "suite.json").write_text(json.dumps(SUITE))
    done = program("bench", folder / "suite.json", "--out", folder / "set")
    assert done.status == 0, done
    return folder / "set"


@pytest.mark.parametrize("cell, safe", zip(CELLS, SAFE))
def test_java_reads_every_count_of_a_result_set(complete, cell, safe):
    assert sorted(path.name for path in (complete / "hlog").iterdir()) == SAFE
    path = complete / "hlog" / safe
    hold_to_head(path.read_text())
    runs = sorted((run for run in read_runs(complete) if run["cell"] == cell),
                  key=lambda run: run["block"])
    lines, _ = dump(path)
    assert [block for block, _, _ in sections(path)] == [0, 1]
    assert {line.tag for line in lines} == {cell}
    last_end_s = 0
    for run, (_, status, count) in zip(runs, sections(path)):
        mine, lines = lines[:count], lines[count:]
        assert status == run["status"] and count >= 3
        assert total(mine) == counted(run["response_histogram"])
        begin_s, end_s = (seconds(run["context"][key]) for key in ("start_time", "end_time"))
        assert begin_s - 1 < mine[0].start_s < end_s + 1
        assert mine[0].start_s > last_end_s - 0.1, "in order of time"
        last_end_s = mine[-1].start_s
    assert lines == []


@pytest.mark.parametrize("tear", ["half a line", "a run that runs.jsonl does not have", "a header"])
def test_resume_cuts_off_what_runs_jsonl_does_not_tell(tailrace, complete, tmp_path, tear):
    folder = Path(shutil.copytree(complete, tmp_path / "set"))
    lines = (folder / "runs.jsonl").read_text().splitlines(keepends=True)
    paths = [folder / "hlog" / safe for safe in SAFE]
    before = [path.read_bytes() for path in paths]
    (folder / "runs.jsonl").write_text("".join(lines[:0 if tear == "a header" else 3]))
    kept = [text[:text.index(b"#[Run: block 1")] for text in before]
    if tear == "half a line":
        for path, text in zip(paths, before):
            path.write_bytes(text[:-30])
    elif tear == "a header":
        kept = [b"", b""]
        for path, text in zip(paths, before):
            path.write_bytes(text[:60])
    assert tailrace("bench", "--resume", "--out", folder).status == 0
    for path, text in zip(paths, kept):
        assert path.read_bytes().startswith(text)
        assert [block for block, _, _ in sections(path)] == [0, 1]
        hold_to_head(path.read_text())
    assert total(dump(paths[0])[0]) == sum((counted(run["response_histogram"])
                                            for run in read_runs(folder)
                                            if run["cell"] == CELLS[0]), Counter())


def test_resume_of_a_finished_set_changes_no_log(tailrace, complete, tmp_path):
    folder = Path(shutil.copytree(complete, tmp_path / "set"))
    assert tailrace("bench", "--resume", "--out", folder).status == 0
    for safe in SAFE:
        assert (folder / "hlog" / safe).read_bytes() == (complete / "hlog" / safe).read_bytes()


def test_a_foreign_file_is_told_and_not_touched(tailrace, complete, tmp_path):
    folder = Path(shutil.copytree(complete, tmp_path / "set"))
    (folder / "hlog" / SAFE[0]).write_text("notes\n")
    assert SAFE[0] in tailrace("bench", "--resume", "--out", folder).only_sentence(2)
    assert (folder / "hlog" / SAFE[0]).read_text() == "notes\n"
