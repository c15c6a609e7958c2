"""The two sums of the weighted F-measure.

Outside the object: errors weighted by the distance to it. Exact squared distances are found 16 pixels at a
time, only where a map has something to weigh, and kept for the next map.
Inside: errors, made smaller where the neighbourhood is good.

Loops run upwards over slices of rows, a form that the compiler vectorises.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import F64, F64_1, I32_1, I64_1, U8, U16, U64, compiled

U8_OUT = numba.types.Array(numba.uint8, 2, "C")
F64_OUT = numba.types.Array(numba.float64, 2, "C")
U16_OUT = numba.types.Array(numba.uint16, 2, "C")
F64_1_OUT = numba.types.Array(numba.float64, 1, "C")
MARGIN = 3  # half the 7 x 7 window
SPAN = 72  # 64 pixels with their margins, up to a whole number of vectors
FAR = 30000  # larger than any vertical distance
LIMIT = 32767  # squared distances are capped here: weights beyond 181 pixels (1.3e-11) count as 0
REACH = 181  # the largest distance that is searched for
BLOCK = 16
ALL_OF_BLOCK = np.uint64(2**BLOCK - 1)
ALL_KNOWN = np.uint8(2 ** (64 // BLOCK) - 1)
PAD = REACH + 7 + BLOCK + 64


@compiled((U64, U64, U16, numba.int64, U8_OUT, U16_OUT))
def squared_distance(
    imperfect: NDArray[np.uint64],
    mask: NDArray[np.uint64],
    vertical: NDArray[np.uint16],
    left: int,
    known: NDArray[np.uint8],
    squared: NDArray[np.uint16],
) -> None:
    """Fills `squared` for the background pixels where the map has values, 16 at a time.

    `vertical` holds the distances to the object within each column from `left` on, in the columns that have
    one; `known` a bit for each 16 pixels that are done. The nearest object pixel is sought outwards column by
    column, for all 16 pixels at once, until no farther column can be nearer.
    """
    height, width = squared.shape
    span = vertical.shape[1]
    limit = np.uint16(LIMIT)
    squares = np.empty(width + 2 * PAD, np.uint16)
    squares[:] = limit
    best = np.empty(BLOCK, np.uint16)
    for y in range(height):
        prepared = False
        low = np.int64(0)
        for k in range(imperfect.shape[1]):
            wanted = imperfect[y, k] & ~mask[y, k]
            if wanted == np.uint64(0) or known[y, k] == ALL_KNOWN:
                continue
            for part in range(64 // BLOCK):
                flag = np.uint8(1 << part)
                if (wanted >> np.uint64(BLOCK * part)) & ALL_OF_BLOCK == np.uint64(0) or known[y, k] & flag:
                    continue
                if not prepared:
                    line = vertical[y]
                    middle = squares[PAD + left : PAD + left + span]
                    lowest = np.int32(FAR)
                    for x in range(span):
                        d = np.int32(line[x])
                        lowest = min(lowest, d)
                        middle[x] = np.uint16(min(d * d, np.int32(LIMIT)))
                    low = np.int64(lowest) * np.int64(lowest)
                    prepared = True
                first = 64 * k + BLOCK * part
                n = min(BLOCK, width - first)
                here = squares[PAD + first : PAD + first + BLOCK]
                for i in range(BLOCK):
                    best[i] = here[i]
                most = np.uint16(0)
                for i in range(n):
                    most = max(most, best[i])
                step = max(1, left - (first + n - 1), first - (left + span - 1))
                while step * step + low < most and step <= REACH:
                    add0 = np.uint16(min(step * step, LIMIT))
                    add1 = np.uint16(min((step + 1) * (step + 1), LIMIT))
                    add2 = np.uint16(min((step + 2) * (step + 2), LIMIT))
                    add3 = np.uint16(min((step + 3) * (step + 3), LIMIT))
                    add4 = np.uint16(min((step + 4) * (step + 4), LIMIT))
                    add5 = np.uint16(min((step + 5) * (step + 5), LIMIT))
                    add6 = np.uint16(min((step + 6) * (step + 6), LIMIT))
                    add7 = np.uint16(min((step + 7) * (step + 7), LIMIT))
                    before = squares[PAD + first - step - 7 : PAD + first - step + BLOCK]
                    after = squares[PAD + first + step : PAD + first + step + BLOCK + 7]
                    for i in range(BLOCK):
                        d2 = best[i]
                        d2 = min(d2, np.uint16(min(before[i + 7], after[i]) + add0))
                        d2 = min(d2, np.uint16(min(before[i + 6], after[i + 1]) + add1))
                        d2 = min(d2, np.uint16(min(before[i + 5], after[i + 2]) + add2))
                        d2 = min(d2, np.uint16(min(before[i + 4], after[i + 3]) + add3))
                        d2 = min(d2, np.uint16(min(before[i + 3], after[i + 4]) + add4))
                        d2 = min(d2, np.uint16(min(before[i + 2], after[i + 5]) + add5))
                        d2 = min(d2, np.uint16(min(before[i + 1], after[i + 6]) + add6))
                        d2 = min(d2, np.uint16(min(before[i], after[i + 7]) + add7))
                        best[i] = d2
                    step += 8
                    most = np.uint16(0)
                    for i in range(n):
                        most = max(most, best[i])
                target = squared[y, first : first + n]
                for i in range(n):
                    target[i] = min(best[i], limit)
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
    k0, k1, k2, k3 = kernel[3], kernel[4], kernel[5], kernel[6]
    column = np.empty(SPAN, np.float64)
    total = 0.0
    for y in range(imperfect.shape[0]):
        for k in range(imperfect.shape[1]):
            wanted = imperfect[y, k] & mask[y, k]
            if wanted == np.uint64(0):
                continue
            first = 64 * k
            a = filled[y, first : first + SPAN]
            b = filled[y + 1, first : first + SPAN]
            c = filled[y + 2, first : first + SPAN]
            d = filled[y + 3, first : first + SPAN]
            e = filled[y + 4, first : first + SPAN]
            f = filled[y + 5, first : first + SPAN]
            g = filled[y + 6, first : first + SPAN]
            for i in range(SPAN):
                column[i] = (
                    k0 * np.float64(d[i])
                    + k1 * (np.float64(c[i]) + np.float64(e[i]))
                    + k2 * (np.float64(b[i]) + np.float64(f[i]))
                    + k3 * (np.float64(a[i]) + np.float64(g[i]))
                )
            part = mass_x[first : first + 64]
            scale = top * mass_y[y]
            here = 0.0
            for i in range(64):
                smooth = (
                    k0 * column[i + 3]
                    + k1 * (column[i + 2] + column[i + 4])
                    + k2 * (column[i + 1] + column[i + 5])
                    + k3 * (column[i] + column[i + 6])
                )
                error = min(top - np.float64(d[i + 3]), scale * part[i] - smooth)
                # selected, not multiplied by 0: memory beyond the image may hold anything, also NaN
                here += error if (wanted >> np.uint64(i)) & np.uint64(1) else 0.0
            total += here
    return total


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
    squared_distance(imperfect, mask, vertical, where[5], known, squared)
    out[0] = weighted_background(values, imperfect, mask, squared, weight)
    fill_band(values, where, pixels, nearest, filled)
    out[1] = smoothed_object_error(filled, imperfect, mask, kernel, mass_y, mass_x, top)
