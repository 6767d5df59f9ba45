# SPDX-License-Identifier: MIT
"""Writes the files of a report or an export so that each is there whole or not at all."""

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
        raise ReportError(f"the files cannot be written into {directory}: "
                          f"{error.strerror}") from None
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
    return directory / name


def write_file(path, content):
    """Write `content` (bytes) to `path`, which is there whole or as it was; ReportError if not.

    A device, a pipe or a link is written in place: it is not to become a file.
    """
    path = Path(path)
    in_place = path.is_symlink() or path.exists() and not path.is_file()
    temporary = path if in_place else path.with_name(f"{path.name}.part")
    try:
        temporary.write_bytes(content)
        if not in_place:
            os.replace(temporary, path)
    except OSError as error:
        if not in_place:
            temporary.unlink(missing_ok=True)
        raise ReportError(f"cannot write {path}: {error.strerror}") from None
