"""Files that Pillow decodes to wrong pixels, and images that are too large: refused in one line."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.data import images, picture_files
from sodbench.data.auditing.fingerprint import thumbnail
from sodbench.data.images import read_image, read_map, read_mask, rgb_pixels
from sodbench.errors import InputError

Reader = Callable[[Path], np.ndarray]
READERS: tuple[Reader, ...] = (read_image, read_mask, read_map)
GREY, COLOUR, PALETTE, GREY_ALPHA = 0, 2, 3, 4  # PNG's colour types
MASK = np.zeros((40, 60), np.uint8)
MASK[10:30, 20:50] = 255


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(pixels: np.ndarray, colour_type: int, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG of H x W or H x W x channels, uint8 or uint16, with further chunks before the pixels."""
    depth = 8 * pixels.dtype.itemsize
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, colour_type, 0, 0, 0)
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(len(pixels), -1)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    chunks = [(b"IHDR", header), *more, (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


def refused(reader: Reader, path: Path, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        reader(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("palette", "match"), [(None, "missing"), (b"\0\0\0\xff\xff\xff", "has 2 colours")])
def test_a_palette_that_is_missing_or_too_short(
    tmp_path: Path, reader: Reader, palette: bytes | None, match: str
) -> None:
    more = () if palette is None else ((b"PLTE", palette),)
    (tmp_path / "a.png").write_bytes(png(MASK // 85, PALETTE, *more))
    refused(reader, tmp_path / "a.png", match)


def test_a_palette_that_is_just_long_enough(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(MASK // 255, PALETTE, (b"PLTE", b"\0\0\0\xff\xff\xff")))
    assert np.array_equal(read_mask(tmp_path / "a.png"), MASK)
    for name in ("a.gif", "a.bmp", "a.tif"):
        for colours in (2, 16, 256):
            picture = Image.fromarray(MASK).convert("RGB").quantize(colours)
            picture.save(tmp_path / name)
            assert np.array_equal(read_mask(tmp_path / name), MASK), (name, colours)


@pytest.mark.parametrize("reader", READERS)
def test_flipped_bits_in_the_pixels_of_a_png(tmp_path: Path, reader: Reader) -> None:
    content = png(MASK, GREY)
    start, end = content.index(b"IDAT") + 4, content.index(b"IEND") - 8
    for bit in range(0, 8 * (end - start), 7):
        damaged = bytearray(content)
        damaged[start + bit // 8] ^= 1 << bit % 8
        (tmp_path / "a.png").write_bytes(damaged)
        refused(reader, tmp_path / "a.png", "IDAT does not match its checksum")


def test_a_png_without_its_end_is_read(tmp_path: Path) -> None:
    content = png(MASK, GREY)
    (tmp_path / "a.png").write_bytes(content[: content.index(b"IEND") - 4])
    assert np.array_equal(read_mask(tmp_path / "a.png"), MASK)


def test_sixteen_bit_colours_are_not_cut_to_black(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    for mask in (np.repeat(MASK[:, :, None], 3, 2), np.dstack([MASK, np.full_like(MASK, 255)])):
        kind = COLOUR if mask.shape[2] == 3 else GREY_ALPHA
        path.write_bytes(png(mask.astype(np.uint16), kind))
        refused(read_mask, path, "lie below 256")
        refused(read_image, path, "lie below 256")
        refused(read_map, path, "16 bits per channel")
        path.write_bytes(png(mask.astype(np.uint16) * 257, kind))
        assert np.array_equal(read_mask(path), MASK)
        assert np.array_equal(read_image(path)[:, :, 1], MASK)
        refused(read_map, path, "16 bits per channel")
    black = np.zeros((4, 5), np.uint16)
    path.write_bytes(png(black, GREY))
    assert not read_mask(path).any()


def test_a_tiff_in_which_zero_is_white(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for picture in (Image.fromarray(MASK), Image.fromarray(MASK > 0)):
        picture.save(path, tiffinfo={262: 0})
        assert np.array_equal(read_mask(path), MASK)
    Image.fromarray(MASK.astype(np.uint16) * 257).save(path, tiffinfo={262: 0})
    refused(read_mask, path, "0 is white")
    refused(read_image, path, "0 is white")


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_a_level_that_is_marked_transparent(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "a.png"
    pixels = {1: Image.fromarray(MASK > 0), 8: Image.fromarray(MASK), 16: None}[bits]
    white = {1: 255, 8: 255, 16: 65535}[bits]

    def put(level: int) -> None:
        if pixels is None:
            path.write_bytes(png(MASK.astype(np.uint16) * 257, GREY, (b"tRNS", struct.pack(">H", level))))
        else:
            pixels.save(path, transparency=level)

    put(white)
    refused(read_mask, path, "marked transparent")
    assert np.array_equal(read_image(path)[:, :, 0], MASK), "images drop their transparency"
    put(0)
    assert np.array_equal(read_mask(path), MASK)
    if bits > 1:
        put(99)  # a level that no pixel has
        assert np.array_equal(read_mask(path), MASK)
    if bits < 16:
        put(white)
        refused(read_map, path, "marked transparent")


def header_only(kind: str, width: int, height: int) -> bytes:
    """A legal file of a few bytes whose header states a size."""
    if kind == "png":
        content = bytearray(png(np.zeros((1, 1), np.uint8), GREY))
        content[16:24] = struct.pack(">II", width, height)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        return bytes(content)
    buffer = io.BytesIO()
    picture = Image.fromarray(np.zeros((7, 5), np.uint8))
    picture.save(buffer, {"jpg": "JPEG", "tif": "TIFF", "gif": "GIF", "bmp": "BMP", "webp": "WEBP"}[kind])
    content = bytearray(buffer.getvalue())
    if kind == "jpg":
        at = content.index(b"\xff\xc0") + 5
        content[at : at + 4] = struct.pack(">HH", height, width)
    elif kind == "gif":
        content[6:10] = struct.pack("<HH", width, height)
    elif kind == "bmp":
        content[18:26] = struct.pack("<ii", width, height)
    elif kind == "webp":
        body = bytes(content[12:])
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = b"VP8X" + struct.pack("<II", 10, 0) + sides + body
        return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
    else:
        for tag, value in ((256, width), (257, height)):
            at = max(content.find(struct.pack("<HH", tag, kind)) for kind in (3, 4))
            content[at : at + 12] = struct.pack("<HHII", tag, 4, 1, value)
    return bytes(content)


LARGE = (
    ("png", 1, 89_478_485), ("png", 89_478_485, 1), ("png", 10_000, 9_000), ("png", 2**31 - 1, 2**31 - 1),
    ("jpg", 65_000, 65_000), ("gif", 60_000, 60_000), ("webp", 16_384, 16_384), ("webp", 2**24, 200),
    ("tif", 1, 89_478_485), ("tif", 2**31 - 1, 2**31 - 1), ("bmp", 1, 89_478_485), ("bmp", 2**31 - 1, 1),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "width", "height"), LARGE)
def test_pictures_over_the_limit_are_refused_from_their_header(
    tmp_path: Path, kind: str, width: int, height: int
) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(header_only(kind, width, height))
    for reader in (*READERS, thumbnail):
        refused(reader, path, "refused: resize it|damaged|not an image")
    if kind == "png" and width * height < 2**31:
        refused(read_mask, path, f"{width} x {height} pixels; images over")


def test_an_opened_picture_over_the_limit_is_refused() -> None:
    with pytest.raises(InputError, match=r"the picture: 1 x 70000 pixels; images over .* on a side"):
        rgb_pixels(Image.new("L", (1, 70_000)), "the picture")


def test_sides_up_to_the_limit_are_read(tmp_path: Path) -> None:
    tall = np.zeros((picture_files.MAX_SIDE, 1), np.uint8)
    tall[::2] = 255
    Image.fromarray(tall).save(tmp_path / "a.png")
    for reader in READERS:
        assert reader(tmp_path / "a.png").shape[:2] == tall.shape


@pytest.mark.parametrize("reader", READERS)
def test_no_memory_is_one_line_that_names_the_file(
    tmp_path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError

    # a plain grey PNG would not need Pillow
    Image.fromarray(MASK).save(tmp_path / "a.bmp")
    for module, name in ((images, "load_picture"), (picture_files, "load_upright")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, exhausted)
            refused(reader, tmp_path / "a.bmp", "not enough memory to read it")


def test_names_that_are_no_path() -> None:
    for reader in READERS:
        with pytest.raises(InputError, match="not readable"):
            reader(Path("a\0b.png"))
