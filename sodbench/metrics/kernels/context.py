"""Sums over a mask and a map that a Gaussian smooths: what the context measure is made of."""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import F64, F64_1, I64_1, U8, U64, compiled, inlined

I64_OUT = numba.types.Array(numba.int64, 1, "C")
F64_2_OUT = numba.types.Array(numba.float64, 2, "C")
F64_OUT = numba.types.Array(numba.float64, 1, "C")
i64 = numba.int64

ZERO, ONE, LAST = np.uint64(0), np.uint64(1), np.uint64(63)


@compiled((U64, I64_OUT), short=True)
def second_moments(bits: NDArray[np.uint64], out: NDArray[np.int64]) -> None:
    """The sums of row x row, row x column and column x column over the set pixels."""
    out[:] = 0
    for y in range(bits.shape[0]):
        for k in range(bits.shape[1]):
            word = bits[y, k]
            if word == ZERO:
                continue
            n = np.int64(0)
            first = np.int64(0)
            second = np.int64(0)
            for i in range(64):
                on = np.int64((word >> np.uint64(i)) & ONE)
                n += on
                first += on * i
                second += on * i * i
            base = 64 * k
            out[0] += n * y * y
            out[1] += (n * base + first) * y
            out[2] += n * base * base + 2 * base * first + second


@inlined
def _spread(
    changes: NDArray[np.float64], mirrored: NDArray[np.float64], top: int, i: int, j: int, sign: float
) -> None:
    """What the mask's change at row i and column j (with margins) adds to the rows that see it."""
    height = changes.shape[0]
    row = i - top
    for k in range(max(0, row - height + 1), min(mirrored.shape[0], row + 1)):
        target = changes[row - k, j : j + mirrored.shape[1]]
        source = mirrored[k]
        for s in range(mirrored.shape[1]):
            target[s] += sign * source[s]


@compiled((U64, I64_1, I64_1, F64, F64, i64, F64_2_OUT))
def smoothed_product(
    bits: NDArray[np.uint64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    mirrored: NDArray[np.float64],
    x: NDArray[np.float64],
    top: int,
    changes: NDArray[np.float64],
) -> float:
    """The sum of x times the mask correlated with a window, this in single precision as OpenCV returns it.

    `rows` and `columns` say which row and column each one of the mask with margins is (the window reaches
    that far); `mirrored` is the window with its columns in reverse order. A row of the result is the running
    sum of what the ends of the mask's runs add and take away: few pixels instead of all. `changes` is for
    these: the result is 0 but in the rows from `top` on for which `changes` has room.
    """
    width = x.shape[1]
    reach = mirrored.shape[1] - 1
    margin = (columns.size - width) // 2
    changes[:] = 0
    for i in range(rows.size):
        row = bits[rows[i]]
        empty = True
        for k in range(row.size):
            empty = empty and row[k] == ZERO
        if empty:
            continue
        before = ZERO
        for j in range(margin):
            on = (row[columns[j] >> 6] >> np.uint64(columns[j] & 63)) & ONE
            if on != before:
                _spread(changes, mirrored, top, i, j, 1.0 if on else -1.0)
                before = on
        for k in range(row.size):
            word = row[k]
            turns = word ^ ((word << ONE) | before)
            before = word >> LAST
            if turns == ZERO:
                continue
            for n in range(min(64, width - 64 * k)):
                if (turns >> np.uint64(n)) & ONE:
                    sign = 1.0 if (word >> np.uint64(n)) & ONE else -1.0
                    _spread(changes, mirrored, top, i, margin + 64 * k + n, sign)
        before = (row[(width - 1) >> 6] >> np.uint64((width - 1) & 63)) & ONE
        for j in range(margin + width, columns.size):
            on = (row[columns[j] >> 6] >> np.uint64(columns[j] & 63)) & ONE
            if on != before:
                _spread(changes, mirrored, top, i, j, 1.0 if on else -1.0)
                before = on
    total = np.zeros(4)
    # four rows at a time: a running sum waits for itself
    smoothed = np.zeros(4)
    for y in range(0, changes.shape[0], 4):
        several = min(4, changes.shape[0] - y)
        smoothed[:] = 0
        for s in range(reach):
            for r in range(several):
                smoothed[r] += changes[y + r, s]
        if several == 4:
            a, b, c, d = smoothed
            for s in range(width):
                a += changes[y, s + reach]
                b += changes[y + 1, s + reach]
                c += changes[y + 2, s + reach]
                d += changes[y + 3, s + reach]
                total[0] += np.float64(np.float32(a)) * x[top + y, s]
                total[1] += np.float64(np.float32(b)) * x[top + y + 1, s]
                total[2] += np.float64(np.float32(c)) * x[top + y + 2, s]
                total[3] += np.float64(np.float32(d)) * x[top + y + 3, s]
            continue
        for r in range(several):
            a = smoothed[r]
            for s in range(width):
                a += changes[y + r, s + reach]
                total[r] += np.float64(np.float32(a)) * x[top + y + r, s]
    return float(total.sum())


@compiled((U8, F64_1, F64_2_OUT))
def look_up(values: NDArray[np.uint8], table: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """The table's value for each pixel."""
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            out[y, x] = table[values[y, x]]


@compiled((F64, I64_1, I64_1, F64_2_OUT))
def lay_out(
    x: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64], out: NDArray[np.float64]
) -> None:
    """These rows and columns of x in the top left corner of `out`, 0 in the rest of it."""
    for i in range(out.shape[0]):
        target = out[i]
        if i >= rows.size:
            target[:] = 0
            continue
        source = x[rows[i]]
        for j in range(columns.size):
            target[j] = source[columns[j]]
        target[columns.size :] = 0


@compiled((U64, i64, i64, i64, i64, F64, F64_OUT), short=True)
def gather(
    bits: NDArray[np.uint64],
    top: int,
    bottom: int,
    left: int,
    right: int,
    values: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """The values, an array that starts at (top, left), at the set pixels of the box, one after the other."""
    n = 0
    for y in range(top, bottom):
        line = values[y - top]
        row = bits[y]
        for x in range(left, right):
            if (row[x >> 6] >> np.uint64(x & 63)) & ONE:
                out[n] = line[x - left]
                n += 1
