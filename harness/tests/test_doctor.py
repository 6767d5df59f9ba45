# SPDX-License-Identifier: MIT
"""`tailrace doctor` and the oracles: the harness against what theory knows, noise or not.

Decided here is only what noise cannot change: that measured quantiles are those of the recursion on
the measured times, and that a stall is seen in an open loop and not in a closed one.
"""

import json
import math

import pytest

ERROR_MAX = 0.01
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.5": 0.995, "p99.9": 0.999, "p99.99": 0.9999}
SPIN_KEYS = {"p50", "p99", "p99_9", "p99_99", "max"}


@pytest.fixture(scope="module")
def doctor(program):
    """What half a second tells of this machine."""
    done = program("doctor", "--seconds", "0.5", "--json")
    assert done.status == 0, done
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def theory(program):
    """A short calibration."""
    done = program("doctor", "--calibrate", "--seconds", "0.6", "--json")
    assert done.status == 0, done
    return json.loads(done.stdout)


def test_doctor_describes_the_machine(doctor):
    machine = doctor["machine"]
    assert doctor["schema"] == "tailrace/doctor/1"
    assert machine["clock"]["source"] == "CLOCK_MONOTONIC"
    assert machine["clock"]["quantum_ns"] >= 1 and machine["clock"]["cost_ns"] > 0
    assert isinstance(machine["clock"]["tsc_safe"], bool)
    assert 1 <= machine["processors"]["allowed"] <= machine["processors"]["online"]
    assert {"cores", "governor", "quota", "virtual"} <= machine["processors"].keys()
    assert {"thp", "aslr", "mmap_rnd_bits", "total_bytes"} <= machine["memory"].keys()
    assert machine["cgroup"]["version"] in ("v1", "v2", "hybrid", "none")
    assert isinstance(machine["cgroup"]["memory_max"], bool)
    bits = machine["memory"]["mmap_rnd_bits"]
    for compiler in machine["compilers"]:
        limit = compiler["tsan_bits_max"]
        if bits is not None:
            assert compiler["tsan_starts"] == (limit is None or bits <= limit), compiler


def test_doctor_measures_noise(doctor):
    noise = doctor["noise"]
    assert noise["length_s"] == 0.5
    gaps, request = noise["spin_gaps_ns"], noise["empty_request_ns"]
    assert SPIN_KEYS <= gaps.keys() and SPIN_KEYS <= request.keys()
    assert gaps["p50"] <= gaps["p99"] <= gaps["p99_9"] <= gaps["p99_99"] <= gaps["max"]
    assert request["p50"] <= request["p99"] <= request["p99_9"] <= request["p99_99"]
    if noise["sleep_overshoot_ns"]:
        assert noise["sleep_overshoot_ns"]["count"] > 10


def test_doctor_says_what_can_be_believed(doctor):
    above = [one["above_ns"] for one in doctor["believable"]]
    assert [one["quantile"] for one in doctor["believable"]] == ["p50", "p99", "p99.9", "p99.99"]
    assert above == sorted(above)
    assert [one["requests"] for one in doctor["believable"]] == [200, 10**4, 10**5, 10**6]
    for one, key in zip(doctor["believable"], ("p50", "p99", "p99_9", "p99_99")):
        assert one["above_ns"] >= 2 * doctor["noise"]["empty_request_ns"][key]
    assert "twice" in doctor["rule"]
    assert doctor["findings"] and all(one.endswith(".") for one in doctor["findings"])


def test_doctor_in_words(tailrace):
    done = tailrace("doctor", "--seconds", "0.1")
    assert done.status == 0 and done.stderr == "", done
    for word in ("clock ", "processors ", "memory ", "cgroup ", "TSan ", "spin gap",
                 "empty request", "What can be believed here", "What to know"):
        assert word in done.stdout, word


@pytest.mark.parametrize("arguments, word", [("--seconds 0", "--seconds"), ("--seed 1.5", "--seed"),
                                             ("--seconds", "value"), ("now", '"now"'),
                                             ("--jump", "--jump")])
def test_mistakes(tailrace, arguments, word):
    assert word in tailrace("doctor", *arguments.split()).only_sentence(2)


def test_calibration_runs_every_case(theory):
    assert theory["schema"] == "tailrace/theory/1"
    assert [(queue["scenario"], queue["utilisation"]) for queue in theory["queues"]] \
        == [(scenario, u) for scenario in ("md1", "mm1") for u in (0.5, 0.7, 0.9)]
    for queue in theory["queues"]:
        assert queue["requests"] == round(600 * queue["utilisation"])
        assert [row["name"] for row in queue["rows"]] == ["mean", "p50", "p90", "p99", "p99.9"]
        assert queue["verdict"]


def test_replay_is_exact(theory):
    """Noise or not: service times and idle gaps as measured give the measured response times."""
    assert theory["agrees"] is True
    for queue in theory["queues"]:
        assert queue["agrees"] is True, queue
        for row in queue["rows"]:
            enough = row["name"] == "mean" or \
                queue["requests"] * (1 - QUANTILES[row["name"]]) * (1 + 1e-9) >= 10
            assert (row["measured_ns"] is not None) == enough, row
            if enough:
                assert abs(row["replayed_error"]) <= ERROR_MAX, (queue["scenario"], row)
                assert math.isclose(row["measured_ns"] / row["planned_ns"] - 1,
                                    row["planned_error"], abs_tol=1e-9)


def test_plans_are_near_theory(theory):
    """The plan comes from the seed alone; 300 requests of it are near the closed form."""
    for queue in theory["queues"]:
        mean = queue["rows"][0]
        if queue["utilisation"] == 0.5:
            assert 0.7 < mean["planned_ns"] / mean["closed_form_ns"] < 1.4, queue["scenario"]
        assert mean["planned_ns"] >= 0.8e6


def test_stall_is_seen_in_full(theory):
    stall = theory["stall"]
    assert [row["name"] for row in stall["rows"]] == ["p99", "p99.5", "p99.9", "p99.99"]
    if stall["stall_ns"] == 0:
        pytest.skip("no worker was running while all should stall")
    assert stall["stall_ns"] <= 500e6
    for row in stall["rows"]:
        predicted = stall["stall_ns"] - (1 - QUANTILES[row["name"]]) * stall["length_s"] * 1e9
        assert math.isclose(row["predicted_ns"], predicted, rel_tol=1e-9)
        # whatever else the machine did came on top of it
        assert 0.95 * predicted <= row["measured_ns"] <= 3 * predicted, row


def test_open_loop_logs_the_stall(tailrace):
    result = tailrace.result("stall", "--live", "100", "--rate", "20000", "--duration", "1.5",
                             "--threads", "2", "--warmup", "0.1")
    pauses = [pause for pause in result["pauses"] if pause["cause"] == "stall"]
    assert len(pauses) <= 2 and result["pauses_lost"] == 0
    if not pauses:
        pytest.skip("no worker was running while all should stall")
    for pause in pauses:
        assert 0.9 < pause["begin_s"] < pause["end_s"] and pause["end_s"] < 1.5
    longest_s = max(pause["end_s"] - pause["begin_s"] for pause in pauses)
    assert result["response_ns"]["max"] >= longest_s * 1e9 * 0.99


def test_closed_loop_does_not_see_the_stall(tailrace):
    arguments = ["stall", "--closed", "--duration", "2", "--threads", "1", "--warmup", "0.1"]
    result = tailrace.result(*arguments)
    assert "closed-loop" in result["stamps"] and result["response_ns"]["p99"] is None
    assert any(pause["cause"] == "stall" for pause in result["pauses"])
    assert result["service_ns"]["p99_9"] < 100e6 < result["service_ns"]["max"]


def test_closed_loop_says_that_it_is_blind(tailrace):
    told = tailrace("run", "stall", "--closed", "--duration", "0.1", "--warmup", "0").stdout
    assert "stamp: closed-loop" in told
    assert "closed loop" in told and "cannot" in told and "stall" in told.split("\n", 1)[1]


def test_oracles_refuse_what_they_cannot(tailrace):
    for scenario in ("stall", "md1", "mm1"):
        sentence = tailrace("run", scenario, "--live", "2000000", "--rate", "10", "--requests",
                            "1").only_sentence(3)
        assert "live" in sentence
