"""Archives: what is well-formed is unpacked, what would leave its folder or smuggle links is refused."""

import contextlib
import io
import os
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodbench.data.getting import unpack as module
from sodbench.data.getting.unpack import unpack
from sodbench.errors import InputError


def zip_of(path: Path, members: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(name), content)
        for name, target in (links or {}).items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (stat.S_IFLNK | 0o777) << 16
            packed.writestr(member, target)
    return path


def tar_of(path: Path, members: dict[str, bytes], kinds: dict[str, tuple[bytes, str]] | None = None) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as packed:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
        for name, (kind, target) in (kinds or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            packed.addfile(member)
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


GOOD = {"A/images/1.jpg": b"one", "A/masks/1.png": b"mask" * 1000, "readme.txt": b""}


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "renamed.bin"])
def test_good_archives(tmp_path: Path, name: str) -> None:
    make = tar_of if ".tar" in name else zip_of
    unpack(make(tmp_path / name, GOOD | {"__MACOSX/A/._1.jpg": b"x", "A/.DS_Store": b"x"}), tmp_path / "out")
    assert files(tmp_path / "out") == GOOD


BAD = ["../x", "a/../../x", "/etc/x", "C:\\x", "c:/x", "..\\x", "a/..", "\\\\server\\x"]


@pytest.mark.parametrize("make", [zip_of, tar_of])
@pytest.mark.parametrize("name", BAD)
def test_paths_that_leave_the_folder(tmp_path: Path, make: object, name: str) -> None:
    archive = make(tmp_path / "a.bin", {"good": b"1", name: b"evil"})  # type: ignore[operator]
    with pytest.raises(InputError, match="refused"):
        unpack(archive, tmp_path / "deep" / "out")
    assert files(tmp_path) == {"a.bin": archive.read_bytes()}, (
        "nothing may be written before all names are seen"
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "a", "", "C:", "b\\..\\..", "~"]), min_size=1, max_size=5))
def test_no_name_leaves_the_folder(parts: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as top:
        inner = Path(top) / "x" / "y" / "z"
        archive = zip_of(Path(top) / "a.zip", {"/".join(parts) + "/f": b"1"})
        with contextlib.suppress(InputError):
            unpack(archive, inner)
        outside = [path for path in Path(top).rglob("*") if path.is_file() and inner not in path.parents]
        assert outside == [archive]


def test_links_and_devices(tmp_path: Path) -> None:
    linked = zip_of(tmp_path / "l.zip", {"a": b"1"}, {"b": "/etc/passwd"})
    with pytest.raises(InputError, match="a link or device: 'b'"):
        unpack(linked, tmp_path / "out")
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        with pytest.raises(InputError, match="a link or device"):
            unpack(tar_of(tmp_path / "l.tar", {"a": b"1"}, {"b": (kind, "a")}), tmp_path / "out")
    assert files(tmp_path / "out") == {}


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_names_that_clash_or_are_not_utf8(tmp_path: Path, make: object) -> None:
    with pytest.raises(InputError, match="differ only in case"):
        unpack(make(tmp_path / "c.bin", {"a/Cat.png": b"1", "A/cat.PNG": b"2"}), tmp_path / "out")  # type: ignore[operator]
    strange = tar_of(tmp_path / "s.tar", {os.fsdecode(b"a\xff.png"): b"1"})
    with pytest.raises(InputError, match="not UTF-8") as caught:
        unpack(strange, tmp_path / "out")
    str(caught.value).encode("utf-8")


def test_damaged_locked_and_other_files(tmp_path: Path) -> None:
    good = zip_of(tmp_path / "a.zip", {"a": os.urandom(50_000)}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(good[:30_000])
    (tmp_path / "flipped.zip").write_bytes(good[:9000] + bytes([good[9000] ^ 255]) + good[9001:])
    packed = tar_of(tmp_path / "b.tar.gz", {"a": os.urandom(50_000)}).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(packed[:20_000])
    (tmp_path / "text.zip").write_bytes(b"hello")
    (tmp_path / "empty.zip").write_bytes(b"")
    (tmp_path / "sum.tar.gz").write_bytes(packed[:20_000] + b"\0" * 9 + packed[20_009:])
    text = zip_of(tmp_path / "t.zip", {"a": b"a few words " * 900}).read_bytes()
    (tmp_path / "stream.zip").write_bytes(text[:35] + b"\xff" * 9 + text[44:])
    names = ("cut.zip", "flipped.zip", "cut.tar.gz", "text.zip", "empty.zip", "sum.tar.gz", "stream.zip")
    for name in names:
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            unpack(tmp_path / name, tmp_path / f"out-{name}")
    locked = bytearray(zip_of(tmp_path / "l.zip", {"a": b"secret"}).read_bytes())
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = locked.index(sign) + place
        locked[at : at + 2] = struct.pack("<H", 1)
    (tmp_path / "l.zip").write_bytes(locked)
    with pytest.raises(InputError, match="locked"):
        unpack(tmp_path / "l.zip", tmp_path / "out")


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_an_archive_larger_than_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: object
) -> None:
    archive = make(tmp_path / "a.bin", {"a": b"\0" * 1_000_000})  # type: ignore[operator]
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 5, 999_999))
    with pytest.raises(InputError, match="1,000,000 bytes"):
        unpack(archive, tmp_path / "out")
    assert files(tmp_path / "out") == {}


def fake_tool(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    tool = folder / name
    tool.write_text("#!/bin/sh\n" + script, encoding="utf-8")
    tool.chmod(0o755)


def test_rar_needs_a_tool_and_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "a.rar"
    archive.write_bytes(b"Rar!\x1a\x07\x01\x00rest")
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"rar archive.*unrar.*install one.*a\.zip"):
        unpack(archive, tmp_path / "out")
    monkeypatch.undo()
    bin_folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    fake_tool(bin_folder, "unrar", 'for last; do :; done; mkdir -p "$last/A"; echo one > "$last/A/1.jpg"\n')
    unpack(archive, tmp_path / "out")
    assert files(tmp_path / "out") == {"A/1.jpg": b"one\n"}
    fake_tool(bin_folder, "unrar", "echo bad checksum >&2; exit 3\n")
    with pytest.raises(InputError, match=r"unrar failed \(bad checksum"):
        unpack(archive, tmp_path / "out2")
    fake_tool(bin_folder, "unrar", 'for last; do :; done; ln -s /etc/passwd "$last/l"\n')
    with pytest.raises(InputError, match="a link or device"):
        unpack(archive, tmp_path / "out3")
