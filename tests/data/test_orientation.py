"""Every EXIF orientation in every format that can hold one, by every reader."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.data.auditing.fingerprint import thumbnail
from sodbench.data.folder import Sample
from sodbench.data.images import read_image, read_map, read_mask, rgb_pixels
from sodbench.training.samples import read_pair

ORIENTATIONS = range(1, 9)
RGB = np.random.default_rng(1).integers(0, 256, (9, 13, 3), dtype=np.uint8)
GREY = RGB[:, :, 0]
TIFF_MODES = ("1", "L", "LA", "P", "I;16", "RGB", "RGBA", "CMYK")
TIFF_COMPRESSIONS = ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate")


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """EXIF 2.32, tag 0x0112: where the stored first row and column lie in the upright image."""
    rows, columns = np.indices(pixels.shape[:2])
    bottom, right = pixels.shape[0] - 1 - rows, pixels.shape[1] - 1 - columns
    row, column = {
        1: (rows, columns), 2: (rows, right), 3: (bottom, right), 4: (bottom, columns),
        5: (columns, rows), 6: (columns, bottom), 7: (right, bottom), 8: (right, rows),
    }[orientation]  # fmt: skip
    turned = np.empty((int(row.max()) + 1, int(column.max()) + 1, *pixels.shape[2:]), pixels.dtype)
    turned[row, column] = pixels
    return turned


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def check(path: Path, stored: np.ndarray, orientation: int) -> None:
    """All readers give `stored` (H x W grey) upright."""
    expected = upright(stored, orientation)
    colours = np.repeat(expected[:, :, None], 3, axis=2)
    assert np.array_equal(read_map(path), expected)
    assert np.array_equal(read_mask(path), expected)
    assert np.array_equal(read_image(path), colours)
    for pixels in read_pair(Sample("a", path, path)):
        assert pixels.shape[:2] == expected.shape
    with Image.open(path) as lazy:
        assert np.array_equal(rgb_pixels(lazy, "a"), colours)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_exif(tmp_path: Path, orientation: int, name: str) -> None:
    options = {"lossless": True} if name == "a.webp" else {}
    Image.fromarray(GREY).save(tmp_path / f"plain-{name}", **options)
    Image.fromarray(GREY).save(tmp_path / name, exif=exif(orientation), **options)
    with Image.open(tmp_path / f"plain-{name}") as plain:
        check(tmp_path / name, np.asarray(plain.convert("L")), orientation)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("compression", TIFF_COMPRESSIONS)
def test_tiff(tmp_path: Path, orientation: int, compression: str) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(GREY).save(path, compression=compression, tiffinfo={0x0112: orientation})
    check(path, GREY, orientation)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("mode", TIFF_MODES)
def test_every_mode_of_tiff(tmp_path: Path, orientation: int, mode: str) -> None:
    if mode == "I;16":
        picture, stored = Image.fromarray(GREY.astype(np.uint16) * 257), np.repeat(GREY[:, :, None], 3, 2)
    else:
        picture = Image.fromarray(GREY).convert("RGB")
        picture = picture.convert("L").convert("LA") if mode == "LA" else picture.convert(mode)
        stored = np.asarray(picture.convert("RGB"))
    for compression in ("raw", "tiff_lzw"):
        path = tmp_path / f"{compression}.tif"
        picture.save(path, compression=compression, tiffinfo={0x0112: orientation})
        assert np.array_equal(read_image(path), upright(stored, orientation))


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_png_with_exif_behind_the_pixels(tmp_path: Path, orientation: int) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    end = content.rindex(b"IEND") - 4
    tags = chunk(b"eXIf", exif(orientation).tobytes()[6:])
    (tmp_path / "a.png").write_bytes(content[:end] + tags + content[end:])
    check(tmp_path / "a.png", GREY, orientation)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_png_with_exif_as_imagemagick_stores_it(tmp_path: Path, orientation: int) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    tags = exif(orientation).tobytes()
    text = f"\nexif\n{len(tags):8}\n{tags.hex()}\n".encode()
    profile = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))
    (tmp_path / "a.png").write_bytes(content[:33] + profile + content[33:])
    check(tmp_path / "a.png", GREY, orientation)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_thumbnails_are_upright(tmp_path: Path, name: str) -> None:
    smooth = np.linspace(0, 255, 96 * 128).reshape(96, 128).astype(np.uint8)
    for orientation in ORIENTATIONS:
        options = {"tiffinfo": {0x0112: orientation}} if name == "a.tif" else {"exif": exif(orientation)}
        Image.fromarray(smooth).convert("RGB").save(tmp_path / name, **options)
        Image.fromarray(upright(smooth, orientation)).save(tmp_path / "upright.png")
        difference = thumbnail(tmp_path / name).astype(int) - thumbnail(tmp_path / "upright.png")
        assert np.abs(difference).max() < 9
