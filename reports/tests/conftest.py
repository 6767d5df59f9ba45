# SPDX-License-Identifier: MIT
"""Makes the package and the synthetic builder importable, and hands out result sets."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]


@pytest.fixture(scope="session")
def pristine(tmp_path_factory):
    """The folder of the synthetic result set, built once; not to be changed."""
    import synthetic
    directory = tmp_path_factory.mktemp("pristine") / "set"
    synthetic.write(directory)
    return directory


@pytest.fixture(scope="session")
def curves(tmp_path_factory):
    """The folder of a small set of load and budget curves, built once; not to be changed."""
    import synthetic_curves
    directory = tmp_path_factory.mktemp("curves") / "set"
    small = [cell for cell in synthetic_curves.CELLS if cell[0] in ("none", "refcount", "boehm")]
    synthetic_curves.write(directory, small, 2, loads=(
        ("slowest", 0.9), ("slowest", 0.3), ("slowest", 0.6), ("own", 0.5)), budgets=(4, 1.25))
    return directory


@pytest.fixture(scope="session")
def collectors(tmp_path_factory):
    """The folder of a small set of collectors at several live sets; not to be changed."""
    import synthetic_collectors
    directory = tmp_path_factory.mktemp("collectors") / "set"
    synthetic_collectors.write(directory)
    return directory


@pytest.fixture
def curves_dir(curves, tmp_path):
    """A copy of the small set of curves to do with as a test likes."""
    return Path(shutil.copytree(curves, tmp_path / "curves"))


@pytest.fixture
def result_dir(pristine, tmp_path):
    """A copy of the synthetic result set to do with as a test likes."""
    return Path(shutil.copytree(pristine, tmp_path / "set"))
