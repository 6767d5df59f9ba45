# SPDX-License-Identifier: MIT
"""Builds a seeded race matrix that looks like a real one: some 60 cases × 17 columns.

It holds what its page must cope with: cases in several modes, partial detection, rare races that
schedules find, a masked abort, false positives, an expectation that is not met, a detector that is
not here. Run as `python3 reports/tests/synthetic_race.py DIR` to get one to look at.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np

SCHEDULES = ("plain", "delay", "walk", "pct2", "pct3", "pct4")
DETECTORS = {  # name: (letter, what, version)
    "native": ("", "no tool: its own check, a crash or a hang", "gcc 12.2.0"),
    "tsan": ("T", "ThreadSanitizer of clang, under schedules", "clang 19.1.7"),
    "asan": ("A", "AddressSanitizer and LeakSanitizer of clang", "clang 19.1.7"),
    "msan": ("M", "MemorySanitizer of clang", "clang 19.1.7"),
    "ubsan": ("U", "UndefinedBehaviorSanitizer of clang", "clang 19.1.7"),
    "helgrind": ("H", "Valgrind's data race detector", "valgrind-3.19.0"),
    "drd": ("D", "Valgrind's other data race detector", "valgrind-3.19.0"),
    "memcheck": ("m", "Valgrind's memory error detector", "valgrind-3.19.0"),
    "fanalyzer": ("F", "gcc -fanalyzer", "gcc 12.2.0"),
    "thread-safety": ("W", "clang -Wthread-safety", "clang 19.1.7"),
    "analyzer": ("S", "clang's static analyzer", None),
    "rustc": ("", "the Rust compiler, on the case's twin in Rust", "rustc 1.63.0")}
SLOWDOWN = {"native": 1, "tsan": 8.1, "asan": 4.2, "msan": 3, "ubsan": 1.4, "helgrind": 29,
            "drd": 28, "memcheck": 19}
# class: what Rust says, then case letters each; ~ rare under the system's schedule, + in modes
CASES = {
    ("data_race", "rejects E0499"): (
        "counter_rmw THDW,wrong_lock THDW,memcpy_vs_reader ~THDW,bitfield_neighbour THD,"
        "mutex_copied THD,refcount_plain THD"),
    ("data_race", "rejects E0277"): (
        "publish_plain_flag ~THD,publish_relaxed ~THD,volatile_as_sync THD,tls_pointer_shared ~T,"
        "seqlock_plain_payload ~THD,double_checked_init ~THD,sem_init_2 ~TD"),
    ("data_race", "rejects E0373"): "missing_join THD,arena_bump_race +THD",
    ("data_race", "rejects E0594"): "write_under_rdlock THD",
    ("data_race", "needs-unsafe"): "atomic_plain_mix ~T,refcount_relaxed_drop ~T",
    ("lifetime", "rejects E0515"): "stack_escape TAH,use_after_return AF",
    ("lifetime", "rejects E0597"): "loop_var_address TAH,pool_slot_uaf +A",
    ("lifetime", "rejects E0382"): "uaf_unsync ~TAm,uaf_ordered TAm,refcount_missing_retain TAm",
    ("lifetime", "rejects E0505"): (
        "arena_reset_while_shared +THD,arena_stale_ordered +A,gc_root_missed +TAm"),
    ("iterator", "rejects E0502"): "realloc_during_iteration TAHDm",
    ("iterator", "rejects E0499"): "erase_while_iterating TAm",
    ("bad_free", "rejects E0382"): "double_free_unsync ~Am,double_free_ordered AmF",
    ("bad_free", "needs-unsafe"): "bad_free_interior Am",
    ("bounds", "panics index out of bounds"): (
        "heap_overflow_neighbour TAHDm,arena_overflow_intra +A"),
    ("bounds", "panics attempt to add with overflow"): "signed_overflow U",
    ("bounds", "rejects E0381"): "uninit_read Mm",
    ("bounds", "panics on a None value"): "null_deref_toctou ~TAUm",
    ("rust_accepts", "accepts"): (
        "lock_order_inversion TH,deadlock_abba X,self_relock DWX,missed_signal X,"
        "cond_if_not_while O,barrier_count X,atomicity_violation_locked O,lost_update_atomics O,"
        "treiber_aba O,heap_leak AmF,refcount_cycle_leak Am,thread_leak T,"
        "work_stealing_lost_task O,rwlock_writer_starved X,torn_config_reload O,"
        "check_then_act_map O,event_lost_between_polls X,quota_double_spend O"),
    ("misuse", "needs-unsafe"): "unlock_not_owned THDW,destroy_locked THD,signal_unsafe F",
    ("misuse", "rejects E0277"): "errno_in_signal T"}
FALSE = {("publish_relaxed", "helgrind"), ("publish_relaxed", "drd"), ("sem_init_2", "helgrind"),
         ("seqlock_plain_payload", "helgrind"), ("refcount_relaxed_drop", "drd"),
         ("signal_unsafe", "fanalyzer"), ("stack_escape", "fanalyzer")}
UNMET = {("bitfield_neighbour", "drd"), ("refcount_cycle_leak", "memcheck")}
SAMPLE = """WARNING: ThreadSanitizer: data race (pid=4711)
  Write of size 8 at 0x7b0400000000 by thread T2:
    #0 {case}_update scenarios/races/{case}.c:{line}:16 ({case}+0xd3a10)
    #1 worker scenarios/races/{case}.c:61:9 ({case}+0xd3c22)

  Previous write of size 8 at 0x7b0400000000 by thread T1 (mutexes: write M0):
    #0 {case}_read scenarios/races/{case}.c:{other}:16 ({case}+0xd3b41)
    #1 worker scenarios/races/{case}.c:64:9 ({case}+0xd3c90)

  Location is heap block of size 64 at 0x7b0400000000 allocated by main thread:
    #0 malloc <null> ({case}+0x51e2b)
    #1 main scenarios/races/{case}.c:80:20 ({case}+0xd3d5f)

SUMMARY: ThreadSanitizer: data race scenarios/races/{case}.c:{line}:16 in {case}_update
"""


def cases():
    """The manifest's cases."""
    made = []
    for (group, rust), listing in CASES.items():
        for one in listing.split(","):
            name, letters = one.split()
            modes = ["plain", "poison", "passthrough"] if "+" in letters else ["plain"]
            made.append({"name": name, "class": group, "sees": letters.strip("~+"), "rust": rust,
                         "modes": modes, "what": f"{name.replace('_', ' ')}, in two threads",
                         "file": f"scenarios/races/{name}.c", "rare": "~" in letters})
    return made


def manifest(rustc=True):
    """The manifest; `rustc` says whether Rust's compiler is here."""
    gone = {"analyzer": "clang-tidy is not installed", **({} if rustc else {
        "rustc": "rustc is not installed"})}
    return {"schema": "tailrace/race-matrix/1",
            "command": "tailrace race --out results/races",
            "context": {"cpu_model": "Example CPU", "cores": 2, "kernel": "6.1.0", "aslr": 2,
                        "load_average": 0.4},
            "detectors": [{"name": name, "what": what, "version": version or "",
                           "available": name not in gone, "reason": gone.get(name, "")}
                          for name, (_, what, version) in DETECTORS.items()],
            "cases": [{k: v for k, v in case.items() if k != "rare"} for case in cases()]}


def cells(rustc=True):
    """Every cell of the matrix, case by case."""
    made = []
    for case in cases():
        for mode in case["modes"]:
            for detector in DETECTORS:
                if detector == "analyzer" or detector == "rustc" and (
                        not rustc or mode != "plain" or case["rust"] == "needs-unsafe"):
                    continue
                schedules = SCHEDULES if detector == "tsan" else ["plain"]
                if detector in ("fanalyzer", "thread-safety", "rustc"):
                    schedules = ["none"]
                made += [cell(case, mode, detector, schedule) for schedule in schedules]
    return made


def cell(case, mode, detector, schedule):
    """One line of cells.jsonl."""
    seed = zlib.crc32(f"{case['name']}{mode}{detector}{schedule}".encode())
    rng = np.random.default_rng(seed)
    rare = "~" if case["rare"] else ""
    base = {"schema": "tailrace/race-cell/1", "case": case["name"], "mode": mode,
            "detector": detector, "schedule": schedule, "reason": "", "expected": False}
    if detector == "rustc":
        return {**base, "verdict": "detected" if case["rust"].startswith("rej") else "silent",
                "bug": {"kind": case["rust"].split()[-1], "runs": 1, "hits": 1, "median_ms": 140.0},
                "twin": None, "rust": {"expected": case["rust"], "fault": "fault: 997 of 1000",
                                       "outcome": " ".join(case["rust"].split()[:2])
                                       if "rej" in case["rust"] else case["rust"].split()[0],
                                       "agrees": case["name"] != "treiber_aba"}}
    if detector == "msan" and case["class"] == "misuse":
        return {**base, "verdict": "unsupported", "reason": "MSan has no interceptor for this",
                "bug": None, "twin": None}
    letter = DETECTORS[detector][0]
    hidden = mode == "plain" and len(case["modes"]) > 1
    expected = not hidden and (letter and letter in case["sees"]
                               or detector == "native" and set("OX") & set(case["sees"]))
    hit = bool(expected) and (case["name"], detector) not in UNMET
    ran = run_counts(case, detector, schedule, hit and letter, rare, rng)
    return {**base, "expected": bool(expected), "verdict": verdict_of(case, detector, ran, rng),
            "bug": bug_of(case, detector, schedule, ran, rng), "twin": twin_of(case, detector, rng)}


def run_counts(case, detector, schedule, hit, rare, rng):
    """{runs, hits, oracle, hangs, crashes, misplaced} of a cell."""
    static = detector in ("fanalyzer", "thread-safety")
    runs = 1 if static else 200 if detector == "tsan" else 30
    chance = 0.0
    if hit:
        chance = 1.0 if static or rng.random() < 0.7 else rng.uniform(0.3, 1)
        if rare and detector in ("tsan", "asan", "memcheck"):
            chance = {"plain": rng.uniform(0, 0.03), "delay": rng.beta(0.6, 1.2),
                      "walk": rng.beta(0.7, 1.5)}.get(schedule, rng.beta(0.8, 1.2))
    counts = {"runs": runs, "hits": int(rng.binomial(runs, chance)), "oracle": 0, "hangs": 0,
              "crashes": 0, "misplaced": 0}
    if not static and "O" in case["sees"]:
        counts["oracle"] = int(rng.binomial(runs, 0.4 if rng.random() < 0.7 else 0))
    if not static and "X" in case["sees"] and not counts["hits"]:
        counts["hangs"] = int(rng.binomial(runs, 0.2))
    if not hit and detector != "native" and rng.random() < 0.015:
        counts["misplaced"] = runs // 3
    if not static and case["class"] == "bad_free" and detector != "tsan" and not hit:
        counts["crashes"] = runs
    return counts


def verdict_of(case, detector, ran, rng):
    """The verdict that follows from the counts."""
    for key, verdict in (("hits", "detected"), ("misplaced", "misplaced"),
                         ("crashes", "crash-only"), ("hangs", "hang-only"),
                         ("oracle", "oracle-only")):
        if ran[key]:
            return verdict
    return "masked" if case["class"] == "bad_free" and detector == "tsan" else "silent"


def bug_of(case, detector, schedule, ran, rng):
    """What was seen of the defect; what the format calls absent is null."""
    hits, runs = ran["hits"], ran["runs"]
    slow = SLOWDOWN.get(detector)
    if slow and detector != "native":
        slow *= rng.lognormal(0, 0.3) * (1 if schedule == "plain" else 2.5)
    length_ms = 9.0 * (slow or 30)
    needed = None if not hits else 1 if hits == runs else int(
        np.ceil(np.log(0.001) / np.log(1 - hits / runs)))
    return {**ran, "wilson": None, "median_ms": round(length_ms, 3), "slowdown": slow,
            "first_report_ms": length_ms * 0.7 if hits else None, "runs_999": needed,
            "cpu_s_999": needed and needed * length_ms / 500,
            "first_seed": int(rng.integers(1, 2**40)) if hits and schedule not in (
                "plain", "none") else None,
            "kind": "data-race" if hits else None,
            "message": "data race on counter" if hits else None,
            "where": [{"file": f"scenarios/races/{case['name']}.c", "line": line, "marked": marked,
                       "function": function}
                      for line, function, marked in ((27, "worker", True), (33, "main", False))]
            if hits else [],
            "sample": SAMPLE.format(case=case["name"], line=27, other=33) if hits else None}


def twin_of(case, detector, rng):
    """What was seen of the correct twin."""
    wrong = (case["name"], detector) in FALSE
    return {"runs": 30, "reports": 11 if wrong else 0, "hangs": 0, "crashes": 0, "oracle": 0,
            "kind": "data-race" if wrong else None,
            "sample": "a report of the twin, which is correct" if wrong else None}


def write(directory, rustc=True):
    """Write the set into a new folder."""
    directory = Path(directory)
    directory.mkdir(parents=True)
    (directory / "manifest.json").write_text(json.dumps(manifest(rustc)))
    (directory / "cells.jsonl").write_text(
        "".join(json.dumps(one) + "\n" for one in cells(rustc)))


if __name__ == "__main__":
    write(sys.argv[1])
