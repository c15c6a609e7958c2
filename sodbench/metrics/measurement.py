"""One map against one mask: the pixel sums that every protocol's scores follow from, each taken once."""

from functools import cache, cached_property, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.checks import MapArray
from sodbench.metrics.kernels import boundary, curves, histogram, weighting
from sodbench.metrics.mask import MaskWork, distance_weight
from sodbench.metrics.protocol import Protocol

ROUNDING = 1e-12  # adaptive thresholds nearer to a level than this hang on how a mean was rounded


class Measurement:
    """A checked map (uint8, or float64 in 0..1) and the work of its binary mask.

    Nothing here depends on a protocol but by the arguments: several protocols share one measurement.
    """

    def __init__(self, values: MapArray, mask: MaskWork, grey_mask: NDArray[np.uint8]) -> None:
        """`grey_mask` is the mask before binarisation, which one protocol's MAE compares with."""
        self.values = values
        self.mask = mask
        self.grey_mask = grey_mask
        self._histograms: dict[tuple[int, int], NDArray[np.int64]] = {}
        self._counts: dict[tuple[str, float, int, str, str], NDArray[np.int64]] = {}
        self._adaptive: dict[tuple[str, float, str], tuple[int, int]] = {}
        if values.dtype == np.uint8:
            self.is_float = False
            self.levels = _byte_levels()
            self.codes: NDArray[np.integer[Any]] = values.astype(np.uint8, copy=False)
        else:
            self.is_float = True
            self.levels, codes = np.unique(values, return_inverse=True)
            self.codes = codes.reshape(values.shape)

    def histogram(self, rounding: str = "half-even") -> NDArray[np.int64]:
        """Counts [4 quadrants, 2 mask values, levels], quadrants cut at the mask's centre."""
        key = self.mask.centre(rounding)
        found = self._histograms.get(key)
        if found is None:
            found = self._histograms[key] = self._count(*key)
        return found

    def _count(self, row: int, column: int) -> NDArray[np.int64]:
        if not self.is_float:
            out = np.empty((4, 2, 256), np.int64)
            levels = self.values.astype(np.uint8, copy=False)
            histogram.joint_histogram(levels, self.mask.binary, row, column, out)
            return out
        quadrant = np.zeros(self.values.shape, np.intp)
        quadrant[row:] += 2
        quadrant[:, column:] += 1
        size = self.levels.size
        index = (quadrant * 2 + self.mask.binary) * size + self.codes
        return np.bincount(index.ravel(), minlength=8 * size).reshape(4, 2, size).astype(np.int64)

    @cached_property
    def total(self) -> NDArray[np.int64]:
        """Counts [2 mask values, levels] over the whole image."""
        return np.ascontiguousarray(self.histogram().sum(axis=0))

    @cached_property
    def extent(self) -> tuple[float, float]:
        """The smallest and the largest value of the map, in its own units (0..255 or 0..1)."""
        if self.is_float:
            return float(self.levels[0]), float(self.levels[-1])
        present = np.flatnonzero(self.total[0] + self.total[1])
        return float(present[0]), float(present[-1])

    def scaled(self, scale: str, epsilon: float = 0.0) -> NDArray[np.float64]:
        """x for each level of the map (256 levels, or the distinct values of a float map)."""
        low, high = self.extent
        if self.is_float:
            return _scaled_floats(self.levels, low, high, scale, epsilon)
        return _scaled_bytes(low, high, scale, epsilon)

    def counts(self, protocol: Protocol, scale: str, comparator: str = ">=") -> NDArray[np.int64]:
        """Background and object pixels [2, levels] at or above each level of the protocol's curves."""
        key = (scale, protocol.scale_epsilon, protocol.levels, protocol.quantise, comparator)
        found = self._counts.get(key)
        if found is None:
            low, high = self.extent
            if self.is_float:
                x = self.scaled(scale, protocol.scale_epsilon)
                level = _curve_levels(x, protocol.levels, protocol.quantise, comparator)
            else:
                level = _byte_curve_levels(low, high, *key)
            found = np.empty((2, protocol.levels), np.int64)
            curves.counts_above(self.total, level, found)
            self._counts[key] = found
        return found

    def adaptive_counts(self, protocol: Protocol, scale: str, comparator: str = ">=") -> tuple[int, int]:
        """Background and object pixels with x >= (or >) the adaptive threshold min(2 mean(x), 1).

        Where the protocol scores agreement, an all-zero map predicts nothing (its threshold is 0).
        """
        if protocol.empty_mask == "agreement" and self.extent[1] == 0:
            return 0, 0
        key = (scale, protocol.scale_epsilon, comparator)
        found = self._adaptive.get(key)
        if found is None:
            x = self.scaled(scale, protocol.scale_epsilon)
            background, hit, _, gap = curves.adaptive_counts(self.total, x, comparator == ">")
            if gap < ROUNDING:
                # the threshold falls on a level: take the mean as the toolkits do, over the image
                threshold = min(2 * x[self.codes].mean(), 1.0)
                above = x > threshold if comparator == ">" else x >= threshold
                background = int(self.total[0, above].sum())
                hit = int(self.total[1, above].sum())
            found = self._adaptive[key] = (int(background), int(hit))
        return found

    def affine(self, scale: str, epsilon: float = 0.0) -> tuple[float, float]:
        """The values (low, high) of the map that become x = 0 and x = 1."""
        low, high = self.extent
        if scale == "max" and high + epsilon > 0:
            return 0.0, high + epsilon
        if scale == "min-max" and high > low:
            return low, high
        return 0.0, 1.0 if self.is_float else 255.0

    @cached_property
    def weighted_background(self) -> float:
        """The sum over the background of value x w, w = exp(ln .5 / 5 x distance to the object)."""
        return weighting.weighted_background(self.values, self.mask.distances[0], distance_weight())

    @cached_property
    def mask_has_two_values(self) -> bool:
        """True where the mask as it came holds nothing between 0 and its maximum."""
        grey = self.grey_mask
        return bool(np.count_nonzero(grey) == np.count_nonzero(grey == grey.max()))

    @cached_property
    def _filled(self) -> MapArray:
        filled = np.empty_like(self.values)
        weighting.fill_band(self.values, self.mask.distances[1], self.mask.distances[2], filled)
        return filled

    def smoothed_object_error(self, top: float) -> float:
        """The sum over the object of min(E, smoothed E) with E = top - value, in the map's own units."""
        return weighting.smoothed_object_error(self._filled, self.mask.binary, _gaussian(), top)

    def boundary_counts(self, square: bool, disk: bool, radius: int) -> tuple[int, int, int, int]:
        """Pixels of the map's boundary (binarised at .5) and those near the mask's; then the reverse."""
        half = 128 if not self.is_float else 0.5
        binary = (self.values >= half).view(np.uint8)
        edge = np.empty_like(binary)
        length = boundary.inner_boundary(binary, square, edge)
        window = np.empty_like(binary)
        boundary.spread(edge, disk, radius, window)
        true_edge, true_length = self.mask.boundary(square)
        near = boundary.common(edge, self.mask.boundary_window(square, disk, radius))
        return length, near, true_length, boundary.common(true_edge, window)


def _scale(
    unit: NDArray[np.float64], low: float, high: float, scale: str, epsilon: float
) -> NDArray[np.float64]:
    if scale == "max":
        return unit / (high + epsilon) if high + epsilon > 0 else unit
    if scale == "min-max" and high > low:
        return (unit - low) / (high - low)
    return unit


@lru_cache(maxsize=4096)
def _scaled_bytes(low: float, high: float, scale: str, epsilon: float) -> NDArray[np.float64]:
    levels = _byte_levels()
    if scale == "max" and epsilon:
        return levels / (high + epsilon)
    return _scale(levels / 255, low / 255, high / 255, scale, 0.0)


def _scaled_floats(
    levels: NDArray[np.float64], low: float, high: float, scale: str, epsilon: float
) -> NDArray[np.float64]:
    if scale == "min-max" and high > low:
        # through / 255 as toolkits that expect 8 bits do: the same roundings, the same levels
        return _scale(levels / 255, low / 255, high / 255, scale, 0.0)
    return _scale(levels, low, high, scale, epsilon / 255)


@lru_cache(maxsize=4096)
def _byte_curve_levels(
    low: float, high: float, scale: str, epsilon: float, n: int, quantise: str, comparator: str
) -> NDArray[np.int64]:
    return _curve_levels(_scaled_bytes(low, high, scale, epsilon), n, quantise, comparator)


def _curve_levels(x: NDArray[np.float64], n: int, quantise: str, comparator: str) -> NDArray[np.int64]:
    """The highest curve level that each x reaches; with 255 levels the last one holds the top two."""
    if quantise == "truncate":
        level: NDArray[Any] = np.floor(255 * x)
    elif quantise == "round":
        level = np.floor(255 * x + 0.5)
    else:
        side: Literal["left", "right"] = "right" if comparator == ">=" else "left"
        level = np.searchsorted(np.arange(256) / 255, x, side=side) - 1
    if quantise != "exact" and comparator == ">":
        level = level - 1
    return np.clip(level, -1, n - 1).astype(np.int64)


@cache
def _byte_levels() -> NDArray[np.float64]:
    return np.arange(256, dtype=np.float64)


@cache
def _gaussian() -> NDArray[np.float64]:
    """One side of the 7 x 7 Gaussian of sigma 5 (it is separable)."""
    side = np.exp(-(np.arange(-3, 4.0) ** 2) / 50)
    return np.asarray(side / side.sum())
