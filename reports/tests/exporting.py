# SPDX-License-Identifier: MIT
"""Runs `export` for tests, and reads what came of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tailrace_report.resultset import read_result_set

REPORTS = Path(__file__).parents[1]
STEADY = "read-states/malloc/glibc"  # a cell of which no run failed


def export(directory, name, *more, interpreter=(sys.executable,), **options):
    """Run `export directory --format name`."""
    env = {**os.environ, "PYTHONPATH": str(REPORTS), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([*interpreter, "-m", "tailrace_report", "export", str(directory),
                           "--format", name, *map(str, more)], env=env, capture_output=True,
                          check=False, encoding="utf-8", errors="strict", **options)


def exported(directory, name):
    """(text, lines on standard error) of an export that succeeds."""
    done = export(directory, name)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.splitlines()


def strict_json(text):
    """JSON without NaN and Infinity."""
    return json.loads(text, parse_constant=lambda word: pytest.fail(word))


def runs_of(directory):
    """{(cell, block): run}."""
    return {(run["cell"], run["block"]): run for run in read_result_set(directory).runs}


def refused_last(done):
    """The last sentence of an export that was refused after others were told."""
    assert done.returncode == 2 and "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]
