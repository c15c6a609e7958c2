"""Atomic writing of files, digests of files, and locks between processes."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sodbench.errors import InputError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the folder of `path`; on success the file is synced and renamed to `path`.

    On any exception (a full disk, Ctrl-C) the temporary file is removed and `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text atomically."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def locked(
    path: Path, *, waiting: Callable[[], None] = lambda: None, remedy: str = "choose another folder"
) -> Iterator[None]:
    """Holds an exclusive lock on the file `path`, which is made if need be and stays.

    If another process (or thread) holds the lock, `waiting` is called once before waiting for it; it may
    print a note, or raise an error to give up. `remedy` ends the InputError for a folder that cannot be
    written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be written to ({error.strerror}); {remedy}") from None
    try:
        if not _lock(handle, wait=False):
            waiting()
            _lock(handle, wait=True)
        yield
    finally:
        os.close(handle)  # releases the lock


if sys.platform == "win32":

    def _lock(handle: int, wait: bool) -> bool:
        import msvcrt
        import time

        while True:
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if not wait:
                    return False
                time.sleep(0.2)
else:

    def _lock(handle: int, wait: bool) -> bool:
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            return True
        except BlockingIOError:
            return False
