# SPDX-License-Identifier: MIT
"""Scenarios with threads of their own: what these may not change, hold, or use up."""
import os
import time
from pathlib import Path

import pytest

SMALL = {"tasks": ("--live", "512", "--requests", "300"),
         "microvm": ("--live", "40", "--requests", "600")}


def checksum(tailrace, scenario, *arguments, strategy="malloc"):
    """What a small run computes."""
    result = tailrace.result(scenario, *SMALL[scenario], "--closed", "--warmup", "0",
                             "--strategy", strategy, *arguments)
    assert result["status"] == "ok", result["reason"]
    return result["checksum"]


# The audit ends a run that leaves a thread attached, a scope open or an object behind.
@pytest.mark.parametrize("scenario, strategy, arguments", [
    ("tasks", "malloc", ["helpers=0"]), ("tasks", "malloc", ["helpers=7"]),
    ("tasks", "audit", ["helpers=7"]), ("tasks", "refcount-biased", ["helpers=7"]),
    ("microvm", "malloc", ["resident=0", "boots=1"]), ("microvm", "malloc", ["resident=40"]),
    ("microvm", "audit", ["resident=40"]), ("microvm", "refcount-biased", ["resident=40"])])
@pytest.mark.parametrize("threads", ["1", "4", "16"])
def test_threads_do_not_matter(tailrace, scenario, strategy, arguments, threads):
    params = [word for one in arguments for word in ("--param", one)]
    expected = checksum(tailrace, scenario, "--threads", "1")
    assert checksum(tailrace, scenario, "--threads", threads, *params,
                    strategy=strategy) == expected


def test_what_is_cancelled_does_not_count(tailrace):
    some = {checksum(tailrace, "tasks", "--threads", threads, "--param", f"cancelled={share}")
            for share in (0, 300, 1000) for threads in (1, 4)}
    assert len(some) == 3


# 6,000 sessions of 60 kB by 50 at a time; 8,000 jobs of 80 tasks on average, on six threads.
@pytest.mark.parametrize("scenario, live, requests, param", [
    ("microvm", "50", "6000", "replaced=1000"), ("tasks", "512", "8000", "helpers=3")])
@pytest.mark.parametrize("strategy, bounded", [
    ("malloc", True), ("refcount-biased", True), ("arena", True), ("concurrent", True),
    ("leak", False)])
def test_memory_comes_back(tailrace, scenario, live, requests, param, strategy, bounded,
                           unsanitized):
    """Whichever thread frees it, and though the one that allocated it has exited."""
    result = tailrace.result(scenario, "--live", live, "--requests", requests, "--threads", "3",
                             "--warmup", "0", "--closed", "--strategy", strategy, "--param", param)
    assert result["status"] == "ok", result["reason"]
    used = result["rss_peak_bytes"] - result["rss_base_bytes"]
    assert used < 100e6 if bounded else used > 200e6


def threads_of(pid):
    """The processor time, in seconds, of each thread of a process that there still is."""
    seconds = []
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            ticks = stat.read_text().rsplit(")", 1)[1].split()[11:13]
        except (FileNotFoundError, ProcessLookupError):
            continue  # a session's, which has booted
        seconds.append(sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
    return seconds


def test_idle_helpers_sleep(tailrace):
    running = tailrace.start("run", "tasks", "--live", "512", "--threads", "1", "--rate", "20",
                             "--duration", "3", "--warmup", "0", "--param", "helpers=12")
    pid = running.recording_worker()
    time.sleep(1)
    used = threads_of(pid)
    assert len(used) >= 14
    assert sum(one >= 0.1 for one in used) <= 2  # the worker, which waits actively, and one more
    assert running.wait().status == 0


@pytest.mark.parametrize("resident", [0, 40])
def test_threads_of_sessions(tailrace, resident):
    running = tailrace.start("run", "microvm", "--live", "60", "--threads", "1", "--rate", "1000",
                             "--duration", "2", "--warmup", "0", "--param", f"resident={resident}")
    pid = running.recording_worker()
    count = len(threads_of(pid))
    assert resident <= count < resident + 20
    assert running.wait().status == 0
