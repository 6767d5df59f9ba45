# SPDX-License-Identifier: MIT
"""What a result says of causes, noise, budgets, loads and objectives."""
import json

import pytest

LIVE = ("--live", "20000")


def test_an_injected_pause_is_attributed(tailrace):
    hook = {"TAILRACE_TEST_PAUSE_AT": "10000", "TAILRACE_TEST_PAUSE_MS": "50"}
    result = tailrace.result("read-states", *LIVE, "--rate", "20000", "--duration", "1",
                             "--warmup", "0.1", env=hook)
    pause = next(e for e in result["causes"]["effects"] if e["cause"] == "collector-pause")
    assert pause["count"] == 1  # the warm-up has no request 10000
    assert pause["longest_s"] >= 0.05
    assert pause["excess_share"] >= 0.95
    assert pause["affected"] >= 0.05 * 20000 / 2
    assert pause["response_without_ns"]["p99"] <= result["response_ns"]["p99"]


def test_noise_is_told(tailrace):
    result = tailrace.result("read-states", *LIVE, "--rate", "5000", "--duration", "0.5")
    noise = result["noise"]
    assert len(noise["workers"]) == result["threads"]
    for worker in noise["workers"]:
        assert worker["run_delay_s"] >= 0 and worker["involuntary_switches"] >= 0
    if noise["hiccups"] is not None:
        assert noise["hiccups"]["count"] > 50
        assert noise["hiccups"]["max_ns"] >= noise["hiccups"]["p50_ns"]


def test_live_bytes_and_drain(tailrace):
    result = tailrace.result("read-states", *LIVE, "--rate", "5000", "--duration", "0.3",
                             "--drain", "1")
    # up to 16 x 1,251 entries of 48 bytes, and 16 tables of 2,048 buckets
    entries = (result["live_bytes"] - 16 * (8 + 2048 * 8)) / 48
    assert entries == int(entries) and 19000 < entries <= 16 * 1251
    assert [after for after, _ in result["rss_after_drain"]] == [0.1, 1]
    assert result["rss_after_drain"][0][1] == result["rss_drained_bytes"]


def test_load_is_a_share_of_the_cells_capacity(tailrace):
    result = tailrace.result("read-states", *LIVE, "--load", "0.2", "--duration", "0.3")
    assert result["load"] == 0.2 and result["load_of"] == "own"
    result = tailrace.result("read-states", *LIVE, "--rate", "500", "--requests", "50")
    assert result["load"] is None


def test_objective_search(tailrace):
    done = tailrace("run", "read-states", *LIVE, "--slo", "p90=10s", "--duration", "0.1",
                    "--warmup", "0.05", "--json", "-")
    result = json.loads(done.stdout)
    assert result["schema"] == "tailrace/slo/1" and result["quantile"] == "p90"
    assert result["limit_ns"] == 10 ** 10
    met = [step["rate"] for step in result["steps"] if step["met"]]
    assert result["rate"] is None or result["rate"] in met
    assert result["steps"][-1]["duration_s"] == pytest.approx(0.3)


@pytest.mark.parametrize("text", ["p99", "p98=1ms", "p99=0ms", "p99=1", "p99=-1ms", "p99=ms", ""])
def test_bad_objectives(tailrace, text):
    tailrace("run", "read-states", "--slo", text).only_sentence(2)


def test_clocks(tailrace):
    tailrace("run", "read-states", "--clock", "sundial").only_sentence(2)
    done = tailrace("run", "read-states", *LIVE, "--rate", "5000", "--duration", "0.3",
                    "--clock", "tsc", "--json", "-")
    if done.status == 3:
        pytest.skip("the TSC is not safe here")
    context = json.loads(done.stdout)["context"]
    assert context["clock"] == "TSC" and 0 <= context["clock_drift"] <= 1e-4
