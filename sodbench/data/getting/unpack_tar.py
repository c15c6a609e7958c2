"""Unpacks tar archives, plain or packed by gzip, bzip2 or xz; all names are read before the contents."""

import bz2
import gzip
import io
import lzma
import tarfile
from functools import partial
from pathlib import Path
from typing import IO, cast

from sodbench.data.getting.limits import HEADER, Limits, refused
from sodbench.data.getting.members import Members, is_litter, write_member

_CHUNK = 1 << 20


def unpack_tar(archive: Path, folder: Path, limits: Limits) -> None:
    """Unpacks into an empty folder; raises InputError, or what tarfile raises for other files."""
    with _opened(archive) as file:
        stream = _Stream(file, archive, limits)
        members = []
        chosen = Members(archive, limits)
        with tarfile.open(fileobj=stream, mode="r:") as packed:
            while (member := packed.next()) is not None:
                stream.member = member.name
                if not (member.isreg() or member.isdir()) or member.issparse():
                    raise refused(archive, member.name, "a link or device, or a sparse file")
                path = chosen.add(member.name, member.size, folder=member.isdir())
                if member.isreg() and not is_litter(path):
                    members.append((path, member.name, member.offset_data, member.size))
                packed.members.clear()  # type: ignore[attr-defined]  # every one keeps its headers
            stream.largest = _CHUNK
            while stream.read(_CHUNK):
                pass  # gzip checks its sum at the very end, and a tar file has none of its own
        chosen.finish(folder)
        for path, name, offset, size in members:
            stream.seek(offset)
            write_member(archive, partial(stream.read_until, offset + size), folder / path, name, size)


def _opened(archive: Path) -> IO[bytes]:
    with archive.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(archive))
    if head.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.open(archive))
    if head.startswith(b"\xfd7zXZ\x00"):
        return cast("IO[bytes]", lzma.open(archive))
    return archive.open("rb")


class _Stream(io.BufferedIOBase):
    """The unpacked stream of a tar file; refuses to read headers or a whole that are too large."""

    def __init__(self, file: IO[bytes], archive: Path, limits: Limits) -> None:
        self.file, self.archive = file, archive
        self.largest = HEADER
        self.most = limits.unpacked(archive.stat().st_size)
        self.member = "the first member"

    def read(self, size: int | None = -1) -> bytes:
        """Reads bytes, at most `largest` of them."""
        if size is None or size < 0 or size > self.largest:
            raise refused(
                self.archive, self.member, f"a header of {size:,} bytes (at most {self.largest:,}) after"
            )
        data = self.file.read(size)
        self._check(self.file.tell())
        return data

    def read_until(self, end: int, size: int) -> bytes:
        """Reads `size` bytes, and none beyond the position `end`."""
        return self.read(min(size, end - self.tell()))

    def seek(self, position: int, whence: int = 0) -> int:
        """Moves, in a packed file by unpacking what lies between."""
        self._check(position)
        return self.file.seek(position, whence)

    def tell(self) -> int:
        """The position in the unpacked stream."""
        return self.file.tell()

    def seekable(self) -> bool:
        """Always."""
        return True

    def _check(self, position: int) -> None:
        # headers, padding and what follows the last member count, too
        if position > 2 * self.most:
            raise refused(
                self.archive, self.member, f"more than {2 * self.most:,} bytes with its headers, at"
            )
