"""From an image to a network's input, and from a probability to an 8-bit saliency map.

The default is BASNet's recipe: bilinear resize without anti-aliasing (scikit-image's
`resize(order=1, anti_aliasing=False)`), division by the image's own maximum, ImageNet mean and standard
deviation; on the way back min-max stretching, truncation to 8 bits, bilinear resize with Pillow (official
`data_loader.py` and `basnet_test.py`).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from sodbench.schema import AT_LEAST_1, SIDE, Check

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_Side = Annotated[int, AT_LEAST_1, SIDE]
_MEANS = Check("three numbers from -1000 to 1000", lambda values: all(abs(value) <= 1000 for value in values))
_ALL_ABOVE_0 = Check(
    "three numbers above 0, from 0.000001 to 1000", lambda values: all(1e-6 <= v <= 1000 for v in values)
)


@dataclass(frozen=True)
class InputSpec:
    """The input of a network: size in pixels, scaling of the levels, normalisation per channel (RGB).

    `antialias` resizes with Pillow's bilinear filter, which averages when it shrinks, instead of BASNet's
    bilinear interpolation, which skips pixels. `fixed` says that the network takes no other size.
    """

    height: _Side = 256
    width: _Side = 256
    scaling: Literal["max", "255"] = "max"
    mean: Annotated[tuple[float, float, float], _MEANS] = IMAGENET_MEAN
    std: Annotated[tuple[float, float, float], _ALL_ABOVE_0] = IMAGENET_STD
    antialias: bool = False
    fixed: bool = False


def prepare(image: npt.NDArray[np.uint8], spec: InputSpec) -> npt.NDArray[np.float32]:
    """Resizes, scales and normalises: H x W x 3 uint8 RGB -> 3 x height x width float32.

    `scaling` "max" divides by the resized image's own maximum (a black image stays black), "255" by 255.
    """
    if spec.antialias:
        small = Image.fromarray(image).resize((spec.width, spec.height), Image.Resampling.BILINEAR)
        resized = np.asarray(small, np.float32)
    else:
        resized = resize_bilinear(image, spec.height, spec.width)
    peak = float(resized.max()) if spec.scaling == "max" else 255.0
    scale = np.float32(1 / peak if peak > 0 else 1)
    mean = np.asarray(spec.mean, np.float32)
    std = np.asarray(spec.std, np.float32)
    return np.ascontiguousarray((resized * (scale / std) - mean / std).transpose(2, 0, 1))


def finish(
    probability: npt.NDArray[np.float32], size: tuple[int, int], stretch: bool
) -> npt.NDArray[np.uint8]:
    """Turns a probability h x w in 0..1 into a saliency map of `size` (H, W), uint8.

    `stretch` maps the smallest value to 0 and the largest to 255 and truncates to whole levels, as BASNet's
    code does; a constant map stays as it is. Otherwise levels are 255 p, rounded.
    """
    p = np.asarray(probability, np.float32)
    if stretch:
        low, high = float(p.min()), float(p.max())
        if high > low:
            p = (p - np.float32(low)) / np.float32(high - low)
    exact = np.clip(p, 0, 1) * np.float32(255)
    levels = (exact if stretch else np.rint(exact)).astype(np.uint8)
    height, width = size
    if levels.shape == (height, width):
        return levels
    return np.asarray(Image.fromarray(levels).resize((width, height), Image.Resampling.BILINEAR))


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
