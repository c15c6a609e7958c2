"""Random bytes and random mutations of valid files: every reader gives pixels or one line."""

import io
import json
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sodbench.data.auditing.file_facts import image_facts, map_facts, mask_facts
from sodbench.data.auditing.fingerprint import thumbnail
from sodbench.data.folder import Sample
from sodbench.data.images import read_image, read_map, read_mask, rgb_pixels
from sodbench.data.picture_files import MAX_PIXELS, MAX_SIDE
from sodbench.errors import InputError
from sodbench.scoring import score_files
from sodbench.training.samples import read_pair

pytestmark = pytest.mark.filterwarnings("ignore")
RGB = np.random.default_rng(1).integers(0, 256, (19, 23, 3), dtype=np.uint8)
GREY, BITS = RGB[:, :, 0], RGB[:, :, 1] > 90


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def valid_files() -> dict[str, bytes]:
    """A file of every format in the modes and compressions that the format has."""
    colour, grey, bits = Image.fromarray(RGB), Image.fromarray(GREY), Image.fromarray(BITS)
    wide = Image.fromarray(GREY.astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        f"{kind} {picture.mode}": encoded(picture, kind)
        for kind in ("PNG", "TIFF", "BMP", "GIF")
        for picture in (colour, grey, bits, colour.quantize(16))
    }
    for compression in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg"):
        files[f"TIFF {compression}"] = encoded(colour, "TIFF", compression=compression)
    files |= {
        "PNG I;16": encoded(wide, "PNG"),
        "PNG RGBA": encoded(colour.convert("RGBA"), "PNG"),
        "PNG LA exif": encoded(grey.convert("LA"), "PNG", exif=exif),
        "PNG animated": encoded(grey, "PNG", save_all=True, append_images=[bits]),
        "TIFF I;16 turned": encoded(wide, "TIFF", tiffinfo={0x0112: 6}),
        "TIFF of two": encoded(grey, "TIFF", save_all=True, append_images=[grey]),
        "JPEG": encoded(colour, "JPEG", exif=exif),
        "JPEG progressive": encoded(colour, "JPEG", progressive=True),
        "JPEG CMYK": encoded(colour.convert("CMYK"), "JPEG"),
        "MPO": encoded(colour, "MPO", save_all=True, append_images=[grey.convert("RGB")]),
        "WEBP": encoded(colour, "WEBP"),
        "WEBP lossless": encoded(colour.convert("RGBA"), "WEBP", lossless=True, exif=exif),
        "WEBP animated": encoded(colour, "WEBP", save_all=True, append_images=[grey.convert("RGB")]),
    }
    return files


VALID = valid_files()
WORDS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\xff\xff")


def checksummed(content: bytes) -> bytes:
    """A PNG with its checksums put right, so that a mutation gets past them."""
    out, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        body = content[at + 4 : at + 8 + length]
        out += content[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return bytes(out + content[at:])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid file that was cut, of which bytes were replaced (often in its header), or with bytes put in."""
    content = bytearray(VALID[draw(st.sampled_from(sorted(VALID)))])
    is_png = content[:4] == b"\x89PNG"
    for _ in range(draw(st.integers(1, 4))):
        header = draw(st.booleans())
        at = draw(st.integers(0, max(0, min(len(content), 64 if header else len(content)) - 1)))
        how = draw(st.sampled_from(["bit", "byte", "word", "cut", "insert", "repeat"]))
        if how == "bit" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "byte":
            content[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif how == "word":
            content[at : at + 4] = draw(
                st.sampled_from([b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\xff\xff"])
            )
        elif how == "cut":
            del content[at : at + draw(st.integers(1, 400))]
        elif how == "insert":
            content[at:at] = draw(st.binary(max_size=40))
        else:
            content[at:at] = content[at : at + 60]
    return checksummed(bytes(content)) if is_png and draw(st.booleans()) else bytes(content)


def opened(path: Path) -> np.ndarray:
    try:
        picture = Image.open(path)
    except Exception as error:  # Pillow's own, when a caller opens the file
        raise InputError(f"{path}: not opened") from error
    with picture:
        return rgb_pixels(picture, str(path))


READERS: tuple[Callable[[Path], object], ...] = (
    read_image, read_mask, read_map, thumbnail, image_facts, mask_facts, map_facts, opened,
    lambda path: read_pair(Sample("a", path, path)),
    lambda path: score_files([("a", path, path)], metrics=["MAE"], workers=1),
)  # fmt: skip


def read_all(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.png"
        path.write_bytes(content)
        for reader in READERS:
            try:
                pixels = reader(path)
            except InputError as error:
                assert str(error).startswith(str(path)) and "\n" not in str(error)
                continue
            if isinstance(pixels, np.ndarray):
                assert pixels.dtype == np.uint8 and pixels.size
                assert pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS and max(pixels.shape) <= MAX_SIDE


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_files(content: bytes) -> None:
    read_all(content)


STARTS = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"BM",
    b"GIF89a",
    b"RIFF\xff\0\0\0WEBPVP8X",
]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=200))
def test_random_bytes(start: bytes, content: bytes) -> None:
    read_all(start + content)


MEMORY = """
import json, resource, sys
from pathlib import Path
from sodbench.data.images import read_image, read_map, read_mask
from sodbench.data.auditing.fingerprint import thumbnail
from sodbench.errors import InputError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sorted(Path(sys.argv[1]).iterdir()):
    for reader in (read_image, read_mask):
        try:
            reader(path)
        except InputError:
            pass
print(json.dumps((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024))
"""


def test_header_edits_take_little_memory(tmp_path: Path) -> None:
    """Every four bytes at the start of every file set to large values."""
    count = 0
    for kind, content in VALID.items():
        for at in range(0, min(len(content), 48) - 4, 4):
            for value in (b"\x0f\xff\xff\xff", b"\0\0\xff\x7f"):
                edited = content[:at] + value + content[at + len(value) :]
                if kind.startswith("PNG"):
                    edited = checksummed(edited)
                (tmp_path / f"{count}.png").write_bytes(edited)
                count += 1
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEMORY, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-800:]
    assert count > 500 and json.loads(done.stdout) < 1200, "MB: one image at the limit and a little more"
