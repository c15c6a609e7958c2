"""Archives made to harm: refused in one line that names archive and member, cheaply, with nothing left."""

import gzip
import io
import os
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sodbench.data.card import load_card
from sodbench.data.getting.limits import Limits, limits_of
from sodbench.data.getting.unpack import unpack
from sodbench.errors import InputError

MB = 1 << 20


def zip_of(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as packed:
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(name), content, method)
    return path


def tar_member(name: str, content: bytes = b"", kind: bytes = b"0", size: int | None = None) -> bytes:
    """One member as bytes, whose header may state another size."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, len(content) if size is None else size
    return member.tobuf(tarfile.GNU_FORMAT) + content + b"\0" * (-len(content) % 512)


def tar_of(path: Path, *members: bytes) -> Path:
    content = b"".join(members) + b"\0" * 10240
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path


def pax_header(megabytes: int) -> bytes:
    text = b"a" * (megabytes * MB)
    record = b" comment=" + text + b"\n"
    length = len(record) + 9
    return tar_member("pax", b"%09d" % length + record, b"x")


def refusal(archive: Path, limits: Limits | None = None) -> str:
    """The one line of the refusal; nothing may be left of the archive's content."""
    folder = archive.parent / "deep" / "out"
    with pytest.raises(InputError) as caught:
        unpack(archive, folder, limits) if limits else unpack(archive, folder)
    line = str(caught.value)
    assert line.startswith(str(archive)) and "\n" not in line and len(line) < 800
    assert not folder.exists() and list(folder.parent.iterdir()) == []
    return line


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_a_huge_tar_header_is_not_read(tmp_path: Path, kind: bytes, suffix: str) -> None:
    header = tar_member("header", pax_header(64)[512:], kind)
    archive = tar_of(tmp_path / f"a{suffix}", tar_member("first.png", b"x"), header, tar_member("b", b"x"))
    tracemalloc.start()
    try:
        line = refusal(archive)
        assert tracemalloc.get_traced_memory()[1] < 8 * MB
    finally:
        tracemalloc.stop()
    assert "a header of" in line and "first.png" in line


def test_a_header_that_states_exabytes(tmp_path: Path) -> None:
    assert "a header of" in refusal(tar_of(tmp_path / "a.tar", tar_member("h", b"", b"x", size=1 << 60)))
    assert "bytes" in refusal(tar_of(tmp_path / "b.tar", tar_member("f", b"", b"0", size=1 << 60)))


def test_global_headers_are_not_kept_for_every_member(tmp_path: Path) -> None:
    keys = b"".join(b"%d k%d=v\n" % (len(str(n)) + 7, n) for n in range(1000, 4000))
    many = (tar_member(f"{n}.png", b"") for n in range(600))
    archive = tar_of(tmp_path / "a.tar", tar_member("g", keys, b"g"), *many)
    tracemalloc.start()
    try:
        unpack(archive, tmp_path / "out")
        assert tracemalloc.get_traced_memory()[1] < 20 * MB
    finally:
        tracemalloc.stop()
    assert len(list((tmp_path / "out").iterdir())) == 600


def test_chains_of_headers(tmp_path: Path) -> None:
    header = tar_member("h", b"11 path=ab\n", b"x")
    assert "a.tar" in refusal(tar_of(tmp_path / "a.tar", *[header] * 3000, tar_member("x", b"x")))


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path, name: str) -> None:
    zeros = bytes(30 * MB)
    make = tar_of(tmp_path / name, tar_member("zeros", zeros)) if ".tar" in name else None
    line = refusal(make or zip_of(tmp_path / name, {"zeros": zeros}), Limits(free=8 * MB))
    assert "bytes (at most 200 times its own size): 'zeros'" in line


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zips_that_unpack_without_a_bound_are_refused(tmp_path: Path, method: int) -> None:
    line = refusal(zip_of(tmp_path / "a.zip", {"a.png": b"x"}, method))
    assert "than by deflate (repack it): 'a.png'" in line


def many_in_zip(path: Path) -> Path:
    return zip_of(path, {f"{n}.png": b"" for n in range(30)})


def many_in_tar(path: Path) -> Path:
    return tar_of(path, *(tar_member(f"{n}.png") for n in range(30)))


@pytest.mark.parametrize("make", [many_in_zip, many_in_tar])
def test_members_are_counted(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    archive = make(tmp_path / "a.bin")
    assert "more than 20 members: '20.png'" in refusal(archive, Limits(members=20))
    unpack(archive, tmp_path / "out", Limits(members=30))


def test_a_long_list_of_members_is_refused_before_it_is_read(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", {f"{n:0200d}": b"" for n in range(6000)})
    assert "more than 5,000 members: 'the list of members'" in refusal(archive, Limits(members=5000))
    assert "a list of" in refusal(archive, Limits(members=2000))


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_sizes_are_bounded(tmp_path: Path, name: str) -> None:
    content = {"a.png": b"x" * 900, "b.png": os.urandom(2000)}
    path = tmp_path / name
    archive = (
        zip_of(path, content) if ".zip" in name else tar_of(path, *map(tar_member, content, content.values()))
    )
    assert "a member of 2,000 bytes (at most 1,999): 'b.png'" in refusal(archive, Limits(member=1999))
    assert "more than 2,899 bytes: 'b.png'" in refusal(archive, Limits(total=2899))
    unpack(archive, tmp_path / "out", Limits(member=2000, total=2900 if ".zip" in name else 20_000))


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
@pytest.mark.parametrize(
    ("member", "why"),
    [
        ("x" * 300, "impossible name"),
        ("é" * 130, "impossible name"),
        ("/".join(["ab"] * 400), "impossible name"),
        ("/".join("a" * 40), "folders more than 32 deep"),
        ("x" * 60_000, "impossible name"),
        (".", "without a name"),
    ],
)
def test_names(tmp_path: Path, name: str, member: str, why: str) -> None:
    path = tmp_path / name
    if name == "a.zip":
        archive = zip_of(path, {"good": b"1", member: b"2"})
    else:
        with tarfile.open(path, "w") as packed:
            for one in ("good", member):
                packed.addfile(tarfile.TarInfo(one), io.BytesIO())
        archive = path
    line = refusal(archive)
    assert why in line and member[:20] in line


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("a.png", "a.png"), "twice the same name"),
        (("a/b.png", "A/B.png"), "differ only in case"),
        (("a", "a/b.png"), "a file and a folder of one name"),
        (("A/b.png", "a"), "a file and a folder of one name"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_clashes(tmp_path: Path, name: str, names: tuple[str, str], why: str) -> None:
    path = tmp_path / name
    if name == "a.zip":
        with zipfile.ZipFile(path, "w") as packed:
            for one in names:
                packed.writestr(one, b"x")
    else:
        tar_of(path, *(tar_member(one, b"x") for one in names))
    assert why in refusal(path)


def test_sparse_tar_members_are_refused(tmp_path: Path) -> None:
    member = tarfile.TarInfo("hole")
    member.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    block[483:495] = b"77777777777\0"  # the size with its holes, 8 GB
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    assert "sparse" in refusal(tar_of(tmp_path / "a.tar", bytes(block)))


def test_a_locked_zip_is_called_locked(tmp_path: Path) -> None:
    content = bytearray(zip_of(tmp_path / "l.zip", {"a.png": b"secret"}).read_bytes())
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(sign) + place
        content[at : at + 2] = struct.pack("<H", 1)
    (tmp_path / "l.zip").write_bytes(content)
    assert "a locked (encrypted) member: 'a.png'" in refusal(tmp_path / "l.zip")


@pytest.mark.parametrize("stated", [10, 5000, 100_000])
def test_a_zip_that_lies_about_a_size(tmp_path: Path, stated: int) -> None:
    content = bytearray(zip_of(tmp_path / "a.zip", {"a.png": b"y" * 6000}).read_bytes())
    for sign, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(sign) + place
        content[at : at + 4] = struct.pack("<I", stated)
    (tmp_path / "a.zip").write_bytes(content)
    assert "a.png" in refusal(tmp_path / "a.zip")


def test_zip_members_that_overlap(tmp_path: Path) -> None:
    """Two entries of the list of members name one stretch of bytes."""
    content = zip_of(tmp_path / "a.zip", {"a.png": b"y" * 6000}).read_bytes()
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry = content[start:end]
    other = entry.replace(b"a.png", b"b.png")
    tail = bytearray(content[end:])
    tail[8:12] = struct.pack("<HH", 2, 2)
    tail[12:16] = struct.pack("<I", len(entry) * 2)
    (tmp_path / "a.zip").write_bytes(content[:start] + entry + other + bytes(tail))
    line = refusal(tmp_path / "a.zip")
    assert "overlap" in line and "a.png" in line


def test_what_a_tool_writes_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "unrar"
    tool.parent.mkdir()
    tool.write_text(
        '#!/bin/sh\nfor last; do :; done\nmkdir -p "$last"\n'
        'while :; do head -c 4000000 /dev/zero >> "$last/zeros.png"; sleep 0.05; done\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    (tmp_path / "a.rar").write_bytes(b"Rar!\x1a\x07\x01\x00rest")
    assert "zeros.png" in refusal(tmp_path / "a.rar", Limits(member=9_000_000))


def test_the_limits_of_the_largest_known_sets() -> None:
    limits = limits_of(load_card("duts-tr"))
    assert limits.members > 10 * 2 * 10_553 and limits.total > 100 * 300 * MB
    # a set of 300 pairs may come in a bundle of all sets, and as BMP
    limits = limits_of(load_card("sod"))
    assert limits.members >= 100_000 and limits.total >= 8 << 30
    assert limits.unpacked(50 * MB) > 80 * 50 * MB
