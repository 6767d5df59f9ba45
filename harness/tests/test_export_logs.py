# SPDX-License-Identifier: MIT
"""`tailrace export` of what was measured: Java finds every count in the joined log, tables are
those of `run --hgrm`, and the reader in Python finds in logs what is in the results."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest
from test_hlog import CLOSED, OPEN, complete, counted, dump, hold_to_head, read_runs, total

sys.path.append(str(Path(__file__).resolve().parents[2] / "reports"))
from tailrace_report import export_histograms, hlog  # noqa: E402


def recorded(folder):
    """{(cell, block): the response histogram} of the runs that have one."""
    return {(run["cell"], run["block"]): counted(run["response_histogram"])
            for run in read_runs(folder) if run["response_histogram"]}


def test_java_reads_every_count_of_the_joined_log(tailrace, complete, tmp_path):
    done = tailrace("export", complete, "--format", "hlog", "--out", tmp_path / "all.hlog")
    assert done.status == 0 and done.stdout == "" and done.stderr == "", done
    hold_to_head((tmp_path / "all.hlog").read_text())
    lines, _ = dump(tmp_path / "all.hlog")
    runs = recorded(complete)
    assert len(runs) == 4
    for cell in {cell for cell, _ in runs}:
        found = total([line for line in lines if line.tag == cell])
        assert found == sum((runs[key] for key in runs if key[0] == cell), Counter())
    starts = [line.start_s for line in lines]
    assert starts == sorted(starts) and len({line.tag for line in lines}) == 2


def test_python_reads_every_count_of_a_result_set(complete):
    runs = recorded(complete)
    for path in (complete / "hlog").iterdir():
        log = hlog.read_log(path)
        assert [block for block, _ in log.runs] == [0, 1] and not log.torn
        for block, status in log.runs:
            mine = [one for one in log.intervals if one.block == block]
            assert status == "ok" and len(mine) >= 3
            key = (mine[0].tag, block)
            assert hlog.add_up(mine) == runs.pop(key), key
            result = next(run for run in read_runs(complete) if (run["cell"], run["block"]) == key)
            found = hlog.summary(hlog.add_up(mine))
            for name in ("p50", "p90", "p99"):  # of which a run's own is at most its exact maximum
                top = result["response_ns"]["max"]
                assert min(found[name], top) == result["response_ns"][name], name
            for name in ("count", "low_samples"):
                assert found[name] == result["response_ns"][name], name
    assert runs == {}


@pytest.mark.parametrize("arguments, kind", [(OPEN, "response"), (CLOSED, "service")])
def test_tables_are_those_of_the_program(tailrace, tmp_path, arguments, kind):
    result, hgrm = tmp_path / "json", tmp_path / "hgrm"
    assert tailrace("run", *arguments, "--json", result, "--hgrm", hgrm).status == 0
    counts = counted(json.loads(result.read_text())[f"{kind}_histogram"])
    assert export_histograms.table(counts) == hgrm.read_text()


def test_a_table_for_each_cell_beside_its_log(tailrace, complete, tmp_path):
    done = tailrace("export", complete, "--format", "hgrm", "--out", tmp_path / "tables")
    assert done.status == 0 and "read-states/arena/glibc" in done.stderr, done
    assert sorted(path.stem for path in (tmp_path / "tables").iterdir()) == sorted(
        path.stem for path in (complete / "hlog").iterdir())
