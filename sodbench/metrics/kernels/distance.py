"""Distances from the background to the object: within each column, and the nearest object pixel close by.

The background pixels in reach of a 7 x 7 window get the nearest object pixel itself, ties broken as
scipy.ndimage.distance_transform_edt does: smallest column, then smallest row.

Loops run upwards over slices of rows, a form that the compiler vectorises.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import I64_1, U8, U16, U64, compiled, inlined
from sodbench.metrics.lanes import (
    add,
    below,
    load,
    load_wide,
    lower,
    multiply,
    splat,
    splat_wide,
    store,
    subtract,
)

FAR = 30000  # vertical distance in a column without object
BAND = 18  # largest squared distance between two pixels of a 7 x 7 window around the first
NEAR = np.uint16(16 * BAND)
ZERO, ONE = np.uint64(0), np.uint64(1)

U16_OUT = numba.types.Array(numba.uint16, 2, "C")
U64_OUT = numba.types.Array(numba.uint64, 2, "C")
I32_OUT = numba.types.Array(numba.int32, 1, "C")


@inlined
def count_bits(word: np.uint64) -> np.uint64:
    """How many bits are set (the compiler turns this into the machine's own instruction)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@compiled((U8, numba.int64, U16_OUT))
def distance_above(truth: NDArray[np.uint8], left: int, out: NDArray[np.uint16]) -> None:
    """The distance to the nearest object pixel (255) above in the same column, FAR where there is none.

    `out` covers the columns from `left` on, and may reach beyond the image.
    """
    height = out.shape[0]
    width = min(out.shape[1], truth.shape[1] - left)
    one, far = np.uint16(1), np.uint16(FAR)
    distance = np.empty(width, np.uint16)
    distance[:] = far
    for y in range(height):
        source = truth[y, left : left + width]
        target = out[y]
        for x in range(width):
            d = np.uint16(np.uint16(distance[x] + one) * np.uint16((source[x] & np.uint8(1)) ^ np.uint8(1)))
            d = np.uint16(d - np.uint16(d > far))
            distance[x] = d
            target[x] = d
        target[width:] = far


@compiled((U16_OUT,))
def distance_below(out: NDArray[np.uint16]) -> None:
    """Turns distances to the object above into those to the nearest object pixel above or below."""
    height, width = out.shape
    one = np.uint16(1)
    distance = np.empty(width, np.uint16)
    distance[:] = np.uint16(FAR)
    for i in range(height):
        target = out[height - 1 - i]
        for x in range(width):
            distance[x] = min(np.uint16(distance[x] + one), target[x])
        for x in range(width):
            target[x] = distance[x]


@compiled((U16, numba.int64, U16_OUT))
def band_keys(vertical: NDArray[np.uint16], top: int, out: NDArray[np.uint16]) -> None:
    """For each pixel the nearest object pixel within 4 columns and 14 rows, as one number.

    The number is 16 x squared distance + column offset + 4: the smallest is the nearest, and of equally near
    ones that of the smallest column. `out` covers the rows from `top` on, and whole words of columns, from 4
    before those of `vertical` on.
    """
    # beyond the object's columns: so large that it loses, not so large that adding to it would wrap round
    candidate = np.empty(out.shape[1] + 16, np.uint16)
    candidate[:] = np.uint16(60000)
    cap, scale = splat(np.uint16(15)), splat(np.uint16(16))
    for y in range(out.shape[0]):
        row = vertical[top + y]
        keys = out[y]
        for x in range(0, row.size, 16):
            d = lower(load(row, x), cap)
            store(candidate, x + 8, multiply(multiply(d, d), scale))
        for x in range(0, keys.size, 16):
            k = add(load(candidate, x), splat(np.uint16(256)))
            k = lower(k, add(load(candidate, x + 1), splat(np.uint16(145))))
            k = lower(k, add(load(candidate, x + 2), splat(np.uint16(66))))
            k = lower(k, add(load(candidate, x + 3), splat(np.uint16(19))))
            k = lower(k, add(load(candidate, x + 4), splat(np.uint16(4))))
            k = lower(k, add(load(candidate, x + 5), splat(np.uint16(21))))
            k = lower(k, add(load(candidate, x + 6), splat(np.uint16(70))))
            k = lower(k, add(load(candidate, x + 7), splat(np.uint16(151))))
            k = lower(k, add(load(candidate, x + 8), splat(np.uint16(264))))
            store(keys, x, k)


@compiled((U16, numba.int64, numba.int64, U64_OUT))
def pack_band(keys: NDArray[np.uint16], first: int, last: int, band: NDArray[np.uint64]) -> int:
    """Packs the pixels whose nearest object pixel is at most BAND away, without the object's own pixels.

    Only the columns first .. last - 1 of `keys` count: those inside the image. Returns how many there are.
    """
    count = ZERO
    near, own = splat_wide(NEAR), splat_wide(np.uint16(16))
    for k in range(band.shape[1]):
        inside = ~ZERO
        if 64 * k < first:
            inside <<= np.uint64(first)
        if 64 * k + 64 > last:
            inside &= (ONE << np.uint64(max(last - 64 * k, 0))) - ONE
        for y in range(keys.shape[0]):
            word = inside & below(subtract(load_wide(keys[y], 64 * k), own), near)
            band[y, k] = word
            count += count_bits(word)
    return int(count)


@compiled((U8, U16, U16, U64, numba.int64, numba.int64, numba.int64, I32_OUT, I32_OUT))
def list_band(
    truth: NDArray[np.uint8],
    vertical: NDArray[np.uint16],
    keys: NDArray[np.uint16],
    band: NDArray[np.uint64],
    top: int,
    left: int,
    stride: int,
    pixels: NDArray[np.int32],
    nearest: NDArray[np.int32],
) -> None:
    """Lists the band's pixels and the object pixel nearest to each.

    `nearest` holds flat indices in the image, `pixels` those in an image with a margin of 3 pixels and
    `stride` pixels from row to row. Of two equally near ones in a column the upper one is taken.
    """
    width = truth.shape[1]
    count = 0
    for i in range(band.shape[0]):
        y = top + i
        for k in range(band.shape[1]):
            word = band[i, k]
            while word != ZERO:
                at = np.int64(64 * k + np.int64(count_bits((word & (~word + ONE)) - ONE)))
                word &= word - ONE
                column = at + (np.int64(keys[i, at]) & 15) - 8
                d = np.int64(vertical[y, column])
                column += left
                up = y - d if y >= d else y
                row = up if truth[up, column] != 0 else y + d
                pixels[count] = (y + 3) * stride + at + left - 1
                nearest[count] = row * width + column
                count += 1


@compiled((U8, I64_1, numba.int64, U16_OUT, U16_OUT, U64_OUT))
def locate(
    truth: NDArray[np.uint8],
    where: NDArray[np.int64],
    stride: int,
    vertical: NDArray[np.uint16],
    keys: NDArray[np.uint16],
    band: NDArray[np.uint64],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Fills `vertical`, and returns the band's pixels and the object pixel nearest to each.

    `where` is the object's extent, as `bits.position` gives it. `vertical` covers all rows, and
    its columns in multiples of 16; `keys` and `band` (packed) 4 rows and columns more on every side, the rows
    as far as the image goes, the columns up to whole words.
    """
    left, right = where[5] // 16 * 16, where[6] + 1
    top = max(where[3] - 4, 0)
    distance_above(truth, left, vertical)
    distance_below(vertical)
    band_keys(vertical, top, keys)
    first = max(4 - left, 0)
    last = min(truth.shape[1], right + 4) - (left - 4)
    count = pack_band(keys, first, last, band)
    pixels = np.empty(count, np.int32)
    nearest = np.empty(count, np.int32)
    list_band(truth, vertical, keys, band, top, left, stride, pixels, nearest)
    return pixels, nearest
