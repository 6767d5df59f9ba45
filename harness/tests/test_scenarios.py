# SPDX-License-Identifier: MIT
"""Heaps, workers and load change nothing: checksums of the same requests are equal (strategies:
test_smoke.py). What a scenario is made to show, it shows.
"""

import pytest

# Workers and load: the order in which requests meet differs between them.
OPEN, CLOSED = ["--rate", "1e6"], ["--closed"]


def missing_needs(tailrace, scenario, strategy):
    """What the scenario needs that the strategy does not provide."""
    needs = next(one for one in tailrace.listed("scenarios") if one["name"] == scenario)["needs"]
    provides = next(one for one in tailrace.listed("strategies") if one["name"] == strategy)
    leaked = {"cycles"} if provides["leaks"] == "rings" else set()
    return set(needs) - set(provides["provides"]) - leaked


def size(tailrace, scenario):
    """The live set and the requests of a smoke run."""
    smoke = next(one for one in tailrace.listed("scenarios") if one["name"] == scenario)["smoke"]
    return smoke["live"], smoke["requests"]


def plain(tailrace, scenario):
    """The plainest strategy, over malloc, that can run the scenario: others are held against it."""
    return next(one for one in ("malloc", "refcount", "leak")
                if not missing_needs(tailrace, scenario, one))


def measure(program, scenario, *arguments, strategy=None, load=CLOSED, threads="1"):
    """The result of one run; it must have ended well."""
    live, requests = size(program, scenario)
    result = program.result(scenario, "--live", live, "--requests", requests, "--threads", threads,
                            "--strategy", strategy or plain(program, scenario), "--warmup", "0.005",
                            *load, *arguments)
    if result["status"] != "unsupported":
        # an open loop at a rate beyond reach is overloaded where the machine is not fast enough
        assert result["status"] in ("ok", "overloaded" if load is OPEN else "ok"), result["reason"]
        assert result["requests"] == requests
    return result


@pytest.fixture(scope="module")
def expected(program):
    """Scenario -> the checksum by one worker under plain(), in the order of the requests."""
    known = {}

    def checksum(scenario):
        if scenario not in known:
            known[scenario] = measure(program, scenario)["checksum"]
            assert known[scenario] and known[scenario] != 16 * "0"
        return known[scenario]
    return checksum


def test_heaps_compute_the_same(tailrace, listed_scenario, listed_heap, expected):
    heap = next(one for one in tailrace.listed("heaps") if one["name"] == listed_heap)
    if not heap["installed"]:
        pytest.skip(f"the heap {listed_heap} is not installed ({heap['package']})")
    result = measure(tailrace, listed_scenario, "--heap", listed_heap, threads="2")
    assert result["checksum"] == expected(listed_scenario)


def test_another_seed_computes_another(tailrace, listed_scenario, expected):
    other = measure(tailrace, listed_scenario, "--seed", "2")["checksum"]
    assert other and other != expected(listed_scenario)
    assert measure(tailrace, listed_scenario, "--seed", "2")["checksum"] == other


def test_every_request_counts(tailrace, listed_scenario, expected):
    live, requests = size(tailrace, listed_scenario)
    one_less = tailrace.result(listed_scenario, "--live", live, "--requests", requests - 1,
                               "--threads", "1", "--warmup", "0", "--closed", "--strategy",
                               plain(tailrace, listed_scenario))
    assert one_less["checksum"] != expected(listed_scenario)


@pytest.mark.parametrize("threads, load", [
    ("3", OPEN), ("3", CLOSED), ("1", ["--rate", "60000", "--arrivals", "fixed"])],
                         ids=["open", "closed", "fixed"])
def test_load_and_workers_do_not_matter(tailrace, listed_scenario, load, threads, expected):
    live, requests = size(tailrace, listed_scenario)
    result = tailrace.result(listed_scenario, "--live", live, "--requests", requests, "--threads",
                             threads, "--warmup", "0", "--strategy",
                             plain(tailrace, listed_scenario), *load)
    assert result["status"] in ("ok", "overloaded")
    assert result["checksum"] == expected(listed_scenario)


def test_warmup_leaves_no_trace(tailrace, listed_scenario, expected):
    result = measure(tailrace, listed_scenario, "--warmup", "0.1")
    assert result["warmup_s"] == 0.1 and result["checksum"] == expected(listed_scenario)


def memory_used(tailrace, scenario, strategy, live, requests, *params):
    """What a run of so many requests that it tells held at most, beyond the empty worker."""
    result = tailrace.result(scenario, "--live", live, "--requests", requests, "--threads", "1",
                             "--warmup", "0", "--closed", "--strategy", strategy, *params)
    assert result["status"] == "ok", result["reason"]
    assert 0 < result["live_bytes"] < 2e6, "what is leaked or not yet reclaimed is not live"
    return result["rss_peak_bytes"] - result["rss_base_bytes"]


# 100,000 requests replace 3,000 configurations of 23 kB.
@pytest.mark.parametrize("strategy, bounded", [
    ("leak", False), ("malloc-epoch", False), ("malloc-rcu", False), ("malloc-hazard", True),
    ("refcount", True), ("concurrent", True)])
def test_a_reader_that_stands_still(tailrace, strategy, bounded):
    used = memory_used(tailrace, "config-snapshot", strategy, 64, 100000,
                       "--param", "stalled=1", "--param", "updates=30")
    assert used < 16e6 if bounded else used > 48e6


# 50,000 requests replace 5,000 rings, of 190 nodes each on average.
@pytest.mark.parametrize("strategy, bounded", [
    ("arena", True), ("concurrent", True), ("refcount", False)])
def test_rings_that_are_replaced(tailrace, strategy, bounded):
    used = memory_used(tailrace, "graph", strategy, 20000, 50000)
    assert used < 32e6 if bounded else used > 48e6
