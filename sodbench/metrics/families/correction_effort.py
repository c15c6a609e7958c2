"""HCE, human correction effort: from 0 up, lower is better.

An estimate of the mouse clicks needed to correct the map (x > .5): the control points (Douglas and Peucker)
of the contours of wrong regions where these meet what is right, and one click for each region that meets
nothing. Errors within 5 pixels of the border of mask and map are relaxed, missed parts of the mask's
skeleton are not. Equal to py_sod_metrics.HumanCorrectionEffortMeasure; contours and polygons are OpenCV's,
as there.
Source: Qin et al., Highly accurate dichotomous image segmentation, ECCV 2022.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol

RELAX, EPSILON = 5, 2.0


def effort(measurement: Measurement, protocol: Protocol, relax: int = RELAX, epsilon: float = EPSILON) -> int:
    """The clicks: errors up to `relax` pixels are relaxed, polygons keep to `epsilon` pixels."""
    from sodbench.metrics.kernels import correction

    work = measurement.mask
    found = measurement.packed_from(measurement.first_above_half(protocol))
    errors = np.empty((4, *found.shape), np.uint64)
    correction.relaxed_errors(work.bits, found, work.skeleton, work.width, relax, *errors)
    surplus, missed, near_surplus, near_missed = errors
    return sum(
        _clicks(region, where, work.width, epsilon)
        for region, where in ((surplus, near_surplus), (missed, near_missed))
    )


def _clicks(region: NDArray[np.uint64], where: NDArray[np.uint64], width: int, epsilon: float) -> int:
    """The control points of a packed region's contours in `where`, and its parts that have none there."""
    import cv2

    from sodbench.metrics.kernels import correction

    if not region.any():
        return 0
    picture = np.empty((region.shape[0], width), np.uint8)
    correction.unpack(region, picture)
    contours, tree = cv2.findContours(picture, cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
    points = np.asarray(np.concatenate(contours)[:, 0], np.int32)
    ends = np.cumsum([len(contour) for contour in contours])
    out = np.empty((2 * len(points), 2), np.int32)
    pieces = np.empty((len(points), 2), np.int64)
    parents = tree[0, :, 3].astype(np.int64)
    count, alone = correction.boundaries(points, ends, parents, where, out, pieces)
    clicks = alone
    for start, end in pieces[:count].tolist():
        # one or two points stay as they are
        clicks += end - start if end - start < 3 else len(cv2.approxPolyDP(out[start:end], epsilon, False))
    return clicks


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's human correction effort."""
    return {"HCE": float(effort(measurement, protocol))}, {}


FAMILY = Family(
    name="HCE",
    source="Qin et al., ECCV 2022",
    metrics=(MetricInfo("HCE", "human correction effort", higher_is_better=False, range=(0.0, math.inf)),),
    measure=measure,
)
