"""Temporary files and folders: named after the process that makes them, and swept if that was killed.

`.leaderboard.md.1f9a0c3e-4711-5be1d7a2.part` was made by process 4711 on the machine (or in the container)
1f9a0c3e. Whoever writes into a folder removes what processes that have ended left there; what another
machine left is removed after a day.
"""

import os
import platform
import re
import secrets
import shutil
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

_NAME = re.compile(r"\..*\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.part", re.DOTALL)
_LONGEST = 100  # bytes of the file's own name in that of its temporary file
_ABANDONED = 86400.0  # seconds after which what another machine left is stale
_AGAIN = 60.0  # seconds after which a folder is swept once more

_unfinished: set[Path] = set()
_swept: dict[Path, float] = {}


@contextmanager
def temporary(path: Path) -> Iterator[Path]:
    """Yields an unused path beside `path`, in a folder that is made if need be.

    What is there at the end, file or folder, is removed: rename it to `path` before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.parent.absolute()
    if time.monotonic() - _swept.get(folder, -_AGAIN) >= _AGAIN:
        _swept[folder] = time.monotonic()
        sweep([folder])
    start = path.name.encode("utf-8", "surrogateescape")[:_LONGEST].decode("utf-8", "ignore")
    part = path.with_name(f".{start}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.part").absolute()
    _unfinished.add(part)
    try:
        yield part
    finally:
        _unfinished.discard(part)
        _remove(part)


def sweep(folders: Iterable[Path]) -> None:
    """Removes the temporary files and folders in these folders whose processes have ended."""
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                name = _NAME.fullmatch(entry.name)
                if name and _is_stale(entry, name[1], int(name[2])):
                    _remove(Path(entry.path))


def remove_unfinished() -> None:
    """Removes this process's temporary files, before it ends at once."""
    mine = f".{_machine()}-{os.getpid()}-"
    for part in list(_unfinished):
        if mine in part.name:  # a process that was forked knows the files of the other one, too
            _remove(part)


def _is_stale(entry: "os.DirEntry[str]", machine: str, process: int) -> bool:
    if machine == _machine():
        if process == os.getpid():
            return Path(entry.path).absolute() not in _unfinished  # a former process of the same number
        if sys.platform != "win32":
            return not _is_running(process)
    with suppress(OSError):
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED
    return False


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's
        return True
    return True


@lru_cache(maxsize=1)
def _machine() -> str:
    """Eight digits for where process numbers mean the same: a machine, or a container on it."""
    space = ""
    with suppress(OSError):
        space = str(Path("/proc/self/ns/pid").readlink())
    return f"{zlib.crc32(f'{platform.node()} {space}'.encode()):08x}"


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
