"""Resampling of maps to the size of their masks, where the protocol requires it."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sodbench.arguments import RESIZE_FILTERS
from sodbench.metrics.inputs import MapArray

# the numbers of one matrix: images up to 2900 x 2900 are resampled at once, longer sides in parts
WORKING_SET = 2**23


def resized(values: MapArray, shape: tuple[int, int], how: str = "resize-map") -> MapArray:
    """The map resampled to another height and width; uint8 stays uint8, floating point is clipped to 0..1.

    `how` is a protocol's `size_mismatch`, or one of Pillow's filters (`RESIZE_FILTERS`).
    "resize-map-opencv" is OpenCV's INTER_LINEAR: bilinear between the four nearest pixels, also when it
    shrinks, in OpenCV's own 8-bit arithmetic, which another version or processor may round otherwise by one
    level. "resize-map" is bicubic with a = -0.5, wider when shrinking (as MATLAB's imresize and Pillow do),
    the result rounded to 8 bits: as if the map had been saved at that size. How the toolkits round in between
    is not documented; for maps of another size their numbers agree with ours to about 1e-3.
    """
    if how == "resize-map-opencv":
        import cv2

        bilinear = cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
        return np.asarray(bilinear, values.dtype)
    if how in RESIZE_FILTERS:
        return _by_pillow(values, shape, how)
    out = np.empty(shape, values.dtype)
    for first, last, start, stop in _blocks(values.shape[0], shape[0], most=WORKING_SET // values.shape[1]):
        weights = _resampling(values.shape[0], shape[0], first, last, start, stop)
        rows = _across(weights @ values[start:stop].astype(np.float64), shape[1])
        if values.dtype == np.uint8:
            rows = np.floor(rows + 0.5)
        out[first:last] = np.clip(rows, 0, 255 if values.dtype == np.uint8 else 1)
    return out


def _by_pillow(values: MapArray, shape: tuple[int, int], how: str) -> MapArray:
    from PIL import Image

    eight_bits = values.dtype == np.uint8
    picture = Image.fromarray(values if eight_bits else values.astype(np.float32))
    sized = np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling[how.upper()]))
    return np.ascontiguousarray(sized if eight_bits else np.clip(sized, 0, 1), values.dtype)


def _across(rows: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Rows resampled to another width."""
    out = np.empty((rows.shape[0], width))
    for first, last, start, stop in _blocks(rows.shape[1], width):
        weights = _resampling(rows.shape[1], width, first, last, start, stop)
        out[:, first:last] = rows[:, start:stop] @ weights.T
    return out


def _blocks(size: int, wanted: int, most: int = WORKING_SET) -> Iterator[tuple[int, int, int, int]]:
    """Parts (first, last) of the output side and the parts (start, stop) of the input that they need.

    One part for images of the usual sizes; where a side is long, so many that the matrix of weights and the
    `most` output rows of one part stay small.
    """
    scale = size / wanted
    reach = 2 * max(scale, 1.0)
    height = wanted
    while height > 1 and (height > most or height * min(size, height * scale + 2 * reach + 1) > WORKING_SET):
        height = (height + 1) // 2
    for first in range(0, wanted, height):
        last = min(first + height, wanted)
        start = max(math.floor((first + 0.5) * scale - 0.5 - reach), 0)
        stop = min(math.ceil((last - 0.5) * scale - 0.5 + reach) + 1, size)
        yield first, last, start, stop


def _resampling(size: int, wanted: int, first: int, last: int, start: int, stop: int) -> NDArray[np.float64]:
    """The weights of the inputs start .. stop - 1 for the outputs first .. last - 1, one row per output."""
    scale = size / wanted
    reach = max(scale, 1.0)
    centre = (np.arange(first, last) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(start, stop) - centre[:, None]) / reach
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    weights = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
