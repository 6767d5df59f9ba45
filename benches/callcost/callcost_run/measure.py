# SPDX-License-Identifier: MIT
"""Finds the programs and runs them in rounds."""

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

PATIENCE_S = 900
# What a strategy is held against; the others against malloc. References: against GLib's.
LIBRARIES = {"arena-apr": "apr", "arena-talloc": "talloc", "arena-obstack": "obstack",
             "arena-mimalloc": "mimalloc", "arena-jemalloc": "jemalloc", "refcount-glib": "glib",
             "boehm": "boehm", "boehm-incremental": "boehm"}
COUNTS = "glib"
LOOP = "loop"


class Missing(Exception):
    """Something that has to be there is not: a sentence."""


@dataclass(frozen=True)
class Cell:
    """A strategy, or (bare) a library, on a heap."""

    name: str
    heap: str
    bare: bool = False

    @property
    def label(self):
        """What it is called: arena/glibc, bare malloc/glibc."""
        return f"{'bare ' if self.bare else ''}{self.name}/{self.heap}"

    @property
    def program(self):
        """The name of its program."""
        return f"callcost-{'bare-' if self.bare else ''}{self.name}"


def bare_name(strategy, counts=False):
    """The library that a strategy is held against, with its objects or its counts."""
    return COUNTS if counts else LIBRARIES.get(strategy, "malloc")


def bare_names(strategy):
    """All of them."""
    return [bare_name(strategy["name"], counts)
            for counts in (False, True)[:1 + ("shared" in strategy["provides"])]]


class Plan:
    """What is to be run: `cells` are all that were asked for, `programs` those that can be."""

    def __init__(self, build, only):
        self.build = build
        self.strategies = {one["name"]: one for one in self.listed("strategies")}
        self.heaps = {one["name"]: one for one in self.listed("heaps")}
        self.cells = [Cell(name, heap) for name, one in self.strategies.items()
                      for heap in (self.heaps if one["any_heap"] else ["glibc"])]
        if only:
            self.cells = [cell for cell in self.cells
                          if any(fnmatchcase(cell.label, glob) or fnmatchcase(cell.name, glob)
                                 for glob in only)]
        self.reasons = {cell: self.reason(cell) for cell in self.cells}
        self.programs = [cell for cell in self.cells if not self.reasons[cell]]
        bare = {Cell(name, cell.heap, True): None for cell in self.programs
                for name in bare_names(self.strategies[cell.name])}
        if self.programs:
            bare[Cell(LOOP, "glibc", True)] = None
        self.reasons |= {cell: self.reason(cell) for cell in bare}
        self.cells += bare if self.cells else []
        self.programs += [cell for cell in bare if not self.reasons[cell]]

    def listed(self, kind):
        """What `tailrace list KIND --json` lists."""
        program = self.build / "tailrace"
        try:
            done = subprocess.run([program, "list", kind, "--json"], capture_output=True,
                                  stdin=subprocess.DEVNULL, check=True)
        except (OSError, subprocess.CalledProcessError):
            raise Missing(f"{program} cannot be run: build it (`cmake --preset release && "
                          "cmake --build --preset release`)") from None
        return json.loads(done.stdout)

    def reason(self, cell):
        """Why the cell cannot be measured, or None."""
        heap = self.heaps[cell.heap]
        if not heap["installed"]:
            return f"{heap['name']} is not installed (Debian package {heap['package']})"
        if not os.access(self.build / cell.program, os.X_OK):
            return f"{cell.program} is not built"
        return None


@dataclass
class Measured:
    """What came out: (cell, way) -> {round: line of the program}; programs' own lines."""

    rounds: int = 0
    interrupted: bool = False
    lines: dict = field(default_factory=dict)
    about: dict = field(default_factory=dict)

    def add(self, round_number, cell, line):
        """Keep one line of results."""
        way = (line["mode"], line["size"], line["batch"])
        self.lines.setdefault((cell, way), {})[round_number] = line


def run_program(plan, cell, time_us):
    """The lines that a program prints. Its process group is killed where it is not waited for."""
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    library = plan.heaps[cell.heap]["library"]
    if library:
        environment["LD_PRELOAD"] = library
    arguments = [str(plan.build / cell.program), "--time-us", str(time_us)]
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=environment, text=True,
                               start_new_session=True)
    try:
        out, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode != 0:
        raise ValueError(f"{cell.program} ended with status {process.returncode}")
    about, *lines = [json.loads(line) for line in out.splitlines()]
    if library and about["heap_library"] != str(Path(library).resolve()):
        raise ValueError(f"malloc is served by {about['heap_library']}, not by {library}")
    return about, lines


def tell(text, last):
    """Progress: on a terminal in one line, else a line a round."""
    if sys.stderr.isatty():
        print(f"\r\033[Kcallcost: {text}", end="\n" if last else "", file=sys.stderr, flush=True)
    elif last:
        print(f"callcost: {text}", file=sys.stderr, flush=True)


def measure(plan, options):
    """Everything once in each round, in an order drawn from the seed; Ctrl-C ends it."""
    measured = Measured()
    try:
        for number in range(options.rounds):
            order = list(plan.programs)
            random.Random(f"{options.seed}/{number}").shuffle(order)
            for place, cell in enumerate(order, 1):
                tell(f"round {number + 1} of {options.rounds}, {place} of {len(order)}: "
                     f"{cell.label}", place == len(order))
                if plan.reasons[cell]:
                    continue
                try:
                    measured.about[cell], lines = run_program(plan, cell, options.time_us)
                except (OSError, ValueError, subprocess.TimeoutExpired) as error:
                    plan.reasons[cell] = str(error)
                    continue
                measured.rounds = number + 1
                for line in lines:
                    measured.add(number, cell, line)
    except KeyboardInterrupt:
        measured.interrupted = True
        print("\ncallcost: interrupted: what was measured is written", file=sys.stderr)
    return measured
