"""One map against one mask: the pixel sums that every protocol's scores follow from, each taken once."""

from functools import cache, cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics import levels
from sodbench.metrics.inputs import MapArray
from sodbench.metrics.kernels import bits, curves, histogram, weighting
from sodbench.metrics.mask import BinaryMask, MaskWork, distance_weight, padded_width, scratch, words
from sodbench.metrics.protocol import Protocol

# nearer to a level than this, an adaptive threshold depends on how a mean was rounded
ROUNDING, ROUNDING_SINGLE = 1e-12, 1e-5


class Measurement:
    """A checked map (uint8, or float64 in 0..1), its binary mask and the work of that mask.

    Only the arguments of its methods depend on a protocol, so that several protocols share one measurement.
    """

    def __init__(
        self, values: MapArray, mask: BinaryMask, work: MaskWork, grey_mask: NDArray[np.uint8], rounding: str
    ) -> None:
        """`grey_mask` is the mask before binarisation; `rounding` that of the S-measure asked for first."""
        self.values = values
        self.truth = mask.truth
        self.mask = work
        self.grey_mask = grey_mask
        self.is_float = values.dtype != np.uint8
        self._imperfect = np.empty_like(work.bits)
        self._half = np.empty_like(work.bits)
        self._counts: dict[tuple[str, float, int, str, str], NDArray[np.int64]] = {}
        self._adaptive: dict[tuple[str, float, str], tuple[int, int]] = {}
        self._weights: dict[float, NDArray[np.float64]] = {}
        self._boxes: list[NDArray[np.int64]] | None = None
        cut = work.centre(rounding)
        if self.is_float:
            distinct, codes = np.unique(values, return_inverse=True)
            self.levels: NDArray[Any] = levels.own_precision(distinct)
            self.codes: NDArray[Any] = codes.reshape(values.shape)
            histogram.pack_float_map(values, self.truth, self._imperfect, self._half)
            first = self._count_floats(*cut)
            self.total: NDArray[np.int64] = first.sum(axis=0)
            # the smallest and the largest value of the map, in its own units (0..255 or 0..1)
            self.extent = float(self.levels[0]), float(self.levels[-1])
        else:
            self.levels = levels.BYTES
            self.codes = values
            first = np.empty((4, 2, 256), np.int64)
            self.total = np.empty((2, 256), np.int64)
            low, high = histogram.read_map(
                self.codes,
                self.truth,
                work.bits,
                *cut,
                *work.quadrants(*cut),
                self._imperfect,
                self._half,
                first,
                self.total,
            )
            self.extent = float(low), float(high)
        self._histograms = {cut: first}

    def histogram(self, rounding: str = "half-even") -> NDArray[np.int64]:
        """Counts [4 quadrants, 2 mask values, levels], quadrants cut at the mask's centre."""
        cut = self.mask.centre(rounding)
        counts = self._histograms.get(cut)
        if counts is None:
            if self.is_float:
                counts = self._count_floats(*cut)
            else:
                counts = np.empty((4, 2, 256), np.int64)
                sizes = self.mask.quadrants(*cut)
                histogram.joint_histogram(self.codes, self._imperfect, self.mask.bits, *cut, *sizes, counts)
            self._histograms[cut] = counts
        return counts

    def _count_floats(self, row: int, column: int) -> NDArray[np.int64]:
        quadrant = np.zeros(self.values.shape, np.intp)
        quadrant[row:] += 2
        quadrant[:, column:] += 1
        size = self.levels.size
        index = (quadrant * 2 + self.truth // 255) * size + self.codes
        return np.bincount(index.ravel(), minlength=8 * size).reshape(4, 2, size).astype(np.int64)

    def scaled(self, scale: str, epsilon: float = 0.0) -> NDArray[np.float64]:
        """x for each level of the map (256 levels, or the distinct values of a float map)."""
        return self.own_scaled(scale, epsilon).astype(np.float64, copy=False)

    def own_scaled(self, scale: str, epsilon: float) -> NDArray[Any]:
        """`scaled` in the map's own precision: float32 where its values come from there."""
        if self.is_float:
            return levels.scaled_floats(self.levels, *self.extent, scale, epsilon)
        return levels.scaled_bytes(*self.extent, scale, epsilon)

    def above_half(self, scale: str, epsilon: float = 0.0) -> NDArray[np.bool_]:
        """The image binarised at x > .5."""
        return np.asarray((self.scaled(scale, epsilon) > 0.5)[self.codes])

    def first_above_half(self, protocol: Protocol) -> int:
        """The first of the map's levels with x > .5; how many levels there are where none is."""
        x = self.scaled(protocol.f_scale, protocol.scale_epsilon)
        return int(np.searchsorted(x, 0.5, side="right"))

    def first_adaptive(self, protocol: Protocol) -> int:
        """The first of the map's levels with x >= min(2 mean(x), 1); their number where none is."""
        if self.extent[1] == 0:
            return 0
        predicted = sum(self.adaptive_counts(protocol, protocol.f_scale))
        pixels = self.total.sum(axis=0)[::-1].cumsum()[::-1]
        return int(np.count_nonzero(pixels > predicted))

    def packed_from(self, first: int) -> NDArray[np.uint64]:
        """The pixels at or above a level of the map (by its index), packed."""
        packed = np.empty_like(self.mask.bits)
        if self.is_float:
            bits.pack_from((self.codes >= first).view(np.uint8) * np.uint8(255), 255, packed)
        else:
            bits.pack_from(self.codes, first, packed)
        return packed

    def byte_levels(self, protocol: Protocol) -> NDArray[np.uint8]:
        """floor(255 x) for each pixel."""
        x = self.own_scaled(protocol.f_scale, protocol.scale_epsilon)
        return np.asarray(levels.curve_levels(x, 256, "truncate", ">=").astype(np.uint8)[self.codes])

    def common_edge_cells(self, first: int) -> NDArray[np.int64]:
        """On grids of 1 to 512 pixels, the cells with an edge of the mask and of `packed_from(first)`."""
        from sodbench.metrics.kernels import grids

        turned = np.empty_like(self.mask.bits)
        grids.turn(self.packed_from(first), self.mask.width, turned)
        counts = np.empty(grids.SCALES, np.int64)
        grids.common_cells(turned, self.mask.width, self.mask.edge_grids[0], counts)
        return counts

    def common_edge_cells_by_level(self, protocol: Protocol) -> NDArray[np.int64]:
        """The same for floor(255 x) >= 0, 1 ... 256: 257 x 10."""
        from sodbench.metrics.kernels import grids

        counts = np.empty((257, grids.SCALES), np.int64)
        grids.common_cells_by_level(self.byte_levels(protocol), self.mask.edge_grids[0], counts)
        return counts

    def as_floats(self, protocol: Protocol) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The image as x in 0..1 and the mask as bool: what pysodmetrics takes without normalising."""
        x = self.scaled(protocol.f_scale, protocol.scale_epsilon)
        return x[self.codes], self.truth > 0

    def affine(self, scale: str, epsilon: float = 0.0) -> tuple[float, float]:
        """The values (low, high) of the map that become x = 0 and x = 1."""
        low, high = self.extent
        if scale == "max" and high + epsilon > 0:
            return 0.0, high + epsilon
        if scale == "min-max" and high > low:
            return low, high
        return 0.0, 1.0 if self.is_float else 255.0

    def counts(self, protocol: Protocol, scale: str, comparator: str = ">=") -> NDArray[np.int64]:
        """Background and object pixels [2, levels] at or above each level of the protocol's curves."""
        key = (scale, protocol.scale_epsilon, protocol.levels, protocol.quantise, comparator)
        counts = self._counts.get(key)
        if counts is None:
            if self.is_float:
                x = self.own_scaled(scale, protocol.scale_epsilon)
                level = levels.curve_levels(x, protocol.levels, protocol.quantise, comparator)
            else:
                level = levels.byte_curve_levels(*self.extent, *key)
            counts = np.empty((2, protocol.levels), np.int64)
            curves.counts_above(self.total, level, counts)
            self._counts[key] = counts
        return counts

    def adaptive_counts(self, protocol: Protocol, scale: str, comparator: str = ">=") -> tuple[int, int]:
        """Background and object pixels with x >= (or >) the adaptive threshold min(2 mean(x), 1).

        Where the protocol scores agreement, an all-zero map predicts nothing (its threshold is 0).
        """
        if protocol.empty_mask == "agreement" and self.extent[1] == 0:
            return 0, 0
        key = (scale, protocol.scale_epsilon, comparator)
        counts = self._adaptive.get(key)
        if counts is None:
            x = self.own_scaled(scale, protocol.scale_epsilon)
            background, hit, _, gap = curves.adaptive_counts(
                self.total, x.astype(np.float64, copy=False), comparator == ">"
            )
            if gap < self.rounding(x):
                # the threshold falls on a level: take the mean as the toolkits do, over the image
                threshold = min(2 * x[self.codes].mean(), 1.0)
                above = x > threshold if comparator == ">" else x >= threshold
                background = int(self.total[0, above].sum())
                hit = int(self.total[1, above].sum())
            counts = self._adaptive[key] = (background, hit)
        return counts

    @staticmethod
    def rounding(x: NDArray[Any]) -> float:
        """How near to a level an adaptive threshold depends on how the mean of x was rounded."""
        return ROUNDING if x.dtype == np.float64 else ROUNDING_SINGLE

    def box_histograms(self) -> list[NDArray[np.int64]]:
        """Counts [2 mask values, levels] in the box of every object of the mask, then outside all boxes."""
        from sodbench.metrics.kernels import objects

        if self._boxes is None:
            boxes = self.mask.object_boxes
            if self.is_float:
                self._boxes = self._count_floats_in_boxes(boxes)
            else:
                counts = np.empty((len(boxes) + 1, 2, 256), np.int64)
                objects.box_histograms(self.codes, self.mask.bits, boxes, counts)
                self._boxes = list(counts)
        return self._boxes

    def _count_floats_in_boxes(self, boxes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        size = self.levels.size
        index = (self.truth // 255) * np.intp(size) + self.codes
        rest = np.ones(index.shape, np.bool_)
        pixels = []
        for top, bottom, left, right in boxes:
            pixels.append(index[top:bottom, left:right].ravel())
            rest[top:bottom, left:right] = False
        pixels.append(index[rest])
        return [np.bincount(one, minlength=2 * size).reshape(2, size) for one in pixels]

    @property
    def background_sum(self) -> float:
        """The sum of the map's values over the background, in the map's own units."""
        return curves.background_sum(self.total, self.levels.astype(np.float64, copy=False))

    def weighted_errors(self, top: float) -> tuple[float, float]:
        """The two sums of the weighted F-measure, in the map's own units.

        Over the background value x w, w = exp(ln .5 / 5 x distance to the object); over the object
        min(E, smoothed E) with E = top - value.
        """
        sums = self._weights.get(top)
        if sums is None:
            work = self.mask
            away = work.distances(self.truth)
            filled = scratch("filled", (work.height + 6, padded_width(work.width)), self.values.dtype)
            sums = np.empty(2)
            with work.lock:
                weighting.weigh(
                    self.values,
                    self._imperfect,
                    work.bits,
                    away.vertical,
                    work.where,
                    away.known,
                    away.squared,
                    distance_weight(),
                    away.band,
                    away.nearest,
                    filled,
                    _gaussian(),
                    _mass(work.height),
                    _mass(work.width),
                    top,
                    sums,
                )
            self._weights[top] = sums
        return float(sums[0]), float(sums[1])

    @cached_property
    def weight_sum(self) -> float:
        """The sum of w over the background, for maps whose smallest value the protocol takes for 0."""
        work = self.mask
        away = work.distances(self.truth)
        everywhere = np.full_like(work.bits, 0xFFFFFFFFFFFFFFFF)
        with work.lock:
            weighting.squared_distance(
                everywhere, work.bits, away.vertical, away.left, away.known, away.squared
            )
        ones = np.ones(self.values.shape, np.uint8)
        return weighting.weighted_background(ones, everywhere, work.bits, away.squared, distance_weight())

    @cached_property
    def mask_is_the_object(self) -> bool:
        """True where the mask as it came is its maximum in the object and 0 elsewhere."""
        grey = self.grey_mask
        n_object = np.count_nonzero(grey)
        return bool(
            n_object == self.mask.n_object == np.count_nonzero((self.truth > 0) & (grey == grey.max()))
        )

    def boundary_counts(self, square: bool, disk: bool, radius: int) -> tuple[int, int, int, int]:
        """Pixels of the map's boundary (binarised at .5) and those near the mask's; then the reverse."""
        true_edge, true_length = self.mask.boundary(square)
        window = self.mask.boundary_window(square, disk, radius)
        out = np.empty(3, np.int64)
        bits.boundary_counts(self._half, self.mask.width, square, disk, radius, true_edge, window, out)
        return int(out[0]), int(out[1]), true_length, int(out[2])


@cache
def _gaussian() -> NDArray[np.float64]:
    """One side of the 7 x 7 Gaussian of sigma 5 (it is separable)."""
    side = np.exp(-(np.arange(-3, 4.0) ** 2) / 50)
    return np.asarray(side / side.sum())


@lru_cache(maxsize=64)
def _mass(n: int) -> NDArray[np.float64]:
    """How much of the Gaussian's side lies inside the image, at each of n positions; 0 up to whole words."""
    inside = np.zeros(64 * words(n))
    inside[:n] = np.convolve(np.ones(n), _gaussian())[3 : n + 3]
    return inside
