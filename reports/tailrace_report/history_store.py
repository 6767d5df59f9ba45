# SPDX-License-Identifier: MIT
"""The history's file: result sets in one SQLite database; knows what is kept and nothing of trends.

A set is added in one transaction, so that it is in the file wholly or not at all, whatever ends
the program. The schema is explained in ../README.md.
"""

import hashlib
import json
import math
import sqlite3
from collections import Counter
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path

from .arms import KEYS
from .metrics import METRICS
from .resultset import ReportError
from .text import count, listed

APPLICATION, VERSION = 0x7461696C, 1  # "tail"; of the schema
SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE result_set (
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, suite TEXT NOT NULL, "commit" TEXT,
  start_time TEXT NOT NULL, cpu_model TEXT NOT NULL, cores INTEGER, kernel TEXT, seed TEXT,
  blocks INTEGER NOT NULL, cells INTEGER NOT NULL, torn INTEGER NOT NULL, context TEXT NOT NULL
) STRICT;
CREATE TABLE cell (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, identity TEXT NOT NULL UNIQUE,
  control INTEGER NOT NULL
) STRICT;
CREATE TABLE run (
  set_id INTEGER NOT NULL REFERENCES result_set ON DELETE CASCADE,
  cell_id INTEGER NOT NULL REFERENCES cell, block INTEGER NOT NULL, status TEXT NOT NULL,
  offered_rate REAL, PRIMARY KEY (set_id, cell_id, block)
) STRICT, WITHOUT ROWID;
CREATE TABLE value (
  set_id INTEGER NOT NULL, cell_id INTEGER NOT NULL, block INTEGER NOT NULL, metric TEXT NOT NULL,
  value REAL NOT NULL, PRIMARY KEY (set_id, cell_id, block, metric),
  FOREIGN KEY (set_id, cell_id, block) REFERENCES run ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
"""
SETTINGS = ("duration_s", "warmup_s", "load")  # of the manifest, kept with the context


@contextmanager
def history(path, create=False):
    """The connection to the history at `path`; ReportError if there is none or it is none.

    With `create` a file that does not exist or is empty becomes one; what fails leaves no file.
    """
    path = Path(path)
    existed = path.exists()
    if not existed and not create:
        raise ReportError(f"{path} does not exist: `tailrace history add {path} DIR` makes it")
    if path.is_dir():
        raise ReportError(f"{path} is a folder: a history is one file")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}",
                                     uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            check(connection, path, create)
            yield connection
    except sqlite3.Error as error:
        what = "is no history" if "not a database" in str(error) else "cannot be used"
        raise ReportError(f"{path} {what}: {error}") from None
    finally:
        if not existed and path.is_file() and not path.stat().st_size:
            path.unlink()


def check(connection, path, create):
    """ReportError unless this is a history of a version known, or an empty file to be filled."""
    application, version, tables = (connection.execute(query).fetchone()[0] for query in (
        "PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master"))
    if not tables and not application:
        if not create:
            raise ReportError(f"{path} is empty: `tailrace history add {path} DIR` fills it")
    elif application != APPLICATION:
        raise ReportError(f"{path} is a database, but no history of tailrace")
    elif version > VERSION:
        raise ReportError(f"{path} was written by a newer tailrace (schema {version}; this one "
                          f"reads {VERSION})")


@contextmanager
def transaction(connection):
    """All of it or nothing, whatever is raised."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def add(connection, result_set, directory):
    """Add a set unless it is there with as many runs; the sentence that says what was done."""
    row = set_row(result_set, directory)
    with transaction(connection):
        if not connection.execute("PRAGMA application_id").fetchone()[0]:
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
        known = connection.execute(
            "SELECT id, count(block) FROM result_set LEFT JOIN run ON set_id = id WHERE digest = ? "
            "GROUP BY id", [row["digest"]]).fetchone()
        if known and known[1] >= len(result_set.runs):
            more = "" if known[1] == len(result_set.runs) else f", with {count(known[1], 'run')}"
            return f"{directory} is in the history already{more}: nothing added"
        if known:
            connection.execute("DELETE FROM result_set WHERE id = ?", known[:1])
        try:
            insert(connection, row, result_set)
        except (OverflowError, sqlite3.IntegrityError) as error:
            raise ReportError(f"{directory} cannot be kept: {error}") from None
    had = f" in place of its first {count(known[1], 'run')}" if known else ""
    return f"added {directory}{had}: {described(row, result_set)}"


def set_row(result_set, directory):
    """The row of table result_set, as a dict; ReportError where the set's time is not known."""
    manifest = result_set.manifest
    context = manifest["context"]
    try:
        start = datetime.fromisoformat(context.get("start_time"))
    except (TypeError, ValueError):
        raise ReportError(f"{directory} does not say when it was measured (context.start_time), "
                          "so it has no place in a history") from None
    start = (start if start.tzinfo else start.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    row = {"suite": manifest["suite"], "commit": text(context.get("commit")),
           "start_time": start.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
           "cpu_model": text(context.get("cpu_model")) or "unknown processor",
           "cores": context["cores"] if isinstance(context.get("cores"), int) else None,
           "kernel": text(context.get("kernel")), "seed": text(manifest.get("seed"))}
    # A set that was resumed since it was added has the same first run.
    first = json.dumps([row, result_set.runs[0]], sort_keys=True)
    return {"digest": hashlib.sha256(first.encode()).hexdigest(), **row,
            "blocks": manifest["blocks"], "cells": len(manifest["cells"]),
            "torn": int(result_set.torn),
            "context": json.dumps({**context, **{key: manifest.get(key) for key in SETTINGS}},
                                  sort_keys=True)}


def text(value):
    """A value of the context as text; None stays."""
    return None if value is None else str(value)


def insert(connection, row, result_set):
    """Insert the set, its cells, runs and values."""
    set_id = connection.execute(
        f"INSERT INTO result_set ({', '.join(map(quoted, row))}) "
        f"VALUES ({', '.join('?' * len(row))})", list(row.values())).lastrowid
    cells = {spec["cell"]: cell_id(connection, spec) for spec in result_set.manifest["cells"]}
    for run in result_set.runs:
        key = (set_id, cells[run["cell"]], run["block"])
        connection.execute("INSERT INTO run VALUES (?, ?, ?, ?, ?)",
                           (*key, run["status"], run.get("offered_rate")))
        connection.executemany("INSERT INTO value VALUES (?, ?, ?, ?, ?)", (
            (*key, metric.name, value) for metric in METRICS.values()
            if run["status"] == "ok" and (value := metric.value(run)) is not None
            and math.isfinite(value)))


def quoted(name):
    """A column's name as SQL has it."""
    return f'"{name}"'


def cell_id(connection, spec):
    """The id of the cell that `spec` describes, inserted if it is new."""
    identity = json.dumps({"cell": spec["cell"], **{key: value(spec) for key, value in
                                                    KEYS.items()}})
    connection.execute("INSERT OR IGNORE INTO cell (name, identity, control) VALUES (?, ?, ?)",
                       (spec["cell"], identity, int(bool(spec.get("control")))))
    return connection.execute("SELECT id FROM cell WHERE identity = ?", [identity]).fetchone()[0]


def described(row, result_set):
    """What a set is, what it lacks and what failed, in one sentence."""
    planned, runs = row["cells"] * row["blocks"], len(result_set.runs)
    failed = Counter(run["status"] for run in result_set.runs if run["status"] != "ok")
    parts = [f"suite {row['suite']}, {row['start_time']}, commit {row['commit'] or 'not known'}, "
             f"{count(row['cells'], 'cell')}, {count(runs, 'run')}"]
    if runs < planned:
        parts.append(f"incomplete: {planned - runs:,} of {planned:,} runs are missing")
    if result_set.torn:
        parts.append("a torn last line was left out")
    if failed:
        parts.append("failed: " + listed(f"{n:,} {status}" for status, n in sorted(failed.items())))
    return "; ".join(parts)
