"""Blurs and resizings with the same result everywhere: sums of whole numbers, one division at the end.

Sums of whole numbers below 2^53 are exact in double precision, in any order and with any vector unit. What
is not a sum is a single operation per element, which IEEE 754 rounds exactly.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.data.synthetic.numbers import cosine, sine

Pixels = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]
_WEIGHT = 65536


def to_levels(values: NDArray[Any]) -> Pixels:
    """Values rounded to whole levels, halves up, and cut to 0..255."""
    return np.floor(np.clip(values, 0, 255) + 0.5).astype(np.uint8)


@lru_cache(maxsize=64)
def gaussian_weights(sigma: float, reach: int, first: int) -> NDArray[np.int64]:
    """exp(-k^2 / 2 sigma^2) for k from `first` to `reach`, in whole numbers of 1/65536."""
    width = 2 * Decimal(sigma) ** 2
    parts = [(Decimal(-k * k) / width).exp() * _WEIGHT for k in range(first, reach + 1)]
    return np.array([int(part.to_integral_value()) for part in parts], np.int64)


def gaussian(values: NDArray[Any], sigma: float) -> Floats:
    """A Gaussian blur of the first two axes of whole numbers, mirrored at the borders; float64."""
    from scipy.ndimage import correlate1d

    reach = int(4 * sigma + 0.5)
    weights = gaussian_weights(sigma, reach, -reach)
    blurred = np.asarray(values, np.float64)
    for axis in (0, 1):
        blurred = correlate1d(blurred, weights.astype(np.float64), axis, mode="reflect")
    return np.asarray(blurred / float(int(weights.sum()) ** 2))


def disc(image: Pixels, radius: float) -> Pixels:
    """The mean over a disc around each pixel, mirrored at the borders; H x W x C."""
    height, width = image.shape[:2]
    reach = int(radius)
    sums = np.cumsum(_mirrored(image, reach + 1).astype(np.int32), axis=1)
    total = np.zeros(image.shape, np.int32)
    count = 0
    for down in range(-reach, reach + 1):
        half = int(np.floor(np.sqrt(radius * radius - down * down)))
        rows = sums[reach + 1 + down :][:height]
        right, left = reach + 1 + half, reach - half
        total += rows[:, right : right + width] - rows[:, left : left + width]
        count += 2 * half + 1
    return ((2 * total + count) // (2 * count)).astype(np.uint8)


def line(image: Pixels, radius: float, sigma: float, turns: float) -> Pixels:
    """A motion blur: half a Gaussian along a line of 2 `radius` pixels, in the direction `turns` of a circle.

    H x W or H x W x C. A direction of 0 is to the right, of 1/4 downwards.
    """
    height, width = image.shape[:2]
    reach = max(1, int(2 * radius + 0.5))
    weights = gaussian_weights(sigma, reach, 0) // 16
    along = np.arange(reach + 1) * 1.0
    x = np.floor(along * cosine(np.full(reach + 1, turns)) + 0.5).astype(np.int64)
    y = np.floor(along * sine(np.full(reach + 1, turns)) + 0.5).astype(np.int64)
    padded = _mirrored(image, reach).astype(np.int32)
    total = np.zeros(image.shape, np.int32)
    for weight, down, right in zip(weights.tolist(), y.tolist(), x.tolist(), strict=True):
        if weight:
            part = padded[reach + down :, reach + right :][:height, :width]
            total += part * np.int32(weight)
    count = int(weights.sum())
    return ((total + count // 2) // count).astype(np.uint8)


def sampled(image: NDArray[Any], rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Floats:
    """The image at fractional rows x columns, bilinear, cut at the borders; float32."""
    upper, down = _between(rows, image.shape[0])
    left, right = _between(columns, image.shape[1])
    lines = image.take(upper, axis=0).astype(np.float32)
    below = image.take(np.minimum(upper + 1, image.shape[0] - 1), axis=0).astype(np.float32)
    lines += (below - lines) * down.reshape(-1, *[1] * (image.ndim - 1))
    before = lines.take(left, axis=1)
    after = lines.take(np.minimum(left + 1, image.shape[1] - 1), axis=1)
    return np.asarray(before + (after - before) * right.reshape(1, -1, *[1] * (image.ndim - 2)))


def enlarged(layer: NDArray[Any], height: int, width: int) -> Floats:
    """A layer at another size, bilinear; float32."""
    rows = (np.arange(height) + 0.5) * (layer.shape[0] / height) - 0.5
    columns = (np.arange(width) + 0.5) * (layer.shape[1] / width) - 0.5
    return sampled(layer, rows, columns)


def shrunk(image: Pixels, height: int, width: int) -> Pixels:
    """The mean over the area of each new pixel; at most the image's own size."""
    for axis, size in ((0, height), (1, width)):
        old = image.shape[axis]
        values = np.moveaxis(image, axis, 0).astype(np.int64)
        sums = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
        # in units of 1/size of an old pixel: a new pixel is `old` long, an old one `size`
        whole, rest = np.divmod(np.arange(size + 1) * old, size)
        beyond = values[np.minimum(whole, old - 1)] * rest.reshape(-1, *[1] * (image.ndim - 1))
        until = sums[whole] * size + beyond
        means = (2 * np.diff(until, axis=0) + old) // (2 * old)
        image = np.moveaxis(means, 0, axis).astype(np.uint8)
    return image


def _between(positions: NDArray[np.float64], size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The whole part and the rest of positions cut to 0..size - 1."""
    inside = np.clip(positions, 0, size - 1)
    first = np.floor(inside).astype(np.int64)
    return first, (inside - first).astype(np.float32)


def _mirrored(image: Pixels, reach: int) -> Pixels:
    return np.pad(image, [(reach, reach), (reach, reach), *[(0, 0)] * (image.ndim - 2)], mode="symmetric")
