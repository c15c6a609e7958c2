"""Folders as records hold them, and where they are on this machine.

A record is read on other machines than the one that wrote it, so the folders in it are not absolute:
`data-root:SOD/images` lies below the data root, `reports:../maps/DSS` starts at the reports folder, `cache:`
is the cache in which the embedded sample is made. `locate` finds them again.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from sodbench.data.locations import cache_folder
from sodbench.errors import InputError
from sodbench.paths import real_path, user_path


def portable(path: Path, reports: Path | None, roots: Iterable[Path] = ()) -> str:
    """`path` as records hold it: below a data root, below the cache, else relative to the reports folder.

    Absolute where there is no reports folder, or on another drive than it.
    """
    resolved = real_path(user_path(path))
    bases = [("data-root", root) for root in roots]
    with suppress(InputError):  # a user without a home has no cache
        bases.append(("cache", cache_folder()))
    for base, folder in bases:
        folder = real_path(user_path(folder))
        if resolved.is_relative_to(folder):
            return f"{base}:{resolved.relative_to(folder).as_posix()}"
    if reports is None:
        return resolved.as_posix()
    try:
        return "reports:" + Path(os.path.relpath(resolved, real_path(reports))).as_posix()
    except ValueError:  # another drive on Windows
        return resolved.as_posix()


def locate(recorded: str | None, reports: Path | None, roots: Sequence[Path] = ()) -> Path | None:
    """The place that a recorded path means on this machine; None for None.

    Of several data roots the first that holds it is taken, the first of all where none does. A path without
    a base, as older records hold it, is taken as it is.
    """
    if recorded is None:
        return None
    base, separator, rest = recorded.partition(":")
    if separator and base == "data-root":
        candidates = [root / rest for root in roots] or [Path(rest)]
        return next((path for path in candidates if path.exists()), candidates[0])
    if separator and base == "cache":
        return cache_folder() / rest
    if separator and base == "reports":
        start = Path(reports or ".")
        if real_path(start) != start.absolute():  # `..` leads elsewhere from behind a link
            start = real_path(start)
        # without the `..`, so that a page and a message show a plain path
        return Path(os.path.normpath(start / rest))
    return Path(recorded)
