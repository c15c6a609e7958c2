"""Refuses to write among the images and masks that a command reads."""

import os
from collections.abc import Iterable
from pathlib import Path

from sodbench.errors import InputError
from sodbench.paths import real_path

Identity = tuple[int, int]


def refuse_overwriting(
    targets: Iterable[Path], inputs: Iterable[Path], named: str, folders: Iterable[Path] = ()
) -> None:
    """Raises InputError if one of the files to write is an input, or lies in a folder of inputs.

    inputs: the images and masks that are read. folders: further folders in which nothing may be written.
    named: what the message calls the folder of the targets, `--out maps`.

    Files and folders are compared by what they are on the disk, so that links, hard links and letter case
    make no difference.
    """
    files, holders = set(), dict.fromkeys(folders)
    for path in inputs:
        files.add(_identity(path))
        holders[path.parent] = None
        if path.is_symlink():
            holders[real_path(path).parent] = None
    kept = {_identity(folder) for folder in holders} - {None}
    files.discard(None)
    checked: dict[Path, bool] = {}
    for target in targets:
        folder = target.parent
        if folder not in checked:
            checked[folder] = _identity(folder) in kept
        if checked[folder]:
            raise InputError(
                f"{named}: is a folder of the images or masks that are read;"
                " choose another, so that none is overwritten"
            )
        if _identity(target) in files:
            raise InputError(
                f"{named}: {target.name} there is one of the images or masks that are read;"
                " choose another folder, so that none is overwritten"
            )


def _identity(path: Path) -> Identity | None:
    """What a file or folder is on the disk; None for what is not there."""
    try:
        status = os.stat(path)  # noqa: PTH116 # a third of the time of Path.stat
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
