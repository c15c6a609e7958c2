"""The sums of the weighted F-measure: errors by distance outside the object, smoothed errors inside."""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import F64, F64_1, I32_1, U8, U16, compiled

U8_OUT = numba.types.Array(numba.uint8, 2, "C")
F64_OUT = numba.types.Array(numba.float64, 2, "C")


@compiled((U8, U16, F64_1), (F64, U16, F64_1), reorder=True)
def weighted_background(
    values: NDArray[np.generic], squared: NDArray[np.uint16], weight: NDArray[np.float64]
) -> float:
    """The sum of value x weight[squared distance]; weight[0] is 0, which leaves the object out."""
    a = values.reshape(-1)
    b = squared.reshape(-1)
    total = 0.0
    for i in range(a.size):
        total += a[i] * weight[b[i]]
    return total


@compiled((U8, I32_1, I32_1, U8_OUT), (F64, I32_1, I32_1, F64_OUT))
def fill_band(
    values: NDArray[np.generic],
    pixels: NDArray[np.int32],
    nearest: NDArray[np.int32],
    out: NDArray[np.generic],
) -> None:
    """Copies the map, with every pixel of the band replaced by its nearest object pixel's value."""
    source = values.reshape(-1)
    target = out.reshape(-1)
    target[:] = source
    for i in range(pixels.size):
        target[pixels[i]] = source[nearest[i]]


@compiled((U8, U8, F64_1, numba.float64), (F64, U8, F64_1, numba.float64), reorder=True)
def smoothed_object_error(
    filled: NDArray[np.generic], mask: NDArray[np.uint8], kernel: NDArray[np.float64], top: float
) -> float:
    """The sum over the object of min(error, Gaussian-smoothed error), error = top - value.

    `kernel` is one side of the separable 7 x 7 Gaussian; outside the image the error is 0, so that there
    the smoothed error of a pixel is top x (kernel mass inside) - (smoothed value).
    """
    height, width = filled.shape
    column_sum = np.zeros(width + 6, np.float64)
    mass_x = np.zeros(width, np.float64)
    for x in range(width):
        for k in range(7):
            if 0 <= x + k - 3 < width:
                mass_x[x] += kernel[k]
    total = 0.0
    for y in range(height):
        first = width
        last = -1
        for x in range(width):
            if mask[y, x]:
                first = min(first, x)
                last = x
        if last < 0:
            continue
        left, right = max(0, first - 3), min(width, last + 4)
        column_sum[left : right + 6] = 0.0
        mass_y = 0.0
        for k in range(7):
            line = y + k - 3
            if 0 <= line < height:
                mass_y += kernel[k]
                for x in range(left, right):
                    column_sum[x + 3] += kernel[k] * filled[line, x]
        for x in range(first, last + 1):
            smooth = 0.0
            for k in range(7):
                smooth += kernel[k] * column_sum[x + k]
            error = min(top - filled[y, x], top * (mass_y * mass_x[x]) - smooth)
            total += error if mask[y, x] else 0.0
    return total
