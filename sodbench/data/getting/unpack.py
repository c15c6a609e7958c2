"""Unpacks archives without leaving the target folder: only plain files and folders are accepted.

Absolute names, `..`, links, devices, names that differ only in case, and more than the limits (limits.py) are
refused before anything is written. zip and tar are read here; rar and 7z need one of the tools unrar, unar,
bsdtar or 7z, which is watched while it writes.
"""

import os
import shutil
import stat
import struct
import subprocess  # nosec B404 # for unrar and 7z
import tarfile
import tempfile
import time
import zipfile
import zlib
from lzma import LZMAError
from pathlib import Path

from sodbench.data.getting.limits import Limits, refused
from sodbench.data.getting.members import Members
from sodbench.data.getting.unpack_tar import unpack_tar
from sodbench.data.getting.unpack_zip import unpack_zip
from sodbench.errors import InputError

# what the readers of zip and tar raise on damaged, locked or exotic archives, besides OSError
DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError, RuntimeError, NotImplementedError,
    ValueError, IndexError, struct.error,
)  # fmt: skip
WATCH = 0.1  # seconds between two looks at what a tool has written

# the first tool that is installed is taken; {archive} and {folder} are filled in
TOOLS: dict[str, tuple[str, ...]] = {
    "unrar": ("unrar", "x", "-idq", "-o-", "-p-", "{archive}", "{folder}/"),
    "unar": ("unar", "-quiet", "-no-directory", "-output-directory", "{folder}", "{archive}"),
    "bsdtar": ("bsdtar", "-xf", "{archive}", "-C", "{folder}"),
    "7z": ("7z", "x", "-y", "-bd", "-p-", "-o{folder}", "{archive}"),
    "7zz": ("7zz", "x", "-y", "-bd", "-p-", "-o{folder}", "{archive}"),
}


def unpack(archive: Path, folder: Path, limits: Limits | None = None) -> None:
    """Unpacks zip, tar (also compressed), rar or 7z into an empty folder, which is removed if that fails.

    `limits`: what the archive may hold (None: the limits for unknown sets). Raises InputError.
    """
    limits = limits or Limits()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _unpack(archive, folder, limits)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, InputError) or not isinstance(error, (OSError, MemoryError, *DAMAGED)):
            raise
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(f"{archive}: cannot be unpacked ({error.strerror})") from None
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{archive}: a damaged or locked archive ({why}); fetch it again") from None


def _unpack(archive: Path, folder: Path, limits: Limits) -> None:
    with archive.open("rb") as file:
        head = file.read(8)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        unpack_zip(archive, folder, limits)
    elif head.startswith((b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")):
        _unpack_with_tool(archive, folder, "rar" if head.startswith(b"Rar!") else "7z", limits)
    else:
        try:
            unpack_tar(archive, folder, limits)
        except tarfile.ReadError as error:
            if "unexpected end" in str(error):
                raise
            raise InputError(f"{archive}: not a zip, tar, rar or 7z archive") from None


def _unpack_with_tool(archive: Path, folder: Path, kind: str, limits: Limits) -> None:
    usable = [name for name in TOOLS if shutil.which(name) and (kind == "rar" or name != "unrar")]
    if not usable:
        raise InputError(
            f"{archive}: a {kind} archive, and none of {', '.join(TOOLS)} is installed; "
            f"install one, or repack its content as {archive.stem}.zip in the same folder"
        )
    command = [part.format(archive=archive, folder=folder) for part in TOOLS[usable[0]]]
    with tempfile.TemporaryFile() as output:
        tool = subprocess.Popen(  # nosec B603 # no shell; one of TOOLS with two paths
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            pause = WATCH
            while True:
                try:
                    tool.wait(pause)
                    break
                except subprocess.TimeoutExpired:
                    began = time.monotonic()
                    _check_written(archive, folder, limits)
                    pause = max(WATCH, 4 * (time.monotonic() - began))
        finally:
            tool.kill()
            tool.wait()
        output.seek(max(0, output.seek(0, os.SEEK_END) - 4096))
        last = output.read().decode("utf-8", "replace").strip().splitlines()
    if tool.returncode != 0:
        raise InputError(
            f"{archive}: {usable[0]} failed ({last[-1] if last else tool.returncode}); fetch it again"
        )
    _check_written(archive, folder, limits)


def _check_written(archive: Path, folder: Path, limits: Limits) -> None:
    """Checks what a tool has written so far; the tools themselves stay inside the folder."""
    members = Members(archive, limits)
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            one = Path(path) / name
            try:
                status = one.lstat()
            except FileNotFoundError:  # the tool renames
                continue
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                # links that a tool made are not followed but refused
                raise refused(archive, name, "a link or device")
            is_folder = stat.S_ISDIR(status.st_mode)
            members.add(
                one.relative_to(folder).as_posix(), 0 if is_folder else status.st_size, folder=is_folder
            )
