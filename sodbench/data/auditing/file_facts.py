"""What one file is: format, mode, size and, for masks and maps, its grey levels. Used by the audit."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sodbench.data.images import decode_mask, is_zero_one, read_image, read_map
from sodbench.data.npy_maps import read_npy_header
from sodbench.data.picture_files import open_picture
from sodbench.errors import InputError

FORMATS_OF = {
    ".png": ("PNG",), ".jpg": ("JPEG", "MPO"), ".jpeg": ("JPEG", "MPO"), ".bmp": ("BMP",),
    ".tif": ("TIFF",), ".tiff": ("TIFF",), ".webp": ("WEBP",), ".gif": ("GIF",),
}  # fmt: skip
# the field's three rules for what is object in a mask, and the lowest grey level that each takes
RULES = {"> 128": 129, ">= 128": 128, ">= .1": 26}

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class FileFacts:
    """Facts about one file; if it cannot be read, `error` is set and the rest is empty."""

    path: Path
    error: str = ""
    format: str = ""
    mode: str = ""
    size: tuple[int, int] = (0, 0)  # height, width, upright
    levels: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(256, np.int64)
    )  # pixels per grey level
    zero_one: bool = False
    border: float = 0.0  # share of the outermost pixels that are object (> 128)

    @property
    def kind(self) -> str:
        """Format and mode: 'PNG L'."""
        return f"{self.format} {self.mode}"

    @property
    def misnamed(self) -> bool:
        """True if the extension is that of another format than the content."""
        usual = FORMATS_OF.get(self.path.suffix.lower(), (self.format,))
        return bool(self.format) and self.format not in usual

    def object_pixels(self, rule: str) -> int:
        """The number of object pixels of a mask under one of RULES."""
        return int(self.levels[RULES[rule] :].sum())


def image_facts(path: Path) -> FileFacts:
    """Facts about an image, which is decoded in full so that a truncated one is noticed."""
    try:
        mode, kind = _header(path)
        height, width = read_image(path).shape[:2]
    except InputError as error:
        return FileFacts(path, error=str(error))
    return FileFacts(path, format=kind, mode=mode, size=(height, width))


def mask_facts(path: Path) -> FileFacts:
    """Facts about a mask as `read_mask` returns it."""
    try:
        mode, kind = _header(path)
        mask, zero_one = decode_mask(path)
    except InputError as error:
        return FileFacts(path, error=str(error))
    size = (mask.shape[0], mask.shape[1])
    return FileFacts(
        path,
        format=kind,
        mode=mode,
        size=size,
        levels=_levels(mask),
        zero_one=zero_one,
        border=_border(mask),
    )


def map_facts(path: Path) -> FileFacts:
    """Facts about a saliency map as `read_map` returns it."""
    try:
        mode, kind = _map_header(path)
        values = read_map(path)
    except InputError as error:
        return FileFacts(path, error=str(error))
    size = (values.shape[0], values.shape[1])
    zero_one = is_zero_one(values)
    return FileFacts(path, format=kind, mode=mode, size=size, levels=_levels(values), zero_one=zero_one)


def in_threads(work: Callable[[T], R], items: Sequence[T], workers: int | None = None) -> list[R]:
    """The results of `work` in the order of the items; threads do, because decoding releases the GIL."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, items))


def _header(path: Path) -> tuple[str, str]:
    with open_picture(path) as picture:
        return picture.mode, picture.format or ""


def _map_header(path: Path) -> tuple[str, str]:
    if path.suffix.lower() == ".npy":
        return read_npy_header(path).dtype.name, "NPY"
    return _header(path)


def _levels(values: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.bincount(values.ravel(), minlength=256)


def _border(mask: NDArray[np.uint8]) -> float:
    sides = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    return float((np.concatenate(sides) > 128).mean())
