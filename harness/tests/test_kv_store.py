# SPDX-License-Identifier: MIT
"""kv-store: every mix computes the same with readers that take locks and readers that do not."""
import pytest

# Entries at the start: so many that all of 16 shards of 64 buckets have begun to grow.
SIZE = ("--live", "1200", "--requests", "400", "--warmup", "0.005", "--closed")
MIXES = "abcdef"
READERS = ("lockfree", "locked")
RUNS = [("malloc", "3"), ("arena-pool", "3"), ("malloc-epoch", "3"), ("malloc-hazard", "3"),
        ("refcount", "3"), ("concurrent", "3"), ("concurrent", "1"), ("audit", "3")]


def measure(program, mix, readers, strategy, threads):
    """The result of one run; it must have ended well."""
    result = program.result("kv-store", *SIZE, "--param", f"mix={mix}", "--param",
                            f"readers={readers}", "--strategy", strategy, "--threads", threads)
    assert result["status"] == "ok", result["reason"]
    return result


@pytest.fixture(scope="module")
def expected(program):
    """Mix -> the result by one worker under malloc."""
    known = {}

    def result(mix):
        if mix not in known:
            known[mix] = measure(program, mix, "locked", "malloc", "1")
        return known[mix]
    return result


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("readers", READERS)
@pytest.mark.parametrize("strategy, threads", RUNS)
def test_both_kinds_of_readers_compute_the_same(tailrace, mix, readers, strategy, threads,
                                                expected):
    result = measure(tailrace, mix, readers, strategy, threads)
    assert result["checksum"] == expected(mix)["checksum"]
    if mix in "cde":  # what is not updated keeps its size
        assert result["live_bytes"] == expected(mix)["live_bytes"]


def test_inserts_grow_the_table(expected):
    # 5 % of 400 x 8 operations insert
    assert expected("d")["live_bytes"] > expected("c")["live_bytes"] + 160 * (40 + 24 + 16)


@pytest.mark.parametrize("parameter, least", [("value_max=16", 1200 * 16), ("batch=64", None)])
def test_parameters_change_the_work(tailrace, parameter, least, expected):
    result = tailrace.result("kv-store", *SIZE, "--param", "mix=c", "--param", parameter)
    plain = expected("c")
    if least:  # all values have the same 16 bytes: entries of 80, and the table
        assert 1200 * 80 < result["live_bytes"] < plain["live_bytes"] / 2
    else:
        assert result["live_bytes"] == plain["live_bytes"]
        assert result["checksum"] != plain["checksum"]


def test_impossible_sizes(tailrace):
    tailrace("run", "kv-store", "--live", "3", "--requests", "10").only_sentence(3)
