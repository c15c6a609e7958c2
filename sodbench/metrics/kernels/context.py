"""Sums over a mask and a map that a Gaussian smooths: what the context measure is made of."""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import F64, F64_1, I64_1, I64_2, U8, U64, compiled, inlined
from sodbench.metrics.lanes import store
from sodbench.metrics.real_lanes import add_reals, load_reals, subtract_reals

I64_OUT = numba.types.Array(numba.int64, 1, "C")
F64_2_OUT = numba.types.Array(numba.float64, 2, "C")
F64_OUT = numba.types.Array(numba.float64, 1, "C")
i64 = numba.int64

ZERO, ONE, LAST = np.uint64(0), np.uint64(1), np.uint64(63)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


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
def count_bits(word: np.uint64) -> np.uint64:
    """How many bits are set (the compiler turns this into the machine's own instruction)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@inlined
def _spread(
    changes: NDArray[np.float64], mirrored: NDArray[np.float64], top: int, i: int, j: int, sign: float
) -> None:
    """What the mask's change at row i and column j (with margins) adds to the rows that see it."""
    height = changes.shape[0]
    row = i - top
    for k in range(max(0, row - height + 1), min(mirrored.shape[0], row + 1)):
        target, source = changes[row - k], mirrored[k]
        if sign > 0:
            for s in range(0, mirrored.shape[1], 8):
                store(target, j + s, add_reals(load_reals(target, j + s), load_reals(source, s)))
        else:
            for s in range(0, mirrored.shape[1], 8):
                store(target, j + s, subtract_reals(load_reals(target, j + s), load_reals(source, s)))


SUMMED = (U64, I64_1, I64_1, F64)


@compiled((*SUMMED, U8, F64_1, i64, F64_2_OUT), (*SUMMED, I64_2, F64_1, i64, F64_2_OUT))
def smoothed_product(
    bits: NDArray[np.uint64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    mirrored: NDArray[np.float64],
    codes: NDArray[np.integer],
    table: NDArray[np.float64],
    top: int,
    changes: NDArray[np.float64],
) -> float:
    """The sum of table[code] times the mask correlated with a window, in single precision like OpenCV's.

    `rows` and `columns` say which row and column each one of the mask with margins is (the window reaches
    that far); `mirrored` is the window with its columns in reverse order, and zeros up to a multiple of 8. A
    row of the result is the running sum of what the ends of the mask's runs add and take away: few pixels
    instead of all. `changes` is for these: the result is 0 but in the rows from `top` on for which `changes`
    has room.
    """
    width = codes.shape[1]
    margin = (columns.size - width) // 2
    reach = 2 * margin
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
    total = 0.0
    bottom = changes.shape[0] - 1
    # four rows at a time: a running sum waits for itself
    for y in range(0, bottom + 1, 4):
        first, second = changes[y], changes[min(y + 1, bottom)]
        third, fourth = changes[min(y + 2, bottom)], changes[min(y + 3, bottom)]
        a = b = c = d = 0.0
        for s in range(reach):
            a += first[s]
            b += second[s]
            c += third[s]
            d += fourth[s]
        e = f = g = h = 0.0
        one, two = codes[top + y], codes[top + min(y + 1, bottom)]
        three, four = codes[top + min(y + 2, bottom)], codes[top + min(y + 3, bottom)]
        for s in range(width):
            a += first[s + reach]
            b += second[s + reach]
            c += third[s + reach]
            d += fourth[s + reach]
            e += np.float64(np.float32(a)) * table[one[s]]
            f += np.float64(np.float32(b)) * table[two[s]]
            g += np.float64(np.float32(c)) * table[three[s]]
            h += np.float64(np.float32(d)) * table[four[s]]
        several = bottom + 1 - y
        total += e + (f if several > 1 else 0.0) + (g if several > 2 else 0.0) + (h if several > 3 else 0.0)
    return total


@compiled((U8, F64_1, I64_1, I64_1, F64_2_OUT), (I64_2, F64_1, I64_1, I64_1, F64_2_OUT))
def lay_out(
    codes: NDArray[np.integer],
    table: NDArray[np.float64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """The table's values for these rows and columns in the top left corner of `out`, 0 to the right of it."""
    # between the mirrored ends the columns follow each other
    first = 0
    while first + 1 < columns.size and columns[first + 1] < columns[first]:
        first += 1
    last = first + 1
    while last < columns.size and columns[last] > columns[last - 1]:
        last += 1
    for i in range(rows.size):
        target = out[i]
        source = codes[rows[i]]
        for j in range(first):
            target[j] = table[source[columns[j]]]
        middle = source[columns[first] : columns[first] + last - first]
        inner = target[first:last]
        for j in range(last - first):
            inner[j] = table[middle[j]]
        for j in range(last, columns.size):
            target[j] = table[source[columns[j]]]
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
        for k in range(left >> 6, ((right - 1) >> 6) + 1):
            word = row[k]
            first = 64 * k - left
            while word != ZERO:
                # a run of set pixels
                gap = int(count_bits(~word & (word - ONE)))
                rest = ~(word >> np.uint64(gap))
                several = int(count_bits(~rest & (rest - ONE))) if rest != ZERO else 64
                source = line[first + gap : first + gap + several]
                target = out[n : n + several]
                for i in range(several):
                    target[i] = source[i]
                n += several
                word = word & (ALL << np.uint64(gap + several)) if gap + several < 64 else ZERO
