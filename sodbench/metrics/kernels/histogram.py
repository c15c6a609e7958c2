"""The joint histogram of map level, mask value and quadrant, from which MAE, F, E and S follow."""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import F64, I64_1, U8, U64, compiled, inlined
from sodbench.metrics.lanes import below, differ, load_bytes, splat_bytes

U64_OUT = numba.types.Array(numba.uint64, 2, "C")
I64_3 = numba.types.Array(numba.int64, 3, "C")
I64_2_OUT = numba.types.Array(numba.int64, 2, "C")
BYTE = np.uint64(255)
ZERO, ONE = np.uint64(0), np.uint64(1)
EIGHT, LEVELS, ADD = np.uint64(8), np.uint64(256), np.uint32(1)


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


@inlined
def _count_group(
    values: NDArray[np.uint8],
    y: np.uint64,
    x: np.uint64,
    truth: np.uint64,
    start: np.uint64,
    count: NDArray[np.uint32],
) -> None:
    """Counts 8 pixels of one quadrant."""
    if (truth + ONE) & BYTE <= ONE:  # most groups lie on one side of the object's outline
        place = EIGHT * (start + (truth & ONE) * LEVELS)
        for i in range(8):
            at = np.uint64(i)
            count[place + EIGHT * np.uint64(values[y, x + at]) + at] += ADD
    else:
        for i in range(8):
            at = np.uint64(i)
            level = ((truth >> at) & ONE) * LEVELS + np.uint64(values[y, x + at])
            count[EIGHT * (start + level) + at] += ADD


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
    Eight counters per level keep equal neighbours from waiting for each other's store; they are neighbours
    themselves, because stores 4096 bytes apart wait for each other, too.
    """
    height, width = values.shape
    count = np.zeros(4 * 512 * 8, np.uint32)
    for y in range(height):
        base = 0 if y < row else 1024
        line = np.uint64(y)
        for k in range(imperfect.shape[1]):
            rest = imperfect[y, k]
            truth = mask[y, k]
            x = np.uint64(64 * k)
            last = 64 * k + 64
            if last <= width and (last <= column or 64 * k >= column):
                start = np.uint64(base if last <= column else base + 512)
                while rest != ZERO:
                    if rest & BYTE:
                        _count_group(values, line, x, truth & BYTE, start, count)
                    rest >>= EIGHT
                    truth >>= EIGHT
                    x += EIGHT
                continue
            while rest != ZERO:
                if rest & BYTE:
                    first, end = np.int64(x), min(np.int64(x) + 8, width)
                    if end - first == 8 and (end <= column or first >= column):
                        start = np.uint64(base if end <= column else base + 512)
                        _count_group(values, line, x, truth & BYTE, start, count)
                    else:
                        for at in range(first, end):
                            i = np.uint64(at - first)
                            place = np.uint64(base if at < column else base + 512)
                            place += ((truth >> i) & ONE) * LEVELS + np.uint64(values[y, at])
                            count[EIGHT * place + i] += ADD
                rest >>= EIGHT
                truth >>= EIGHT
                x += EIGHT
    for k in range(4 * 512):
        for more in range(1, 8):
            count[8 * k] += count[8 * k + more]
    for q in range(4):
        background = sizes[q] - object_sizes[q]
        inside = object_sizes[q]
        for v in range(256):
            k = 512 * q + v
            low = np.int64(count[8 * k])
            k += 256
            high = np.int64(count[8 * k])
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
