"""Unpacks zip archives. Sizes and checksums are compared with what the members state."""

import io
import stat
import zipfile
from pathlib import Path
from typing import IO

from sodbench.data.getting.limits import Limits, refused
from sodbench.data.getting.members import Members, is_litter, write_member

_ENTRY = b"PK\x01\x02"  # begins every entry of the list of members
_AVERAGE = 400  # bytes per entry of that list, at most: 46, the name, extra fields
_LOCKED = 1  # bit of an encrypted member
# zipfile unpacks bzip2 and LZMA without a bound: 4 KB of it can be 4 GB
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def unpack_zip(archive: Path, folder: Path, limits: Limits) -> None:
    """Unpacks into an empty folder; raises InputError, or what zipfile raises for damaged archives."""
    with archive.open("rb") as file, zipfile.ZipFile(_Entries(file, archive, limits)) as packed:
        chosen = Members(archive, limits)
        members = []
        for member in packed.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise refused(archive, member.filename, "a link or device")
            if member.flag_bits & _LOCKED:
                raise refused(archive, member.filename, "a locked (encrypted) member")
            if member.compress_type not in _METHODS:
                why = "a member packed in another way than by deflate (repack it)"
                raise refused(archive, member.filename, why)
            path = chosen.add(member.filename, member.file_size, folder=member.is_dir())
            members.append((member, path))
        _check_overlaps(archive, [member for member, _ in members])
        chosen.finish(folder)
        for member, path in members:
            if not (member.is_dir() or is_litter(path)):
                with packed.open(member) as source:
                    write_member(archive, source.read, folder / path, member.filename, member.file_size)


def _check_overlaps(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuses members that share bytes: a small archive of them can hold terabytes."""
    end, before = 0, ""
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < end:
            raise refused(archive, member.filename, f"members that overlap (with {before!r})")
        # the header: 30 bytes and the name
        name = len(member.orig_filename.encode("utf-8", "surrogatepass"))
        end = member.header_offset + member.compress_size + 30 + min(name, len(member.orig_filename))
        before = member.orig_filename[:100]


class _Entries(io.BufferedIOBase):
    """The archive's file, whose list of members is counted before zipfile makes objects of it."""

    def __init__(self, file: IO[bytes], archive: Path, limits: Limits) -> None:
        self.file, self.archive, self.limits = file, archive, limits

    def read(self, size: int | None = -1) -> bytes:
        """Reads bytes; refuses a list of members that is too long."""
        size = -1 if size is None else size
        if size > self.limits.members * _AVERAGE:
            raise refused(self.archive, "the list of members", f"a list of {size:,} bytes")
        data = self.file.read(size)
        if size > 1 << 20 and data.count(_ENTRY) > self.limits.members:
            raise refused(self.archive, "the list of members", f"more than {self.limits.members:,} members")
        return data

    def seek(self, position: int, whence: int = 0) -> int:
        """Moves as the file does."""
        return self.file.seek(position, whence)

    def tell(self) -> int:
        """The position in the file."""
        return self.file.tell()

    def seekable(self) -> bool:
        """Always."""
        return True
