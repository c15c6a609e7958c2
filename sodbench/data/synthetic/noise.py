"""Textures: fractal noise, plain, stretched and warped, and blurs, all exactly reproducible."""

import numpy as np
from numpy.typing import NDArray

from sodbench.data.synthetic.numbers import Array, RandomStream, smooth_step


def value_noise(stream: RandomStream, height: int, width: int, cell_y: float, cell_x: float) -> Array:
    """Random values on a lattice of the given cell size, smoothly interpolated; in [0, 1)."""
    rows, columns = int(height / cell_y) + 3, int(width / cell_x) + 3
    lattice = stream.grid(rows, columns)
    y = np.arange(height) * (1.0 / cell_y) + stream.uniform()
    x = np.arange(width) * (1.0 / cell_x) + stream.uniform()
    top, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    down, right = smooth_step(y - top)[:, None], smooth_step(x - left)[None, :]
    upper = lattice.take(top, axis=0)
    lines = upper + (lattice.take(top + 1, axis=0) - upper) * down
    before = lines.take(left, axis=1)
    return np.asarray(before + (lines.take(left + 1, axis=1) - before) * right)


def fractal(
    stream: RandomStream,
    height: int,
    width: int,
    cell: float,
    octaves: int = 4,
    roughness: float = 0.5,
    *,
    stretch: float = 1.0,
) -> Array:
    """Octaves of value noise, stretched to exactly [0, 1]; `stretch` > 1 stretches it horizontally."""
    total = np.zeros((height, width))
    weight = 1.0
    for _ in range(octaves):
        if cell < 1.0:
            break
        total = (
            total + value_noise(stream, height, width, max(cell, 1.01), max(cell * stretch, 1.01)) * weight
        )
        weight *= roughness
        cell *= 0.5
    return to_unit(total)


def at(field: Array, y: Array, x: Array) -> Array:
    """A field sampled at fractional positions, bilinear, mirrored at its borders."""
    height, width = field.shape
    y, x = _mirrored(y, height), _mirrored(x, width)
    top = np.minimum(y.astype(np.int64), height - 2)
    left = np.minimum(x.astype(np.int64), width - 2)
    down, right = y - top, x - left
    flat = field.ravel()
    corner = top * width + left
    upper = flat[corner] + (flat[corner + 1] - flat[corner]) * right
    lower = flat[corner + width] + (flat[corner + width + 1] - flat[corner + width]) * right
    return np.asarray(upper + (lower - upper) * down)


def warped(stream: RandomStream, field: Array, reach: float, cell: float) -> Array:
    """The field with its points displaced by smooth noise of up to `reach` pixels."""
    height, width = field.shape
    y, x = np.indices(field.shape).astype(np.float64)
    dy = value_noise(stream, height, width, cell, cell) - 0.5
    dx = value_noise(stream, height, width, cell, cell) - 0.5
    return at(field, y + dy * (2.0 * reach), x + dx * (2.0 * reach))


def blur(field: Array, radius: int, passes: int = 2) -> Array:
    """A box blur of the last two axes, repeated: two or three passes are nearly Gaussian."""
    if radius < 1:
        return field
    # sums of whole numbers of 2^-20 are exact in any order
    whole = np.floor(field * 1048576.0).astype(np.int64)
    for _ in range(passes):
        whole = _box(whole, radius)
        whole = np.swapaxes(_box(np.swapaxes(whole, -1, -2), radius), -1, -2)
    return np.asarray(whole * (1.0 / 1048576.0))


def soften(field: Array) -> Array:
    """The smallest blur, 1 2 1 along the last two axes: what a lens does to an edge."""
    padded = np.concatenate([field[..., :1, :], field, field[..., -1:, :]], axis=-2)
    field = (padded[..., :-2, :] + padded[..., 2:, :] + field * 2.0) * 0.25
    padded = np.concatenate([field[..., :1], field, field[..., -1:]], axis=-1)
    return np.asarray((padded[..., :-2] + padded[..., 2:] + field * 2.0) * 0.25)


def to_unit(field: Array) -> Array:
    """Stretched linearly so that the lowest value is 0 and the highest 1."""
    low, high = float(field.min()), float(field.max())
    return (field - low) * (1.0 / (high - low)) if high > low else np.zeros_like(field)


def _mirrored(position: Array, size: int) -> Array:
    position = np.abs(position)
    end = float(size - 1)
    return np.clip(np.where(position > end, 2.0 * end - position, position), 0.0, end)


def _box(whole: NDArray[np.int64], radius: int) -> NDArray[np.int64]:
    """The running mean of 2 radius + 1 whole numbers along the last axis, rounded down."""
    first = np.repeat(whole[..., :1], radius + 1, axis=-1)
    last = np.repeat(whole[..., -1:], radius, axis=-1)
    sums = np.cumsum(np.concatenate([first, whole, last], axis=-1), axis=-1)
    size = 2 * radius + 1
    return np.asarray((sums[..., size:] - sums[..., :-size]) // size)
