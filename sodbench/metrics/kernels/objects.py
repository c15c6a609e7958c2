"""The objects of a mask, their boxes, and the histograms of a map inside the boxes."""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import I64_2, U8, U64, compiled, inlined

COUNTS_OUT = numba.types.Array(numba.int64, 3, "C")

ZERO, ONE = np.uint64(0), np.uint64(1)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@inlined
def _root(parent: NDArray[np.int64], run: int) -> int:
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@compiled((U64, numba.int64))
def _runs(bits: NDArray[np.uint64], width: int) -> NDArray[np.int64]:
    """The runs of set pixels, row by row: row, first and last column."""
    height, words = bits.shape
    room = 64
    runs = np.empty((room, 3), np.int64)
    n = 0
    for y in range(height):
        inside = False
        for k in range(words):
            word = bits[y, k]
            if (word == ZERO and not inside) or (word == ALL and inside):
                continue
            for i in range(64):
                on = (word >> np.uint64(i)) & ONE == ONE
                if on == inside:
                    continue
                if on:
                    if n == room:
                        longer = np.empty((2 * room, 3), np.int64)
                        longer[:room] = runs
                        runs = longer
                        room *= 2
                    runs[n, 0] = y
                    runs[n, 1] = 64 * k + i
                else:
                    runs[n, 2] = 64 * k + i - 1
                    n += 1
                inside = on
        if inside:
            runs[n, 2] = width - 1
            n += 1
    return runs[:n].copy()


@compiled((U64, numba.int64))
def find(bits: NDArray[np.uint64], width: int) -> NDArray[np.int64]:
    """The components (4 neighbours) in the order of their first pixels: area, box.

    A box is its first row, the row after its last, and the same for its columns.
    """
    runs = _runs(bits, width)
    n = runs.shape[0]
    parent = np.arange(n)
    before = 0  # the first run of the row above
    start = 0  # the first run of this row
    for run in range(n):
        if run > 0 and runs[run, 0] != runs[run - 1, 0]:
            before = start if runs[run, 0] == runs[run - 1, 0] + 1 else run
            start = run
        while before < start and runs[before, 2] < runs[run, 1]:
            before += 1
        above = before
        while above < start and runs[above, 1] <= runs[run, 2]:
            first, second = _root(parent, above), _root(parent, run)
            parent[max(first, second)] = min(first, second)
            above += 1
    found = np.empty((n, 5), np.int64)
    place = np.empty(n, np.int64)
    count = 0
    for run in range(n):
        root = _root(parent, run)
        y, left, right = runs[run]
        if root == run:
            place[run] = count
            found[count, 0] = 0
            found[count, 1] = y
            found[count, 3] = left
            found[count, 4] = right + 1
            count += 1
        one = found[place[root]]
        one[0] += right - left + 1
        one[2] = y + 1
        one[3] = min(one[3], left)
        one[4] = max(one[4], right + 1)
    return found[:count].copy()


@compiled((U8, U64, I64_2, COUNTS_OUT))
def box_histograms(
    values: NDArray[np.uint8], bits: NDArray[np.uint64], boxes: NDArray[np.int64], out: NDArray[np.int64]
) -> None:
    """Counts [boxes and the rest outside them, 2 mask values, 256 levels]."""
    height, width = values.shape
    n = boxes.shape[0]
    out[:] = 0
    outside = np.empty(width, np.bool_)
    for y in range(height):
        outside[:] = True
        for k in range(n):
            top, bottom, left, right = boxes[k]
            if y < top or y >= bottom:
                continue
            for x in range(left, right):
                outside[x] = False
                inside = (bits[y, x >> 6] >> np.uint64(x & 63)) & ONE
                out[k, inside, values[y, x]] += 1
        for x in range(width):
            if outside[x]:
                inside = (bits[y, x >> 6] >> np.uint64(x & 63)) & ONE
                out[n, inside, values[y, x]] += 1
