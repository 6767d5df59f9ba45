# SPDX-License-Identifier: MIT
"""The race gate on other people's programs (race/foreign) and on unruly ones (race/unruly).

A foreign program says in its head what is wrong with it: `expect: none`, or `expect: KIND LINES`;
of several such lines any will do. TAILRACE_RACE_FULL=1 takes all programs, otherwise a third.
"""

import json
import os
import re
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "race"
FULL = os.environ.get("TAILRACE_RACE_FULL", "") not in ("", "0")
PATIENCE_S = 1800 if FULL else 900  # for one command: far more than it ever should take
OUT_BYTES_MAX = 20_000_000
SAID_BYTES_MAX = 1_000_000

QUICK = set("""
    dining_sem ring_relaxed symbol_intern
    bounded_buffer once_tls pipeline seqlock_spin signal_cancel
    crash daemonise exit_status flood hang""".split())

# Whoever finds one of these has found the others. The rest are compatible with themselves only.
STANDSTILLS = {"deadlock", "hang", "lock-order-inversion"}
KINDS = STANDSTILLS | {"data-race", "heap-use-after-free", "abort"}
# What tells a place of its own; hangs and crashes may also follow from the defect elsewhere.
POINTED = {"data-race", "heap-use-after-free", "lock-order-inversion"}

# Unruly program -> kinds of which one must be found when built by tailrace-cc, empty for none.
RACES = {"closes_all": {"data-race"}, "flood": {"data-race"}, "stripped": {"data-race"}}
# The same of what every build shows.
UNRULY = {
    "abort": {"abort"}, "crash": {"crash", "null-dereference"}, "daemonise": set(),
    "exit_status": set(),
    "flood_output": set(), "fork_child": set(), "hang": {"hang", "deadlock"},
    "ignores_sigterm": {"hang", "deadlock"}, "many_threads": set(), "reads_stdin": set(),
    "spin": {"hang"}}


class Program:
    """A foreign program and what its head says of it."""

    def __init__(self, path):
        self.path, self.name, self.text = path, path.stem, path.read_text()
        self.expected = []
        for kind, lines in re.findall(r"expect: ([\w-]+)(?: ([\d,]+))?", self.text):
            self.expected.append((kind, {int(line) for line in lines.split(",") if line}))
        self.racy = self.expected != [("none", set())]

    def is_right(self, finding):
        """Whether the finding is the defect: of its kind, at one of its lines."""
        lines = {place["line"] for place in finding["locations"]
                 if Path(place["file"] or "").name == self.path.name}
        return any(compatible(kind, finding["kind"]) and lines & expected
                   for kind, expected in self.expected)


def compatible(expected, found):
    return expected == found or {expected, found} <= STANDSTILLS


FOREIGN = [Program(path) for path in sorted((HERE / "foreign").glob("*.c"))]


def chosen(programs, name=lambda program: program.name):
    """The programs to test, for parametrize."""
    return [pytest.param(one, id=name(one)) for one in programs if FULL or name(one) in QUICK]


def named(name):
    return name


class Raced:
    """What `tailrace race` said and wrote."""

    def __init__(self, status, folder, out):
        self.status, self.out = status, out
        self.stdout = (folder / "stdout").read_text(errors="replace")
        self.stderr = (folder / "stderr").read_text(errors="replace")
        report = folder / "race.json"
        self.result = json.loads(report.read_text()) if report.exists() else None

    def __repr__(self):
        return (f"<status {self.status}\n{json.dumps(self.result, indent=1)[:6000]}\n"
                f"{self.stderr[-3000:]}>")

    def kinds(self):
        return {finding["kind"] for finding in self.result["findings"]}

    def refused(self):
        """True where it said in a sentence why it does not race such a program at all."""
        sentences = [line for line in self.stderr.splitlines() if line.startswith("tailrace: ")]
        return self.status in (2, 3) and len(sentences) == 1


def killed(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Lab:
    """Runs `tailrace race`, and knows every process that it has left behind."""

    def __init__(self, tailrace, folder):
        self.tailrace, self.folder = tailrace, folder
        self.marker = f"TAILRACE_TEST_MARKER={uuid.uuid4()}"
        self.out = folder / "out"

    def left_behind(self):
        """The processes with our marker in their environment, or whose program we have built."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                marked = self.marker.encode() in (process / "environ").read_bytes()
                ours = os.readlink(process / "exe").startswith(f"{self.folder}/")
            except OSError:
                continue
            if marked or ours:
                found.append(int(process.name))
        return found

    def wait(self, process, said):
        """Waits for its end, but not for ever, nor while it writes without end."""
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None:
            time.sleep(0.05)
            if time.monotonic() > deadline:
                return f"took longer than {PATIENCE_S} s"
            if max(path.stat().st_size for path in said) > 50 * SAID_BYTES_MAX:
                return "wrote without end"
        return None

    def race(self, *arguments):
        """`race --out OUT --json FILE ARGUMENTS`; fails if it leaves processes or much output."""
        command = [str(self.tailrace.program), "race", "--out", str(self.out), "--json",
                   str(self.folder / "race.json"), *map(str, arguments)]
        said = [self.folder / "stdout", self.folder / "stderr"]
        environment = self.tailrace.environment(dict([self.marker.split("=", 1)]))
        with open(said[0], "wb") as out, open(said[1], "wb") as err:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       env=environment, cwd=self.folder)
        failure = self.wait(process, said)
        if failure:
            process.kill()
            process.wait()
        left = self.settled()
        done = Raced(process.returncode, self.folder, self.out)
        assert failure is None, (command, failure, done)
        assert not left, (command, "left running", left, done)
        assert all(path.stat().st_size <= SAID_BYTES_MAX for path in said), command
        written = sum(path.stat().st_size for path in self.out.rglob("*") if path.is_file())
        assert written <= OUT_BYTES_MAX, (command, written)
        return done

    def settled(self):
        """What runs though a killed process has had time to vanish; ends it."""
        deadline = time.monotonic() + 10
        while self.left_behind() and time.monotonic() < deadline:
            time.sleep(0.05)
        left = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in self.left_behind()
                if Path(f"/proc/{pid}").exists()}
        for pid in left:
            killed(pid)
        return left


@pytest.fixture
def lab(tailrace, tmp_path):
    if tailrace("race", "--help").status != 0:
        pytest.skip("this tailrace has no command race")
    return Lab(tailrace, tmp_path)


def hold_to_form(done, runs_max=None):
    """The form of the result that scripts may rely on, and of the exit status."""
    result = done.result
    assert result is not None and result["schema"] == "tailrace/race/1", done
    assert {"program", "runs", "hung", "crashed", "findings"} <= set(result), done
    assert 1 <= result["runs"] <= (runs_max or result["runs"]), done
    assert 0 <= result["hung"] <= result["runs"] and 0 <= result["crashed"] <= result["runs"], done
    for finding in result["findings"]:
        assert {"kind", "detector", "fingerprint", "hits", "first_seed",
                "locations"} <= set(finding), done
        assert finding["hits"] >= 1 and finding["fingerprint"] and finding["detector"], done
        for place in finding["locations"]:
            assert {"file", "line", "function"} <= set(place), done
    fingerprints = [finding["fingerprint"] for finding in result["findings"]]
    assert len(fingerprints) == len(set(fingerprints)), done
    assert done.status == (1 if result["findings"] else 0), done


def test_heads_of_programs_are_in_order():
    assert sum(program.racy for program in FOREIGN) >= 14
    assert sum(not program.racy for program in FOREIGN) >= 14
    for program in FOREIGN:
        lines = program.text.splitlines()
        assert program.expected, program.name
        for kind, expected in program.expected if program.racy else []:
            assert kind in KINDS and expected, program.name
            for line in expected:
                assert re.search(r"[\w)];?|[{(]", lines[line - 1]), (program.name, line)
    names = {path.stem for path in (HERE / "unruly").glob("*.c")}
    assert names == set(UNRULY) | set(RACES)
    assert QUICK <= names | {program.name for program in FOREIGN}


@pytest.mark.parametrize("program", chosen([one for one in FOREIGN if not one.racy]))
def test_a_correct_program_says_the_same_each_time(program, tmp_path):
    binary = tmp_path / program.name
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", program.path, "-o",
                    binary, "-pthread"], check=True)
    said = {subprocess.run([binary], check=True, capture_output=True, timeout=PATIENCE_S).stdout
            for _ in range(5)}
    assert len(said) == 1 and said != {b""}


@pytest.mark.parametrize("program", chosen([one for one in FOREIGN if not one.racy]))
def test_nothing_is_found_in_a_correct_program(lab, program):
    done = lab.race("--source", program.path)
    hold_to_form(done)
    assert done.result["findings"] == [], done
    assert done.result["hung"] == done.result["crashed"] == 0, done


@pytest.mark.parametrize("program", chosen([one for one in FOREIGN if one.racy]))
def test_the_defect_of_a_racy_program_is_found(lab, program):
    done = lab.race("--source", program.path)
    hold_to_form(done)
    findings = done.result["findings"]
    assert any(program.is_right(finding) for finding in findings), done
    for finding in findings:
        assert finding["kind"] not in POINTED or program.is_right(finding), (finding, done)


def build(tailrace, name, compiler, folder):
    """The unruly program, made as its Makefile says."""
    if compiler == "tailrace-cc":
        compiler = tailrace.program.parent / "tailrace-cc"
        if not compiler.exists():
            pytest.skip("tailrace-cc is not built")
    subprocess.run(["make", "-s", "-C", HERE / "unruly", f"CC={compiler}", f"OUT={folder}", name],
                   check=True, capture_output=True, timeout=PATIENCE_S)
    return folder / name


@pytest.mark.parametrize("compiler", ["gcc", "tailrace-cc"])
@pytest.mark.parametrize("name", chosen(sorted({**UNRULY, **RACES}), named))
def test_an_unruly_program_has_a_clear_outcome(lab, tmp_path, name, compiler):
    binary = build(lab.tailrace, name, compiler, tmp_path)
    done = lab.race("--runs", "4", "--", binary)
    if compiler == "gcc" and done.refused():
        return
    hold_to_form(done, runs_max=4)
    if name in RACES:
        found = done.kinds()
        assert found == RACES[name] or (compiler == "gcc" and not found), done
    elif not UNRULY[name]:
        assert done.result["findings"] == [], done
        assert done.result["hung"] == done.result["crashed"] == 0, done
    else:
        assert done.kinds() and done.kinds() <= UNRULY[name], done
        assert "hang" not in UNRULY[name] or done.result["hung"] >= 1, done
        assert name != "crash" or done.result["crashed"] >= 1, done


@pytest.mark.parametrize("what, arguments, words", [
    ("no program", ["--"], "program"),
    ("a program that is not there", ["--", "/nowhere/program"], "/nowhere/program"),
    ("a program that is a folder", ["--", "/"], "/"),
    ("a source that is not there", ["--source", "/nowhere/x.c"], "/nowhere/x.c"),
    ("no runs", ["--runs", "0", "--", "/bin/true"], "--runs")], ids=lambda value: str(value)[:30])
def test_a_mistake_is_told_in_one_sentence(lab, what, arguments, words):
    done = lab.race(*arguments)
    assert done.refused() and done.status == 2, (what, done)
    assert words in done.stderr, (what, done)


def test_a_source_that_does_not_compile_is_no_finding(lab, tmp_path):
    source = tmp_path / "broken.c"
    source.write_text("int main(void) { return nothing_of_the_kind; }\n")
    done = lab.race("--source", source)
    assert done.refused() and done.status == 2, done
    assert "broken.c" in done.stderr, done
