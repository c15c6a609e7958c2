"""What a person would correct: wrong regions without their thin rims, and the parts of their contours."""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import I64_1, U64, compiled, inlined

U8_OUT = numba.types.Array(numba.uint8, 2, "C")
U64_OUT = numba.types.Array(numba.uint64, 2, "C")
I32_2 = numba.types.Array(numba.int32, 2, "C", readonly=True)
I32_OUT = numba.types.Array(numba.int32, 2, "C")
I64_OUT = numba.types.Array(numba.int64, 2, "C")

ZERO, ONE, LAST = np.uint64(0), np.uint64(1), np.uint64(63)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@compiled((U64, numba.int64, numba.boolean, U64_OUT), short=True)
def _cross(bits: NDArray[np.uint64], width: int, erode: bool, out: NDArray[np.uint64]) -> None:
    """Dilates or erodes by the pixel and its four neighbours; outside is background, or object to erosion."""
    height, words = bits.shape
    beyond = ALL << np.uint64(width % 64) if width % 64 else ZERO
    # eroding is dilating what is off
    flip = ALL if erode else ZERO
    for y in range(height):
        row = bits[y]
        above = bits[max(y - 1, 0)]
        below = bits[min(y + 1, height - 1)]
        for k in range(words):
            centre = row[k] ^ flip
            grown = centre | (above[k] ^ flip) | (below[k] ^ flip)
            if k == words - 1:
                centre &= ~beyond
            grown |= (centre << ONE) | (centre >> ONE)
            if k > 0:
                grown |= (row[k - 1] ^ flip) >> LAST
            if k < words - 1:
                after = row[k + 1] ^ flip
                if k == words - 2:
                    after &= ~beyond
                grown |= after << LAST
            if k == words - 1:
                grown = (grown ^ flip) & ~beyond
            else:
                grown ^= flip
            out[y, k] = grown


@compiled((U64, U64, U64, U64, numba.int64, numba.int64, U64_OUT), short=True)
def _relaxed(
    wrong: NDArray[np.uint64],
    inner: NDArray[np.uint64],
    blocked: NDArray[np.uint64],
    scratch: NDArray[np.uint64],
    width: int,
    relax: int,
    out: NDArray[np.uint64],
) -> None:
    """The wrong pixels that are at most `relax` steps, none of them blocked, from an inner wrong pixel."""
    height, words = wrong.shape
    grown = scratch.copy()
    for y in range(height):
        for k in range(words):
            out[y, k] = wrong[y, k] & inner[y, k]
    for _ in range(relax):
        _cross(out, width, False, grown)
        for y in range(height):
            for k in range(words):
                out[y, k] = grown[y, k] & ~blocked[y, k]
    for y in range(height):
        for k in range(words):
            out[y, k] &= wrong[y, k]


@compiled((U64, U64, U64, numba.int64, numba.int64, U64_OUT, U64_OUT, U64_OUT, U64_OUT))
def relaxed_errors(
    truth: NDArray[np.uint64],
    found: NDArray[np.uint64],
    skeleton: NDArray[np.uint64],
    width: int,
    relax: int,
    surplus: NDArray[np.uint64],
    missed: NDArray[np.uint64],
    near_surplus: NDArray[np.uint64],
    near_missed: NDArray[np.uint64],
) -> None:
    """The false positives and negatives to correct, and where their contours count.

    Errors within `relax` pixels of the border of the union of mask and map go, the skeleton's stay. A contour
    counts at or next to right or missed pixels for `surplus`, to right background for `missed`.
    """
    height, words = truth.shape
    beyond = ALL << np.uint64(width % 64) if width % 64 else ZERO
    inner = truth | found
    other = np.empty_like(inner)
    for _ in range(relax):
        _cross(inner, width, True, other)
        inner, other = other, inner
    _relaxed(found & ~truth, inner, truth, other, width, relax, surplus)
    _relaxed(truth & ~found, inner, found, other, width, relax, missed)
    for y in range(height):
        for k in range(words):
            missed[y, k] |= skeleton[y, k] & ~found[y, k]
            other[y, k] = (truth[y, k] & found[y, k]) | missed[y, k]
    _cross(other, width, False, near_surplus)
    for y in range(height):
        for k in range(words):
            other[y, k] = ~(other[y, k] | surplus[y, k])
        other[y, words - 1] &= ~beyond
    _cross(other, width, False, near_missed)


@inlined
def _beside(first: NDArray[np.int32], second: NDArray[np.int32]) -> bool:
    across, along = abs(first[0] - second[0]), abs(first[1] - second[1])
    return bool(max(across, along) == 1)


@compiled((I32_2, I64_1, I64_1, U64_OUT, I32_OUT, I64_OUT))
def boundaries(
    points: NDArray[np.int32],
    ends: NDArray[np.int64],
    parents: NDArray[np.int64],
    where: NDArray[np.uint64],
    out: NDArray[np.int32],
    pieces: NDArray[np.int64],
) -> tuple[int, int]:
    """The pieces of the contours that count, each pixel once; how many, and the regions without any.

    `points` are (column, row), contour i ends before `ends[i]`, `parents` are those of the contours (-1:
    none; a contour of even depth surrounds a region, of odd depth a hole of its parent's). `where` is
    packed and is changed. Piece i is then `out[pieces[i, 0] : pieces[i, 1]]`. The first and the last piece
    of a contour are joined where they meet, the first one backwards.
    """
    n = ends.size
    touched = np.zeros(n, np.bool_)
    outer = np.empty(n, np.bool_)
    count = 0
    size = 0
    start = 0
    for i in range(n):
        depth = 0
        ancestor = parents[i]
        while ancestor >= 0:
            depth += 1
            ancestor = parents[ancestor]
        outer[i] = depth % 2 == 0
        region = i if outer[i] else parents[i]
        first = count
        inside = False
        for k in range(start, ends[i]):
            x, y = points[k]
            bit = ONE << np.uint64(x & 63)
            if where[y, x >> 6] & bit == ZERO:
                inside = False
                continue
            where[y, x >> 6] &= ~bit
            touched[region] = True
            if not inside:
                pieces[count, 0] = size
                count += 1
                inside = True
            out[size] = points[k]
            size += 1
            pieces[count - 1, 1] = size
        start = ends[i]
        if count - first > 1 and _beside(out[pieces[first, 0]], out[size - 1]):
            for k in range(pieces[first, 1] - 1, pieces[first, 0] - 1, -1):
                out[size] = out[k]
                size += 1
            pieces[count - 1, 1] = size
            # the joined piece takes the first one's place
            pieces[first] = pieces[count - 1]
            count -= 1
    alone = 0
    for i in range(n):
        if outer[i] and not touched[i]:
            alone += 1
    return count, alone


@compiled((U64, U8_OUT))
def unpack(bits: NDArray[np.uint64], out: NDArray[np.uint8]) -> None:
    """The pixels as 0 and 1."""
    height, width = out.shape
    for y in range(height):
        for k in range(width // 64):
            word = bits[y, k]
            part = out[y, 64 * k : 64 * k + 64]
            for i in range(64):
                part[i] = np.uint8((word >> np.uint64(i)) & ONE)
        for x in range(width // 64 * 64, width):
            out[y, x] = np.uint8((bits[y, x >> 6] >> np.uint64(x & 63)) & ONE)
