"""What one file is: format, mode, size and, for masks and maps, its grey levels. Used by the audit."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sodbench.data.images import decode_mask, is_zero_one, open_picture, read_image, read_map
from sodbench.errors import InputError

FORMATS_OF = {
    ".png": ("PNG",), ".jpg": ("JPEG", "MPO"), ".jpeg": ("JPEG", "MPO"), ".bmp": ("BMP",),
    ".tif": ("TIFF",), ".tiff": ("TIFF",), ".webp": ("WEBP",), ".gif": ("GIF",),
}  # fmt: skip
# the field's three rules for what is object in a mask, and the lowest grey level that each takes
RULES = {"> 128": 129, ">= 128": 128, ">= .1": 26}


@dataclass(frozen=True)
class Inspected:
    """One file; `error` is set, and the rest empty, if it cannot be read."""

    path: Path
    error: str = ""
    format: str = ""
    mode: str = ""
    size: tuple[int, int] = (0, 0)  # height, width, upright
    levels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))  # pixels a grey level
    zero_one: bool = False

    @property
    def kind(self) -> str:
        """Format and mode: 'PNG L'."""
        return f"{self.format} {self.mode}"

    @property
    def renamed(self) -> bool:
        """True if the name's ending tells of another format than the content."""
        return bool(self.format) and self.format not in FORMATS_OF.get(
            self.path.suffix.lower(), (self.format,)
        )

    def objects(self, rule: str) -> int:
        """The number of object pixels of a mask under one of RULES."""
        return int(self.levels[RULES[rule] :].sum())


def inspect_image(path: Path) -> Inspected:
    """A picture, decoded in full so that a truncated one is found."""
    try:
        mode, kind = _header(path)
        height, width = read_image(path).shape[:2]
    except InputError as error:
        return Inspected(path, error=str(error))
    return Inspected(path, format=kind, mode=mode, size=(height, width))


def inspect_mask(path: Path) -> Inspected:
    """A mask as `read_mask` gives it."""
    try:
        mode, kind = _header(path)
        mask, zero_one = decode_mask(path)
    except InputError as error:
        return Inspected(path, error=str(error))
    return Inspected(path, "", kind, mode, (mask.shape[0], mask.shape[1]), _levels(mask), zero_one)


def inspect_map(path: Path) -> Inspected:
    """A saliency map as `read_map` gives it."""
    try:
        mode, kind = _header(path)
        values = read_map(path)
    except InputError as error:
        return Inspected(path, error=str(error))
    return Inspected(
        path, "", kind, mode, (values.shape[0], values.shape[1]), _levels(values), is_zero_one(values)
    )


def _header(path: Path) -> tuple[str, str]:
    with open_picture(path) as picture:
        return picture.mode, picture.format or ""


def _levels(values: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.bincount(values.ravel(), minlength=256)
