"""The joint histogram of map level, mask value and quadrant: all that MAE, F, E and S need of the pixels."""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import U8, compiled

I64_3 = numba.types.Array(numba.int64, 3, "C")


@compiled((U8, U8, numba.int64, numba.int64, I64_3))
def joint_histogram(
    levels: NDArray[np.uint8], mask: NDArray[np.uint8], row: int, column: int, out: NDArray[np.int64]
) -> None:
    """Counts pixels into `out` [4 quadrants, 2 mask values, 256 levels].

    `mask` is 0 or 1; the quadrants are those left/right of `column` and above/below `row` (the pixel at
    (row, column) belongs to the last one). Four interleaved counters keep equal neighbours from waiting
    for each other's store.
    """
    height, width = levels.shape
    count = np.zeros((4, 512), np.uint32)
    for quadrant in range(4):
        top, bottom = (0, row) if quadrant < 2 else (row, height)
        left, right = (0, column) if quadrant % 2 == 0 else (column, width)
        count[:] = 0
        fours = (right - left) // 4
        for y in range(top, bottom):
            a = levels[y, left:right]
            b = mask[y, left:right]
            for i in range(fours):
                k = np.uint64(4 * i)
                k1, k2, k3 = k + np.uint64(1), k + np.uint64(2), k + np.uint64(3)
                count[0, (np.uint64(b[k]) << np.uint64(8)) | np.uint64(a[k])] += np.uint32(1)
                count[1, (np.uint64(b[k1]) << np.uint64(8)) | np.uint64(a[k1])] += np.uint32(1)
                count[2, (np.uint64(b[k2]) << np.uint64(8)) | np.uint64(a[k2])] += np.uint32(1)
                count[3, (np.uint64(b[k3]) << np.uint64(8)) | np.uint64(a[k3])] += np.uint32(1)
            for rest in range(4 * fours, right - left):
                count[0, (np.uint64(b[rest]) << np.uint64(8)) | np.uint64(a[rest])] += np.uint32(1)
        for value in range(512):
            total = np.int64(count[0, value]) + count[1, value] + count[2, value] + count[3, value]
            out[quadrant, value >> 8, value & 255] = total
