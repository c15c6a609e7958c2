"""Archives: what is unpacked stays in its folder and within bounds, whatever the archive says."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from unittest import mock

from sodbench.data.getting import unpack as module
from sodbench.errors import InputError

from .bounds import bounded
from .choices import EDITED, EDITS, VERBATIM, Choices, edited_bytes

UNPACKED = 256 << 20  # bytes; the inputs are a few KB

NAMES = (
    "a.png", "A.PNG", "A/images/1.jpg", "A/images", "A/images/", "", ".", "..", "../x", "a/../../x", "/etc/x",
    "C:\\x", "a\\b", "//x/y", "~/x", "a\x00b", "a\nb", "\x1b[31m", "é", "é", "x" * 300, "d/" * 600 + "f",
    "__MACOSX/x", ".DS_Store", "con", "a" * 255, " ", "a ", "\udcff",
)  # fmt: skip


def one_input(data: bytes) -> None:
    """Unpacks one archive; no file may appear outside its folder, none may be anything but a plain file."""
    content = content_of(data)
    if content is None:
        return
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        top = Path(name)
        archive, inner = top / "a.bin", top / "x" / "y" / "z"
        archive.write_bytes(content)
        # rar and 7z are left to programs that are not sodbench's: none is found
        with mock.patch.object(module, "TOOLS", {}), contextlib.suppress(InputError), bounded():
            module.unpack(archive, inner)
        total = 0
        for folder, folders, names in os.walk(top):
            for entry in (*folders, *names):
                path = Path(folder) / entry
                mode = path.lstat().st_mode
                assert stat.S_ISREG(mode) or stat.S_ISDIR(mode), f"{entry!r} is no plain file"
                if stat.S_ISREG(mode):
                    assert path == archive or inner in path.parents, f"{entry!r} lies outside the folder"
                    total += path.stat().st_size
        assert total <= UNPACKED + len(content), f"{len(content)} bytes became {total}"


def content_of(data: bytes) -> bytes | None:
    """The archive that an input stands for."""
    if len(data) < 2:
        return None
    if data[0] == VERBATIM:
        return data[2:]
    choices = Choices(data[2:])
    if choices.number(2):
        return edited_bytes(files()[data[1] % len(files())], choices)
    return _zip(choices) if data[1] % 2 else _tar(choices)


def seeds() -> list[bytes]:
    """Inputs to start from: valid archives of every kind, to be edited and as they are."""
    whole = [bytes((VERBATIM, 0)) + content for content in files()]
    return whole + [bytes((EDITED, kind, mode)) for kind in range(len(files())) for mode in (0, 1)]


@cache
def files() -> tuple[bytes, ...]:
    """Small valid archives: zip stored and deflated, tar plain and compressed, in three dialects."""
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as packed:
            for name in ("A/images/1.jpg", "A/masks/1.png", "readme.txt"):
                packed.writestr(zipfile.ZipInfo(name), name.encode() * 3)
        made.append(file.getvalue())
    for dialect in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=dialect) as packed:
            for name in ("A/images/1.jpg", "A/" + "d" * 100 + "/1.png", "é.txt"):
                member = tarfile.TarInfo(name)
                member.size = 3
                packed.addfile(member, io.BytesIO(b"abc"))
        made.append(file.getvalue().rstrip(b"\0") + bytes(1024))
    plain = made[-1]
    return (*made, gzip.compress(plain, mtime=0), bz2.compress(plain), lzma.compress(plain))


def _zip(choices: Choices) -> bytes:
    """A zip of members with strange names, kinds, flags and sizes."""
    file = io.BytesIO()
    sizes = {}
    with zipfile.ZipFile(file, "w") as packed, contextlib.suppress(ValueError):
        for _ in range(EDITS):
            if not choices.more:
                break
            member = zipfile.ZipInfo(choices.pick(NAMES) or "x")
            member.compress_type = choices.pick((0, 8, 12, 14))
            kind = choices.pick((0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR))
            member.external_attr = (kind | 0o644) << 16 | choices.pick((0, 0x10))
            content = bytes(choices.pick((0, 1, 100, 1 << 16, 1 << 20)))
            with contextlib.suppress(UnicodeError, RuntimeError):
                packed.writestr(member, content)
            sizes[member.header_offset] = choices.pick((None, None, 0, 1, 2**31, 2**32 - 1))
    content = bytearray(file.getvalue())
    # what the directory at the end says of a member's size
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        (offset,) = struct.unpack_from("<I", content, at + 42)
        if (size := sizes.get(offset)) is not None:
            struct.pack_into("<I", content, at + 24, size)
        at = content.find(b"PK\x01\x02", at + 4)
    return bytes(content)


def _tar(choices: Choices) -> bytes:
    """A tar of members with strange names, kinds, sizes and extended headers, perhaps compressed."""
    blocks = []
    squeeze = choices.pick((bytes, gzip.compress, bz2.compress, lzma.compress))
    for _ in range(EDITS):
        if not choices.more:
            break
        member = tarfile.TarInfo(choices.pick(NAMES))
        member.type = choices.pick(
            (b"0", b"0", b"0", b"1", b"2", b"3", b"5", b"6", b"7", b"x", b"g", b"L", b"K", b"S")
        )
        member.linkname = choices.pick(("", "a.png", "/etc/passwd", "../.."))
        member.size = choices.pick((0, 3, 512, 1 << 20, 1 << 33, -1, 77))
        if member.type in b"xg":
            texts = (
                "path=../x",
                "size=99999999999",
                "size=-1",
                "size=a",
                "path=",
                "GNU.sparse.map=0,9,x",
                "GNU.sparse.major=1",
            )
            text = choices.pick(texts)
            body = f"{len(text) + choices.pick((3, 4, 5, 0, 90))} {text}\n".encode()
            member.size = choices.pick((len(body), len(body), 1 << 31, 0))
        else:
            body = bytes(choices.pick((0, 3, 512, 1 << 20)))
        dialect = choices.pick((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
        with contextlib.suppress(ValueError, UnicodeError, struct.error, OverflowError):
            blocks.append(member.tobuf(dialect, "utf-8", "surrogateescape"))
            blocks.append(body + bytes(-len(body) % 512))
    return squeeze(b"".join(blocks) + bytes(1024))
