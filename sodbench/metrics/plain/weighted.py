"""The weighted F-measure (Margolin 2014), from its equations."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves
from sodbench.metrics.plain.picture import Picture
from sodbench.metrics.protocol import Protocol

MARGIN = 3  # half the 7 x 7 window
SIDE = np.exp(-(np.arange(-MARGIN, MARGIN + 1.0) ** 2) / (2 * 5**2))
SIDE = SIDE / SIDE.sum()  # the window is the outer product of its sides


def weighted_f(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """F of the weighted precision TP / (TP + FP) and the weighted recall 1 - mean error in the object.

    An empty mask scores 0, or 1 - mean(x) where the protocol scores agreement.
    """
    n_object, b2 = picture.n_object(protocol), protocol.wf_beta2
    if n_object == 0:
        mean = float(picture.x(protocol.wf_scale, protocol.scale_epsilon).mean())
        return {"wF": 1 - mean if protocol.empty_mask == "agreement" else 0.0}, {}
    missed, false = picture.once(
        ("weighted errors", picture.object_key(protocol), protocol.wf_scale, protocol.scale_epsilon),
        lambda: _weighted_errors(picture, protocol),
    )
    hit = n_object - missed
    recall = 1 - missed / n_object
    precision = _over(hit, hit + false + protocol.wf_epsilon)
    return {"wF": _over((1 + b2) * recall * precision, recall + b2 * precision + protocol.wf_epsilon)}, {}


def _over(top: float, bottom: float) -> float:
    return top / bottom if bottom else 0.0


def _weighted_errors(picture: Picture, protocol: Protocol) -> tuple[float, float]:
    """The sums of the weighted errors inside and outside the object."""
    key = picture.object_key(protocol)
    x = picture.scaled(protocol.wf_scale, protocol.scale_epsilon)
    surroundings = picture.once(("surroundings", key), lambda: _surroundings(picture, protocol))
    # in single precision (a relative error of 1e-7), summed in double
    single = x.astype(np.float32)
    outside = cv2.sumElems(cv2.multiply(cv2.LUT(picture.map, single), surroundings.importance))[0]
    # inside: the error, or the error smoothed where that is smaller; the smoothing sees, outside the object,
    # the error of the nearest object pixel, and beyond the image none
    error = cv2.copyTo(cv2.LUT(surroundings.map, 1 - single), surroundings.within)
    pixels = error.reshape(-1)
    pixels[surroundings.band] = pixels[surroundings.nearest]
    smooth = cv2.sepFilter2D(error, cv2.CV_32F, SIDE, SIDE)
    inside = cv2.sumElems(cv2.copyTo(cv2.min(error, smooth), surroundings.truth))[0]
    return float(inside), float(outside)


@dataclass(frozen=True)
class _Surroundings:
    """What depends on the mask, and of the map its crop.

    `importance`: 2 - exp(ln .5 / 5 d) outside the object, 0 in it. Of the object's bounding box with a margin
    of 8 (a band of 4, and what is sought around it): `map` and `truth`; `within`, the pixels inside the
    image; `band` and `nearest`, flat indices of the background pixels that the smoothing meets and of the
    object pixel nearest to each.
    """

    importance: NDArray[Any]
    map: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    within: NDArray[np.uint8]
    band: NDArray[np.intp]
    nearest: NDArray[np.intp]


def _surroundings(picture: Picture, protocol: Protocol) -> _Surroundings:
    truth = picture.truth(protocol)
    outside = (~truth).view(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    importance = cv2.copyTo(2 - cv2.exp(distance * np.float32(math.log(0.5) / 5)), outside)
    left, top, width, height = cv2.boundingRect(truth.view(np.uint8))
    rows, columns = _padded(top, height, truth.shape[0]), _padded(left, width, truth.shape[1])

    def cropped(values: NDArray[Any]) -> NDArray[Any]:
        inner = values[rows[0] : rows[1], columns[0] : columns[1]]
        return cv2.copyMakeBorder(inner, *rows[2:], *columns[2:], cv2.BORDER_CONSTANT, value=(0.0,))

    near = cropped(truth.view(np.uint8))
    band, nearest = _nearest_in_the_object(near, cropped(distance))
    within = cropped(np.ones_like(outside))
    return _Surroundings(importance, cropped(picture.map), near, within, band, nearest)


def _padded(first: int, size: int, end: int) -> tuple[int, int, int, int]:
    """From where to where to cut, and what to add before and after, for a margin of 8 on both sides."""
    start, stop = first - 2 * (MARGIN + 1), first + size + 2 * (MARGIN + 1)
    return max(start, 0), min(stop, end), max(-start, 0), max(stop - end, 0)


def _nearest_in_the_object(
    truth: NDArray[np.uint8], distance: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The background pixels whose value the smoothing meets, and the object pixel nearest to each (flat).

    Of several at the same distance it is the one of the smallest column, then of the smallest row.
    """
    reach = 2 * MARGIN * MARGIN
    band = np.flatnonzero((distance > 0) & (distance < math.sqrt(reach) + 0.01))
    squared = np.rint(distance.ravel()[band].astype(np.float64) ** 2).astype(np.intp)
    nearest = np.empty(band.size, np.intp)
    inside = truth.ravel() > 0
    for away, offsets in _offsets(reach).items():
        here = np.flatnonzero(squared == away)
        for dx, dy in offsets:
            place = band[here] + dy * truth.shape[1] + dx
            hit = inside[place]
            nearest[here[hit]] = place[hit]
            here = here[~hit]
    return band, nearest


@cache
def _offsets(reach: int) -> dict[int, list[tuple[int, int]]]:
    """The offsets (dx, dy) by their squared length, by column and then by row."""
    side = range(-MARGIN - 1, MARGIN + 2)
    offsets: dict[int, list[tuple[int, int]]] = {}
    for dx in side:
        for dy in side:
            if 0 < dx * dx + dy * dy <= reach:
                offsets.setdefault(dx * dx + dy * dy, []).append((dx, dy))
    return offsets
