"""Duplicate detection: byte-identical images, and near duplicates after resizing or re-encoding.

Images are compared as 32 x 32 grey thumbnails. Two images are near duplicates if the signs of the 64 lowest
frequencies of their cosine transforms (a perceptual hash) differ in at most `MAX_BITS` places, and their
thumbnails, freed of mean and contrast, correlate by at least `MIN_CORRELATION`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sodbench.data.auditing.file_facts import in_threads
from sodbench.data.images import rgb_pixels
from sodbench.data.picture_files import named_errors, open_picture
from sodbench.errors import InputError
from sodbench.files import sha256_of

SIDE = 32
MAX_BITS = 12  # of 64
# between .97, the least similar true pair in ECSSD, SOD and DUTS, and .90, the most similar false one
MIN_CORRELATION = 0.95
BLOCK = 1024  # rows of the comparison at a time, so that 10000 images need little memory


@dataclass(frozen=True)
class Fingerprints:
    """Of n readable images: names, digests, hashes (n uint64) and flat thumbnails (n x 1024)."""

    names: tuple[str, ...]
    digests: tuple[str, ...]
    hashes: NDArray[np.uint64]
    thumbnails: NDArray[np.float32]


@dataclass(frozen=True)
class Match:
    """Two names of the same image, and the correlation of the two (1.0 for the same bytes)."""

    first: str
    second: str
    same_bytes: bool
    likeness: float


def thumbnail(path: Path) -> NDArray[np.uint8]:
    """The image, upright, as 32 x 32 grey levels; JPEG is decoded at a fraction of its size."""
    with named_errors(path), open_picture(path) as picture:
        picture.draft("L", (4 * SIDE, 4 * SIDE))
        colours = Image.fromarray(rgb_pixels(picture, str(path)))
        return np.asarray(colours.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))


def fingerprints(files: Iterable[tuple[str, Path]], workers: int | None = None) -> Fingerprints:
    """The fingerprints of named images; those that cannot be read are left out."""

    def one(entry: tuple[str, Path]) -> tuple[str, str, NDArray[np.uint8]] | None:
        try:
            return entry[0], sha256_of(entry[1]), thumbnail(entry[1])
        except (InputError, OSError):
            return None

    readable = [entry for entry in in_threads(one, list(files), workers) if entry is not None]
    thumbnails = np.array([entry[2] for entry in readable], dtype=np.float32).reshape(-1, SIDE, SIDE)
    return Fingerprints(
        names=tuple(entry[0] for entry in readable),
        digests=tuple(entry[1] for entry in readable),
        hashes=_hashes(thumbnails),
        thumbnails=_normalised(thumbnails),
    )


def matches(some: Fingerprints, others: Fingerprints | None = None) -> list[Match]:
    """Images of `some` that are in `others` too; without `others`, those that are twice in `some`."""
    inside = others is None
    others = some if others is None else others
    pairs = []
    for start in range(0, len(some.names), BLOCK):
        differing = _bit_counts(some.hashes[start : start + BLOCK, None] ^ others.hashes[None, :])
        for row, column in zip(*np.nonzero(differing <= MAX_BITS), strict=True):
            first, second = start + int(row), int(column)
            if inside and second <= first:
                continue
            same = some.digests[first] == others.digests[second]
            likeness = 1.0 if same else float(some.thumbnails[first] @ others.thumbnails[second])
            if likeness >= MIN_CORRELATION:
                pairs.append(Match(some.names[first], others.names[second], same, round(likeness, 4)))
    return pairs


def _normalised(thumbnails: NDArray[np.float32]) -> NDArray[np.float32]:
    values = thumbnails.reshape(-1, SIDE * SIDE)
    values = values - values.mean(axis=1, keepdims=True)
    size = np.sqrt((values * values).sum(axis=1, keepdims=True))
    # a plain surface is like no other image
    return np.asarray(values / np.maximum(size, 1.0), dtype=np.float32)


def _hashes(thumbnails: NDArray[np.float32]) -> NDArray[np.uint64]:
    k, x = np.arange(8)[:, None], np.arange(SIDE)[None, :]
    waves = np.cos(np.pi * (2 * x + 1) * k / (2 * SIDE)).astype(np.float32)
    low = waves @ thumbnails @ waves.T
    low[:, 0, 0] = 0.0  # the mean tells nothing about the content
    flat = low.reshape(-1, 64)
    bits = flat > np.median(flat, axis=1, keepdims=True)
    weights = np.uint64(1) << np.arange(64, dtype=np.uint64)
    return np.asarray((bits * weights).sum(axis=1, dtype=np.uint64))


def _bit_counts(values: NDArray[np.uint64]) -> NDArray[np.integer]:
    if hasattr(np, "bitwise_count"):  # numpy 2
        return np.asarray(np.bitwise_count(values))
    table = np.array([bin(number).count("1") for number in range(65536)], dtype=np.uint8)
    low = np.uint64(0xFFFF)
    return np.asarray(sum(table[(values >> np.uint64(shift)) & low] for shift in (0, 16, 32, 48)))
