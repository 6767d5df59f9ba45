# SPDX-License-Identifier: MIT
"""Writes the files of a report so that each is there whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from .resultset import ReportError


def write_files(directory, files):
    """Write `files` ({name: bytes}) into `directory`, the last one last; return its path.

    All are written to a temporary folder beside them first, so a full disk leaves nothing behind.
    """
    directory, temporary = Path(directory), None
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".report-", dir=directory))
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        for name in files:
            os.replace(temporary / name, directory / name)
    except OSError as error:
        raise ReportError(f"the report cannot be written into {directory}: "
                          f"{error.strerror}") from None
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
    return directory / name
