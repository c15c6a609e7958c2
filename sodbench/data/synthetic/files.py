"""The sample on disk: made once, whole or not at all, in the user's cache folder."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from sodbench.data.locations import CACHE_VARIABLE, cache_folder
from sodbench.data.synthetic.picture import make_picture
from sodbench.errors import InputError
from sodbench.unfinished import temporary

VERSION = 1  # counts up whenever a pixel of the sample changes; part of the folder's name
COUNTS = {"train": 400, "test": 60}


def sample_place(split: str) -> Path:
    """Where a split lies once it is made."""
    return cache_folder() / f"sample-{VERSION}" / split


def sample_folder(split: str) -> Path:
    """The folder of a split ("train" or "test") with `images/` and `masks/`, made if it is not there.

    Two processes that make it at once do not disturb each other: each makes its own, the first to finish
    puts it in place.
    """
    folder = sample_place(split)
    if folder.is_dir():
        return folder
    try:
        with temporary(folder) as made:
            write_sample(made, split, progress=True)
            made.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # a full disk, and not another process that was quicker
            raise InputError(
                f"{folder.parent}: cannot make the sample there ({error.strerror}); "
                f"name a folder that can be written to with {CACHE_VARIABLE}"
            ) from error
    return folder


def write_sample(folder: Path, split: str, count: int | None = None, progress: bool = False) -> None:
    """Writes the first `count` pairs of a split (all by default): the same bytes on every machine."""
    for inner in ("images", "masks"):
        (folder / inner).mkdir(parents=True, exist_ok=True)

    numbers = range(COUNTS[split] if count is None else count)
    for index in tqdm(
        numbers, f"making the sample ({split})", leave=False, disable=None if progress else True
    ):
        picture, mask = make_picture(split, index)
        name = f"{split}_{index:04d}.png"
        (folder / "images" / name).write_bytes(png_bytes(picture))
        (folder / "masks" / name).write_bytes(png_bytes(mask))


_BLOCK = 65535


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """H x W x 3 uint8 as an RGB file; H x W uint8 of 0 and 255 as a one-bit grey file."""
    height, width = pixels.shape[:2]
    if pixels.ndim == 3:
        depth, colour, lines = 8, 2, pixels.reshape(height, width * 3)
    else:
        depth, colour, lines = 1, 0, np.packbits(pixels > 127, axis=1)
    rows = np.concatenate([np.zeros((height, 1), dtype=np.uint8), lines], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", _stored(rows)) + _chunk(b"IEND", b"")
    )


def _stored(data: bytes) -> bytes:
    parts = [b"\x78\x01"]
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        last = start + _BLOCK >= len(data)
        parts.append(struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block)
    return b"".join(parts) + struct.pack(">I", zlib.adler32(data))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
