"""The fast reader of grey PNGs against Pillow: the same pixels, the same messages, for any bytes."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from sodbench.data import grey_png, images
from sodbench.errors import InputError

Pixels = NDArray[np.uint8]


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def filtered(row: Pixels, above: Pixels, kind: int) -> bytes:
    """A row under one of PNG's filters, its number first (specification, section 9.2)."""
    left, corner = (np.concatenate([np.zeros(1, np.uint8), one[:-1]]).astype(int) for one in (row, above))
    over = above.astype(int)
    estimate = left + over - corner
    apart = np.abs([estimate - left, estimate - over, estimate - corner])
    paeth = np.choose(apart.argmin(0), [left, over, corner])
    guess = [np.zeros_like(left), left, over, (left + over) // 2, paeth][kind]
    return bytes([kind, *((row.astype(int) - guess) % 256)])


def png(
    values: Pixels,
    depth: int,
    filters: list[int],
    *,
    level: int = 6,
    pieces: int = 1,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A grey PNG of H x W values (0..255, or 0 and 1 for one bit), with one filter per row."""
    height, width = values.shape
    rows = values if depth == 8 else np.packbits(values, axis=1)
    above = np.zeros(rows.shape[1], np.uint8)
    raw = b""
    for row, kind in zip(rows, filters, strict=True):
        raw += filtered(row, above, kind)
        above = row
    packed = zlib.compress(raw, level)
    step = -(-len(packed) // pieces)
    data = b"".join(chunk(b"IDAT", packed[i : i + step]) for i in range(0, len(packed), step))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + before + data + after + chunk(b"IEND", b"")


@st.composite
def grey_pngs(draw: Any) -> bytes:
    """Grey PNGs of any size, depth, filters and level, whole or in several chunks."""
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 40))
    depth = draw(st.sampled_from([8, 1]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = random.integers(0, 256 if depth == 8 else 2, (height, width), np.uint8)
    if draw(st.booleans()):  # smooth, so that Paeth's three choices all occur
        values = np.sort(np.sort(values, 0), 1)
    filters = draw(st.lists(st.integers(0, 4), min_size=height, max_size=height))
    return png(values, depth, filters, level=draw(st.integers(0, 9)), pieces=draw(st.integers(1, 4)))


@given(content=grey_pngs())
@settings(max_examples=200, deadline=None)
def test_pixels_are_those_of_pillow(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "grey.png"
    path.write_bytes(content)
    read = grey_png.read_grey_png(path)
    assert read is not None
    with Image.open(path) as picture:
        assert read.bilevel == (picture.mode == "1")
        np.testing.assert_array_equal(read.values, np.asarray(picture.convert("L")))


def outcome(read: Callable[[Path], Pixels], path: Path) -> tuple[str, bytes]:
    """What a reader gives: the pixels, or its message."""
    try:
        values = read(path)
    except InputError as error:
        return str(error), b""
    return str(values.shape), values.tobytes()


@given(content=grey_pngs(), data=st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_files_end_as_without_the_fast_way(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, data: st.DataObject
) -> None:
    spoiled = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(spoiled) - 1))
        kind = data.draw(st.sampled_from(["change", "cut", "insert", "remove"]))
        if kind == "change":
            spoiled[at] = data.draw(st.integers(0, 255))
        elif kind == "cut" and at:
            del spoiled[at:]
        elif kind == "insert":
            spoiled[at:at] = data.draw(st.binary(min_size=1, max_size=12))
        elif len(spoiled) > 12:
            del spoiled[at : at + data.draw(st.integers(1, 12))]
    path = tmp_path_factory.getbasetemp() / "damaged.png"
    path.write_bytes(bytes(spoiled))
    for read in (images.read_map, images.read_mask):
        fast = outcome(read, path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(grey_png, "read_grey_png", lambda path: None)
            assert outcome(read, path) == fast


TIME = chunk(b"tIME", b"\x07\xd0\1\1\0\0\0")
PLAIN = np.arange(35, dtype=np.uint8).reshape(5, 7) * 7
EXIF_TURNED = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


@pytest.mark.parametrize(
    "before",
    [
        chunk(b"tRNS", b"\0\x07"),
        chunk(b"eXIf", EXIF_TURNED[6:]),
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n      38\n" + EXIF_TURNED.hex().encode()),
        chunk(b"tEXt", b"transparency\0\x07"),
        chunk(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0tiff:Orientation="6"'),
        chunk(b"acTL", struct.pack(">II", 2, 0)),
        chunk(b"tEXt", b"Comment\0" + b"x" * 20_000),
        chunk(b"teSt", b"unknown"),
    ],
)
def test_what_could_matter_is_left_to_pillow(tmp_path: Path, before: bytes) -> None:
    content = png(PLAIN, 8, [0] * 5, before=before)
    assert grey_png.decode_grey_png(content) is None
    assert grey_png.decode_grey_png(content.replace(before, b"")) is not None


@pytest.mark.parametrize(
    "before",
    [
        chunk(b"gAMA", b"\0\0\xb1\x8f"),
        chunk(b"tEXt", b"Software\0any"),
        chunk(b"tIME", b"\x07\xd0\1\1\0\0\0"),
    ],
)
def test_harmless_chunks_stay_fast(before: bytes) -> None:
    read = grey_png.decode_grey_png(png(PLAIN, 8, [4] * 5, before=before))
    assert read is not None and np.array_equal(read.values, PLAIN)


def test_bytes_after_the_pixels_and_unknown_filters_are_left_to_pillow() -> None:
    content = png(PLAIN, 8, [0] * 5)
    short = png(PLAIN[:4], 8, [0] * 4)
    # a header of five rows over the pixels of four
    assert grey_png.decode_grey_png(content[:33] + short[33:]) is None
    raw = zlib.compress(b"".join(bytes([5, *row]) for row in PLAIN))
    assert grey_png.decode_grey_png(content[:33] + chunk(b"IDAT", raw) + chunk(b"IEND", b"")) is None
    two = chunk(b"IDAT", raw[:9]) + TIME + chunk(b"IDAT", raw[9:])
    assert grey_png.decode_grey_png(content[:33] + two + chunk(b"IEND", b"")) is None


def test_the_real_maps_take_the_fast_way(shared_data: Path) -> None:
    for folder in (
        "SOD/maps/DSS",
        "SOD/maps/PiCANet",
        "SOD/maps/Amulet",
        "SOD/GT",
        "ECSSD/ground_truth_mask",
    ):
        for path in sorted((shared_data / folder).glob("*.png"))[::10]:
            read = grey_png.read_grey_png(path)
            assert read is not None, path
            with Image.open(path) as picture:
                np.testing.assert_array_equal(read.values, np.asarray(picture.convert("L")))
