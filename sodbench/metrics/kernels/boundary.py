"""Boundaries of binary images and how much of one lies within a window of another."""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import U8, compiled

U8_OUT = numba.types.Array(numba.uint8, 2, "C")


@compiled((U8, numba.boolean, U8_OUT))
def inner_boundary(binary: NDArray[np.uint8], square: bool, out: NDArray[np.uint8]) -> int:
    """Marks the pixels that a 3 x 3 erosion (cross or square) takes away; returns how many.

    What lies outside the image counts as object, as in the usual erosion: an object cut by the border
    has no boundary there.
    """
    height, width = binary.shape
    count = 0
    for y in range(height):
        above = binary[max(y - 1, 0)]
        here = binary[y]
        below = binary[min(y + 1, height - 1)]
        for x in range(width):
            a, b = max(x - 1, 0), min(x + 1, width - 1)
            inside = above[x] & below[x] & here[a] & here[b]
            if square:
                inside &= above[a] & above[b] & below[a] & below[b]
            edge = here[x] & (inside ^ np.uint8(1))
            out[y, x] = edge
            count += edge
    return count


@compiled((U8, numba.boolean, numba.int64, U8_OUT))
def spread(boundary: NDArray[np.uint8], disk: bool, radius: int, out: NDArray[np.uint8]) -> None:
    """Dilates by a square of side 2 radius + 1, or by the disk of that radius (dx^2 + dy^2 <= radius^2)."""
    height, width = boundary.shape
    out[:] = 0
    for dy in range(-radius, radius + 1):
        reach = radius
        while disk and reach * reach + dy * dy > radius * radius:
            reach -= 1
        for y in range(max(0, -dy), min(height, height - dy)):
            source = boundary[y + dy]
            target = out[y]
            for dx in range(-reach, reach + 1):
                for x in range(max(0, -dx), min(width, width - dx)):
                    target[x] |= source[x + dx]


@compiled((U8, U8))
def common(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> int:
    """How many pixels are 1 in both."""
    a = first.reshape(-1)
    b = second.reshape(-1)
    count = 0
    for i in range(a.size):
        count += a[i] & b[i]
    return count
