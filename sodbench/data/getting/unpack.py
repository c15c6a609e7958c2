"""Unpacks archives without leaving the target folder: only plain files and folders are accepted.

Absolute names, `..`, links, devices and names that differ only in case are refused before anything is
written. zip and tar are read here; rar and 7z need one of the tools unrar, unar, bsdtar or 7z.
"""

import os
import shutil
import stat
import struct
import subprocess  # nosec B404 # for unrar and 7z
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from sodbench.data.image_files import is_utf8, printable
from sodbench.errors import InputError

# what the readers of zip and tar raise on damaged, locked or exotic archives, besides OSError
DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError, RuntimeError, NotImplementedError,
    ValueError, IndexError, struct.error,
)  # fmt: skip
# what macOS and Windows leave behind
LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
CHUNK = 1 << 20

# the first tool that is installed is taken; {archive} and {folder} are filled in
TOOLS: dict[str, tuple[str, ...]] = {
    "unrar": ("unrar", "x", "-idq", "-o-", "-p-", "{archive}", "{folder}/"),
    "unar": ("unar", "-quiet", "-no-directory", "-output-directory", "{folder}", "{archive}"),
    "bsdtar": ("bsdtar", "-xf", "{archive}", "-C", "{folder}"),
    "7z": ("7z", "x", "-y", "-bd", "-o{folder}", "{archive}"),
    "7zz": ("7zz", "x", "-y", "-bd", "-o{folder}", "{archive}"),
}


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks zip, tar (also compressed), rar or 7z into an empty folder; raises InputError."""
    folder.mkdir(parents=True, exist_ok=True)
    with archive.open("rb") as file:
        head = file.read(8)
    try:
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            _unpack_zip(archive, folder)
        elif head.startswith((b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")):
            _unpack_with_tool(archive, folder, "rar" if head.startswith(b"Rar!") else "7z")
        elif tarfile.is_tarfile(archive):
            _unpack_tar(archive, folder)
        else:
            raise InputError(f"{archive}: not a zip, tar, rar or 7z archive")
    except InputError:  # is a ValueError
        raise
    except (OSError, *DAMAGED) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(f"{archive}: cannot be unpacked ({error.strerror})") from None
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{archive}: a damaged or locked archive ({why}); fetch it again") from None


def _unpack_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        members = []
        for member in packed.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(archive, member.filename, "a link or device")
            members.append((member, _inside(archive, member.filename)))
        _check_names(archive, [path for member, path in members if not member.is_dir()])
        _check_space(archive, folder, sum(member.file_size for member, _ in members))
        for member, path in members:
            if member.is_dir() or _is_litter(path):
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(member) as source, target.open("xb") as out:
                # zipfile reads file_size bytes at most: a member that holds more than it says is cut off
                shutil.copyfileobj(source, out, CHUNK)


def _unpack_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as packed:
        members = []
        for member in packed:
            if not (member.isreg() or member.isdir()):
                raise _refused(archive, member.name, "a link or device")
            members.append((member, _inside(archive, member.name)))
        while packed.fileobj is not None and packed.fileobj.read(CHUNK):
            pass  # gzip checks its sum at the very end, and a tar file has none of its own
        _check_names(archive, [path for member, path in members if member.isreg()])
        _check_space(archive, folder, sum(member.size for member, _ in members))
        for member, path in members:
            if member.isdir() or _is_litter(path):
                continue
            source = packed.extractfile(member)
            if source is None:
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with source, target.open("xb") as out:
                shutil.copyfileobj(source, out, CHUNK)


def _unpack_with_tool(archive: Path, folder: Path, kind: str) -> None:
    usable = [name for name in TOOLS if shutil.which(name) and (kind == "rar" or name != "unrar")]
    if not usable:
        raise InputError(
            f"{archive}: a {kind} archive, and none of {', '.join(TOOLS)} is installed; "
            f"install one, or repack its content as {archive.stem}.zip in the same folder"
        )
    command = [part.format(archive=archive, folder=folder) for part in TOOLS[usable[0]]]
    done = subprocess.run(  # nosec B603 # no shell; one of TOOLS with two paths
        command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()
        raise InputError(
            f"{archive}: {usable[0]} failed ({last[-1] if last else done.returncode}); fetch it again"
        )
    # the tools themselves stay inside the folder; links that they made are not followed but refused
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            mode = (Path(path) / name).lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise _refused(archive, name, "a link or device")


def _inside(archive: Path, name: str) -> PurePosixPath:
    """The member's path, if it lies inside the folder; raises InputError otherwise."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or (path.parts and path.parts[0][1:2] == ":"):
        raise _refused(archive, name, "an absolute path")
    if ".." in path.parts:
        raise _refused(archive, name, "a path that leaves its folder")
    if "\0" in name or len(str(path).encode("utf-8", "surrogateescape")) > 1000:
        raise _refused(archive, name, "an impossible name")
    if not is_utf8(name):
        raise _refused(archive, name, "a name that is not UTF-8")
    return path


def _check_names(archive: Path, paths: Iterable[PurePosixPath]) -> None:
    seen: dict[str, PurePosixPath] = {}
    for path in paths:
        other = seen.setdefault(str(path).casefold(), path)
        if other is not path:
            same = (
                "twice the same name" if other == path else f"names that differ only in case ({other.name})"
            )
            raise _refused(archive, str(path), same)


def _check_space(archive: Path, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(f"{archive}: holds {needed:,} bytes, and {folder} has {free:,} free")


def _is_litter(path: PurePosixPath) -> bool:
    return any(part in LITTER or part.startswith("._") for part in path.parts)


def _refused(archive: Path, name: str, why: str) -> InputError:
    return InputError(f"{archive}: refused, it holds {why}: '{printable(name)}'; nothing was unpacked")
