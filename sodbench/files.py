"""Atomic writing of files, digests of files, and locks between processes."""

import errno
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from sodbench.errors import InputError
from sodbench.paths import refuse_special
from sodbench.unfinished import temporary

# what file systems without locks answer; network file systems do not lock folders
_NO_LOCKS = (errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
_ATTEMPTS = 100  # at a folder that others remove meanwhile


_held: set[int] = set()  # the handles of the locks of this process


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the folder of `path`; on success the file is synced and renamed to `path`.

    On any exception (a full disk, Ctrl-C) the temporary file is removed and `path` stays as it was. What a
    killed process left in the folder is removed, too. Raises InputError for a device or a pipe, which would
    be replaced and not written to.
    """
    refuse_special(path)
    with temporary(path) as part:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text atomically."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as 64 hexadecimal digits."""
    refuse_special(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def md5_of(path: Path) -> str:
    """The file's MD5 as 32 hexadecimal digits: to know a file by what others publish, not for security."""
    refuse_special(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


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
    written to. The lock ends with the process, however that ends. File systems without locks give none.
    """
    with _locked(path, path.parent, waiting, remedy):
        yield


@contextmanager
def locked_folder(
    folder: Path, *, waiting: Callable[[], None] = lambda: None, remedy: str = "choose another folder"
) -> Iterator[None]:
    """Holds an exclusive lock on a folder as `locked` does on a file.

    The folder is made if need be, and what was made is removed if it is empty at the end.
    """
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    with _locked(folder, folder, waiting, remedy):
        try:
            yield
        finally:
            # only with the lock held: an empty folder may be that of another process that has just begun
            with suppress(OSError):  # it is not empty
                for one in new:
                    one.rmdir()


@contextmanager
def _locked(path: Path, folder: Path, waiting: Callable[[], None], remedy: str) -> Iterator[None]:
    for attempt in count():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = _open(path, is_folder=path == folder)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and attempt < _ATTEMPTS:
                continue  # its former holder has just removed it
            raise InputError(f"{folder}: cannot be written to ({error.strerror}); {remedy}") from None
        try:
            _held.add(handle)
            if not _lock(handle, wait=False):
                waiting()
                _lock(handle, wait=True)
            if _is_at(handle, path):  # else its former holder has removed it
                yield
                return
        finally:
            if handle in _held:
                _held.discard(handle)
                os.close(handle)  # releases the lock


def _close_held() -> None:
    """A forked process would keep the locks of its parent after the parent's end."""
    for handle in list(_held):
        os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_held)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return sys.platform == "win32" or os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":

    def _open(path: Path, is_folder: bool) -> int:
        return os.open(path / ".lock" if is_folder else path, os.O_RDWR | os.O_CREAT, 0o666)

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

    def _open(path: Path, is_folder: bool) -> int:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY if is_folder else os.O_RDWR | os.O_CREAT, 0o666)

    def _lock(handle: int, wait: bool) -> bool:
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            return True
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return True
