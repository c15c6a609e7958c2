"""Edges of binary images on grids of 1, 2, 4 ... 512 pixels, 64 cells per word: what multi-scale IoU counts.

The grids are anchored at the image's bottom right corner. Everything here therefore works on the image turned
by 180 degrees: there every grid starts at the first pixel, and a cell is the union of four cells of the grid
before it. All grids of a picture lie one after the other in one array (`room` says how long it is).
"""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import U8, U64, compiled, inlined

WORDS = numba.types.Array(numba.uint64, 1, "C", readonly=True)
WORDS_OUT = numba.types.Array(numba.uint64, 1, "C")
U64_OUT = numba.types.Array(numba.uint64, 2, "C")
COUNTS_OUT = numba.types.Array(numba.int64, 1, "C")
TABLE_OUT = numba.types.Array(numba.int64, 2, "C")
i64 = numba.int64

SCALES = 10
ZERO, ONE = np.uint64(0), np.uint64(1)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
LAST = np.uint64(63)


def room(height: int, width: int) -> int:
    """How many words hold the grids of a picture."""
    return sum(-(-height // size) * (-(-width // (64 * size))) for size in (2**k for k in range(SCALES)))


@inlined
def _count_bits(word: np.uint64) -> np.uint64:
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@inlined
def _backwards(word: np.uint64) -> np.uint64:
    """The word's bits in reverse order."""
    word = ((word >> np.uint64(1)) & np.uint64(0x5555555555555555)) | (
        (word & np.uint64(0x5555555555555555)) << np.uint64(1)
    )
    word = ((word >> np.uint64(2)) & np.uint64(0x3333333333333333)) | (
        (word & np.uint64(0x3333333333333333)) << np.uint64(2)
    )
    word = ((word >> np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)) | (
        (word & np.uint64(0x0F0F0F0F0F0F0F0F)) << np.uint64(4)
    )
    word = ((word >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)) | (
        (word & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8)
    )
    word = ((word >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)) | (
        (word & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)
    )
    return (word >> np.uint64(32)) | (word << np.uint64(32))


@inlined
def _halved(word: np.uint64) -> np.uint64:
    """Bit i: the union of bits 2 i and 2 i + 1, in the lower half of a word."""
    word = (word | (word >> np.uint64(1))) & np.uint64(0x5555555555555555)
    word = (word | (word >> np.uint64(1))) & np.uint64(0x3333333333333333)
    word = (word | (word >> np.uint64(2))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    word = (word | (word >> np.uint64(4))) & np.uint64(0x00FF00FF00FF00FF)
    word = (word | (word >> np.uint64(8))) & np.uint64(0x0000FFFF0000FFFF)
    return (word | (word >> np.uint64(16))) & np.uint64(0x00000000FFFFFFFF)


@compiled((U64, i64, U64_OUT), short=True)
def turn(bits: NDArray[np.uint64], width: int, out: NDArray[np.uint64]) -> None:
    """Turns a packed picture by 180 degrees."""
    height, words = bits.shape
    spare = np.uint64(64 * words - width)
    for y in range(height):
        row = bits[height - 1 - y]
        target = out[y]
        for k in range(words):
            word = _backwards(row[words - 1 - k]) >> spare
            if spare > ZERO and k < words - 1:
                word |= _backwards(row[words - 2 - k]) << (np.uint64(64) - spare)
            target[k] = word


@compiled((U64, i64, U64_OUT, WORDS_OUT), short=True)
def _mark_edges(
    bits: NDArray[np.uint64], width: int, sums: NDArray[np.uint64], out: NDArray[np.uint64]
) -> None:
    """Marks where Sobel's derivatives are not both 0; outside the image is 0.

    A derivative is the difference of the sums a + 2 b + c of the three neighbours on either side. The bits of
    such a sum are ones = a ^ c, twos = b ^ (a & c) and fours = b & (a & c). `sums` holds three rows of them,
    and a row of the columns' sums, with a word of margin on both sides.
    """
    height, words = bits.shape
    valid = (ONE << np.uint64(width % 64)) - ONE if width % 64 else ALL
    sums[:] = ZERO
    for y in range(-1, height):
        # the sums along row y + 1, kept in place of those of row y - 2
        ahead = 3 * ((y + 1) % 3)
        if y + 1 < height:
            row = bits[y + 1]
            for k in range(words):
                centre = row[k]
                a = (centre << ONE) | (row[k - 1] >> LAST if k > 0 else ZERO)
                c = (centre >> ONE) | (row[k + 1] << LAST if k < words - 1 else ZERO)
                sums[ahead, k + 1] = a ^ c
                sums[ahead + 1, k + 1] = centre ^ (a & c)
                sums[ahead + 2, k + 1] = centre & (a & c)
        else:
            sums[ahead : ahead + 3] = ZERO
        if y < 0:
            continue
        behind = 3 * ((y + 2) % 3)
        if y == 0:
            sums[behind : behind + 3] = ZERO
        here = bits[y]
        for k in range(words):
            a = bits[y - 1, k] if y > 0 else ZERO
            c = bits[y + 1, k] if y < height - 1 else ZERO
            sums[9, k + 1] = a ^ c
            sums[10, k + 1] = here[k] ^ (a & c)
            sums[11, k + 1] = here[k] & (a & c)
        for k in range(words):
            edge = ZERO
            for j in range(3):
                edge |= sums[ahead + j, k + 1] ^ sums[behind + j, k + 1]
                column = sums[9 + j]
                left = (column[k + 1] << ONE) | (column[k] >> LAST)
                right = (column[k + 1] >> ONE) | (column[k + 2] << LAST)
                edge |= left ^ right
            out[y * words + k] = edge
        out[y * words + words - 1] &= valid


@compiled((i64, i64, WORDS_OUT), short=True)
def _coarsen(height: int, width: int, grids: NDArray[np.uint64]) -> None:
    """Fills the grids of 2 to 512 pixels from that of single pixels."""
    start = 0
    words = (width + 63) // 64
    for _ in range(SCALES - 1):
        end = start + height * words
        width = (width + 1) // 2
        fewer = (width + 63) // 64
        for y in range((height + 1) // 2):
            upper = start + 2 * y * words
            both = 2 * y + 1 < height
            for k in range(fewer):
                word = grids[upper + 2 * k]
                if both:
                    word |= grids[upper + words + 2 * k]
                packed = _halved(word)
                if 2 * k + 1 < words:
                    word = grids[upper + 2 * k + 1]
                    if both:
                        word |= grids[upper + words + 2 * k + 1]
                    packed |= _halved(word) << np.uint64(32)
                grids[end + y * fewer + k] = packed
        start = end
        height = (height + 1) // 2
        words = fewer


@compiled((i64, i64, WORDS, WORDS, COUNTS_OUT), short=True)
def _count_common(
    height: int, width: int, first: NDArray[np.uint64], second: NDArray[np.uint64], out: NDArray[np.int64]
) -> None:
    """The cells of each grid that are on in both."""
    start = 0
    for scale in range(SCALES):
        end = start + height * ((width + 63) // 64)
        total = ZERO
        for k in range(start, end):
            total += _count_bits(first[k] & second[k])
        out[scale] = np.int64(total)
        start = end
        height = (height + 1) // 2
        width = (width + 1) // 2


@compiled((U64, i64, WORDS_OUT, COUNTS_OUT), short=True)
def edge_grids(
    bits: NDArray[np.uint64], width: int, grids: NDArray[np.uint64], counts: NDArray[np.int64]
) -> None:
    """The cells of each grid that hold an edge of the turned picture, and how many they are."""
    height, words = bits.shape
    _mark_edges(bits, width, np.empty((12, words + 2), np.uint64), grids)
    _coarsen(height, width, grids)
    _count_common(height, width, grids, grids, counts)


@compiled((U64, i64, WORDS, COUNTS_OUT), short=True)
def common_cells(
    bits: NDArray[np.uint64], width: int, others: NDArray[np.uint64], counts: NDArray[np.int64]
) -> None:
    """The cells of each grid that hold an edge of the turned picture and of the other one."""
    height, words = bits.shape
    grids = np.empty_like(others)
    _mark_edges(bits, width, np.empty((12, words + 2), np.uint64), grids)
    _coarsen(height, width, grids)
    _count_common(height, width, grids, others, counts)


@compiled((U8, WORDS, TABLE_OUT))
def common_cells_by_level(
    levels: NDArray[np.uint8], others: NDArray[np.uint64], counts: NDArray[np.int64]
) -> None:
    """`common_cells` of the pixels at or above each of the levels 0 to 256: a row for each.

    The picture is taken as it is (not turned). From one level to the next the pixels of that level go.
    """
    height, width = levels.shape
    words = (width + 63) // 64
    ends = np.zeros(257, np.int64)
    for y in range(height):
        for x in range(width):
            ends[np.int64(levels[y, x]) + 1] += 1
    for level in range(256):
        ends[level + 1] += ends[level]
    starts = ends.copy()
    order = np.empty(height * width, np.uint32)
    for y in range(height):
        for x in range(width):
            value = np.int64(levels[y, x])
            # where the pixel's bit is in the turned picture
            order[starts[value]] = np.uint32((height - 1 - y) * 64 * words + width - 1 - x)
            starts[value] += 1

    bits = np.full((height, words), ALL)
    if width % 64:
        bits[:, words - 1] = (ONE << np.uint64(width % 64)) - ONE
    flat = bits.ravel()
    sums = np.empty((12, words + 2), np.uint64)
    grids = np.empty_like(others)
    counts[:] = 0
    for level in range(256):
        if level > 0:
            first, last = ends[level - 1], ends[level]
            for k in range(first, last):
                flat[order[k] >> np.uint32(6)] &= ~(ONE << np.uint64(order[k] & np.uint32(63)))
            if first == last:
                counts[level] = counts[level - 1]
                continue
            if last == ends[256]:
                break
        _mark_edges(bits, width, sums, grids)
        _coarsen(height, width, grids)
        _count_common(height, width, grids, others, counts[level])
