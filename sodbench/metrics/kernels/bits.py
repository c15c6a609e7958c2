"""Binary images packed, 64 pixels per word: packing, erosion, dilation and counting on whole words.

Bit i of word k of a row is the pixel at column 64 k + i; bits beyond the width are 0.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import U8, U64, compiled, inlined
from sodbench.metrics.lanes import add, below, either, load_bytes, splat_bytes

U8_OUT = numba.types.Array(numba.uint8, 2, "C")
U64_OUT = numba.types.Array(numba.uint64, 2, "C")
I64_OUT = numba.types.Array(numba.int64, 1, "C")

ZERO, ONE = np.uint64(0), np.uint64(1)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
LAST = np.uint64(63)


@inlined
def count_bits(word: np.uint64) -> np.uint64:
    """How many bits are set (the compiler turns this into the machine's own instruction)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@compiled((U8, numba.int64, U64_OUT))
def pack_from(values: NDArray[np.uint8], first: int, out: NDArray[np.uint64]) -> bool:
    """Packs the pixels of `first` and more (256: none); returns whether all pixels are 0 or 255."""
    height, width = values.shape
    whole = width // 64
    least = np.int32(first)
    bound = splat_bytes(np.uint8(max(first, 1) - 1))
    one = splat_bytes(np.uint8(1))
    grey = splat_bytes(np.uint8(0))
    other = np.uint8(0)
    for y in range(height):
        row = values[y]
        for k in range(whole):
            part = load_bytes(row, 64 * k)
            out[y, k] = below(bound, part) if first > 0 else ALL
            # 0 and 1 for 255 and 0
            grey = either(grey, add(part, one))
        if width % 64:
            word = ZERO
            for x in range(64 * whole, width):
                word |= np.uint64(np.int32(row[x]) >= least) << np.uint64(x % 64)
                other |= np.uint8((row[x] + np.uint8(1)) & np.uint8(254))
            out[y, whole] = word
    return bool(below(one, grey) == ZERO and other == 0)


@compiled((U64, numba.int64, numba.int64, I64_OUT), short=True)
def quadrant_sizes(bits: NDArray[np.uint64], row: int, column: int, out: NDArray[np.int64]) -> None:
    """How many pixels are set above/below `row` and left/right of `column` (4 numbers)."""
    out[:] = 0
    for y in range(bits.shape[0]):
        left = ZERO
        right = ZERO
        for k in range(bits.shape[1]):
            word = bits[y, k]
            if word == ZERO:
                continue
            before = column - 64 * k
            if before >= 64:
                left += count_bits(word)
            elif before <= 0:
                right += count_bits(word)
            else:
                low = (ONE << np.uint64(before)) - ONE
                left += count_bits(word & low)
                right += count_bits(word & ~low)
        q = 0 if y < row else 2
        out[q] += np.int64(left)
        out[q + 1] += np.int64(right)


@compiled((U64, I64_OUT), short=True)
def position(bits: NDArray[np.uint64], out: NDArray[np.int64]) -> None:
    """Where the set pixels are, in seven numbers.

    Their count, the sum of their rows, the sum of their columns; first and last row, first and last column
    (meaningless without any).
    """
    height, words = bits.shape
    out[:] = 0
    out[3] = height
    united = np.zeros(words, np.uint64)
    for y in range(height):
        here = ZERO
        columns = ZERO
        for k in range(words):
            word = bits[y, k]
            if word == ZERO:
                continue
            united[k] |= word
            if word == ALL:
                here += np.uint64(64)
                columns += np.uint64(64 * 64 * k + 2016)
                continue
            n = count_bits(word)
            here += n
            columns += n * np.uint64(64 * k)
            columns += count_bits(word & np.uint64(0xAAAAAAAAAAAAAAAA))
            columns += count_bits(word & np.uint64(0xCCCCCCCCCCCCCCCC)) << np.uint64(1)
            columns += count_bits(word & np.uint64(0xF0F0F0F0F0F0F0F0)) << np.uint64(2)
            columns += count_bits(word & np.uint64(0xFF00FF00FF00FF00)) << np.uint64(3)
            columns += count_bits(word & np.uint64(0xFFFF0000FFFF0000)) << np.uint64(4)
            columns += count_bits(word & np.uint64(0xFFFFFFFF00000000)) << np.uint64(5)
        if here != ZERO:
            out[0] += np.int64(here)
            out[1] += np.int64(here) * y
            out[2] += np.int64(columns)
            out[3] = min(out[3], y)
            out[4] = y
    out[5] = 64 * words
    for x in range(64 * words):
        if (united[x // 64] >> np.uint64(x % 64)) & ONE:
            out[5] = min(out[5], x)
            out[6] = x


@compiled((U64, numba.int64, numba.boolean, U64_OUT), short=True)
def inner_boundary(bits: NDArray[np.uint64], width: int, square: bool, out: NDArray[np.uint64]) -> int:
    """Marks the pixels that a 3 x 3 erosion (cross or square) takes away; returns how many.

    What lies outside the image counts as object, as in the usual erosion: an object cut by the border
    has no boundary there.
    """
    height, words = bits.shape
    beyond = ALL << np.uint64(width % 64) if width % 64 else ZERO
    total = ZERO
    for y in range(height):
        above = bits[max(y - 1, 0)]
        here = bits[y]
        below = bits[min(y + 1, height - 1)]
        for k in range(words):
            centre = here[k]
            if centre == ZERO:
                out[y, k] = ZERO
                continue
            column = centre & above[k] & below[k]
            wide = column if square else centre
            if k > 0:
                before = here[k - 1] & above[k - 1] & below[k - 1] if square else here[k - 1]
            else:
                before = ALL
            if k < words - 1:
                after = here[k + 1] & above[k + 1] & below[k + 1] if square else here[k + 1]
            else:
                after = ALL
                wide |= beyond
            kept = column & ((wide << ONE) | (before >> LAST)) & ((wide >> ONE) | (after << LAST))
            edge = centre & ~kept
            out[y, k] = edge
            total += count_bits(edge)
    return int(total)


@compiled((U64, numba.int64, numba.boolean, numba.int64, U64_OUT), short=True)
def spread(bits: NDArray[np.uint64], width: int, disk: bool, radius: int, out: NDArray[np.uint64]) -> None:
    """Dilates by a square of side 2 radius + 1, or by the disk dx^2 + dy^2 <= radius^2; radius below 64."""
    height, words = bits.shape
    valid = (ONE << np.uint64(width % 64)) - ONE if width % 64 else ALL
    wide = np.empty(radius + 1, np.uint64)
    reach = np.full(radius + 1, radius, np.int64)
    for dy in range(radius + 1):
        while disk and reach[dy] * reach[dy] + dy * dy > radius * radius:
            reach[dy] -= 1
    out[:] = ZERO
    for y in range(height):
        row = bits[y]
        for k in range(words):
            centre = row[k]
            before = row[k - 1] if k > 0 else ZERO
            after = row[k + 1] if k < words - 1 else ZERO
            if centre | before | after == ZERO:
                continue
            inside = valid if k == words - 1 else ALL
            grown = centre
            wide[0] = grown
            for r in range(1, radius + 1):
                near, far = np.uint64(r), np.uint64(64 - r)
                grown |= (centre << near) | (before >> far) | (centre >> near) | (after << far)
                wide[r] = grown & inside
            for dy in range(max(-radius, -y), min(radius, height - 1 - y) + 1):
                out[y + dy, k] |= wide[reach[abs(dy)]]


@compiled((U64, U64), short=True)
def common(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> int:
    """How many pixels are set in both."""
    total = ZERO
    for y in range(first.shape[0]):
        for k in range(first.shape[1]):
            total += count_bits(first[y, k] & second[y, k])
    return int(total)


@compiled((U8, U64_OUT, I64_OUT))
def read_binary_mask(truth: NDArray[np.uint8], packed: NDArray[np.uint64], where: NDArray[np.int64]) -> bool:
    """Packs a mask of 0 and 255 and finds the numbers of `position`; False if it holds anything else."""
    if not pack_from(truth, 255, packed):
        return False
    position(packed, where)
    return True


@compiled((U8, numba.int64, U8_OUT, U64_OUT, I64_OUT))
def read_mask(
    grey: NDArray[np.uint8],
    least: int,
    truth: NDArray[np.uint8],
    packed: NDArray[np.uint64],
    where: NDArray[np.int64],
) -> None:
    """Binarises a mask at `least`: as 0 and 255, packed, and the numbers of `position`."""
    height, width = grey.shape
    for y in range(height):
        source = grey[y]
        target = truth[y]
        for x in range(width):
            target[x] = np.uint8(255) * np.uint8(np.int32(source[x]) >= np.int32(least))
    pack_from(truth, 255, packed)
    position(packed, where)


@compiled((U64, numba.int64, numba.boolean, numba.boolean, numba.int64, U64, U64, I64_OUT), short=True)
def boundary_counts(
    bits: NDArray[np.uint64],
    width: int,
    square: bool,
    disk: bool,
    radius: int,
    true_edge: NDArray[np.uint64],
    true_window: NDArray[np.uint64],
    out: NDArray[np.int64],
) -> None:
    """A map's boundary: its length, its part in the mask's window, and the part of the mask's in its own."""
    edge = np.empty_like(bits)
    window = np.empty_like(bits)
    out[0] = inner_boundary(bits, width, square, edge)
    spread(edge, width, disk, radius, window)
    out[1] = common(edge, true_window)
    out[2] = common(true_edge, window)
