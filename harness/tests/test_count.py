# SPDX-License-Identifier: MIT
"""`tailrace run --count`: heap calls are counted exactly, on every heap, or not at all.

In `first-touch` a request makes 64 objects, in `large-objects` one, and frees as many.
"""

import shutil
import subprocess

import pytest

EXACT = ["--closed", "--threads", "1", "--warmup", "0"]


def counted(tailrace, scenario, requests, *arguments):
    """The result of a counted run that must end well."""
    result = tailrace.result(scenario, *EXACT, "--requests", requests, "--count", *arguments)
    assert result["status"] == "ok", result["reason"]
    assert "counted" in result["stamps"]
    return result


def allocations(tailrace, *arguments):
    """What a counted run counted."""
    return counted(tailrace, *arguments)["allocations"]


@pytest.mark.parametrize("scenario, each", [("first-touch", 64), ("large-objects", 1)])
@pytest.mark.parametrize("requests", [300, 600])
def test_calls_are_what_the_requests_make(tailrace, scenario, each, requests):
    found = allocations(tailrace, scenario, requests)
    assert found["calls"] == found["frees"] == each * requests
    assert found["bytes"] > 0


@pytest.mark.parametrize("strategy", ["malloc", "arena", "refcount", "malloc-hazard"])
def test_repeats_to_the_byte(tailrace, strategy):
    run = ("proxy", 1000, "--strategy", strategy, "--seed", 7)
    assert allocations(tailrace, *run) == allocations(tailrace, *run)


@pytest.fixture(scope="module")
def on_glibc(program):
    """What 1000 requests to the proxy take from the C library's heap."""
    return allocations(program, "proxy", 1000)


def test_what_is_asked_for_does_not_depend_on_the_heap(tailrace, on_glibc, listed_heap):
    result = counted(tailrace, "proxy", 1000, "--heap", listed_heap)
    plain = tailrace.result("proxy", *EXACT, "--requests", "1000", "--heap", listed_heap)
    assert result["allocations"] == on_glibc and on_glibc["calls"] > 10 * 1000
    assert result["heap_library"] == plain["heap_library"], "it is not the heap that is named"
    assert result["checksum"] == plain["checksum"]
    # and each function singly; glibc's by way of a library that allocates while it serves
    build = tailrace.program.parent
    heap = (build / "harness/tests/librestless-heap.so" if listed_heap == "glibc"
            else result["heap_library"]["path"])
    done = subprocess.run([build / "harness/tests/test_heap_count"], capture_output=True,
                          env=tailrace.environment(
                              {"LD_PRELOAD": f"{build / 'libtailrace-count.so'}:{heap}"}),
                          text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_leak_shows_what_the_scenario_asks_for(tailrace):
    asked = allocations(tailrace, "proxy", 500, "--strategy", "leak")
    assert asked == {**allocations(tailrace, "proxy", 500), "frees": 0}
    own_pages = allocations(tailrace, "proxy", 500, "--strategy", "none")
    assert own_pages == {"calls": 0, "bytes": 0, "frees": 0}


@pytest.mark.parametrize("how", [["--rate", "2000"], ["--closed", "--threads", "3"],
                                 ["--rate", "2000", "--budget", "256M"]])
def test_any_mode_is_counted(tailrace, how):
    result = tailrace.result("first-touch", *how, "--requests", "300", "--warmup", "0", "--count")
    assert result["status"] in ("ok", "overloaded")
    assert result["allocations"]["calls"] == result["allocations"]["frees"] == 64 * 300


def test_who_does_not_ask_is_not_counted(tailrace):
    result = tailrace.result("proxy", *EXACT, "--requests", "10")
    assert result["allocations"] is None and "counted" not in result["stamps"]


def test_a_recording_that_did_not_end_has_no_count(tailrace):
    result = tailrace.result("proxy", "--closed", "--duration", "60", "--warmup", "0",
                             "--timeout", "0.5", "--count", status=1)
    assert result["status"] == "timeout" and result["allocations"] is None


def test_the_summary_tells(tailrace):
    found = allocations(tailrace, "proxy", 100)
    said = tailrace("run", "proxy", *EXACT, "--requests", "100", "--count").stdout
    assert "heap calls: {calls} for {bytes} bytes, {frees} freed\n".format(**found) in said
    assert "stamp: counted\n" in said


def test_no_library_is_one_sentence(tailrace, tmp_path):
    for name in ("tailrace", "tailrace-malloc"):
        shutil.copy(tailrace.program.parent / name, tmp_path)
    command = [tmp_path / "tailrace", "run", "proxy", *EXACT, "--requests", "10"]
    assert subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 0
    done = subprocess.run([*command, "--count", "--json", "-"], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 3 and done.stdout == ""
    assert done.stderr == ("tailrace: heap calls cannot be counted: libtailrace-count.so, which is "
                           "built with the program, could not be preloaded\n")


def test_a_search_is_not_counted(tailrace):
    done = tailrace("run", "proxy", "--slo", "p99=1ms", "--count")
    assert "--count" in done.only_sentence(2)
