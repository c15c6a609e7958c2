"""Metrics of boundaries: relaxed F, boundary IoU, boundary accuracy, from their definitions by morphology."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves
from sodbench.metrics.plain.picture import Picture
from sodbench.metrics.protocol import Protocol

Binary = NDArray[np.bool_]
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
SQUARE = np.ones((3, 3), np.uint8)


def relaxed_f(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """Shares of either boundary that lie near the other, and their F (BASNet 2019, section 4.2)."""
    element = SQUARE if protocol.boundary_erosion == "square" else CROSS
    disk = protocol.boundary_window == "disk"
    window = _disk(protocol.boundary_radius)
    window = window if disk else np.ones_like(window)

    def boundary(binary: Binary) -> Binary:
        return binary & ~_eroded(binary, element, beyond=True)

    mine, true = boundary(picture.map > 127.5), boundary(picture.truth(protocol))
    precision = _share(mine & _dilated(true, window), mine)
    recall = _share(true & _dilated(mine, window), true)
    if protocol.empty_mask == "agreement" and not mine.any() and not true.any():
        precision = recall = 1.0
    b2 = protocol.boundary_beta2
    bottom = b2 * precision + recall
    f = (1 + b2) * precision * recall / bottom if bottom else 0.0
    return {"relaxF": f, "relaxP": precision, "relaxR": recall}, {}


def boundary_iou(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """IoU of the rims, those pixels within 2 % of the diagonal of the background (Cheng 2021)."""
    depth = max(1, round(0.02 * math.hypot(*picture.map.shape)))
    rims = []
    for binary in (_above_half(picture, protocol), picture.truth(protocol)):
        inner = _eroded(binary, np.ones((2 * depth + 1, 2 * depth + 1), np.uint8), beyond=False)
        rims.append(binary & ~inner)
    if not (rims[0] | rims[1]).any():
        return {"bIoU": float(protocol.empty_mask == "agreement")}, {}
    return {"bIoU": _share(rims[0] & rims[1], rims[0] | rims[1])}, {}


def boundary_accuracy(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """The mean accuracy near the mask's boundary, at five widths (CascadePSP 2020)."""
    truth = picture.truth(protocol)
    if not truth.any() or truth.all():
        return {"mBA": math.nan}, {}
    right = _above_half(picture, protocol) == truth
    shares = []
    for step in range(5):
        widest = (truth.shape[0] + truth.shape[1]) / 300
        window = _disk(1 + max(int(step * (widest - 1) / 5), 0))
        near = _dilated(truth, window) & ~_eroded(truth, window, beyond=True)
        shares.append(_share(right & near, near))
    return {"mBA": sum(shares) / 5}, {}


def _above_half(picture: Picture, protocol: Protocol) -> Binary:
    return np.asarray(picture.x(protocol.f_scale, protocol.scale_epsilon) > 0.5)


def _disk(radius: int) -> NDArray[np.uint8]:
    """The disk dx^2 + dy^2 <= radius^2."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(x * x + y * y <= radius * radius, np.uint8)


def _eroded(binary: Binary, element: NDArray[np.uint8], *, beyond: bool) -> Binary:
    """Erosion; what lies beyond the image counts as object, or as background."""
    value = (1.0,) if beyond else (0.0,)
    kept = cv2.erode(binary.view(np.uint8), element, borderType=cv2.BORDER_CONSTANT, borderValue=value)
    return np.asarray(kept > 0)


def _dilated(binary: Binary, element: NDArray[np.uint8]) -> Binary:
    grown = cv2.dilate(binary.view(np.uint8), element, borderType=cv2.BORDER_CONSTANT, borderValue=(0.0,))
    return np.asarray(grown > 0)


def _share(part: Binary, whole: Binary) -> float:
    """How much of `whole` is in `part`; 0 of nothing."""
    size = np.count_nonzero(whole)
    return np.count_nonzero(part) / size if size else 0.0
