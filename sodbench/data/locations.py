"""Where data lies: the data root with one folder per data set, and the cache for files made or downloaded."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from sodbench.errors import InputError
from sodbench.files import write_text
from sodbench.paths import real_path, user_path

DATA_VARIABLE = "SODBENCH_DATA"
CACHE_VARIABLE = "SODBENCH_CACHE"
MOST_ROOTS = 20  # remembered for one reports folder


@dataclass(frozen=True)
class Root:
    """A data root and how it was chosen, for messages."""

    path: Path
    chosen_by: str


def data_root(argument: Path | str | None = None) -> Root:
    """The data root: the argument, else the environment's SODBENCH_DATA, else the user's data folder."""
    if argument is not None:
        return Root(user_path(argument), "--data-root")
    if from_environment := os.environ.get(DATA_VARIABLE):
        return Root(user_path(from_environment), DATA_VARIABLE)
    return Root(_user_data_folder(), "the user's data folder")


def cache_folder() -> Path:
    """The folder for files made or partly downloaded: SODBENCH_CACHE, else the user's cache folder."""
    if from_environment := os.environ.get(CACHE_VARIABLE):
        return user_path(from_environment)
    return _user_folder(platformdirs.user_cache_path, CACHE_VARIABLE)


def remember_root(reports: Path, root: Path) -> None:
    """Notes that runs recorded in the folder `reports` used the data root `root`.

    Records hold paths relative to the data root, so that they mean the same on every machine; `known_roots`
    tells where the data lies on this one. A cache that cannot be written is ignored: the user can still
    name the data root.
    """
    root = real_path(user_path(root))
    roots = [root, *(other for other in _remembered(reports) if other != root)][:MOST_ROOTS]
    with suppress(OSError, UnicodeEncodeError, InputError):
        write_text(_memory(reports), "".join(f"{one}\n" for one in roots))


def known_roots(reports: Path, argument: Path | str | None = None) -> list[Path]:
    """The data roots in which data of the records in `reports` may lie, the most likely first, each once.

    They are the argument, SODBENCH_DATA, the roots remembered for this reports folder (the latest first) and
    the user's data folder. They need not exist.
    """
    roots = [] if argument is None else [Path(argument)]
    if from_environment := os.environ.get(DATA_VARIABLE):
        roots.append(Path(from_environment))
    roots += _remembered(reports)
    with suppress(InputError):  # a user without a home
        roots.append(_user_data_folder())
    return list(dict.fromkeys(real_path(user_path(root)) for root in roots))


def forget_roots(reports: Path) -> None:
    """Removes what is remembered for a reports folder that was a temporary one."""
    with suppress(OSError, InputError):
        _memory(reports).unlink(missing_ok=True)


def _remembered(reports: Path) -> list[Path]:
    try:
        lines = _memory(reports).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, InputError):
        return []
    return [Path(line) for line in lines if line]


def _memory(reports: Path) -> Path:
    folder = os.fsencode(real_path(user_path(reports)))
    return cache_folder() / "data-roots" / f"{hashlib.sha256(folder).hexdigest()[:16]}.txt"


def _user_data_folder() -> Path:
    return _user_folder(platformdirs.user_data_path, DATA_VARIABLE)


def _user_folder(of: Callable[..., Path], variable: str) -> Path:
    """A folder in the user's home; InputError for a user without one, as in some containers."""
    try:
        folder = of("sodbench", appauthor=False)
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():
        raise InputError(f"this user has no home folder; set {variable} to a folder")
    return folder
