"""The two sums of the weighted F-measure.

Outside the object: errors weighted by the distance to it. Exact squared distances are found 16 pixels at a
time, only where a map has something to weigh, and kept for the next map.
Inside: errors, made smaller where the neighbourhood is good.

Loops run upwards over slices of rows, a form that the compiler vectorises.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import F64, F64_1, I32_1, I64_1, U8, U16, U64, compiled, inlined
from sodbench.metrics.lanes import (
    add,
    first_set,
    higher,
    largest,
    last_set,
    load,
    lower,
    multiply,
    smallest,
    splat,
    store,
)
from sodbench.metrics.real_lanes import (
    add_reals,
    chosen,
    load_as_reals,
    load_reals,
    load_sums_as_reals,
    lower_reals,
    multiply_reals,
    splat_reals,
    subtract_reals,
    sum_reals,
)
from sodbench.metrics.vector_registers import Lane

U8_OUT = numba.types.Array(numba.uint8, 2, "C")
F64_OUT = numba.types.Array(numba.float64, 2, "C")
U16_OUT = numba.types.Array(numba.uint16, 2, "C")
F64_1_OUT = numba.types.Array(numba.float64, 1, "C")
MARGIN = 3  # half the 7 x 7 window
SPAN = 72  # 64 pixels with their margins, up to a whole number of vectors
LIMIT = 32767  # squared distances are capped here: weights beyond 181 pixels (1.3e-11) count as 0
REACH = 181  # the largest distance that is searched for
BLOCK = 16
ALL_OF_BLOCK = np.uint64(2**BLOCK - 1)
ROWS = 4
PAD = 208  # REACH and a block, up to whole blocks


@inlined
def _search(
    nearest: tuple[Lane, Lane, Lane, Lane],
    squares: NDArray[np.uint16],
    place: int,
    across: NDArray[np.uint16],
    offset: int,
    count: int,
) -> tuple[Lane, Lane, Lane, Lane]:
    """Takes `count` columns into account, whose squared vertical distances in four rows begin at `place`.

    `offset` is where `across` holds the squared distances of the 16 pixels to the first of these columns.
    """
    a, b, c, d = nearest
    for i in range(np.uint64(count)):
        column = np.uint64(place) + i
        step = load(across, offset - int(i))
        a = lower(a, add(step, splat(squares[0, column])))
        b = lower(b, add(step, splat(squares[1, column])))
        c = lower(c, add(step, splat(squares[2, column])))
        d = lower(d, add(step, splat(squares[3, column])))
    return a, b, c, d


@inlined
def _farthest(nearest: tuple[Lane, Lane, Lane, Lane]) -> int:
    return int(largest(higher(higher(nearest[0], nearest[1]), higher(nearest[2], nearest[3]))))


@compiled((U16, numba.int64, numba.int64, U16_OUT, numba.types.Array(numba.uint16, 1, "C")))
def square_rows(
    vertical: NDArray[np.uint16], y: int, left: int, squares: NDArray[np.uint16], groups: NDArray[np.uint16]
) -> int:
    """Squares the vertical distances of rows y .. y + 3; finds the smallest in every 16 columns.

    Returns the smallest of all. `left` is where they begin in `squares`, a multiple of 16.
    """
    far, cap = splat(np.uint16(LIMIT)), splat(np.uint16(REACH + 1))
    lowest = far
    bottom = vertical.shape[0] - 1
    for first in range(0, vertical.shape[1], BLOCK):
        least = far
        for r in range(ROWS):
            distance = lower(load(vertical[min(y + r, bottom)], first), cap)
            square = lower(multiply(distance, distance), far)
            store(squares[r], left + first, square)
            least = lower(least, square)
        groups[(left + first) // BLOCK] = smallest(least)
        lowest = lower(lowest, least)
    return int(smallest(lowest))


@compiled((U64, U64, U16, numba.int64, U8_OUT, U16_OUT))
def squared_distance(
    imperfect: NDArray[np.uint64],
    mask: NDArray[np.uint64],
    vertical: NDArray[np.uint16],
    left: int,
    known: NDArray[np.uint8],
    squared: NDArray[np.uint16],
) -> None:
    """Fills `squared` for the background pixels where the map has values, 4 rows of 16 pixels at a time.

    `vertical` holds the distances to the object within each column, from `left` on; its width and `left` are
    multiples of 16. `known` has a bit for each 16 columns that are done, in every fourth row. The nearest
    object pixel is sought where the rows above had it, then outwards, 16 columns at a time, until no farther
    column can be nearer.
    """
    height, words = imperfect.shape
    span = vertical.shape[1]
    far = splat(np.uint16(LIMIT))
    zero = REACH + 3 * BLOCK
    across = np.empty(2 * zero + 1, np.uint16)
    for i in range(across.size):
        across[i] = min((i - zero) * (i - zero), LIMIT)
    squares = np.empty((ROWS, 64 * words + 2 * PAD), np.uint16)
    squares[:] = LIMIT
    groups = np.empty(squares.shape[1] // BLOCK, np.uint16)
    groups[:] = LIMIT
    # where the nearest object pixels of the rows above were found
    hints = np.arange(PAD // BLOCK, PAD // BLOCK + 4 * words)
    for y in range(0, height, ROWS):
        low = -1
        for k in range(words):
            wanted = imperfect[y, k] & ~mask[y, k]
            for row in range(y + 1, min(y + ROWS, height)):
                wanted |= imperfect[row, k] & ~mask[row, k]
            for part in range(64 // BLOCK):
                flag = np.uint8(1 << part)
                if (wanted >> np.uint64(BLOCK * part)) & ALL_OF_BLOCK == np.uint64(0) or known[y, k] & flag:
                    continue
                if low < 0:
                    low = square_rows(vertical, y, PAD + left, squares, groups)
                first = 64 * k + BLOCK * part
                here = PAD + first
                own, likely = here // BLOCK, hints[first // BLOCK]
                nearest = _search(
                    (far, far, far, far), squares, BLOCK * likely, across, zero + here - BLOCK * likely, BLOCK
                )
                most = _farthest(nearest)
                if groups[own] < most and own != likely:
                    nearest = _search(nearest, squares, here, across, zero, BLOCK)
                    less = _farthest(nearest)
                    if less < most:
                        most, likely = less, own
                step = max(0, left - first - BLOCK, first - left - span)
                while (step + 1) * (step + 1) + low < most and step < REACH:
                    for side in range(-1, 2, 2):
                        group = own + side * (1 + step // BLOCK)
                        if groups[group] < most - (step + 1) * (step + 1) and group != likely:
                            nearest = _search(
                                nearest, squares, BLOCK * group, across, zero - BLOCK * (group - own), BLOCK
                            )
                            less = _farthest(nearest)
                            if less < most:
                                most, likely = less, group
                    step += BLOCK
                hints[first // BLOCK] = likely
                for r in range(min(ROWS, height - y)):
                    store(squared[y + r], first, nearest[r])
                known[y, k] |= flag


@compiled((U8, U64, U64, U16, F64_1), (F64, U64, U64, U16, F64_1), reorder=True)
def weighted_background(
    values: NDArray[np.generic],
    imperfect: NDArray[np.uint64],
    mask: NDArray[np.uint64],
    squared: NDArray[np.uint16],
    weight: NDArray[np.float64],
) -> float:
    """The sum over the background of value x weight[squared distance], where the map has values."""
    height, width = values.shape
    total = 0.0
    for y in range(height):
        line = values[y]
        away = squared[y]
        for k in range(imperfect.shape[1]):
            wanted = imperfect[y, k] & ~mask[y, k]
            first = 64 * k
            while wanted != np.uint64(0):
                if wanted & ALL_OF_BLOCK != np.uint64(0):
                    n = min(BLOCK, width - first)
                    part = line[first : first + n]
                    d2 = away[first : first + n]
                    here = 0.0
                    for i in range(n):
                        here += np.float64(part[i]) * weight[d2[i]]
                    total += here
                wanted >>= np.uint64(BLOCK)
                first += BLOCK
    return total


@compiled((U8, I64_1, I32_1, I32_1, U8_OUT), (F64, I64_1, I32_1, I32_1, F64_OUT))
def fill_band(
    values: NDArray[np.generic],
    where: NDArray[np.int64],
    pixels: NDArray[np.int32],
    nearest: NDArray[np.int32],
    out: NDArray[np.generic],
) -> None:
    """Copies the map inside a margin of 3, the band's pixels replaced by their nearest object pixel's value.

    Only what windows of object pixels reach is copied: `where` is the object's extent (`bits.position`).
    `pixels` are flat indices into `out`, `nearest` into the map. `out` has 6 rows and 8 columns more than the
    map, its columns up to whole words of 64; the margin of 3 around the map becomes 0, what is beyond stays.
    """
    height, width = values.shape
    left, right = max(where[5] - MARGIN, 0), min(where[6] + MARGIN + 1, width)
    for y in range(max(where[3] - MARGIN, 0), min(where[4] + MARGIN + 1, height)):
        source = values[y, left:right]
        target = out[y + MARGIN, MARGIN + left : MARGIN + right]
        for x in range(right - left):
            target[x] = source[x]
        for x in range(MARGIN):
            out[y + MARGIN, x] = 0
            out[y + MARGIN, MARGIN + width + x] = 0
    for y in range(MARGIN):
        for x in range(width + 2 * MARGIN):
            out[y, x] = 0
            out[height + MARGIN + y, x] = 0
    flat = values.reshape(-1)
    padded = out.reshape(-1)
    for i in range(pixels.size):
        padded[pixels[i]] = flat[nearest[i]]


@compiled(
    (U8, U64, U64, F64_1, F64_1, F64_1, numba.float64),
    (F64, U64, U64, F64_1, F64_1, F64_1, numba.float64),
    reorder=True,
)
def smoothed_object_error(
    filled: NDArray[np.generic],
    imperfect: NDArray[np.uint64],
    mask: NDArray[np.uint64],
    kernel: NDArray[np.float64],
    mass_y: NDArray[np.float64],
    mass_x: NDArray[np.float64],
    top: float,
) -> float:
    """The sum over the object of min(error, Gaussian-smoothed error), error = top - value.

    `kernel` is one side of the separable 7 x 7 Gaussian, `mass_y` and `mass_x` the parts of it that lie
    inside the image at each row and column. Outside the image the error is 0, so that the smoothed error of
    a pixel is top x mass - (smoothed value). Where the map equals the mask there is no error to sum.
    """
    k0, k1, k2, k3 = (
        splat_reals(kernel[3]),
        splat_reals(kernel[4]),
        splat_reals(kernel[5]),
        splat_reals(kernel[6]),
    )
    most = splat_reals(top)
    column = np.empty(SPAN, np.float64)
    total = splat_reals(0.0)
    for y in range(imperfect.shape[0]):
        scale = splat_reals(top * mass_y[y])
        a, b, c, d = filled[y], filled[y + 1], filled[y + 2], filled[y + 3]
        e, f, g = filled[y + 4], filled[y + 5], filled[y + 6]
        for k in range(imperfect.shape[1]):
            wanted = imperfect[y, k] & mask[y, k]
            if wanted == np.uint64(0):
                continue
            first = 64 * k
            begin, end = first_set(wanted) // 8 * 8, last_set(wanted) // 8 * 8 + 8
            for i in range(begin, end + 8, 8):
                at = first + i
                smooth = multiply_reals(k0, load_as_reals(d, at))
                smooth = add_reals(multiply_reals(k1, load_sums_as_reals(c, e, at)), smooth)
                smooth = add_reals(multiply_reals(k2, load_sums_as_reals(b, f, at)), smooth)
                smooth = add_reals(multiply_reals(k3, load_sums_as_reals(a, g, at)), smooth)
                store(column, i, smooth)
            for i in range(begin, end, 8):
                smooth = multiply_reals(k0, load_reals(column, i + 3))
                smooth = add_reals(multiply_reals(k1, load_sums_as_reals(column[2:], column[4:], i)), smooth)
                smooth = add_reals(multiply_reals(k2, load_sums_as_reals(column[1:], column[5:], i)), smooth)
                smooth = add_reals(multiply_reals(k3, load_sums_as_reals(column, column[6:], i)), smooth)
                expected = multiply_reals(scale, load_reals(mass_x, first + i))
                error = subtract_reals(most, load_as_reals(d, first + i + MARGIN))
                error = lower_reals(error, subtract_reals(expected, smooth))
                # selected, not multiplied by 0: memory beyond the image may hold anything, also NaN
                total = add_reals(total, chosen(error, wanted >> np.uint64(i)))
    return float(sum_reals(total))


WEIGH = (U64, U64, U16, I64_1, U8_OUT, U16_OUT, F64_1, I32_1, I32_1)
SMOOTH = (F64_1, F64_1, F64_1, numba.float64, F64_1_OUT)


@compiled((U8, *WEIGH, U8_OUT, *SMOOTH), (F64, *WEIGH, F64_OUT, *SMOOTH))
def weigh(
    values: NDArray[np.generic],
    imperfect: NDArray[np.uint64],
    mask: NDArray[np.uint64],
    vertical: NDArray[np.uint16],
    where: NDArray[np.int64],
    known: NDArray[np.uint8],
    squared: NDArray[np.uint16],
    weight: NDArray[np.float64],
    pixels: NDArray[np.int32],
    nearest: NDArray[np.int32],
    filled: NDArray[np.generic],
    kernel: NDArray[np.float64],
    mass_y: NDArray[np.float64],
    mass_x: NDArray[np.float64],
    top: float,
    out: NDArray[np.float64],
) -> None:
    """Both sums in one call: `weighted_background` and `smoothed_object_error`."""
    squared_distance(imperfect, mask, vertical, where[5] // BLOCK * BLOCK, known, squared)
    out[0] = weighted_background(values, imperfect, mask, squared, weight)
    fill_band(values, where, pixels, nearest, filled)
    out[1] = smoothed_object_error(filled, imperfect, mask, kernel, mass_y, mass_x, top)
