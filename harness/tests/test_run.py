# SPDX-License-Identifier: MIT
"""`tailrace run`: what a result says, that it agrees with itself, and every way a run can end."""

import json
import math
import os
import re
import signal
from pathlib import Path

import pytest

# Of the project's architecture: the least that scripts may rely on.
ALWAYS = set("schema scenario strategy heap threads mode offered_rate achieved_rate duration_s "
             "requests status reason stamps checksum response_ns service_ns rss_peak_bytes "
             "context".split())
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999, "p99_99": 0.9999}
SMALL = ["read-states", "--live", "2000", "--warmup", "0"]
PHASE = r"(before set-up|during set-up|during warm-up|while recording|during the drain|at its end)"
CPUS = os.sched_getaffinity(0)


@pytest.fixture(scope="module")
def open_run(program):
    """An open loop of 3 workers with Poisson arrivals."""
    return program.result("read-states", "--live", "2000", "--rate", "12000", "--duration", "0.5",
                          "--threads", "3", "--warmup", "0.1")


@pytest.fixture(scope="module")
def closed_run(program):
    """A closed loop for a fixed time."""
    return program.result(*SMALL, "--closed", "--duration", "0.1", "--threads", "1")


UNSUPPORTED = ["read-states", "--strategy", "arena", "--rate", "100", "--requests", "10"]


@pytest.mark.parametrize("arguments", [[*SMALL, "--rate", "2000", "--requests", "100"],
                                       ["proxy", "--closed", "--requests", "100"], UNSUPPORTED],
                         ids=["open", "closed", "unsupported"])
def test_a_result_has_every_promised_key(program, promised, arguments):
    result = program.result(*arguments)
    assert ALWAYS <= result.keys()
    assert not promised["run"] - result.keys(), "promised by reports/README.md, but missing"
    assert result.keys() - promised["run"] <= {"pauses_lost"}, "not in reports/README.md"
    assert result["schema"] == "tailrace/run/1"
    assert result["block"] is None and result["order"] is None
    for name in ("response_ns", "service_ns", "lateness_ns"):
        assert result[name].keys() - {"noise_limited"} == promised["quantiles"], name
    assert "noise_limited" in result["response_ns"]
    assert promised["context"] <= result["context"].keys()
    assert result["context"]["start_time"] <= result["context"]["end_time"]
    for name in ("intervals", "phases", "heap_library"):
        if result["status"] != "unsupported":
            assert result[name].keys() == promised[name], name


def test_context_names_this_machine(open_run, program):
    context = open_run["context"]
    assert context["command"].startswith("tailrace run read-states --live 2000 ")
    assert os.uname().release in context["kernel"]
    assert context["cores"] == os.cpu_count()
    assert context["commit"] in program("--version").stdout


def test_open_loop_serves_every_scheduled_request(open_run):
    assert open_run["mode"] == "open" and open_run["arrivals"] == "poisson"
    assert open_run["offered_rate"] == 12000
    assert open_run["requests"] == 6000
    assert open_run["status"] in ("ok", "overloaded")
    assert re.fullmatch(r"[0-9a-f]{16}", open_run["checksum"])
    assert "closed-loop" not in open_run["stamps"] and "cold" not in open_run["stamps"]
    assert open_run["warmup_s"] == 0.1
    achieved = open_run["requests"] / open_run["duration_s"]
    assert open_run["achieved_rate"] == pytest.approx(achieved, rel=1e-6)


@pytest.mark.parametrize("rate, duration, requests", [
    ("3333.3", "0.3", 1000), ("250", "0.25", 62), ("251", "0.25", 63), ("0.4", "0.5", 1)])
def test_number_of_requests_is_rate_times_duration(tailrace, rate, duration, requests):
    """62.5 is half-way and may go up or down; 0.2 is at least one."""
    result = tailrace.result(*SMALL, "--rate", rate, "--duration", duration)
    assert result["requests"] == requests or (rate == "250" and result["requests"] == 63)


def test_histograms_hold_every_request_and_its_quantiles(open_run):
    for name in ("response", "service"):
        histogram, told = open_run[name + "_histogram"], open_run[name + "_ns"]
        values = [value for value, _ in histogram]
        assert values == sorted(set(values)) and all(count > 0 for _, count in histogram)
        assert sum(count for _, count in histogram) == told["count"] == open_run["requests"]
        assert values[-1] * 127 / 128 - 1 <= told["max"] <= values[-1]
        mean = sum(value * count for value, count in histogram) / told["count"]
        assert mean * 127 / 128 - 1 <= told["mean"] <= mean
        for key, p in QUANTILES.items():
            if told[key] is not None:
                assert told[key] == quantile(histogram, told["max"], p), (name, key)


def quantile(histogram, maximum, p):
    """The smallest bucket that at least a share p of all values does not exceed."""
    rank = math.ceil(p * sum(count for _, count in histogram) - 1e-9)
    seen = 0
    for value, count in histogram:
        seen += count
        if seen >= rank:
            return min(value, maximum)
    return maximum


def test_latencies_agree_with_each_other(open_run):
    response, service = open_run["response_ns"], open_run["service_ns"]
    lateness = open_run["lateness_ns"]
    told = [response[key] for key in QUANTILES if response[key] is not None]
    assert len(told) == 3 and told == sorted(told) and told[-1] <= response["max"]
    assert response["max"] >= service["max"] and response["max"] >= lateness["max"]
    assert response["p50"] >= service["p50"]
    assert response["mean"] == pytest.approx(service["mean"] + lateness["mean"], rel=1e-6)


@pytest.mark.parametrize("requests, null, low", [
    (99, {"p99", "p99_9", "p99_99", "p90"}, {"p50"}),
    (100, {"p99", "p99_9", "p99_99"}, {"p50", "p90"}),
    (5000, {"p99_9", "p99_99"}, {"p99"}),
    (10000, {"p99_99"}, {"p99_9"}),
    (100000, set(), {"p99_99"})])
def test_quantiles_are_told_only_with_enough_samples(tailrace, requests, null, low):
    """With n(1-p) below 10 a quantile is null, below 100 it is listed in low_samples."""
    service = tailrace.result(*SMALL, "--closed", "--requests", requests)["service_ns"]
    assert {key for key in QUANTILES if service[key] is None} == null
    assert set(service["low_samples"]) == low
    assert service["count"] == requests and service["max"] > 0 and service["mean"] > 0


def test_intervals_hold_every_request(open_run):
    intervals = open_run["intervals"]
    assert sum(intervals["count"]) == open_run["requests"]
    assert len(intervals["count"]) == len(intervals["max_response_ns"])
    assert len(intervals["count"]) == len(intervals["min_lateness_ns"])
    assert len(intervals["count"]) * intervals["width_s"] == pytest.approx(0.5, rel=0.2)
    assert max(filter(None, intervals["max_response_ns"])) == open_run["response_ns"]["max"]
    for count, worst, late in zip(*(intervals[key] for key in (
            "count", "max_response_ns", "min_lateness_ns"))):
        assert (count == 0) == (worst is None) == (late is None)


def test_fixed_arrivals_are_evenly_spaced(tailrace):
    result = tailrace.result(*SMALL, "--rate", "4000", "--requests", "1000", "--arrivals", "fixed")
    assert result["arrivals"] == "fixed" and result["intervals"]["width_s"] == 0.002
    counts = result["intervals"]["count"]
    assert len(counts) == 125 and all(7 <= count <= 9 for count in counts), counts
    assert result["duration_s"] >= 999 / 4000


def test_the_schedule_comes_from_the_seed_alone(tailrace):
    def counts(*arguments):
        result = tailrace.result(*SMALL, "--rate", "5000", "--requests", "1000", *arguments)
        return result["intervals"]["count"]
    first = counts("--seed", "5")
    assert counts("--seed", "5", "--strategy", "refcount") == first
    assert counts("--seed", "6") != first


def test_memory_over_time(open_run):
    series, peak = open_run["rss_series"], open_run["rss_peak_bytes"]
    assert len(series) > 10
    times = [at for at, _ in series]
    assert times == sorted(times) and times[0] < 0 < times[-1]
    assert all(0 < bytes_ <= peak for _, bytes_ in series)
    assert 0 < open_run["rss_base_bytes"] <= peak
    assert 0 < open_run["rss_drained_bytes"] <= peak
    assert open_run["cpu_s"] > 0 and open_run["faults_minor"] > 0


def test_phases_follow_each_other(open_run):
    phases = [open_run["phases"][key] for key in (
        "setup_s", "warmup_s", "record_s", "drain_s", "end_s")]
    assert phases == sorted(phases) and phases[2] == 0
    assert phases[1] <= -0.1, "a warm-up of 0.1 s lies before the recording"
    assert phases[3] >= open_run["duration_s"] - 1e-6
    assert phases[4] >= phases[3] + 0.1, "the drain is given 0.1 s"


def test_workers_are_pinned_and_too_many_are_stamped(open_run, closed_run):
    assert len(open_run["cpus"]) == 3 and set(open_run["cpus"]) <= CPUS | {-1}
    assert len(closed_run["cpus"]) == 1
    assert ("oversubscribed" in open_run["stamps"]) == (os.cpu_count() < 3)
    assert "oversubscribed" not in closed_run["stamps"]


def test_closed_loop_tells_no_response_time(closed_run):
    assert closed_run["mode"] == "closed"
    assert closed_run["offered_rate"] is None and closed_run["arrivals"] is None
    for name in ("response_ns", "lateness_ns"):
        told = closed_run[name]
        assert all(told[key] is None for key in (*QUANTILES, "max", "mean")), name
        assert told["count"] == 0
    assert closed_run["response_histogram"] == []
    assert closed_run["service_ns"]["count"] == closed_run["requests"] > 0
    assert "closed-loop" in closed_run["stamps"]
    assert closed_run["checksum"] is None, "how many requests fit is up to the machine"


def test_closed_loop_of_fixed_length_has_a_checksum(tailrace):
    result = tailrace.result(*SMALL, "--closed", "--requests", "500")
    assert re.fullmatch(r"[0-9a-f]{16}", result["checksum"]) and result["requests"] == 500


def test_without_warmup_a_result_is_cold(closed_run):
    assert closed_run["warmup_s"] == 0 and "cold" in closed_run["stamps"]


def test_load_is_a_share_of_the_measured_capacity(tailrace):
    done = tailrace("run", *SMALL, "--load", "0.1", "--requests", "100", "--json", "-")
    told = re.match(r"capacity (\d+)/s, so the rate is (\d+)/s\n", done.stderr)
    assert done.status == 0 and told, done
    rate = json.loads(done.stdout)["offered_rate"]
    assert rate == pytest.approx(0.1 * int(told[1]), rel=0.01)
    assert rate == pytest.approx(int(told[2]), abs=1)


def test_tunables_are_in_the_result(tailrace):
    result = tailrace.result("proxy", "--closed", "--requests", "50", "--strategy", "arena",
                             "--tune", "chunk=8192", "--tune", "keep=0")
    assert result["tune"] == {"chunk": 8192, "keep": 0}


@pytest.mark.parametrize("text, bytes_", [("4K", 4096), ("3M", 3 << 20), ("1G", 1 << 30)])
def test_bytes_take_units(tailrace, text, bytes_):
    result = tailrace.result("proxy", "--strategy", "none", "--budget", text, "--rate", "100",
                             "--requests", "1")
    assert result["budget_bytes"] == bytes_


def test_collector_pauses_are_logged(tailrace):
    result = tailrace.result("read-states", "--live", "20000", "--closed", "--requests", "100000",
                             "--strategy", "boehm", "--threads", "1")
    assert result["pauses"] and result["pauses_lost"] == 0
    for pause in result["pauses"]:
        assert pause["cause"] == "collector-pause"
        assert (result["phases"]["setup_s"] - 1 < pause["begin_s"] < pause["end_s"]
                <= result["phases"]["end_s"])


def test_the_heap_in_the_result_is_what_served(tailrace, listed_heap, unsanitized):
    heap = next(one for one in tailrace.listed("heaps") if one["name"] == listed_heap)
    arguments = [*SMALL, "--closed", "--requests", "100", "--heap", listed_heap]
    if not heap["installed"]:
        assert heap["package"] in tailrace("run", *arguments).only_sentence(3)
        pytest.skip(f"the heap {listed_heap} is not installed ({heap['package']})")
    result = tailrace.result(*arguments)
    served = Path(result["heap_library"]["path"])
    assert result["heap"] == listed_heap and result["heap_library"]["version"]
    if heap["library"]:
        assert served == Path(heap["library"]).resolve()
        by_path = tailrace.result(*SMALL, "--closed", "--requests", "100", "--heap",
                                  heap["library"])
        assert by_path["heap_library"] == result["heap_library"]
        assert by_path["checksum"] == result["checksum"]
    else:
        assert served.name.startswith("libc.so") or served.name.startswith("libc-")


def test_a_preloaded_heap_does_not_reach_a_glibc_run(tailrace, unsanitized):
    preloaded = [one["library"] for one in tailrace.listed("heaps") if one["library"]]
    if not preloaded:
        pytest.skip("no heap but glibc's is installed")
    result = tailrace.result(*SMALL, "--closed", "--requests", "100",
                             env={"LD_PRELOAD": preloaded[0]})
    assert Path(result["heap_library"]["path"]).name.startswith("libc")


def environment(pid):
    """The environment that a process was started with."""
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


@pytest.mark.parametrize("heap, tunes, variables", [
    ("glibc", ["arenas=1", "tcache=0"], {
        "MALLOC_ARENA_MAX": "1", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}),
    ("jemalloc", ["background=1", "decay=0"], {
        "MALLOC_CONF": "dirty_decay_ms:0,background_thread:true"}),
    ("jemalloc", [], {})])
def test_a_heap_is_tuned_through_the_workers_environment_alone(
        tailrace, unsanitized, monkeypatch, heap, tunes, variables):
    if not next(one for one in tailrace.listed("heaps") if one["name"] == heap)["installed"]:
        pytest.skip(f"the heap {heap} is not installed")
    known = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES", "MALLOC_CONF")
    monkeypatch.setenv("MALLOC_CONF" if heap == "jemalloc" else "MALLOC_ARENA_MAX", "shell")
    running = tailrace.start("run", *SMALL, "--heap", heap, "--closed", "--duration", "60",
                             *(word for tune in tunes for word in ("--tune", f"{heap}:{tune}")))
    pid = running.recording_worker()
    worker = environment(pid)
    assert {key: worker[key] for key in known if key in worker} == variables


def test_tunables_of_the_heap_are_in_name_and_result(tailrace, unsanitized):
    result = tailrace.result("proxy", "--closed", "--requests", "50", "--strategy", "arena",
                             "--tune", "glibc:arenas=1", "--tune", "keep=0")
    assert result["tune"] == {"glibc:arenas": 1, "keep": 0}
    assert result["cell"].endswith("/glibc:arenas=1 keep=0")


def hold_to_status(done, status, reason):
    """One sentence on standard error, and the same in the result."""
    result = json.loads(done.stdout)
    assert result["status"] == status, done
    assert re.search(reason, result["reason"]), result["reason"]
    assert done.stderr == f"tailrace: {status}: {result['reason']}\n"
    return result


def test_unsupported_says_what_is_missing(tailrace):
    done = tailrace("run", *UNSUPPORTED, "--json", "-")
    result = hold_to_status(done, "unsupported", "reclaim.*arena")
    assert done.status == 0 and result["requests"] == 0 and result["checksum"] is None


def test_a_strategy_takes_so_many_threads(tailrace):
    run = ("config-snapshot", "--strategy", "malloc-hazard", "--closed", "--requests", "640")
    assert tailrace.result(*run, "--threads", "63")["status"] == "ok"
    done = tailrace("run", *run, "--threads", "64", "--json", "-")
    assert hold_to_status(done, "unsupported", "64 threads at most")["requests"] == 0


def test_overloaded(tailrace):
    done = tailrace("run", "proxy", "--rate", "5e6", "--requests", "100000", "--warmup", "0",
                    "--threads", "1", "--json", "-")
    result = hold_to_status(done, "overloaded", "rate")
    assert done.status == 0
    assert result["requests"] == 100000, "late requests are served all the same"
    assert result["achieved_rate"] < result["offered_rate"] / 2
    assert result["response_ns"]["p50"] > 10 * result["service_ns"]["p50"]
    assert result["checksum"] is not None


@pytest.mark.parametrize("scenario", ["read-states", "proxy"])
def test_out_of_memory_is_a_result(tailrace, listed_strategy, scenario, unsanitized):
    done = tailrace("run", scenario, "--strategy", listed_strategy, "--budget", "1", "--closed",
                    "--requests", "20000", "--threads", "1", "--json", "-")
    assert done.status == 0, done
    status = json.loads(done.stdout)["status"]
    if status == "unsupported":
        hold_to_status(done, status, f"budget|{listed_strategy} does not provide")
        return
    result = hold_to_status(done, "oom", r"memory|allocate")
    assert result["checksum"] is None and result["requests"] < 20000


def test_out_of_memory_on_every_heap(tailrace, listed_heap, unsanitized):
    done = tailrace("run", "read-states", "--heap", listed_heap, "--budget", "1", "--closed",
                    "--requests", "20000", "--json", "-")
    if done.status == 3:
        pytest.skip(done.stderr.strip())
    assert done.status == 0, done
    hold_to_status(done, "oom", r"memory|allocate")


LONG = ["run", *SMALL, "--rate", "1000", "--duration", "1000", "--threads", "1"]


def test_timeout(tailrace):
    done = tailrace(*LONG, "--timeout", "0.2", "--json", "-")
    result = hold_to_status(done, "timeout", rf"0\.2 s.*{PHASE}")
    assert done.status == 1 and result["requests"] < 1000000 and result["checksum"] is None


def test_crash(tailrace):
    running = tailrace.start(*LONG, "--json", "-")
    os.kill(running.recording_worker(), signal.SIGKILL)
    done = running.wait()
    result = hold_to_status(done, "crashed", r"signal 9 .*while recording")
    assert done.status == 1
    assert 0 < result["requests"] < 1000000, "what was measured until then is kept"
    assert result["checksum"] is None and result["phases"]["drain_s"] is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(tailrace, number):
    running = tailrace.start(*LONG, "--json", "-")
    worker = running.recording_worker()
    running.process.send_signal(number)
    assert "interrupted" in running.wait().only_sentence(130)
    assert not tailrace.is_alive(worker)


def test_a_worker_does_not_outlive_the_program(tailrace):
    running = tailrace.start(*LONG)
    worker = running.recording_worker()
    running.process.kill()
    running.process.wait()
    try:
        tailrace.wait_for(lambda: not tailrace.is_alive(worker), "the worker to end")
    finally:
        if tailrace.is_alive(worker):
            os.kill(worker, signal.SIGKILL)
