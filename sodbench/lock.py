"""One process at a time: a lock file that the system releases when its process ends, however it ends."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sodbench.errors import InputError


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
    import msvcrt
    import time

    def _lock(handle: int, wait: bool) -> bool:
        while True:
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if not wait:
                    return False
                time.sleep(0.2)
else:
    import fcntl

    def _lock(handle: int, wait: bool) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            return True
        except BlockingIOError:
            return False
