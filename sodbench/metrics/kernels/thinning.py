"""The skeleton of an object by Zhang and Suen's thinning, its border pixels visited only.

Source: Zhang and Suen, A fast parallel algorithm for thinning digital patterns, Communications of the ACM 27,
1984, with the exceptions that make it equal to skimage.morphology.skeletonize.
"""

from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import U64, compiled, inlined

TABLE = numba.types.Array(numba.uint8, 1, "C", readonly=True)
U64_OUT = numba.types.Array(numba.uint64, 2, "C")

ZERO, ONE, LAST = np.uint64(0), np.uint64(1), np.uint64(63)


# where scikit-image departs from the paper: neighbourhoods (as in `removable`) by when a pixel goes
EXCEPTIONS = {
    0: (48, 129),
    1: (3, 6, 11, 12, 14, 131, 134, 161, 194, 198),
    2: (24, 26, 56, 96, 104, 108, 176, 192, 224),
    3: (10, 40, 130, 160),
}


@cache
def removable() -> NDArray[np.uint8]:
    """For each set of neighbours: bit 0 if the first half of a pass removes the pixel, bit 1 for the second.

    Neighbours are bits 0 to 7, clockwise from the top left. A pixel goes if it has 2 to 6 of them, they form
    one run, and of top, right, bottom and left certain ones are missing.
    """
    table = np.zeros(256, np.uint8)
    for code in range(256):
        around = [code >> k & 1 for k in range(8)]
        _, top, _, right, _, bottom, _, left = around
        runs = sum(not around[k - 1] and around[k] for k in range(8))
        if runs == 1 and 2 <= sum(around) <= 6:
            first = not (top and right and bottom) and not (right and bottom and left)
            second = not (top and right and left) and not (top and bottom and left)
            table[code] = first + 2 * second
    for value, neighbourhoods in EXCEPTIONS.items():
        table[list(neighbourhoods)] = value
    return table


@inlined
def _full(bits: NDArray[np.uint64], y: int, k: int) -> np.uint64:
    """The columns of a word whose pixels at, above and below a row are all on; none outside the picture."""
    if y == 0 or y == bits.shape[0] - 1 or k < 0 or k == bits.shape[1]:
        return ZERO
    return np.uint64(bits[y - 1, k] & bits[y, k] & bits[y + 1, k])


@inlined
def _longer(values: NDArray[np.int64], least: int) -> NDArray[np.int64]:
    longer = np.empty((values.shape[0], max(least, 2 * values.shape[1])), np.int64)
    longer[:, : values.shape[1]] = values
    return longer


@compiled((U64, TABLE, U64_OUT))
def skeleton(bits: NDArray[np.uint64], table: NDArray[np.uint8], out: NDArray[np.uint64]) -> None:
    """Thins a packed picture; `table` is `removable()`.

    A list for either half of a pass holds the pixels that it may remove. A pixel enters when a neighbour
    goes.
    """
    height, words = bits.shape
    stride = 64 * words + 2
    on = np.zeros((height + 2) * stride, np.uint8)
    # the neighbours of every object pixel; of inner ones all are there
    codes = np.full(on.size, 255, np.uint8)
    # bit q of a pixel that is on list q
    listed = np.zeros(on.size, np.uint8)
    lists = np.empty((3, 4096), np.int64)  # the third: what a half removes
    sizes = np.zeros(2, np.int64)
    steps = np.array([-stride - 1, -stride, -stride + 1, 1, stride + 1, stride, stride - 1, -1])
    for y in range(height):
        for k in range(words):
            word = bits[y, k]
            start = (y + 1) * stride + 1 + 64 * k
            part = on[start : start + 64]
            for i in range(64):
                part[i] = np.uint8((word >> np.uint64(i)) & ONE)
    for y in range(height):
        for k in range(words):
            full = _full(bits, y, k)
            before, after = _full(bits, y, k - 1), _full(bits, y, k + 1)
            inner = full & ((full << ONE) | (before >> LAST)) & ((full >> ONE) | (after << LAST))
            border = bits[y, k] & ~inner
            if border == ZERO:
                continue
            if max(sizes[0], sizes[1]) + 64 > lists.shape[1]:
                lists = _longer(lists, 0)
            for i in range(64):
                if (border >> np.uint64(i)) & ONE == ZERO:
                    continue
                place = (y + 1) * stride + 1 + 64 * k + i
                code = np.int64(0)
                for j in range(8):
                    code |= np.int64(on[place + steps[j]]) << j
                codes[place] = code
                listed[place] = table[code]
                for q in range(2):
                    if (table[code] >> q) & 1:
                        lists[q, sizes[q]] = place
                        sizes[q] += 1
    while sizes[0] + sizes[1] > 0:
        for q in range(2):
            flag = np.uint8(1 << q)
            removed = 0
            for k in range(sizes[q]):
                place = lists[q, k]
                listed[place] &= ~flag
                if on[place] and table[codes[place]] & flag:
                    lists[2, removed] = place
                    removed += 1
            sizes[q] = 0
            most = max(sizes[0], sizes[1]) + 8 * removed
            if most > lists.shape[1]:
                lists = _longer(lists, most)
            for k in range(removed):
                on[lists[2, k]] = 0
            for k in range(removed):
                for j in range(8):
                    place = lists[2, k] + steps[j]
                    # seen from there, the removed pixel is on the other side
                    code = codes[place] & ~np.uint8(1 << ((j + 4) & 7))
                    codes[place] = code
                    fresh = table[code] & ~listed[place]
                    if on[place] and fresh:
                        listed[place] |= fresh
                        for half in range(2):
                            if (fresh >> half) & 1:
                                lists[half, sizes[half]] = place
                                sizes[half] += 1
    for y in range(height):
        for k in range(words):
            start = (y + 1) * stride + 1 + 64 * k
            part = on[start : start + 64]
            word = ZERO
            for i in range(64):
                word |= np.uint64(part[i]) << np.uint64(i)
            out[y, k] = word
