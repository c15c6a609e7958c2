"""From the levels of a map to x in 0..1, and from x to the levels of the curves, as each protocol does it."""

from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

BYTES: NDArray[np.float64] = np.arange(256, dtype=np.float64)


@lru_cache(maxsize=4096)
def scaled_bytes(low: float, high: float, scale: str, epsilon: float) -> NDArray[np.float64]:
    """x for each of the 256 levels of an 8-bit map whose values span low..high."""
    if scale == "max" and epsilon:
        return BYTES / (high + epsilon)
    return _scaled(BYTES / 255, low / 255, high / 255, scale)


def scaled_floats(values: NDArray[Any], low: float, high: float, scale: str, epsilon: float) -> NDArray[Any]:
    """x for each distinct value of a map in 0..1 spanning low..high, in the values' own precision."""
    kind = values.dtype.type
    bottom, top = kind(low), kind(high)
    if scale == "min-max" and high > low:
        # divided by 255 first, as toolkits that expect 8 bits do: the same roundings give the same levels
        return _scaled(values / kind(255), bottom / kind(255), top / kind(255), scale)
    if scale == "max" and epsilon:
        return np.asarray(values / (high + epsilon / 255))
    return _scaled(values, bottom, top, scale)


def own_precision(values: NDArray[np.float64]) -> NDArray[Any]:
    """The values as float32 if they were float32 before: 255 (k / 255) is k only in that precision."""
    single = values.astype(np.float32)
    return single if np.array_equal(single, values) else values


def _scaled(unit: NDArray[Any], low: Any, high: Any, scale: str) -> NDArray[Any]:
    if scale == "max" and high > 0:
        return np.asarray(unit / high)
    if scale == "min-max" and high > low:
        return np.asarray((unit - low) / (high - low))
    return unit


@lru_cache(maxsize=4096)
def byte_curve_levels(
    low: float, high: float, scale: str, epsilon: float, n: int, quantise: str, comparator: str
) -> NDArray[np.int64]:
    """The curve level that each of the 256 levels of an 8-bit map reaches."""
    return curve_levels(scaled_bytes(low, high, scale, epsilon), n, quantise, comparator)


def curve_levels(x: NDArray[Any], n: int, quantise: str, comparator: str) -> NDArray[np.int64]:
    """The highest curve level that each x reaches, -1 for none; of 255 levels the last holds the top two."""
    if quantise == "exact":
        side: Literal["left", "right"] = "right" if comparator == ">=" else "left"
        level: NDArray[Any] = np.searchsorted(np.arange(256) / 255, x, side=side) - 1
    else:
        scaled = 255 * x
        # half a level rounds up, also where x is a rounding error below it
        level = np.floor(scaled + (0.5 + 1e-9)) if quantise == "round" else np.floor(scaled)
        if comparator == ">":
            level = level - 1
    return np.clip(level, -1, n - 1).astype(np.int64)
