# SPDX-License-Identifier: MIT
"""Result sets go into a history wholly and once, and into nothing that is no history."""

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys

import pytest
from history_command import REPORTS, shown, tailrace
from synthetic_history import CELLS, write_set
from tailrace_report import history_store

MALLOC = CELLS[1]


def rows(file, table):
    """How many rows a table has."""
    with sqlite3.connect(file) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_sets_are_added_once(tmp_path):
    directory, file = write_set(tmp_path / "set", 1), tmp_path / "h.db"
    assert "3 cells, 24 runs\n" in tailrace("add", file, directory)
    kept = file.read_bytes()
    assert "is in the history already: nothing added" in tailrace("add", file, directory)
    copied = directory.rename(tmp_path / "elsewhere")
    assert "already" in tailrace("add", file, copied) and file.read_bytes() == kept
    tailrace("add", file, write_set(tmp_path / "other", 2))
    assert rows(file, "result_set") == 2 and rows(file, "run") == 48
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_incomplete_set_is_taken_and_replaced_when_it_went_on(tmp_path):
    directory, file = write_set(tmp_path / "set", 1), tmp_path / "h.db"
    runs = (directory / "runs.jsonl").read_text()
    (directory / "runs.jsonl").write_text("\n".join(runs.split("\n")[:10])[:-20])
    said = tailrace("add", file, directory)
    assert "9 runs; incomplete: 15 of 24 runs are missing; a torn last line was left out" in said
    (directory / "runs.jsonl").write_text(runs)
    assert "in place of its first 9 runs" in tailrace("add", file, directory)
    assert rows(file, "result_set") == 1 and rows(file, "run") == 24
    (directory / "runs.jsonl").write_text("\n".join(runs.split("\n")[:10]) + "\n")
    assert "already, with 24 runs" in tailrace("add", file, directory)


KILLED = """
import os, signal, sys
from tailrace_report import __main__, history_store
left = [100]
real = history_store.math.isfinite
class Math:
    def isfinite(value):
        left[0] -= 1
        if not left[0]:
            {}
        return real(value)
history_store.math = Math
sys.argv = ["tailrace_report", "history", "add", *sys.argv[1:]]
sys.exit(__main__.main())
"""


@pytest.mark.parametrize("how, status", [
    ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ("os.kill(os.getpid(), signal.SIGINT)", 130)])
@pytest.mark.parametrize("new", [True, False])
def test_interrupted_add_leaves_nothing_of_the_set(tmp_path, how, status, new):
    file, second = tmp_path / "h.db", write_set(tmp_path / "b", 2)
    if not new:
        tailrace("add", file, write_set(tmp_path / "a", 1))
    done = subprocess.run([sys.executable, "-B", "-c", KILLED.format(how), file, second],
                          env={**os.environ, "PYTHONPATH": str(REPORTS)}, capture_output=True)
    assert done.returncode == status, done.stderr
    if new:
        assert not file.exists() or not file.stat().st_size
    else:
        assert len(shown(file)[MALLOC, "p50"]["sets"]) == 1
    tailrace("add", file, second)
    assert rows(file, "result_set") == 2 - new and rows(file, "run") == 24 * (2 - new)


@pytest.mark.parametrize("new", [True, False])
def test_full_disk_leaves_the_file_as_it_was(tmp_path, new):
    file, second = tmp_path / "h.db", write_set(tmp_path / "b", 2)
    if not new:
        tailrace("add", file, write_set(tmp_path / "a", 1))
    limit = 20000 if new else file.stat().st_size + 2000
    said = tailrace("add", file, second, status=2, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (limit, limit)))
    assert "h.db cannot be used" in said
    left = {path.name for path in tmp_path.iterdir()}
    assert left == ({"b"} if new else {"a", "b", "h.db"})
    assert new or rows(file, "result_set") == 1


def test_files_that_are_no_history(tmp_path):
    directory, text = write_set(tmp_path / "set", 1), tmp_path / "text"
    text.write_text("no database, but a good deal of text\n" * 100)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE money (sum)")
    newer, empty = tmp_path / "newer.db", tmp_path / "empty.db"
    tailrace("add", newer, directory)
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 2")
    empty.touch()
    for action in (("add", directory), ("show",), ("plot", "--out", tmp_path / "figures")):
        def refused(file):
            return tailrace(action[0], file, *action[1:], status=2)

        assert "is no history" in refused(text)
        assert "is a database, but no history of tailrace" in refused(other)
        assert "newer tailrace (schema 2; this one reads 1)" in refused(newer)
        assert "is a folder" in refused(tmp_path)
        if action[0] != "add":
            assert "does not exist" in refused(tmp_path / "none.db")
            assert "is empty" in refused(empty)
    assert "cannot be used" in tailrace("add", tmp_path / "none" / "h.db", directory, status=2)
    assert not (tmp_path / "figures").exists() and not (tmp_path / "none.db").exists()
    assert rows(other, "money") == 0 and len(text.read_text()) == 37 * 100
    assert "added" in tailrace("add", empty, directory)


def test_sets_that_cannot_be_added(tmp_path):
    file, no_time = tmp_path / "h.db", write_set(tmp_path / "a", 1, start_time=None)
    assert "context.start_time" in tailrace("add", file, no_time, status=2)
    empty = write_set(tmp_path / "b", 1)
    (empty / "runs.jsonl").write_text("")
    assert "holds no run" in tailrace("add", file, empty, status=2)
    assert "is not a folder" in tailrace("add", file, tmp_path / "none", status=2)
    huge = write_set(tmp_path / "c", 1, cells=(MALLOC,), blocks=1)
    manifest = (huge / "runs.jsonl").read_text().replace('"block": 0', f'"block": {2**70}')
    (huge / "runs.jsonl").write_text(manifest)
    assert "cannot be kept" in tailrace("add", file, huge, status=2)
    for key, wrong in (("service_ns", {"p50": "fast"}), ("allocations", {"calls": []}),
                       ("cpu_s", "long")):
        runs = write_set(tmp_path / key, 1) / "runs.jsonl"
        runs.write_text("".join(json.dumps({**json.loads(line), key: wrong}) + "\n"
                                for line in runs.read_text().splitlines()))
        said = tailrace("add", file, runs.parent, status=2)
        assert "wrong or missing" in said and key in said
    assert not file.exists()


def test_adding_is_one_transaction(tmp_path):
    with history_store.history(tmp_path / "h.db", create=True) as connection:
        with pytest.raises(ZeroDivisionError), history_store.transaction(connection):
            connection.execute("CREATE TABLE one (x)")
            1 / 0
        assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    assert not (tmp_path / "h.db").exists()
