"""Boundary IoU: IoU of the inner rims of map and mask; in 0..1, higher is better.

The rim of a binary image is its pixels within d of the background (d steps of 3 x 3 erosion; beyond the
image is background), d = 2 % of the image's diagonal, at least 1. The map is binarised at x > .5. Two
images without any rim score 0, or 1 where the protocol scores agreement.
Source: Cheng et al., Boundary IoU: improving object-centric image segmentation evaluation, CVPR 2021.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol

SHARE = 0.02


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's boundary IoU."""
    height, width = measurement.values.shape
    depth = max(1, round(SHARE * math.hypot(height, width)))
    mine = rim(measurement.above_half(protocol.f_scale, protocol.scale_epsilon), depth)
    true = rim(measurement.truth > 0, depth)
    union = np.count_nonzero(mine | true)
    if union == 0:
        return {"bIoU": float(protocol.empty_mask == "agreement")}, {}
    return {"bIoU": np.count_nonzero(mine & true) / union}, {}


def rim(binary: NDArray[np.bool_], depth: int) -> NDArray[np.bool_]:
    """The pixels of a binary image that `depth` steps of 3 x 3 erosion take away."""
    from scipy.ndimage import minimum_filter1d

    eroded = binary.view(np.uint8)
    for axis in (0, 1):
        eroded = minimum_filter1d(eroded, 2 * depth + 1, axis, mode="constant", cval=0)
    return np.asarray(binary & (eroded == 0))


FAMILY = Family(
    name="bIoU",
    source="Cheng et al., CVPR 2021",
    metrics=(MetricInfo("bIoU", "boundary IoU"),),
    measure=measure,
)
