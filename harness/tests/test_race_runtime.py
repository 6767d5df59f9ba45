# SPDX-License-Identifier: MIT
"""The run-time in programs under test and the compiler driver: reports, schedules, standstills.

Environment: TAILRACE_CC, the driver (default: beside the program), its archive beside it.
"""
import collections
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import PATIENCE_S, PROGRAM, REPOSITORY

SOURCES = Path(__file__).parent / "race"
DRIVER = Path(os.environ.get("TAILRACE_CC") or PROGRAM.parent / "tailrace-cc").resolve()
KINDS = {"delay": 1, "walk": 2, "pct2": 3, "pct3": 4, "pct4": 5}
SEEDS = 30 if os.environ.get("TAILRACE_RACE_FULL") else 2  # of each kind for each program
LENGTH = 50  # 2^(50/8) steps
HAS_CLANG = any(shutil.which(name) for name in ("clang-19", "clang"))

pytestmark = [pytest.mark.skipif(not DRIVER.exists(), reason=f"{DRIVER} is not built here"),
              pytest.mark.skipif(not HAS_CLANG, reason="clang is not installed")]

# Whose every run takes about a second, or that open many processes: fewer seeds.
SLOW = {"computes": 4, "forks": 10, "many": 10}
# Whose course depends on more than the schedule: time, other processes, signals.
UNREPEATABLE = {"pipes", "forks", "signals", "interrupted", "computes", "timeouts", "monotonic"}
LOCKS = ["mutex", "recursive", "errorcheck", "timeouts", "cond", "rwlocks", "semaphores",
         "barriers", "spins", "onces", "nested", "monotonic"]
THREADS = ["many", "detached", "cancels", "pool", "pipes", "forks", "signals", "exits", "returns",
           "spin_wait", "computes", "destructors", "interrupted"]
CORRECT = [*(("locks", name) for name in LOCKS), *(("threads", name) for name in THREADS)]


def seed(kind, number, length=LENGTH):
    """The seed of a schedule, as seed.h makes it."""
    return 0 if kind == "plain" else number << 11 | length << 3 | KINDS[kind]


def drive(*arguments, env=None, cwd=None, name=DRIVER):
    return subprocess.run([str(name), *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False, cwd=cwd,
                          env={**os.environ, **(env or {})})


class Run:
    """One run of a program: its status, what it said, and the lines of its log."""

    def __init__(self, program, argument, number, folder):
        for log in folder.glob("log.*"):
            log.unlink()
        env = {**os.environ, "TAILRACE_RACE_SEED": str(number),
               "TAILRACE_RACE_LOG": str(folder / "log"), "TSAN_OPTIONS": "atexit_sleep_ms=20"}
        self.seed, self.hung = number, False
        try:
            done = subprocess.run([program, argument], env=env, capture_output=True, text=True,
                                  timeout=3 if "stuck" in str(program) else PATIENCE_S,
                                  check=False)
            self.status, self.stderr = done.returncode, done.stderr
        except subprocess.TimeoutExpired:
            self.status, self.stderr, self.hung = None, "", True
        self.pids = sorted(folder.glob("log.*"))
        lines = [json.loads(line) for log in self.pids for line in log.read_text().splitlines()]
        self.reports = [line for line in lines if "kind" in line]
        self.ends = [line for line in lines if "event" in line]

    def __repr__(self):
        return f"<seed {self.seed}: status {self.status} {self.reports} {self.ends} {self.stderr}>"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The programs, at -O2."""
    folder = tmp_path_factory.mktemp("race")
    for name in ("locks", "threads", "stuck", "race"):
        done = drive("-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror",
                     SOURCES / f"schedule_{name}.c", "-o", folder / name)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    return folder


def line_of(name, mark):
    """The number of the line with the comment."""
    lines = (SOURCES / f"schedule_{name}.c").read_text().splitlines()
    return next(i for i, line in enumerate(lines, 1) if f"/* {mark} */" in line)


def tops(report, role):
    """(file, line) of the innermost frame with a line, of each stack whose role begins so."""
    found = []
    for stack in report["stacks"]:
        if re.match(role, stack["role"]):
            frame = next(frame for frame in stack["frames"] if frame["line"])
            found.append((Path(frame["file"]).name, frame["line"]))
    return found


ACCESS = "read of|write of|atomic "


@pytest.mark.parametrize("kind", ["plain", *KINDS])
def test_report_names_both_lines(built, tmp_path, kind):
    run = Run(built / "race", "plain", seed(kind, 5), tmp_path)
    assert run.status == 66, run
    [report] = run.reports
    assert report["kind"] == "data-race" and "data race" in report["message"]
    file = "schedule_race.c"
    assert sorted(tops(report, ACCESS)) == sorted(
        [(file, line_of("race", "RACE thread")), (file, line_of("race", "RACE main"))])
    assert {stack["role"].rsplit(" ", 1)[0] for stack in report["stacks"][:2]} == {
        "write of 4 bytes by thread"}
    own = [frame["function"] for stack in report["stacks"] for frame in stack["frames"]
           if re.match("__wrap_|tailrace_", frame["function"])]
    assert own == []
    [end] = run.ends
    assert (end["points"] > 0) == (kind != "plain")


def test_report_tells_of_inlining_block_and_thread(built, tmp_path):
    run = Run(built / "race", "heap", seed("walk", 3), tmp_path)
    [report] = run.reports
    file = "schedule_race.c"
    inlined = next(stack for stack in report["stacks"] if stack["role"].startswith("write of"))
    assert [frame["function"] for frame in inlined["frames"][:2]] == ["store_inlined",
                                                                      "write_inlined"]
    assert tops(report, "write of") == [(file, line_of("race", "RACE inlined"))]
    assert tops(report, "allocated by") == [(file, line_of("race", "ALLOCATED"))]
    assert len(tops(report, "thread T1 created by")) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("program,name", CORRECT)
def test_correct_program_stays_correct(built, tmp_path, program, name, kind):
    for number in range(1, SLOW.get(name, SEEDS) + 1):
        run = Run(built / program, name, seed(kind, number * 7919, 30 + number), tmp_path)
        assert run.status == 0 and run.reports == [], run
        assert len(run.ends) >= 1, run


@pytest.mark.parametrize("kind", ["walk", "pct2", "pct4"])
@pytest.mark.parametrize("program,name", [both for both in CORRECT if both[1] not in UNREPEATABLE])
def test_seed_replays(built, tmp_path, program, name, kind):
    runs = 20 if name in ("cond", "pool") else 4
    seen = collections.Counter()
    for _ in range(runs):
        run = Run(built / program, name, seed(kind, 17), tmp_path)
        [end] = run.ends
        # A thread that a busy machine holds up for long is let go; then nothing is promised.
        if not end["unserialised"]:
            seen[end["trace"], end["points"], end["sync_points"], end["threads"]] += 1
    assert len(seen) == 1, seen


@pytest.mark.parametrize("kind", ["walk", "pct2"])
def test_seeds_differ(built, tmp_path, kind):
    traces = {Run(built / "locks", "cond", seed(kind, number), tmp_path).ends[0]["trace"]
              for number in range(1, 41)}
    assert len(traces) > 5


@pytest.mark.parametrize("name,marks", [
    ("abba", ["LOCK ab", "LOCK ba"]), ("relock", ["LOCK relock"]), ("missed", ["LOCK missed"]),
    ("sem", ["LOCK join", "LOCK sem"]), ("barrier", ["LOCK barrier"]),
    ("upgrade", ["LOCK upgrade"])])
def test_standstill_is_told(built, tmp_path, name, marks):
    lines = sorted(("schedule_stuck.c", line_of("stuck", mark)) for mark in marks)
    for number in range(1, 201):
        kind = ("walk", "pct2", "pct3")[number % 3]
        run = Run(built / "stuck", name, seed(kind, number, 28), tmp_path)
        assert not run.hung, run
        dead = [report for report in run.reports if report["kind"] == "deadlock"]
        assert (run.status == 43) == bool(dead), run
        if dead:
            assert sorted(tops(dead[0], "thread T. waits for ")) == lines
            return
    pytest.fail("none of 200 seeds came to the standstill")


def test_rare_race_is_found(built, tmp_path):
    def hits(kind, runs):
        return sum(bool(Run(built / "race", "rare", seed(kind, number), tmp_path).reports)
                   for number in range(1, runs + 1))
    assert max(hits("walk", 40), hits("pct2", 40)) >= 10  # 40 to 50 % expected
    assert hits("plain", 40) <= 4


def test_free_is_a_point(built, tmp_path):
    hits = sum(bool(Run(built / "race", "gone", seed("pct3", number), tmp_path).reports)
               for number in range(1, 61))
    assert hits >= 4  # 8 expected; seeds replay


def test_a_log_for_each_process(built, tmp_path):
    run = Run(built / "threads", "forks", seed("walk", 1), tmp_path)
    assert len(run.pids) == 3 and len(run.ends) == 3, run  # two children exit; two exec sh


def test_at_most_64_reports(tmp_path):
    source = tmp_path / "many.c"
    source.write_text("#include <pthread.h>\nlong x[100];\nvoid *f(void *p) {\n" + "".join(
        f"x[{i}]++;\n" for i in range(100)) + "return p; }\nint main(void) { pthread_t t;\n"
        "pthread_create(&t, 0, f, 0); f(0); pthread_join(t, 0); return 0; }\n")
    assert drive(source, "-o", tmp_path / "many").returncode == 0
    run = Run(tmp_path / "many", "", 0, tmp_path)
    assert len(run.reports) == 64


# The driver.

def test_driver_passes_through():
    clang = drive("--version")
    assert clang.returncode == 0 and "clang" in clang.stdout
    assert drive("-print-prog-name=ld").returncode == 0
    assert drive("-v").returncode == 0
    assert drive("-dumpmachine").stdout.strip()
    assert drive("nothing.c").returncode != 0


def test_driver_compiles_and_links_apart(tmp_path):
    (tmp_path / "a.c").write_text("int b(void); int main(void) { return b(); }\n")
    (tmp_path / "b.c").write_text("int b(void) { return 7; }\n")
    for arguments in (["-c", "a.c"], ["-c", "b.c", "-o", "b.o"], ["-E", "a.c"],
                      ["-S", "a.c", "-o", "a.s"], ["a.o", "b.o", "-o", "ab"],
                      ["-x", "c", "a.c", "b.c", "-o", "both"],
                      ["-shared", "-fPIC", "b.c", "-o", "libb.so"],
                      ["a.o", "-L.", "-lb", "-Wl,-rpath,.", "-o", "with_library"]):
        done = drive("-Werror", *arguments, cwd=tmp_path)
        assert done.returncode == 0, (arguments, done.stderr)
    for program in ("ab", "both", "with_library"):
        assert subprocess.run([tmp_path / program], cwd=tmp_path, check=False).returncode == 7
    symbols = subprocess.run(["nm", "-D", tmp_path / "libb.so"], capture_output=True, text=True,
                             check=True).stdout
    assert "tailrace" not in symbols


@pytest.mark.parametrize("sanitizer", ["address", "undefined"])
def test_driver_leaves_other_sanitizers(tmp_path, sanitizer):
    """Their programs are scheduled too, and standstills told."""
    for name in ("locks", "threads", "stuck"):
        done = drive(f"-fsanitize={sanitizer}", "-D_GNU_SOURCE", SOURCES / f"schedule_{name}.c",
                     "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
    for program, name in CORRECT:
        if name in ("exits", "returns") and sanitizer == "address":
            continue  # leaves threads' memory behind, which LeakSanitizer may tell
        for kind in ("walk", "pct3"):
            run = Run(tmp_path / program, name, seed(kind, 99), tmp_path)
            assert run.status == 0 and run.reports == [], run
    run = Run(tmp_path / "stuck", "relock", seed("walk", 1), tmp_path)
    assert run.status == 43 and run.reports[0]["kind"] == "deadlock", run


def test_driver_without_clang():
    done = drive("x.c", env={"PATH": "/nonexistent"})
    assert done.returncode == 3 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "clang" in done.stderr
    assert drive("x.c", env={"TAILRACE_CLANG": "/nonexistent/clang"}).returncode == 3


def test_driver_without_archive(tmp_path):
    shutil.copy(DRIVER, tmp_path / "tailrace-cc")
    (tmp_path / "a.c").write_text("int main(void) { return 0; }\n")
    done = drive(tmp_path / "a.c", "-o", tmp_path / "a", name=tmp_path / "tailrace-cc")
    assert done.returncode == 3 and "libtailrace-race.a" in done.stderr


def test_wrapped_list_and_archive_agree():
    symbols = subprocess.run(["nm", "-g", DRIVER.parent / "libtailrace-race.a"],
                             capture_output=True, text=True, check=True).stdout
    defined = set(re.findall(r" T __wrap_(\w+)", symbols))
    shown = drive("-###", "x.c", "-o", "x", cwd=SOURCES)
    listed = set(re.findall(r"WRAPPED\((\w+)\)", (
        REPOSITORY / "harness/race/runtime/wrapped.def").read_text()))
    atomics = {name for name in defined if name.startswith("__tsan_atomic")}
    assert {name for name in listed if "#" not in name} - {"__tsan_atomic"} <= defined
    assert defined - listed == atomics - {"__tsan_atomic_thread_fence"}
    assert len(atomics) == 5 * 12 + 1 and shown.returncode in (0, 1)


def test_run_time_calls_nothing_that_tools_see():
    """What the archive needs of the C library: nothing on its schedule path is intercepted."""
    symbols = subprocess.run(["nm", "-u", DRIVER.parent / "libtailrace-race.a"],
                             capture_output=True, text=True, check=True).stdout
    needed = set(re.findall(r" [Uw] (\w+)", symbols))
    needed = {name for name in needed
              if not re.match("__wrap_|__real_|tailrace_|line_|text_|__tsan_|__sanitizer_", name)}
    assert needed <= {"_GLOBAL_OFFSET_TABLE_", "_Unwind_Backtrace", "_Unwind_GetIP",
                      "__errno_location", "__executable_start", "etext", "atexit", "getenv",
                      "dl_iterate_phdr", "dladdr", "pthread_atfork", "pthread_attr_getdetachstate",
                      "pthread_key_create", "pthread_self", "pthread_setspecific",
                      "pthread_testcancel", "time"}


def test_wrappers_of_accesses_leave_by_a_jump():
    """A call would put the wrapper's line into reports in the place of the program's."""
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-r",
                           DRIVER.parent / "libtailrace-race.a"], capture_output=True, text=True,
                          check=True).stdout
    bodies = re.findall(r"<__wrap_(\w+)>:\n(.*?)(?=\n\n|\Z)", code, re.S)
    stay = {"pthread_create", "pthread_cond_wait", "pthread_cond_timedwait",
            "pthread_cond_clockwait", "pthread_barrier_wait", "pthread_once", "pthread_exit",
            "_exit", "_Exit", "pthread_yield"}
    assert len(bodies) > 100
    for name, body in bodies:
        if name not in stay:
            assert re.search(rf"\bjmp .*\n.*__real_{name}\b", body), name
