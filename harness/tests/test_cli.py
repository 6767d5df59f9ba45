# SPDX-License-Identifier: MIT
"""The command line: help, lists, one sentence for every mistake, and where output goes."""

import ctypes.util
import json
import re
import subprocess
from pathlib import Path

import pytest

BRIEF = ["--closed", "--requests", "20", "--warmup", "0"]
SUITE = {"suite": "tiny", "blocks": 1, "duration_s": 0.1, "warmup_s": 0,
         "cells": [{"scenario": "proxy"}, {"scenario": "proxy", "strategy": "arena"}]}


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"], ["list", "--help"],
                                       ["run", "--help"], ["bench", "--help"],
                                       ["report", "--help"], ["doctor", "--help"]], ids=" ".join)
def test_help_is_told_on_standard_output(tailrace, arguments):
    done = tailrace(*arguments)
    assert done.status == 0 and done.stderr == "", done
    command = arguments[0] if len(arguments) == 2 else ""
    assert re.match(rf"usage: tailrace {command}", done.stdout), done


def test_help_names_every_command(tailrace):
    listed = re.findall(r"^  ([a-z]+) ", tailrace("--help").stdout, re.M)
    assert {"list", "run", "bench", "report", "doctor"} <= set(listed)
    for command in listed:
        assert tailrace(command, "--help").status == 0, command


def test_help_of_run_names_every_documented_option(tailrace):
    told = tailrace("run", "--help").stdout
    for option in ("strategy heap threads rate load closed duration requests warmup budget seed "
                   "tune json").split():
        assert f"--{option} " in told, option


def test_version_names_a_commit(tailrace):
    done = tailrace("--version")
    told = re.fullmatch(r"tailrace (\S+) \(.+\)\n", done.stdout)
    assert done.status == 0 and told, done
    if not (tailrace.repository / ".git").exists():
        pytest.skip("the sources are not a git checkout, so there is no commit to compare with")
    commit = told[1].removesuffix("-dirty")
    known = subprocess.run(["git", "-c", "safe.directory=*", "rev-parse", "--verify", "--quiet",
                            commit + "^{commit}"], cwd=tailrace.repository, check=False)
    assert known.returncode == 0, f"git does not know the commit {commit}"


# What is wrong with it -> the arguments, and words that the sentence must have.
MISTAKES = {
    "no command": ("", "command"),
    "unknown command": ("jump", '"jump"'),
    "unknown option before the command": ("--jump", '"--jump"'),
    "list: unknown kind": ("list heap", '"heap"'),
    "list: unknown option": ("list --jump", "--jump"),
    "list: two kinds": ("list heaps suites", "one kind"),
    "run: no scenario": ("run", "one scenario"),
    "run: two scenarios": ("run proxy proxy", "one scenario"),
    "run: unknown scenario": ("run nowhere", '"nowhere"'),
    "run: unknown option": ("run proxy --jump", "--jump"),
    "run: unknown short options": ("run proxy -xy", "no option -x"),
    "run: missing value": ("run proxy --rate", "--rate"),
    "run: flag with a value": ("run proxy --closed=1", "--closed"),
    "run: unknown strategy": ("run proxy --strategy wish", '"wish"'),
    "run: unknown heap": ("run proxy --heap pile", '"pile"'),
    "run: heap that is not there": ("run proxy --heap /nowhere/x.so", "/nowhere/x.so"),
    "run: unknown arrivals": ("run proxy --arrivals late", '"late"'),
    "run: rate below 0": ("run proxy --rate -1", "--rate"),
    "run: rate 0": ("run proxy --rate 0", "--rate"),
    "run: rate nan": ("run proxy --rate nan", "--rate"),
    "run: rate inf": ("run proxy --rate inf", "--rate"),
    "run: rate with more behind it": ("run proxy --rate 10x", "--rate"),
    "run: empty rate": ("run proxy --rate=", "--rate"),
    "run: load 0": ("run proxy --load 0", "--load"),
    "run: no threads": ("run proxy --threads 0", "--threads"),
    "run: half a thread": ("run proxy --threads 1.5", "--threads"),
    "run: too many threads": ("run proxy --threads 65", "--threads"),
    "run: no duration": ("run proxy --duration 0", "--duration"),
    "run: no requests": ("run proxy --requests 0", "--requests"),
    "run: half a request": ("run proxy --requests 2.5", "--requests"),
    "run: warm-up below 0": ("run proxy --warmup -0.1", "--warmup"),
    "run: live 0": ("run proxy --live 0", "--live"),
    "run: budget 0": ("run proxy --budget 0", "--budget"),
    "run: budget of unknown unit": ("run proxy --budget 10X", "--budget"),
    "run: seed below 0": ("run proxy --seed -1", "--seed"),
    "run: timeout 0": ("run proxy --timeout 0", "--timeout"),
    "run: rate and closed": ("run proxy --rate 10 --closed", "exclude"),
    "run: load and closed": ("run proxy --closed --load 0.5", "exclude"),
    "run: rate and load": ("run proxy --rate 10 --load 0.5", "exclude"),
    "run: tunable that none has": ("run proxy --tune chunk=4096", "chunk"),
    "run: unknown tunable": ("run proxy --strategy arena --tune jump=1", "jump"),
    "run: tunable without a value": ("run proxy --strategy arena --tune chunk", "chunk"),
    "run: tunable with an empty value": ("run proxy --strategy arena --tune chunk=", "chunk"),
    "run: tunable with no number": ("run proxy --strategy arena --tune chunk=big", "chunk=big"),
    "run: tunable below 0": ("run proxy --strategy arena --tune chunk=-1", "chunk=-1"),
    "run: tunable of another heap": ("run proxy --tune jemalloc:decay=0", "the heap is glibc"),
    "run: unknown tunable of the heap": ("run proxy --tune glibc:jump=1", "it has: arenas=0"),
    "run: tunable of a heap that is not used": (
        "run proxy --strategy boehm --tune glibc:arenas=1", "boehm does not take"),
    "run: tunable of the heap with no number": ("run proxy --tune glibc:arenas=few", "arenas=few"),
    "bench: unknown suite": ("bench nothing", "nothing"),
    "bench: two suites": ("bench quick quick", "one suite"),
    "bench: unknown option": ("bench --jump", "--jump"),
    "bench: missing value": ("bench --out", "--out"),
    "bench: no blocks": ("bench --blocks 0", "--blocks"),
    "bench: blocks no number": ("bench --blocks two", "--blocks"),
    "bench: resume without out": ("bench --resume", "--out"),
    "bench: resume with a suite": ("bench quick --resume --out /nowhere", "--resume"),
    "bench: resume where nothing is": ("bench --resume --out /nowhere", "/nowhere"),
    "bench: only what is not there": ("bench --only nothing --out /nowhere", '"nothing"'),
    "report: no folder": ("report", "DIR"),
    "report: two folders": ("report a b", "unrecognized"),
    "report: unknown option": ("report --jump", "--help"),
    "report: missing folder": ("report /nowhere", "/nowhere"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_in_one_sentence(tailrace, what):
    arguments, words = MISTAKES[what]
    assert words in tailrace(*arguments.split()).only_sentence(2)


# The same of suite files: a text, or what is changed in a suite that is right.
SUITE_MISTAKES = {
    "broken JSON": ('{"suite": "tiny",', "line 1"),
    "no JSON at all": ("", "suite"),
    "not an object": ("[1, 2]", "not a suite"),
    "the same key twice": ('{"suite": "a", "suite": "b"}', "suite"),
    "no name": ({"suite": None}, "not a suite"),
    "unknown key": ({"block": 3}, '"block"'),
    "0 blocks": ({"blocks": 0}, '"blocks"'),
    "blocks no number": ({"blocks": "two"}, '"blocks"'),
    "no cells": ({"cells": []}, '"cells"'),
    "oracle no truth value": ({"oracle": 1}, '"oracle"'),
    "slo no number": ({"slo_us": "1 ms"}, '"slo_us"'),
    "slo of nothing": ({"slo_us": 0}, '"slo_us"'),
    "cells no array": ({"cells": {"scenario": "proxy"}}, '"cells"'),
    "load below 0": ({"load": -1}, "--load"),
    "duration no number": ({"duration_s": [1]}, "--duration"),
    "unknown arrivals": ({"arrivals": "late"}, "arrivals"),
    "cell without a scenario": ({"cells": [{"strategy": "malloc"}]}, '"scenario"'),
    "cell of an unknown scenario": ({"cells": [{"scenario": "nowhere"}]}, '"nowhere"'),
    "cell of an unknown strategy": ({"cells": [{"scenario": "proxy", "strategy": "wish"}]},
                                    '"wish"'),
    "cell of an unknown heap": ({"cells": [{"scenario": "proxy", "heap": "pile"}]}, '"pile"'),
    "cell with an unknown key": ({"cells": [{"scenario": "proxy", "rates": 10}]}, '"rates"'),
    "cell with a bad rate": ({"cells": [{"scenario": "proxy", "rate": -1}]}, "--rate"),
    "cell with a bad tunable": ({"cells": [{"scenario": "proxy", "tune": "chunk=1"}]}, "chunk"),
    "cell with a bad second tunable": ({"cells": [
        {"scenario": "proxy", "strategy": "arena", "tune": "chunk=4096 jump=1"}]}, "jump"),
    "cell with a bad duration": ({"cells": [{"scenario": "proxy", "duration_s": "long"}]},
                                 "--duration"),
    "cell with no threads": ({"cells": [{"scenario": "proxy", "threads": 0}]}, "--threads"),
    "cell that is no object": ({"cells": ["proxy"]}, '"scenario"'),
    "cell that is there twice": ({"cells": 2 * [{"scenario": "proxy"}]}, "cell 2 is there twice"),
}


@pytest.mark.parametrize("what", SUITE_MISTAKES)
def test_a_mistake_in_a_suite_is_told_in_one_sentence(tailrace, tmp_path, what):
    content, words = SUITE_MISTAKES[what]
    suite, out = tmp_path / "suite.json", tmp_path / "out"
    suite.write_text(content if isinstance(content, str) else json.dumps(SUITE | content))
    sentence = tailrace("bench", suite, "--out", out).only_sentence(2)
    assert words in sentence and not out.exists()


@pytest.mark.parametrize("path", ["/nowhere/suite.json", "/"])
def test_a_suite_that_cannot_be_read(tailrace, tmp_path, path):
    assert path in tailrace("bench", path, "--out", tmp_path / "out").only_sentence(2)


def test_only_without_a_match_names_the_pattern(tailrace, tmp_path):
    (tmp_path / "suite.json").write_text(json.dumps(SUITE))
    done = tailrace("bench", tmp_path / "suite.json", "--only", "read-*")
    assert '"read-*"' in done.only_sentence(2)


def test_bench_leaves_an_older_result_set_alone(tailrace, tmp_path):
    (tmp_path / "suite.json").write_text(json.dumps(SUITE))
    (tmp_path / "manifest.json").write_text("{}")
    done = tailrace("bench", tmp_path / "suite.json", "--out", tmp_path)
    assert "--resume" in done.only_sentence(2)
    assert (tmp_path / "manifest.json").read_text() == "{}"
    assert not (tmp_path / "runs.jsonl").exists()


@pytest.mark.parametrize("parts", [["file"], ["file", "below"]], ids="/".join)
def test_bench_out_that_cannot_be_a_folder(tailrace, tmp_path, parts):
    (tmp_path / "suite.json").write_text(json.dumps(SUITE))
    (tmp_path / "file").write_text("")
    out = tmp_path.joinpath(*parts)
    done = tailrace("bench", tmp_path / "suite.json", "--out", out)
    assert str(tmp_path / "file") in done.only_sentence(2)


def libraries_that_are_no_heap(folder):
    """A library without malloc, and a file that is no library."""
    text = folder / "text.so"
    text.write_text("no library\n")
    ctypes.CDLL(ctypes.util.find_library("m"))
    libm = re.search(r"\S+/libm[.-]\S+", Path("/proc/self/maps").read_text())
    return [libm[0], text]


def test_a_library_that_is_no_heap(tailrace, tmp_path, unsanitized):
    for library in libraries_that_are_no_heap(tmp_path):
        done = tailrace("run", "proxy", "--heap", library, *BRIEF)
        assert "did not load" in done.only_sentence(3), library


@pytest.mark.parametrize("kind, fields", [
    ("scenarios", {"name", "class", "what", "description", "source", "needs", "live", "live_unit",
                   "params", "smoke"}),
    ("strategies", {"name", "what", "family", "provides", "leaks", "source", "tunables"}),
    ("heaps", {"name", "what", "installed", "library", "tunables"}),
    ("suites", {"name", "what"})])
def test_list(tailrace, kind, fields):
    listed = tailrace.listed(kind)
    assert isinstance(listed, list) and listed
    for one in listed:
        assert fields <= one.keys() and one["name"] and one["what"], one
    names = [one["name"] for one in listed]
    assert len(set(names)) == len(names)
    plain = tailrace("list", kind)
    assert plain.status == 0 and plain.stderr == "", plain
    assert [line.split()[0] for line in plain.stdout.splitlines()] == names


def test_list_of_all_kinds(tailrace):
    done = tailrace("list", "--json")
    listed = json.loads(done.stdout)
    assert {one["kind"] for one in listed} == {"scenario", "strategy", "heap", "suite", "case",
                                               "detector"}
    plain = [line.split()[:2] for line in tailrace("list").stdout.splitlines()]
    assert plain == [[one["kind"], one["name"]] for one in listed]


def test_list_has_what_the_first_release_has(tailrace):
    def names(kind):
        return {one["name"] for one in tailrace.listed(kind)}
    assert {"read-states", "proxy"} <= names("scenarios")
    assert {"none", "malloc", "arena", "arena-pool", "refcount", "boehm"} <= names("strategies")
    assert {"glibc", "jemalloc", "mimalloc"} <= names("heaps")
    assert "quick" in names("suites")


def test_summary_without_json(tailrace):
    done = tailrace("run", "proxy", *BRIEF)
    assert done.status == 0 and done.stderr == "", done
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"proxy/malloc/glibc/t\d+: ok", lines[0]), done
    assert "requests 20," in done.stdout and "stamp: closed-loop" in lines, done


def test_json_into_a_file_is_whole_and_leaves_nothing_else(tailrace, tmp_path):
    done = tailrace("run", "proxy", *BRIEF, "--json", tmp_path / "result.json")
    assert done.status == 0 and done.stdout == "" and done.stderr == "", done
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    assert json.loads((tmp_path / "result.json").read_text())["requests"] == 20


def test_json_file_is_replaced_only_by_a_whole_one(tailrace, tmp_path):
    """An interrupted run leaves the file of the last one as it was."""
    target = tmp_path / "result.json"
    target.write_text("old")
    running = tailrace.start("run", "proxy", "--rate", "1000", "--duration", "60", "--warmup", "0",
                             "--json", target)
    running.recording_worker()
    assert running.interrupt().status == 130
    assert target.read_text() == "old" and not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("path, why", [("missing/result.json", "No such file or directory"),
                                       ("folder", "Is a directory")])
def test_json_file_that_cannot_be_written(tailrace, tmp_path, path, why):
    (tmp_path / "folder").mkdir()
    sentence = tailrace("run", "proxy", *BRIEF, "--json", tmp_path / path).only_sentence(2)
    assert str(tmp_path / path) in sentence and why in sentence
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("arguments", [["run", "proxy", *BRIEF, "--json", "-"],
                                       ["run", "proxy", *BRIEF], ["list", "--json"], ["--help"],
                                       ["--version"]], ids=lambda arguments: arguments[0])
def test_full_standard_output(tailrace, arguments):
    with open("/dev/full", "w", encoding="ascii") as full:
        assert "standard output" in tailrace(*arguments, stdout=full).only_sentence(2)
