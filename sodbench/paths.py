"""Paths as users write them: `~`, links, and files that are none."""

import os
import stat
from pathlib import Path

from sodbench.errors import InputError


def user_path(path: Path | str) -> Path:
    """The path with `~` and `~name` expanded; InputError where that user has no home folder."""
    if "\0" in str(path):
        raise InputError(f"{str(path)!r}: holds a NUL character, so it is no path")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InputError(f"{path}: {Path(path).parts[0]} has no home folder; write the whole path") from None


def real_path(path: Path | str) -> Path:
    """The absolute path without links and `..`; of a link to itself, the link.

    `Path.resolve` raises for such a link, and opening the file says the same in words.
    """
    return Path(os.path.realpath(path))


def refuse_special(path: Path) -> None:
    """Raises InputError for what is neither a file nor a folder: a named pipe would be waited on for ever."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # whoever opens it says what is wrong
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
        kind = next((name for test, name in kinds if test(mode)), "a device")
        raise InputError(f"{path}: {kind}; expected a regular file")
