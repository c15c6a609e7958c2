"""Random numbers and functions that give the same bits on every machine and with every numpy.

The rules that make the sample the same everywhere: random bits come from PCG64's raw stream (whose bits are
guaranteed; those of the distribution methods are not), and arrays are computed only by single elementwise
operations that IEEE 754 rounds exactly (+ - * / sqrt floor, comparisons), in double precision. No libm
functions, no matrix products, no sums of floats whose order a vector unit could change.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]  # float64 at run time
T = TypeVar("T")

_TO_UNIT = 2.0**-53
# cos(2 pi t) as an even polynomial in t, |t| <= 1/4 (Taylor terms, error below 1e-9)
_COSINE = (
    7.903536371318466,
    -26.426256783374397,
    60.24464137187666,
    -85.45681720669373,
    64.93939402266829,
    -19.739208802178716,
    1.0,
)


class RandomStream:
    """An endless stream of random numbers, determined by whole numbers (split, picture) alone."""

    def __init__(self, *key: int) -> None:
        self._bits: np.random.BitGenerator = np.random.PCG64(np.random.SeedSequence(list(key)))

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number in [low, high)."""
        return low + (high - low) * ((int(self._bits.random_raw()) >> 11) * _TO_UNIT)

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.uniform() < probability

    def choice(self, items: Sequence[T]) -> T:
        """One of the items, all equally likely."""
        return items[self.whole(0, len(items) - 1)]

    def grid(self, *shape: int) -> Array:
        """An array of numbers in [0, 1)."""
        count = int(np.prod(shape))
        raw = np.asarray(self._bits.random_raw(count), np.uint64)
        return np.asarray((raw >> np.uint64(11)).astype(np.float64) * _TO_UNIT).reshape(shape)

    def bells(self, *shape: int) -> Array:
        """An array of nearly normal numbers, mean 0 and deviation 1: sums of four 16-bit numbers."""
        count = int(np.prod(shape))
        raw = np.asarray(self._bits.random_raw(count), np.uint64)
        low = np.uint64(0xFFFF)
        total = sum(((raw >> np.uint64(shift)) & low).astype(np.int64) for shift in (0, 16, 32, 48))
        return ((np.asarray(total) - 131070) * (1.0 / 37837.0)).reshape(shape)


def cosine(turns: Array) -> Array:
    """cos(2 pi turns), by exactly rounded steps only."""
    t = turns - np.floor(turns + 0.5)  # [-1/2, 1/2)
    t = np.abs(t)
    flipped = t > 0.25
    t = np.where(flipped, 0.5 - t, t)
    square = t * t
    value = np.full_like(t, _COSINE[0])
    for factor in _COSINE[1:]:
        value = value * square + factor
    return np.where(flipped, -value, value)


def sine(turns: Array) -> Array:
    """sin(2 pi turns)."""
    return cosine(turns - 0.25)


def smooth_step(x: Array) -> Array:
    """0 below 0, 1 above 1, 3 x^2 - 2 x^3 between."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def mix(a: Array | float, b: Array | float, share: Array | float) -> Array:
    """a where share is 0, b where it is 1."""
    return np.asarray(a + (b - a) * share)


def exact_mean(values: Array) -> float:
    """The mean, summed as whole numbers of 2^-30: the order of a sum cannot change it."""
    return float(int(np.floor(values * 1073741824.0).astype(np.int64).sum())) / (values.size * 1073741824.0)
