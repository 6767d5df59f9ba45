# SPDX-License-Identifier: MIT
"""A device's bound of memory: what it refuses follows from the bound, and it never passes it."""

import pytest

DEVICES = 16


def run(tailrace, *arguments, **how):
    """The result of a small run."""
    return tailrace.result("embedded", "--live", DEVICES, "--requests", "3000", "--closed",
                           "--warmup", "0", *arguments, **how)


def checksum(tailrace, *arguments):
    """Of a run that must end well; answers, and how many messages were refused, are in it."""
    result = run(tailrace, *arguments)
    assert result["status"] == "ok", result["reason"]
    return result["checksum"]


def test_only_a_bound_within_reach_refuses(tailrace):
    ample = checksum(tailrace, "--param", "budget=1048576")
    assert checksum(tailrace, "--param", "budget=65536") == ample
    tight = [checksum(tailrace, "--param", f"budget={budget}")
             for budget in (32768, 30720, 28672)]
    assert len({ample, *tight}) == 4, "each bound refuses other messages"


@pytest.mark.parametrize("budget", [28672, 32768])
def test_what_is_refused_does_not_depend_on_the_workers(tailrace, budget):
    bound = ("--param", f"budget={budget}", "--param", "burst=64", "--threads")
    assert checksum(tailrace, *bound, "1") == checksum(tailrace, *bound, "4")


@pytest.mark.parametrize("budget", [28672, 32768])
def test_a_device_stays_within_its_bound(tailrace, budget):
    result = run(tailrace, "--param", f"budget={budget}")
    assert 0.5 * budget * DEVICES < result["live_bytes"] <= budget * DEVICES


# From a budget that set-up does not fit into, over those that only bursts do not, to one for all.
@pytest.mark.parametrize("strategy", ["malloc", "arena-pool", "refcount-glib"])
def test_real_exhaustion_is_answered(tailrace, strategy, unsanitized):
    results = [run(tailrace, "--strategy", strategy, "--budget", budget, "--param", "burst=64",
                   "--threads", "1") for budget in ("1", "500K", "525K", "550K", "1M", "64M")]
    for result in results:
        assert result["status"] in ("ok", "oom"), result["reason"]
        assert (result["checksum"] is None) == (result["status"] == "oom")
    assert results[0]["status"] == "oom" and results[-1]["status"] == "ok"
    if strategy == "malloc":  # not ended where it began to lack memory, but at its end
        assert any(r["status"] == "oom" and r["requests"] == 3000 for r in results)
