"""Reproducible sums: bit-identical for any order and any grouping of the terms.

A number is cut into four parts, whole multiples of 1, 2^-26, 2^-52 and 2^-78. Each part is summed on its
own. Such a sum is exact: it stays a multiple of its unit, and needs fewer than 53 bits as long as the
numbers' magnitudes add up to less than 2^53 and there are fewer than 2^28 of them. What is cut off lies
below 2^-79, far below the rounding of one addition of numbers near 1.
Source: Demmel and Nguyen, Fast reproducible floating-point summation, ARITH 2013 (pre-rounding).
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import F64, compiled

F64_OUT = numba.types.Array(numba.float64, 2, "C")
# adding and subtracting 1.5 * 2^52 * unit rounds to a multiple of the unit
ROUND_1 = 1.5 * 2.0**52
ROUND_2 = 1.5 * 2.0**26
ROUND_3 = 1.5
ROUND_4 = 1.5 * 2.0**-26


@compiled((F64, F64_OUT), short=True)
def add_rows(rows: NDArray[np.float64], sums: NDArray[np.float64]) -> None:
    """Adds each row to `sums`, NaN left out: four rows of parts, then how many numbers were added."""
    for i in range(rows.shape[0]):
        row = rows[i]
        for t in range(row.size):
            value = row[t]
            counts = value == value
            rest = value if counts else 0.0
            part = (rest + ROUND_1) - ROUND_1
            sums[0, t] += part
            rest -= part
            part = (rest + ROUND_2) - ROUND_2
            sums[1, t] += part
            rest -= part
            part = (rest + ROUND_3) - ROUND_3
            sums[2, t] += part
            rest -= part
            sums[3, t] += (rest + ROUND_4) - ROUND_4
            sums[4, t] += 1.0 if counts else 0.0


class RunningMean:
    """The mean over images of an array, fed image by image, NaN left out.

    Bit-identical for any order of the images and for any split of them that is merged again, in the
    memory of five arrays.
    """

    def __init__(self, size: int) -> None:
        """`size` is the number of elements of the array."""
        self.size = size
        self._sums = np.zeros((5, size))

    @classmethod
    def of(cls, sums: NDArray[np.float64]) -> "RunningMean":
        """The running mean with the `sums` of another."""
        running = cls(sums.shape[1])
        running._sums += sums
        return running

    @property
    def sums(self) -> NDArray[np.float64]:
        """The exact sums, 5 x size: four rows of parts, then how many numbers were added."""
        return self._sums.copy()

    def add(self, rows: NDArray[Any]) -> None:
        """Adds the arrays of n images: n x size."""
        add_rows(np.ascontiguousarray(rows, np.float64), self._sums)

    def merge(self, other: "RunningMean") -> None:
        """Adds everything that the other has seen."""
        self._sums += other._sums

    def mean(self) -> NDArray[np.float64]:
        """The mean so far; NaN for elements that no image has."""
        first, second, third, fourth, count = self._sums
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((fourth + third + second + first) / count)
