"""A map and its mask as the plain metrics see them: scaled values, the object, counts at thresholds."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.protocol import Protocol

T = TypeVar("T")
Array = NDArray[np.float64]
GREY: Array = np.arange(256, dtype=np.float64)  # the values of an 8-bit image
LEVELS: NDArray[np.int64] = np.arange(256)


def looked_up(values: NDArray[np.uint8], table: Array) -> Array:
    """The table's value for each pixel."""
    return np.asarray(cv2.LUT(values, table))


class Picture:
    """An 8-bit map and its 8-bit mask (H x W both); what several protocols share is computed once."""

    def __init__(self, saliency_map: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
        """Both arrays are kept as they are."""
        self.map = saliency_map
        self.mask = mask
        self.lowest, self.highest = int(saliency_map.min()), int(saliency_map.max())
        self._known: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value kept under `key`, made when it is first asked for."""
        if key not in self._known:
            self._known[key] = make()
        value: T = self._known[key]
        return value

    def scaled(self, scale: str, epsilon: float) -> Array:
        """x for each of the 256 grey values of the map; m / 255 where the map cannot be scaled."""
        unit = GREY / 255
        low, high = unit[self.lowest], unit[self.highest]
        if scale == "min-max" and high > low:
            return np.asarray((unit - low) / (high - low))
        if scale == "max" and epsilon > 0:
            return np.asarray(GREY / (self.highest + epsilon))
        if scale == "max" and high > 0:
            return np.asarray(unit / high)
        return unit

    def x(self, scale: str, epsilon: float) -> Array:
        """The scaled map, H x W."""
        return self.once(("x", scale, epsilon), lambda: looked_up(self.map, self.scaled(scale, epsilon)))

    def object_key(self, protocol: Protocol) -> bytes:
        """Which of the mask's grey values are object: equal for protocols that see the same object."""
        return self.once(
            ("object key", protocol.mask_threshold, protocol.mask_scale, protocol.mask_comparator),
            lambda: (self._is_object(protocol) & self._mask_values()).tobytes(),
        )

    def truth(self, protocol: Protocol) -> NDArray[np.bool_]:
        """The object: where the mask, as it is or scaled by its maximum, passes the threshold."""

        def make() -> NDArray[np.bool_]:
            return cv2.LUT(self.mask, self._is_object(protocol).view(np.uint8)).view(np.bool_)

        return self.once(("truth", self.object_key(protocol)), make)

    def _is_object(self, protocol: Protocol) -> NDArray[np.bool_]:
        grey = GREY * 255 / (float(self.mask.max()) + 1e-8) if protocol.mask_scale == "max" else GREY
        if protocol.mask_comparator == ">":
            return np.asarray(grey > protocol.mask_threshold)
        return np.asarray(grey >= protocol.mask_threshold)

    def _mask_values(self) -> NDArray[np.bool_]:
        return self.once("mask values", lambda: _tally(self.mask) > 0)

    def quadrants(self, protocol: Protocol) -> Array:
        """How many background and object pixels have each grey value, by quadrant: 4 x 2 x 256.

        The image is cut at the object's rounded mean position, plus one.
        """

        def count() -> Array:
            truth = self.truth(protocol)
            row, column = (_cut(truth, axis, protocol.s_centre_rounding) for axis in (1, 0))
            counts = []
            for above in (slice(0, row), slice(row, None)):
                for left in (slice(0, column), slice(column, None)):
                    values, inside = self.map[above, left], truth[above, left]
                    hit = _tally(values, inside.view(np.uint8))
                    counts.append([_tally(values) - hit, hit])
            return np.array(counts)

        return self.once(("quadrants", self.object_key(protocol), protocol.s_centre_rounding), count)

    def tallies(self, protocol: Protocol) -> Array:
        """How many background and how many object pixels have each grey value of the map: 2 x 256."""
        key = ("tallies", self.object_key(protocol))
        return self.once(key, lambda: np.asarray(self.quadrants(protocol).sum(axis=0)))

    def n_object(self, protocol: Protocol) -> int:
        """The number of object pixels."""
        return int(self.tallies(protocol)[1].sum())

    def above_levels(self, protocol: Protocol, scale: str, comparator: str = ">=") -> Array:
        """Background and object pixels that pass each level of the protocol's curves: 2 x levels."""
        x = self.scaled(scale, protocol.scale_epsilon)
        level = LEVELS[: protocol.levels]
        if protocol.quantise == "exact":
            reached = x[:, None] >= level / 255 if comparator == ">=" else x[:, None] > level / 255
        else:
            # half a level rounds up, also where 255 x is a rounding error below it
            rounded = np.floor(255 * x + 0.5 + 1e-9) if protocol.quantise == "round" else np.floor(255 * x)
            reached = rounded[:, None] >= level if comparator == ">=" else rounded[:, None] > level
        return np.asarray(self.tallies(protocol) @ reached)

    def above_adaptive(self, protocol: Protocol, scale: str, comparator: str = ">=") -> Array:
        """Background and object pixels that pass the adaptive threshold min(2 mean(x), 1).

        Where the protocol scores agreement, an all-zero map predicts nothing.
        """
        if protocol.empty_mask == "agreement" and self.highest == 0:
            return np.zeros(2)
        epsilon = protocol.scale_epsilon
        x, counts = self.scaled(scale, epsilon), self.tallies(protocol).sum(axis=0)
        threshold = min(2 * float(counts @ x) / self.map.size, 1.0)
        if np.abs(x - threshold)[counts > 0].min() < 1e-9:
            # on a level: it counts how the toolkits round the mean, that of the pixels
            threshold = min(2 * float(self.x(scale, epsilon).mean()), 1.0)
        return np.asarray(self.tallies(protocol) @ (x >= threshold if comparator == ">=" else x > threshold))

    def above_half(self, protocol: Protocol) -> Array:
        """Background and object pixels with x > .5."""
        return np.asarray(
            self.tallies(protocol) @ (self.scaled(protocol.f_scale, protocol.scale_epsilon) > 0.5)
        )


def _cut(truth: NDArray[np.bool_], axis: int, rounding: str) -> int:
    """Where the object's rounded mean position, plus one, cuts the image; 0 without an object."""
    count = np.count_nonzero(truth, axis=axis)
    if not count.any():
        return 0
    mean = float((count @ np.arange(count.size)) / count.sum())
    return 1 + (round(mean) if rounding == "half-even" else int(np.floor(mean + 0.5)))


def _tally(values: NDArray[np.uint8], inside: NDArray[np.uint8] | None = None) -> Array:
    """How many pixels, or how many of those marked, have each grey value."""
    if values.size == 0:
        return np.zeros(256)
    return np.asarray(cv2.calcHist([values], [0], inside, [256], [0, 256]).ravel().astype(np.float64))
