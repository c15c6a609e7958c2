"""The Gaussian window of an object's own shape, which the context measure smooths by."""

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.kernels import context


def gaussian_window(
    bits: NDArray[np.uint64], n: int, rows: int, columns: int, alpha: float
) -> NDArray[np.float64]:
    """The window of a packed object of n pixels whose rows and columns add up to `rows` and `columns`.

    The object's covariance scaled to a total deviation of `alpha`, cut at three deviations; sums to 1. Raises
    numpy's LinAlgError for a covariance without inverse (a single slanted line).
    """
    if n <= 1:
        covariance, reach = np.diag([0.25, 0.25]), (1, 1)
    else:
        covariance = _covariance(bits, n, rows, columns)
        # a straight line along an axis: nothing, instead of 0, across it
        covariance[[0, 1], [0, 1]] = np.maximum(np.diag(covariance), np.spacing(1))
        total = float(np.sqrt(np.trace(covariance)))
        deviations = alpha * np.sqrt(np.diag(covariance)) / total
        reach = (round(3 * float(deviations[0])), round(3 * float(deviations[1])))
        covariance = alpha**2 * covariance / (total**2)
    inverse = np.linalg.inv(covariance)
    y = np.arange(-reach[0], reach[0] + 1.0)[:, None]
    x = np.arange(-reach[1], reach[1] + 1.0)[None]
    square = inverse[0, 0] * y * y + (inverse[0, 1] + inverse[1, 0]) * y * x + inverse[1, 1] * x * x
    with np.errstate(all="ignore"):
        window = np.exp(-0.5 * square) / np.sqrt(np.linalg.det(covariance))
        return np.asarray(window / window.sum())


def _covariance(bits: NDArray[np.uint64], n: int, rows: int, columns: int) -> NDArray[np.float64]:
    moments = np.empty(3, np.int64)
    context.second_moments(bits, moments)
    both = int(moments[0]), int(moments[1]), int(moments[2])
    # exact: n times the sums of squares less the squared sums
    vertical, mixed, horizontal = (
        n * both[0] - rows * rows,
        n * both[1] - rows * columns,
        n * both[2] - columns * columns,
    )
    if vertical * horizontal == mixed * mixed:
        # a line: whether its covariance has an inverse is left to rounding, so round as the package does
        pixels = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
        return np.asarray(np.cov(np.argwhere(pixels), rowvar=False))
    return np.array([[vertical, mixed], [mixed, horizontal]]) / (n * (n - 1))
