# SPDX-License-Identifier: MIT
"""What the race matrix calls things on its page: detectors, classes, verdicts and their symbols.

The symbols are in DejaVu Sans, which Debian installs with its desktops and chromium falls back to.
"""

from dataclasses import dataclass

DETECTORS = {
    "native": "no tool", "tsan": "TSan", "asan": "ASan", "msan": "MSan", "ubsan": "UBSan",
    "helgrind": "Helgrind", "drd": "DRD", "memcheck": "Memcheck", "fanalyzer": "gcc -fanalyzer",
    "thread-safety": "-Wthread-safety", "analyzer": "clang --analyze", "rustc": "Rust"}
LETTERS = {
    "T": "TSan", "A": "ASan", "M": "MSan", "U": "UBSan", "H": "Helgrind", "D": "DRD",
    "m": "Memcheck", "F": "gcc -fanalyzer", "W": "-Wthread-safety", "S": "clang --analyze",
    "O": "its own check", "X": "a hang"}
CLASSES = {
    "data_race": "Data races", "lifetime": "Lifetimes", "iterator": "Iterator invalidation",
    "bad_free": "Double and bad free", "bounds": "Bounds, null, initialisation, overflow",
    "rust_accepts": "Locks, progress, leaks", "misuse": "Misuse of thread functions"}
MODES = {
    "plain": "as the allocator is", "poison": "the allocator poisons what it takes back",
    "passthrough": "each object its own malloc"}


@dataclass(frozen=True)
class Verdict:
    """How a verdict looks (its symbol, the name of its colour) and what it means."""

    symbol: str
    look: str
    meaning: str


VERDICTS = {
    "detected": Verdict("●", "detected", "reported on the marked lines; the share of runs that did "
                        "so stands below where it is not all of them"),
    "misplaced": Verdict("◐", "misplaced", "reported, but never on the marked lines"),
    "crash-only": Verdict("✕", "itself", "no report: the program crashed"),
    "hang-only": Verdict("∞", "itself", "no report: the program hung"),
    "oracle-only": Verdict("○", "itself", "no report: the program's own check failed"),
    "silent": Verdict("·", "silent", "nothing was seen"),
    "masked": Verdict("⊘", "masked", "the bare program aborts; under the tool it passes"),
    "unsupported": Verdict("–", "unsupported", "cannot be run so"),
    "not run": Verdict("–", "unsupported", "the detector was not run here"),
    "missing": Verdict("", "missing", "not recorded")}
RUST = {
    "rejects": Verdict("●", "detected", "the compiler rejects it, with this error"),
    "panics": Verdict("✕", "itself", "it compiles and panics when run"),
    "accepts": Verdict("·", "silent", "it compiles and shows the fault when run"),
    "cannot say": Verdict("–", "unsupported", "safe Rust has no way to write it"),
    "": Verdict("", "missing", "not recorded")}
FALSE_POSITIVE, UNMET = "▲", "!"
