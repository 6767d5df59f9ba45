# SPDX-License-Identifier: MIT
"""Every command of README.md works as it stands there.

The lines of its ```sh blocks are run in order from the top of the repository, with a home and a
/tmp of their own. A line may end in `# exit N` if its exit status is not 0. Not run here: scripts
that build and test everything.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_S = 300
NOT_RUN = ("scripts/bench", "scripts/test")


def read_commands(text):
    """The lines of every ```sh block, those continued by a backslash as one."""
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield line.strip()


def wanted_status(command):
    """What a trailing `# exit N` says, else 0."""
    told = re.search(r"#.*\bexit (\d+)\b", command)
    return int(told[1]) if told else 0


COMMANDS = list(read_commands((REPOSITORY / "README.md").read_text(encoding="utf-8")))
RUN = [command for command in COMMANDS if not command.startswith(NOT_RUN)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home that is empty at the first command; its folder tmp stands for /tmp.

    Result sets that commands put beside the program are removed in the end.
    """
    folder = tmp_path_factory.mktemp("home")
    (folder / "tmp").mkdir()
    program = Path(os.environ.get("TAILRACE") or REPOSITORY / "build" / "tailrace").resolve()
    before = set(program.parent.glob("results/*"))
    yield folder
    for result_set in set(program.parent.glob("results/*")) - before:
        shutil.rmtree(result_set)


def as_run(command, home):
    """The command on the program under test and with the /tmp of this test."""
    program = os.environ.get("TAILRACE")
    if program:
        command = re.sub(r"(?<![\w/.])(\./)?build/tailrace(?![\w/-])", program, command)
    return re.sub(r"(?<![\w/.])/tmp(?=/|\s|$)", str(home / "tmp"), command)


def test_there_are_commands():
    """An empty list would pass without having run anything."""
    assert any(command.startswith("scripts/bench") for command in COMMANDS)
    assert any("build/tailrace run" in command for command in RUN)
    assert any("build/tailrace bench" in command for command in RUN)


@pytest.mark.parametrize("command", RUN)
def test_command(command, home):
    done = subprocess.run(["bash", "-c", as_run(command, home)], cwd=REPOSITORY, text=True,
                          env=dict(os.environ, HOME=str(home)), stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=PATIENCE_S, check=False)
    said = f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert done.returncode == wanted_status(command), said


def test_scripts_that_are_named_exist():
    """Also those that are not run here."""
    for script in {command.split()[0] for command in COMMANDS if command.startswith("scripts/")}:
        assert os.access(REPOSITORY / script, os.X_OK), script
