"""Exact Euclidean distances of background pixels to the object, on integers.

The squared distance of every background pixel, and for the pixels in reach of a 7 x 7 window the nearest
object pixel itself, ties broken as scipy.ndimage.distance_transform_edt does: smallest column, then row.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import F64_1, U8, U16, compiled

FAR = 30000  # no object pixel in this column
LIMIT = 65535  # squared distances are capped here: the weight beyond 255 pixels is below 1e-15
BAND = 3  # half the 7 x 7 window of the weighted F-measure

U16_OUT = numba.types.Array(numba.uint16, 2, "C")
I32_OUT = numba.types.Array(numba.int32, 1, "C")


@compiled((U8, U16_OUT))
def vertical_distance(mask: NDArray[np.uint8], out: NDArray[np.uint16]) -> None:
    """The distance to the nearest object pixel of the same column, FAR where there is none."""
    height, width = mask.shape
    far = np.uint16(FAR)
    one = np.uint16(1)
    for x in range(width):
        out[0, x] = np.uint16(0) if mask[0, x] else far
    for y in range(1, height):
        for x in range(width):
            below = min(np.uint16(out[y - 1, x] + one), far)
            out[y, x] = np.uint16(0) if mask[y, x] else below
    for y in range(height - 2, -1, -1):
        for x in range(width):
            out[y, x] = min(out[y, x], np.uint16(out[y + 1, x] + one))


@compiled((U8, U16, F64_1, U16_OUT))
def squared_distance(
    mask: NDArray[np.uint8],
    vertical: NDArray[np.uint16],
    half_reciprocal: NDArray[np.float64],
    out: NDArray[np.uint16],
) -> None:
    """The squared distance to the nearest object pixel, capped at LIMIT; 0 on the object.

    Row by row the lower envelope of the parabolas (x - j)^2 + vertical[j]^2. `half_reciprocal[k]` is
    0.5 / k: where two parabolas cross is needed only to its integer part, and at a tie either serves.
    """
    height, width = mask.shape
    site = np.empty(width + 2, np.int64)
    value = np.empty(width + 2, np.float64)
    start = np.empty(width + 2, np.float64)
    for y in range(height):
        row = vertical[y]
        last = -1
        for j in range(width):
            d = row[j]
            if d >= FAR:
                continue
            if d == 0 and 0 < j < width - 1 and row[j - 1] == 0 and row[j + 1] == 0:
                continue  # inside the object: its ends are nearer to everything outside
            f = np.float64(d) * d + np.float64(j) * j
            cross = 0.0
            while last >= 0:
                cross = (f - value[last]) * half_reciprocal[j - site[last]]
                if cross > start[last]:
                    break
                last -= 1
            last += 1
            site[last] = j
            value[last] = f
            start[last] = cross if last > 0 else 0.0
        target = out[y]
        if last < 0:
            for x in range(width):
                target[x] = np.uint16(LIMIT)
            continue
        x0 = 0
        start[last + 1] = width
        for k in range(last + 1):
            x1 = min(np.int64(start[k + 1]) + 1, width)
            j = site[k]
            d2 = np.int64(row[j]) * np.int64(row[j])
            for x in range(x0, x1):
                target[x] = np.uint16(min((x - j) * (x - j) + d2, LIMIT))
            x0 = max(x0, x1)
        for x in range(width):
            target[x] = np.uint16(0) if mask[y, x] else target[x]


@compiled((U8, U16, I32_OUT, I32_OUT))
def nearest_in_band(
    mask: NDArray[np.uint8],
    vertical: NDArray[np.uint16],
    pixels: NDArray[np.int32],
    nearest: NDArray[np.int32],
) -> int:
    """Lists the background pixels within the window of an object pixel, and the object pixel nearest to each.

    Writes flat indices and returns how many; a larger count than the arrays hold means: come again with more.
    """
    height, width = mask.shape
    found = 0
    for y in range(height):
        row = vertical[y]
        for x in range(width):
            if mask[y, x]:
                continue
            near = False
            for j in range(max(0, x - BAND), min(width, x + BAND + 1)):
                if row[j] <= BAND:
                    near = True
            if not near:
                continue
            if found < pixels.size:
                best = np.int64(1 << 30)
                column = 0
                # an object pixel inside the window is at most sqrt(18) away, so 4 columns are enough
                for j in range(max(0, x - BAND - 1), min(width, x + BAND + 2)):
                    d = np.int64(row[j])
                    d2 = d * d + (x - j) * (x - j)
                    if d2 < best:
                        best = d2
                        column = j
                d = np.int64(row[column])
                above = y >= d and mask[y - d, column] != 0
                line = y - d if above else y + d
                pixels[found] = y * width + x
                nearest[found] = line * width + column
            found += 1
    return found
