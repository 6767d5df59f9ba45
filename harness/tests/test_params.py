# SPDX-License-Identifier: MIT
"""Scenarios' parameters: every strategy computes the same with them, and what they are for."""
import pytest

STRATEGIES = ("audit", "malloc", "arena", "arena-pool", "refcount", "refcount-biased",
              "refcount-cycle", "malloc-epoch", "malloc-hazard", "marksweep", "concurrent")
# name: scenario, live set, requests, parameters
SETTINGS = {
    "own-pools": ("proxy", 64, 1000, ["pool=worker"]),
    "slow": ("proxy", 64, 1000, ["slow=40", "waiting=100"]),
    "slow-and-crowded": ("proxy", 8, 1000, ["slow=1000", "waiting=7", "pool=worker"]),
    "stalled": ("config-snapshot", 64, 2000, ["stalled=1", "updates=30"]),
    "short-chains": ("graph-lists", 2000, 3000, ["chain=64"]),
    "one-chain": ("graph-lists", 5000, 3000, ["chain=10000"]),
    "many-observers": ("graph-trees", 2000, 3000, ["nodes=500", "observers=400"]),
    "no-observers": ("graph-trees", 2000, 3000, ["nodes=64", "observers=0"]),
}


def measure(program, setting, strategy, threads, params=True):
    scenario, live, requests, pairs = SETTINGS[setting]
    options = [word for pair in pairs for word in ("--param", pair)] if params else []
    return program.result(scenario, "--live", live, "--requests", requests, "--threads", threads,
                          "--strategy", strategy, "--warmup", "0.005", "--closed", *options)


@pytest.fixture(scope="module")
def expected(program):
    """Setting -> the checksum by one worker; refcount can run all of them."""
    known = {}

    def checksum(setting):
        if setting not in known:
            known[setting] = measure(program, setting, "refcount", "1")["checksum"]
        return known[setting]
    return checksum


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_strategies_compute_the_same(tailrace, setting, strategy, expected):
    result = measure(tailrace, setting, strategy, "3")
    if result["status"] == "unsupported":
        pytest.skip(result["reason"])
    assert result["status"] == "ok", result["reason"]
    assert result["checksum"] == expected(setting)
    assert result["live_bytes"] > 0


@pytest.mark.parametrize("setting", [name for name in SETTINGS if SETTINGS[name][0] == "proxy"])
def test_clients_get_the_same_answers_whatever_the_upstream_does(program, setting, expected):
    assert measure(program, setting, "refcount", "3", params=False)["checksum"] == expected(setting)


def test_slow_requests_hold_memory_and_connections(program, unsanitized):
    plain, slow = (measure(program, "slow", "malloc", "1", params) for params in (False, True))
    # the last requests of the stretch were parked: they are through, their connections are not
    held, kept = (slow[key] - plain[key] for key in ("rss_peak_bytes", "live_bytes"))
    assert held > 500000
    assert kept < 0.8 * held, "what was parked was picked up again"
