# SPDX-License-Identifier: MIT
"""The allocator stresses under other parameters than the default; that their memory is bounded."""
import pytest

PARAMETERS = [
    ("larson", "generation=1"), ("larson", "bytes_max=8"), ("larson", "replacements=1"),
    ("producer-consumer", "consumers=4"), ("producer-consumer", "batch=1"),
    ("producer-consumer", "bytes=8"), ("batch-free", "bytes=0"), ("batch-free", "batch=1"),
    ("false-sharing", "kind=active"), ("false-sharing", "neighbours=0"),
    ("false-sharing", "neighbours=4"), ("false-sharing", "bytes=64"), ("lifetimes", "steps=1")]
LIVE = {"false-sharing": 4}


def run(tailrace, scenario, parameter, *arguments):
    live = LIVE.get(scenario, 2048)
    chosen = ("--param", parameter) if parameter else ()
    result = tailrace.result(scenario, "--closed", "--warmup", "0.005", "--requests", "300",
                             "--live", live, *chosen, *arguments)
    assert result["status"] == "ok", result["reason"]
    return result["checksum"]


@pytest.mark.parametrize("scenario, parameter", PARAMETERS, ids=lambda value: value)
def test_parameters(tailrace, scenario, parameter):
    expected = run(tailrace, scenario, parameter, "--threads", "1", "--strategy", "malloc")
    assert expected == run(tailrace, scenario, parameter, "--threads", "3", "--strategy", "audit")


@pytest.mark.parametrize("scenario", ["larson", "producer-consumer", "batch-free", "lifetimes"])
def test_more_workers_than_anything_else(tailrace, scenario):
    assert run(tailrace, scenario, None, "--threads", "64") == run(tailrace, scenario, None,
                                                                    "--threads", "1")


@pytest.mark.parametrize("scenario, parameter", [
    ("producer-consumer", "bytes=9"), ("batch-free", "bytes=64"), ("false-sharing", "bytes=12")])
def test_set_up_refuses_what_does_not_fit(tailrace, scenario, parameter):
    live = "1000000" if scenario == "false-sharing" else "1"
    done = tailrace("run", scenario, "--live", live, "--param", parameter, "--requests", "10")
    assert done.status != 0 and "must be" in done.stderr


# 20,000 batches of 28 kB are handed over, a few at a time.
@pytest.mark.parametrize("strategy, bounded", [
    ("malloc", True), ("arena", True), ("refcount", True), ("leak", False)])
def test_consumers_give_memory_back(tailrace, strategy, bounded, unsanitized):
    result = tailrace.result("producer-consumer", "--live", "640", "--requests", "20000",
                             "--threads", "1", "--warmup", "0", "--closed", "--strategy", strategy)
    assert result["status"] == "ok", result["reason"]
    used = result["rss_peak_bytes"] - result["rss_base_bytes"]
    assert used < 64e6 if bounded else used > 256e6
