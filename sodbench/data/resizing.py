"""Resizing of pictures: BASNet's bilinear interpolation, and Pillow's filters."""

from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

MapFilter = Literal["bilinear", "bicubic", "lanczos"]
PictureFilter = Literal["bilinear", "bilinear-antialias", "bicubic", "lanczos"]

_PILLOW = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def resize_picture(
    image: npt.NDArray[np.uint8], size: tuple[int, int], resample: PictureFilter
) -> npt.NDArray[np.float32]:
    """H x W x 3 uint8 -> height x width x 3 float32 in the picture's levels; `size` is (height, width).

    "bilinear" is `resize_bilinear`, whose values are not whole levels. The others are Pillow's filters of
    whole levels, which average when they shrink: "bilinear-antialias" (Pillow's BILINEAR), "bicubic",
    "lanczos".
    """
    if resample == "bilinear":
        return resize_bilinear(image, *size)
    return _pillow(image, size, "bilinear" if resample == "bilinear-antialias" else resample).astype(
        np.float32
    )


def resize_map(
    levels: npt.NDArray[np.uint8], size: tuple[int, int], resample: MapFilter
) -> npt.NDArray[np.uint8]:
    """h x w uint8 -> a map of `size` (H, W), uint8, with one of Pillow's filters."""
    return levels if levels.shape == size else _pillow(levels, size, resample)


def _pillow(
    pixels: npt.NDArray[np.uint8], size: tuple[int, int], resample: MapFilter
) -> npt.NDArray[np.uint8]:
    height, width = size
    return np.asarray(Image.fromarray(pixels).resize((width, height), _PILLOW[resample]))


def resize_bilinear(image: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.float32]:
    """Bilinear without anti-aliasing, H x W x C -> height x width x C float32 in the input's levels.

    Equal to scikit-image's `resize(order=1, anti_aliasing=False)` up to float32 rounding: pixel centres at
    half-integers, coordinates beyond the border mirrored.
    """
    above, below, down = _taps(image.shape[0], height)
    left, right, across = _taps(image.shape[1], width)
    if image.shape[1] > 2 * width:  # take the columns that are needed first: a wide image needs little memory
        needed = np.unique([left, right])
        image = image[:, needed]
        left, right = np.searchsorted(needed, left), np.searchsorted(needed, right)
    # rows first, and only those that are needed: one gather and two multiply-adds per value
    top = image[above].astype(np.float32)
    rows = image[below].astype(np.float32)
    rows -= top
    rows *= down[:, None, None]
    rows += top
    start = rows[:, left]
    columns = rows[:, right]
    columns -= start
    columns *= across[None, :, None]
    columns += start
    return columns


@lru_cache(maxsize=64)
def _taps(
    size: int, wanted: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """For each of `wanted` output positions the two source positions and the weight of the second."""
    centre = (np.arange(wanted) + 0.5) * (size / wanted) - 0.5
    first = np.floor(centre).astype(np.intp)
    weight = (centre - first).astype(np.float32)
    return _mirror(first, size), _mirror(first + 1, size), weight


def _mirror(index: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.intp]:
    if size == 1:
        return np.zeros_like(index)
    index = np.abs(index)
    return np.where(index >= size, 2 * (size - 1) - index, index)
