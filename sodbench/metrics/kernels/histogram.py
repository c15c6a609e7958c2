"""The joint histogram of map level, mask value and quadrant, from which MAE, F, E and S follow."""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import F64, I64_1, U8, U64, compiled
from sodbench.metrics.lanes import below, differ, load_bytes, splat_bytes

U64_OUT = numba.types.Array(numba.uint64, 2, "C")
I64_3 = numba.types.Array(numba.int64, 3, "C")
I64_2_OUT = numba.types.Array(numba.int64, 2, "C")
BYTE = np.uint64(255)
ZERO, ONE = np.uint64(0), np.uint64(1)


@compiled((U8, U8, U64_OUT, U64_OUT))
def pack_map(
    values: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    imperfect: NDArray[np.uint64],
    half: NDArray[np.uint64],
) -> None:
    """Packs where the map differs from the mask (0 and 255), and where it is 128 or more."""
    height, width = values.shape
    most = splat_bytes(np.uint8(127))
    for y in range(height):
        row = values[y]
        true = truth[y]
        for k in range(width // 64):
            part = load_bytes(row, 64 * k)
            imperfect[y, k] = differ(part, load_bytes(true, 64 * k))
            half[y, k] = below(most, part)
        if width % 64:
            word = ZERO
            high = ZERO
            for x in range(width // 64 * 64, width):
                word |= np.uint64(row[x] != true[x]) << np.uint64(x % 64)
                high |= np.uint64(row[x] >> np.uint8(7)) << np.uint64(x % 64)
            imperfect[y, width // 64] = word
            half[y, width // 64] = high


@compiled((F64, U8, U64_OUT, U64_OUT))
def pack_float_map(
    values: NDArray[np.float64],
    truth: NDArray[np.uint8],
    imperfect: NDArray[np.uint64],
    half: NDArray[np.uint64],
) -> None:
    """The same for a map in 0..1: where it is not the mask's 0 or 1, and where it is .5 or more."""
    height, width = values.shape
    imperfect[:] = ZERO
    half[:] = ZERO
    for y in range(height):
        for x in range(width):
            bit = ONE << np.uint64(x % 64)
            if values[y, x] != truth[y, x] / 255:
                imperfect[y, x // 64] |= bit
            if values[y, x] >= 0.5:
                half[y, x // 64] |= bit


@compiled((U8, U64, U64, numba.int64, numba.int64, I64_1, I64_1, I64_3))
def joint_histogram(
    values: NDArray[np.uint8],
    imperfect: NDArray[np.uint64],
    mask: NDArray[np.uint64],
    row: int,
    column: int,
    sizes: NDArray[np.int64],
    object_sizes: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Counts pixels into `out` [4 quadrants, 2 mask values, 256 levels].

    The quadrants lie above/below `row` and left/right of `column`; `sizes` and `object_sizes` are their
    numbers of pixels and of object pixels. Where the map equals the mask (most pixels of a good map) nothing
    is counted: those are what is missing from level 0 of the background and level 255 of the object.
    Four interleaved counters keep equal neighbours from waiting for each other's store.
    """
    height, width = values.shape
    count = np.zeros((4, 4 * 512), np.uint32)
    for y in range(height):
        line = values[y]
        base = 0 if y < row else 1024
        for k in range(imperfect.shape[1]):
            rest = imperfect[y, k]
            truth = mask[y, k]
            x = 64 * k
            while rest != np.uint64(0):
                if rest & BYTE:
                    n = min(8, width - x)
                    if x + n <= column or x >= column:
                        start = np.uint64(base if x < column else base + 512)
                        if n == 8:
                            part = line[x : x + 8]
                            for i in range(8):
                                bit = (truth >> np.uint64(i)) & np.uint64(1)
                                count[i % 4, start + (bit << np.uint64(8)) + np.uint64(part[i])] += np.uint32(
                                    1
                                )
                        else:
                            for i in range(n):
                                bit = (truth >> np.uint64(i)) & np.uint64(1)
                                count[0, start + (bit << np.uint64(8)) + np.uint64(line[x + i])] += np.uint32(
                                    1
                                )
                    else:
                        for i in range(n):
                            bit = (truth >> np.uint64(i)) & np.uint64(1)
                            start = np.uint64(base if x + i < column else base + 512)
                            count[0, start + (bit << np.uint64(8)) + np.uint64(line[x + i])] += np.uint32(1)
                rest >>= np.uint64(8)
                truth >>= np.uint64(8)
                x += 8
    for q in range(4):
        background = sizes[q] - object_sizes[q]
        inside = object_sizes[q]
        for v in range(256):
            k = 512 * q + v
            low = np.int64(count[0, k]) + count[1, k] + count[2, k] + count[3, k]
            k += 256
            high = np.int64(count[0, k]) + count[1, k] + count[2, k] + count[3, k]
            out[q, 0, v] = low
            out[q, 1, v] = high
            background -= low
            inside -= high
        out[q, 0, 0] += background
        out[q, 1, 255] += inside


@compiled((U8, U8, U64, numba.int64, numba.int64, I64_1, I64_1, U64_OUT, U64_OUT, I64_3, I64_2_OUT))
def read_map(
    values: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    mask: NDArray[np.uint64],
    row: int,
    column: int,
    sizes: NDArray[np.int64],
    object_sizes: NDArray[np.int64],
    imperfect: NDArray[np.uint64],
    half: NDArray[np.uint64],
    out: NDArray[np.int64],
    total: NDArray[np.int64],
) -> tuple[int, int]:
    """`pack_map` and `joint_histogram` in one call, and the sum over the quadrants.

    Returns the smallest and the largest level of the map.
    """
    pack_map(values, truth, imperfect, half)
    joint_histogram(values, imperfect, mask, row, column, sizes, object_sizes, out)
    low, high = 256, -1
    for v in range(256):
        for g in range(2):
            total[g, v] = out[0, g, v] + out[1, g, v] + out[2, g, v] + out[3, g, v]
        if total[0, v] + total[1, v] > 0:
            low = min(low, v)
            high = v
    return low, high
