# SPDX-License-Identifier: MIT
"""Runs `tailrace history` for tests."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from tailrace_report.__main__ import main

REPORTS = Path(__file__).resolve().parents[1]


def tailrace(*arguments, status=0, python=None, **options):
    """Run `tailrace history`; what it printed, or what it said on standard error if it failed.

    In this process, unless there are arguments for `python` or `options` for its process.
    """
    if python is None and not options:
        found, out, err = in_process([str(one) for one in arguments])
    else:
        done = subprocess.run(
            [sys.executable, *(python or ()), "-B", "-m", "tailrace_report", "history",
             *map(str, arguments)], env={**os.environ, "PYTHONPATH": str(REPORTS)},
            capture_output=True, text=True, timeout=120, **options)
        found, out, err = done.returncode, done.stdout, done.stderr
    assert found == status and "Traceback" not in err, err
    if status:
        assert not out and err.count("\n") == 1, (out, err)
    return err if status else out


def in_process(arguments):
    """(Exit status, standard output, standard error)."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as out, \
            redirect_stderr(io.StringIO()) as err:
        patch.setattr(sys, "argv", ["tailrace", "history", *arguments])
        try:
            status = main()
        except SystemExit as end:
            status = end.code
    return status, out.getvalue(), err.getvalue()


def shown(file, *arguments):
    """{(cell, metric): series} of `show --json`."""
    found = json.loads(tailrace("show", file, "--json", *arguments))
    return {(one["cell"], one["metric"]): one for one in found["series"]}
