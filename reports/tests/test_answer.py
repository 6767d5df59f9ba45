# SPDX-License-Identifier: MIT
"""Checks what the report answers, on cells of which it is known: the lowest, ratios, causes."""

import pytest
from runs import STEADY, cell, times

from tailrace_report.answer import answers
from tailrace_report.cells import scenarios
from tailrace_report.curves import headline
from tailrace_report.metrics import METRICS
from tailrace_report.ranking import ranking, tail_ranking
from tailrace_report.resultset import read_result_set
from tailrace_report.text import SPACE

JITTER = [1.02, 0.99, 1.01, 0.98, 1.0, 1.01, 0.99, 1.02, 0.98, 1.0]
SLOWER = [value * jitter for value, jitter in zip(STEADY, JITTER)]


def said(*cells):
    """The sentences on one scenario, with plain spaces."""
    return [one.replace(SPACE, " ") for one in answers({"kv": list(cells)}).get("kv", [])]


def caused(cause, without_us):
    """The field `causes` of a run of which p99.9 falls to `without_us` without the cause."""
    def at(value_us):
        return {"p99": None, "p99_9": value_us and 1000 * value_us}
    return {"causes": {"response_ns": at(4000), "response_without_all_ns": at(without_us),
                       "effects": [{"cause": cause, "count": 3,
                                    "response_without_ns": at(without_us)}]}}


def test_lowest_ratio_interval_cause_and_memory():
    tail, memory = said(
        cell("none", times(0.1, STEADY)), cell("arena", STEADY, 20),
        cell("malloc", times(2, SLOWER)),
        cell("boehm", times(40, STEADY), 50, **caused("collector-pause", 120)))
    assert tail == ("At 50 % load on this machine, for kv: arena has the lowest p99.9 (100 µs); "
                    "boehm's is 40.0 × as high [40.0 ×, 40.0 ×], by collector pauses; "
                    "differences under 1.5 % cannot be told here.")
    assert memory == ("Peak memory is lowest with malloc (10.0 MiB) and highest with boehm "
                      "(5.00 × as much [5.00 ×, 5.00 ×]).")


def test_a_cause_is_named_only_if_most_of_the_excess_goes_with_it():
    cells = [cell("arena", STEADY), cell("boehm", times(40, STEADY),
                                         **caused("collector-pause", 2500))]
    assert ", by no single known cause;" in said(*cells)[0]
    assert ", by " not in said(cells[0], cell("boehm", times(40, STEADY)))[0]


def test_two_that_cannot_be_told_apart_are_named_so():
    tail, memory = said(cell("malloc", SLOWER), cell("arena-pool", STEADY),
                        cell("arena", times(9, STEADY)))
    assert ("malloc and arena-pool cannot be told apart, with the lowest p99.9 (99.0 µs and "
            "100 µs); arena's is ") in tail
    assert "has the lowest" not in tail
    assert memory == "Peak memory cannot be told apart (10.0 MiB to 10.0 MiB)."


def test_equal_cells_are_not_told_apart_and_there_is_no_highest():
    tail = said(*(cell(name, STEADY) for name in "abc"))[0]
    assert "a has the lowest p99.9 (100 µs), but none of the other 2 can be told from it" in tail
    assert "as high" not in tail and "differences under 0 % cannot" in tail


def test_of_many_like_the_lowest_three_are_named():
    tail = said(*(cell(name, STEADY) for name in "abcdef"), cell("z", times(9, STEADY)))[0]
    assert "a has the lowest p99.9 (100 µs), but b, c, d and 2 more cannot be told from it; z's" \
        in tail


def test_failed_cells_win_nothing_and_are_told():
    tail, memory = said(cell("fast", [1] * 4 + ["oom"] * 6, 1), cell("malloc", STEADY, 20),
                        cell("boehm", times(3, STEADY), 40))
    assert "malloc has the lowest p99.9" in tail and "lowest with malloc (20.0 MiB)" in memory
    assert "; fast (oom) failed in half of the runs or more." in tail


def test_all_failed():
    assert said(cell("a", ["crashed"] * 8), cell("b", ["overloaded"] * 8)) == [
        "At 50 % load on this machine, for kv: a (crashed) and b (overloaded) failed in half of "
        "the runs or more, so there is no lowest to name."]


def test_some_failed_runs_of_the_lowest_are_told_and_widen_its_interval():
    tail = said(cell("a", ["crashed", *STEADY[1:]]), cell("b", times(3, STEADY)))[0]
    assert "; a failed in 1 of its 10 runs" in tail and "a and b cannot be told apart" in tail
    tail = said(cell("a", STEADY), cell("b", times(3, STEADY[:6]) + ["oom"] * 4))[0]
    assert "b's is ∞ × as high [" in tail and "b failed in 4 of its 10 runs" in tail


def test_one_cell_only():
    assert said(cell("none", STEADY), cell("malloc", STEADY)) == [
        "At 50 % load on this machine, for kv: malloc has a p99.9 of 100 µs, and nothing to "
        "compare it with."]


@pytest.mark.parametrize("blocks, words", [(1, "one block: no interval"),
                                           (6, "6 blocks: no interval")])
def test_few_blocks_have_no_interval(blocks, words):
    tail, memory = said(cell("a", STEADY[:blocks]), cell("b", times(3, STEADY[:blocks]), 30))
    assert f"; b's is 3.00 × as high; {words}, so none of this can be told from chance." in tail
    assert "(3.00 × as much)" in memory


def test_controls_and_what_cannot_run_are_no_choice():
    assert said(cell("none", STEADY), cell("leak", STEADY)) == []
    unsupported = cell("arena", ["unsupported"] * 8)
    assert "nothing to compare" in said(cell("malloc", STEADY),
                                        type(unsupported)(**{**vars(unsupported),
                                                             "unsupported": "needs"}))[0]


def test_too_few_samples_fall_back_on_a_lower_quantile():
    few = cell("b", times(2, STEADY))
    for run in few.runs:
        run["response_ns"]["p99_9"] = None
    assert "a has the lowest p99 (50.0 µs)" in said(cell("a", STEADY), few)[0]
    assert said(cell("a", [None] * 8), cell("b", STEADY[:8])) == [
        "At 50 % load on this machine, for kv: too few samples to rank the cells by response "
        "time."]


def test_closed_loop_has_no_response_times():
    assert said(cell("a", STEADY, mode="closed"))[0].endswith(
        "a closed loop has no response times to compare.")


def test_noise_and_few_samples_qualify():
    noisy = {"p99_9": 100_000, "noise_limited": ["p99_9"], "low_samples": ["p99_9"]}
    tail = said(cell("a", STEADY, response_ns=noisy), cell("b", times(3, STEADY)))[0]
    assert tail.endswith("; that of a is noise-limited; some of these rest on few samples.")


def test_heaps_variants_and_odd_names_are_told_apart():
    tail = said(cell("malloc", STEADY), cell("malloc", times(2, STEADY), heap="/opt/$x_{.so"),
                cell("a'b <c>", times(4, STEADY), variant="2 threads"))[0]
    assert "malloc on glibc has the lowest" in tail and "a'b <c> (2 threads)'s is 4" in tail


def test_blocks_that_two_cells_do_not_share_are_not_compared():
    late = cell("b", times(3, STEADY))
    for run in late.runs:
        run["block"] += 100
    tail = said(cell("a", STEADY), late)[0]
    assert "× as high" not in tail and "a and b cannot be told apart" in tail
    assert "no difference can be told here" in tail


@pytest.mark.parametrize("change, words", [
    ({"load_of": "own"}, "At 50 % of each cell's own capacity on this machine, for kv"),
    ({"load": None}, "At 1.00 k/s on this machine, for kv"),
    ({"load": None, "rate": 5}, "On this machine, for kv")])
def test_the_load_is_what_all_have_in_common(change, words):
    cells = [cell("a", STEADY), cell("b", STEADY)]
    for one in cells:
        one.spec.update(change)
    if "rate" in change:
        cells[0].runs[0]["offered_rate"] = 5
    assert said(*cells)[0].startswith(words)


def test_over_many_scenarios_the_winners_are_counted():
    apart = [cell("a", STEADY), cell("b", times(3, STEADY))]
    alike = [cell("a", STEADY), cell("b", STEADY)]
    found = answers({"s": apart, "t": apart, "u": alike})
    assert [one.replace(SPACE, " ") for one in found[None]] == [
        "At 50 % load on this machine, in 2 of 3 scenarios one cell has the lowest p99.9 and can "
        "be told from all others: a on glibc in 2."]
    assert found["t"][0].startswith("For t: a has the lowest")
    assert None not in answers({"s": apart, "t": apart})
    assert answers({}) == {}


def test_ranking_is_by_the_median_and_against_the_lowest():
    cells = [cell("b", times(3, STEADY)), cell("none", STEADY), cell("a", STEADY)]
    found = tail_ranking(cells)
    assert [place.cell.label for place in found.places] == ["a · glibc", "b · glibc"]
    assert found.places[0].ratio.ratio == 1 and found.places[1].ratio.ratio == pytest.approx(3)
    assert found.places[1].told and not found.places[0].told and found.blocks == 10
    assert ranking([], METRICS["p99"]).places == []


def test_of_the_synthetic_set_what_is_known_is_said(pristine):
    grouped = scenarios(read_result_set(pristine))
    found = answers({name: headline(cells) for name, cells in grouped.items()})
    tail = found["json-api"][0].replace(SPACE, " ")
    assert tail.startswith("At 2.50 k/s on this machine, for json-api: arena has the lowest p99.9")
    assert "refcount (overloaded) failed" in tail and "boehm's is " in tail
