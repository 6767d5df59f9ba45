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


@pytest.fixture
def result_dir(pristine, tmp_path):
    """A copy of the synthetic result set to do with as a test likes."""
    return Path(shutil.copytree(pristine, tmp_path / "set"))
