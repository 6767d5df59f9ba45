# SPDX-License-Identifier: MIT
"""Hands tests the program, built beforehand, and the keys that reports/README.md promises.

Environment: TAILRACE, the program (default <repository>/build/tailrace); TAILRACE_SANITIZER, not
empty where it was built with a sanitizer.
"""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("TAILRACE") or REPOSITORY / "build" / "tailrace").resolve()
SANITIZER = os.environ.get("TAILRACE_SANITIZER", "")
# How long anything may take before a test gives up on it: far more than it ever should.
PATIENCE_S = 600 if SANITIZER else 120


def state(pid):
    """The process's letter in ps: R, S, T (stopped), Z (zombie) …; X where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def is_alive(pid):
    """True while the process runs; a zombie does not."""
    return state(pid) not in "ZX"


def wait_for(condition, what):
    """The first true value of `condition`, asked every 2 ms; fails when patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.002)
    pytest.fail(f"waited {PATIENCE_S} s in vain for {what}")


class Finished:
    """A command that has ended: its exit status and what it said."""

    def __init__(self, arguments, status, stdout, stderr):
        self.arguments, self.status = arguments, status
        self.stdout, self.stderr = stdout, stderr

    def __repr__(self):
        return f"<{self.arguments}: status {self.status}\n{self.stdout[-2000:]}\n{self.stderr}>"

    def sentences(self):
        """The lines on standard error in which the program tells what was wrong."""
        return [line for line in self.stderr.splitlines() if line.startswith("tailrace: ")]

    def only_sentence(self, status):
        """Holds the command to one sentence on standard error, and returns it."""
        assert self.status == status, self
        assert self.stdout == "", self
        assert len(self.stderr.splitlines()) == 1, self
        assert re.match(r"tailrace: \S", self.stderr), self
        return self.stderr.rstrip("\n")


class Running:
    """A command under way; its standard error goes to a file, so that it can be read meanwhile."""

    def __init__(self, arguments, folder, environment):
        self.arguments = arguments
        self.said = [folder / f"running-{time.monotonic_ns()}.{name}" for name in ("out", "err")]
        with open(self.said[0], "w") as out, open(self.said[1], "w") as err:
            self.process = subprocess.Popen(arguments, stdout=out, stderr=err, env=environment)

    def stderr(self):
        """What it has said on standard error so far."""
        return self.said[1].read_text()

    def workers(self):
        """The process ids of its workers."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                begin, end = stat.read_text().rsplit(")", 1)
            except (FileNotFoundError, ProcessLookupError):
                continue
            parent = int(end.split()[1])
            if parent == self.process.pid and "(tailrace-" in begin:
                found.append(int(stat.parent.name))
        return found

    def worker(self):
        """Waits for a worker; its process id."""
        return wait_for(self.workers, f"a worker of {self.arguments}")[0]

    def recording_worker(self):
        """Waits until a worker has computed for 0.2 s: with --warmup 0 it is recording."""
        pid = self.worker()

        def ticks(stat):
            try:
                return int(stat.read_text().rsplit(")", 1)[1].split()[11])
            except (FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
                return 0

        def busy():
            threads = Path(f"/proc/{pid}/task").glob("*/stat")
            worked = max((ticks(stat) for stat in threads if stat.parent.name != str(pid)),
                         default=0)
            return pid if worked >= 0.2 * os.sysconf("SC_CLK_TCK") else None
        return wait_for(busy, f"{self.arguments} to record")

    def kill_worker(self):
        """Kills a worker by signal 9; stops it first, as one that has ended cannot be killed."""
        while True:
            pid = self.worker()
            os.kill(pid, signal.SIGSTOP)
            if wait_for(lambda: state(pid) if state(pid) in "TZX" else None, "a stop") == "T":
                os.kill(pid, signal.SIGKILL)
                return

    def wait(self):
        """Waits for its end."""
        status = self.process.wait(PATIENCE_S)
        return Finished(self.arguments, status, *(path.read_text() for path in self.said))

    def interrupt(self):
        """Ctrl-C, as far as the program itself is concerned; waits for its end."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()


class Tailrace:
    """The program under test."""

    program, sanitizer, repository = PROGRAM, SANITIZER, REPOSITORY
    is_alive, wait_for = staticmethod(is_alive), staticmethod(wait_for)

    def __init__(self, folder):
        self.folder = folder
        self.started = []

    @staticmethod
    def environment(changes):
        """The environment, without what would change results; None takes a variable out."""
        kept = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
        kept.update(changes or {})
        return {key: value for key, value in kept.items() if value is not None}

    def __call__(self, *arguments, env=None, stdout=subprocess.PIPE):
        arguments = [str(PROGRAM), *map(str, arguments)]
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=stdout, text=True,
                              stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False,
                              env=self.environment(env))
        return Finished(arguments, done.returncode, done.stdout or "", done.stderr)

    def start(self, *arguments):
        """Starts a command without waiting for it; it is ended with the test at the latest."""
        running = Running([str(PROGRAM), *map(str, arguments)], self.folder,
                          self.environment(None))
        self.started.append(running)
        return running

    def result(self, *arguments, status=0, env=None):
        """The result of `run ARGUMENTS`."""
        done = self("run", *arguments, "--json", "-", env=env)
        assert done.status == status, done
        return json.loads(done.stdout)

    def listed(self, kind):
        """What `list KIND --json` lists."""
        done = self("list", kind, "--json")
        assert done.status == 0, done
        return json.loads(done.stdout)


@pytest.fixture
def tailrace(tmp_path):
    """The program; what a test leaves running is killed, and with it its workers."""
    program = Tailrace(tmp_path)
    yield program
    for running in program.started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """The program for fixtures that live longer than a test."""
    return Tailrace(tmp_path_factory.mktemp("program"))


@pytest.fixture
def unsanitized():
    """Skips where malloc is the sanitizer's, so that heaps and budgets mean nothing."""
    if SANITIZER:
        pytest.skip(f"a {SANITIZER} build has a heap of its own, and no budgets")


@pytest.fixture
def small_disk(tmp_path):
    """Makes a file system of so many bytes; its folder."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount the small tmpfs that is to be full")
    folder = tmp_path / "disk"
    folder.mkdir()

    def make(size_bytes):
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs",
                                  folder], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
        return folder
    yield make
    if folder.is_mount():
        subprocess.run(["umount", folder], check=True)


def pytest_generate_tests(metafunc):
    """Runs tests that take a `listed_strategy`, `listed_heap` or `listed_scenario` with each."""
    kinds = {"listed_strategy": "strategies", "listed_heap": "heaps",
             "listed_scenario": "scenarios"}
    for argument, kind in kinds.items():
        if argument in metafunc.fixturenames:
            names = [one["name"] for one in Tailrace(None).listed(kind)]
            metafunc.parametrize(argument, names)


def backticked(text):
    """The words in backticks, those of a list such as `p50 p90` singly."""
    return {word for words in re.findall(r"`([^`]+)`", text) for word in words.split()}


def read_promised():
    """What reports/README.md says there is: name of an object -> its keys."""
    text = (REPOSITORY / "reports" / "README.md").read_text()
    sets, runs = text.split("## One run", 1)
    runs = runs.split("\n## ", 1)[0]
    rows = [row.split("|")[1:3] for row in runs.splitlines() if row.startswith("| `")]
    promised = {"run": set().union(*(backticked(name) for name, _ in rows))}
    for name, content in rows:
        if "`response_ns`" in name:
            promised["quantiles"] = backticked(content)
        elif name.strip() in ("`intervals`", "`phases`", "`heap_library`"):
            promised[name.strip(" `")] = backticked(content)
    promised["manifest"] = backticked(re.search(r"\| `manifest.json` \|(.*)\|", sets)[1])
    promised["manifest"] |= set(re.findall(r"^`manifest\.(\w+)`", sets, re.M))
    paragraph = re.split(r"^`(?=manifest\.|context`)", sets, flags=re.M)[1:]
    for entry in paragraph:
        name, content = entry.split("`", 1)
        promised[name] = backticked(content.split("\n\n")[0])
    promised["manifest.calibration[]"] -= {"load"}
    return promised


@pytest.fixture(scope="session")
def promised():
    """The keys that reports/README.md promises: name of an object -> set of keys."""
    return read_promised()
