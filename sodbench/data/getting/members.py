"""The members of an archive, all of which are checked before the first is written."""

import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from sodbench.data.getting.limits import DEPTH, PART, PATH, RATIO, Limits, refused
from sodbench.data.image_files import is_utf8
from sodbench.errors import InputError

# what macOS and Windows leave behind
LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_CHUNK = 1 << 20


class Members:
    """Names and sizes of an archive's members; each is checked against the limits and the others.

    Raises InputError for paths that leave the folder, names that clash or are impossible, too many members,
    and too many bytes.
    """

    def __init__(self, archive: Path, limits: Limits) -> None:
        self.archive, self.limits = archive, limits
        self.most = limits.unpacked(archive.stat().st_size)
        self.count = self.bytes = 0
        self._files: dict[str, PurePosixPath] = {}
        self._folders: dict[str, PurePosixPath] = {}

    def add(self, name: str, size: int = 0, *, folder: bool = False) -> PurePosixPath:
        """Checks one member and returns its path."""
        self.count += 1
        self.bytes += size
        if self.count > self.limits.members:
            raise refused(self.archive, name, f"more than {self.limits.members:,} members")
        if size > self.limits.member:
            raise refused(self.archive, name, f"a member of {size:,} bytes (at most {self.limits.member:,})")
        if self.bytes > self.most:
            why = f"more than {self.most:,} bytes"
            if self.most < self.limits.total:
                why += f" (at most {RATIO} times its own size)"
            raise refused(self.archive, name, why)
        path = self._inside(name)
        if not folder:
            if not path.parts:
                raise refused(self.archive, name, "a file without a name")
            other = self._files.setdefault(str(path).casefold(), path)
            if other is not path:
                raise refused(self.archive, name, _clash(other, path))
        self._folders.update((str(one).casefold(), path) for one in (path.parents if not folder else [path]))
        return path

    def finish(self, folder: Path) -> None:
        """Checks what only all members together show: a file where a folder is needed, the free space."""
        for key in self._files.keys() & self._folders.keys():
            raise refused(self.archive, str(self._files[key]), "a file and a folder of one name")
        free = shutil.disk_usage(folder).free
        if self.bytes > free:
            raise InputError(f"{self.archive}: holds {self.bytes:,} bytes, and {folder} has {free:,} free")

    def _inside(self, name: str) -> PurePosixPath:
        """The member's path, if it lies inside the folder."""
        path = PurePosixPath(name.replace("\\", "/"))
        parts = path.parts
        if path.is_absolute() or (parts and parts[0][1:2] == ":"):
            raise refused(self.archive, name, "an absolute path")
        if ".." in parts:
            raise refused(self.archive, name, "a path that leaves its folder")
        if "\0" in name or any(map(_too_long, parts)) or len(_bytes(str(path))) > PATH:
            raise refused(self.archive, name, f"an impossible name (at most {PATH} bytes, {PART} per folder)")
        if len(parts) > DEPTH:
            raise refused(self.archive, name, f"folders more than {DEPTH} deep")
        if not is_utf8(name):
            raise refused(self.archive, name, "a name that is not UTF-8")
        return path


def is_litter(path: PurePosixPath) -> bool:
    """Whether an operating system left this file behind."""
    return any(part in LITTER or part.startswith("._") for part in path.parts)


def write_member(archive: Path, read: Callable[[int], bytes], target: Path, name: str, size: int) -> None:
    """Writes the `size` bytes of a member to a new file; refuses a member that holds fewer or more."""
    target.parent.mkdir(parents=True, exist_ok=True)
    left = size
    with target.open("xb") as out:
        while left and (data := read(min(_CHUNK, left))):
            out.write(data)
            left -= len(data)
    # reading on makes zipfile compare the checksum
    if left or read(1):
        raise refused(archive, name, "a member whose size is not the one it states")


def _clash(one: PurePosixPath, other: PurePosixPath) -> str:
    return "twice the same name" if one == other else f"names that differ only in case ({one.name})"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _too_long(part: str) -> bool:
    return len(_bytes(part)) > PART
