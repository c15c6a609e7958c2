"""Outlines as polygons: Fourier contours, ellipses, tapering limbs; and their exact filling.

A shape is a list of parts; a part is a polygon (n x 2, x and y) with a role: "body", "accent" (drawn in the
second colour) or "hole". Shapes lie around (0, 0) with a radius of about 1; y points down.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodbench.data.synthetic.numbers import Array, RandomStream, cosine, sine

FINE = 4  # sub-pixels per side of a pixel, for the share of it that a polygon covers


@dataclass(frozen=True)
class Part:
    """One polygon of a shape, and its role."""

    outline: Array
    role: str = "body"


def contour(
    stream: RandomStream, roughness: float, aspect: float = 1.0, terms: int = 6, points: int = 120
) -> Array:
    """A closed curve r = 1 + sum a_k cos(k t + p_k): round for roughness 0, ragged for .5."""
    turns = np.arange(points) * (1.0 / points)
    radius = np.ones(points)
    for k in range(2, terms + 2):
        size = roughness * stream.uniform(0.3, 1.0) / k
        radius = radius + cosine(turns * k + stream.uniform()) * size
    return np.stack([cosine(turns) * radius * aspect, sine(turns) * radius], axis=1)


def ellipse(x: float, y: float, width: float, height: float, turn: float = 0.0) -> Array:
    """An ellipse around (x, y) with the given half axes."""
    turns = np.arange(48) * (1.0 / 48)
    return moved(np.stack([cosine(turns) * width, sine(turns) * height], axis=1), 1.0, turn, x, y)


def limb(path: Array, start: float, end: float) -> Array:
    """A rounded, tapering stroke along a curve of three control points."""
    t = (np.arange(13) * (1.0 / 12))[:, None]
    a, b, c = path[0][None], path[1][None], path[2][None]
    line = a * (1.0 - t) * (1.0 - t) + b * (2.0 * t * (1.0 - t)) + c * t * t
    along = np.empty_like(line)
    along[1:-1] = line[2:] - line[:-2]
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    length = np.sqrt(along[:, :1] * along[:, :1] + along[:, 1:] * along[:, 1:]) + 1e-9
    side = np.stack([-along[:, 1], along[:, 0]], axis=1) / length
    width = start + (end - start) * t
    ahead = along / length
    tip = [line[-1] + ahead[-1] * width[-1]]
    foot = [line[0] - ahead[0] * width[0]]
    return np.concatenate([line + side * width, tip, (line - side * width)[::-1], foot])


def smooth_polygon(points: Array, rounds: int = 3) -> Array:
    """Corners cut off (Chaikin): a polygon of a few points becomes a smooth curve."""
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0)
        near = points * 0.75 + following * 0.25
        far = points * 0.25 + following * 0.75
        points = np.stack([near, far], axis=1).reshape(-1, 2)
    return points


def moved(outline: Array, scale: float, turn: float, x: float, y: float, flip: bool = False) -> Array:
    """Scaled, turned (in turns) and shifted."""
    c, s = float(cosine(np.array([turn]))[0]), float(sine(np.array([turn]))[0])
    px, py = outline[:, 0] * (-scale if flip else scale), outline[:, 1] * scale
    return np.stack([px * c - py * s + x, px * s + py * c + y], axis=1)


@dataclass(frozen=True)
class Filled:
    """The sub-pixels inside a polygon, as a box, and the position of the box."""

    rows: slice
    columns: slice
    inside: NDArray[np.bool_]


def canvas(height: int, width: int) -> NDArray[np.bool_]:
    """An empty field of sub-pixels, FINE x FINE to each pixel."""
    return np.zeros((height * FINE, width * FINE), dtype=bool)


def filled(outline: Array, height: int, width: int) -> Filled:
    """The sub-pixels inside a polygon (even-odd rule, sub-pixel centres), of an H x W picture."""
    x0, y0 = outline[:, 0] * FINE, outline[:, 1] * FINE
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    left = int(np.clip(np.floor(x0.min()), 0, width * FINE))
    right = int(np.clip(np.ceil(x0.max()) + 1, left, width * FINE))
    first = np.clip(np.ceil(np.minimum(y0, y1) - 0.5), 0, height * FINE).astype(np.int64)
    after = np.clip(np.ceil(np.maximum(y0, y1) - 0.5), 0, height * FINE).astype(np.int64)
    top, bottom = int(first.min()), int(after.max())
    spans = after - first
    edge = np.repeat(np.arange(len(spans)), spans)
    start = np.cumsum(spans) - spans
    row = np.arange(len(edge)) - start[edge] + first[edge]
    slope = (x1 - x0)[edge] / (y1 - y0)[edge]
    crossing = x0[edge] + (row + 0.5 - y0[edge]) * slope
    columns = right - left
    column = np.clip(np.ceil(crossing - 0.5), left, right).astype(np.int64) - left
    hits = np.bincount((row - top) * (columns + 1) + column, minlength=(bottom - top) * (columns + 1))
    inside = np.cumsum(hits.astype(np.uint8).reshape(bottom - top, columns + 1), axis=1, dtype=np.uint8)
    return Filled(slice(top, bottom), slice(left, right), (inside[:, :columns] & 1).astype(bool))


def coverage(inside: NDArray[np.bool_]) -> Array:
    """The covered share of each pixel, in sixteenths."""
    fine = inside.view(np.uint8)
    lines = sum((fine[step::FINE] for step in range(1, FINE)), start=fine[0::FINE].copy())
    count = sum((lines[:, step::FINE] for step in range(1, FINE)), start=lines[:, 0::FINE].copy())
    return count * (1.0 / (FINE * FINE))
