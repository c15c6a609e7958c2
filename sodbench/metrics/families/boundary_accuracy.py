"""mBA, mean boundary accuracy: pixels right near the mask's boundary; in 0..1, higher is better.

mBA is the mean of five accuracies. Accuracy i is the share of pixels on which map (x > .5) and mask agree,
among the pixels within r_i of the mask's boundary (dilation minus erosion by the disk dx^2 + dy^2 <= r_i^2),
with r_i = 1 + floor(i (R - 1) / 5), i = 0..4, R = (height + width) / 300. An image whose mask has no boundary
(empty or full) is left out.
Source: Cheng et al., CascadePSP: toward class-agnostic and very high-resolution segmentation, CVPR 2020.
"""

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's mean boundary accuracy."""
    truth = measurement.truth > 0
    if measurement.mask.n_object in (0, truth.size):
        return {"mBA": np.nan}, {}
    right = measurement.above_half(protocol.f_scale, protocol.scale_epsilon) == truth
    distance = _distance_to_other_side(truth)
    largest = (truth.shape[0] + truth.shape[1]) / 300
    shares = []
    for step in range(5):
        radius = 1 + max(int(step * (largest - 1) / 5), 0)
        near = distance <= radius * radius
        shares.append(np.count_nonzero(right & near) / np.count_nonzero(near))
    return {"mBA": float(np.mean(shares))}, {}


def _distance_to_other_side(truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The squared distance of each pixel to the nearest one of the other value."""
    from scipy.ndimage import distance_transform_edt

    inside, outside = distance_transform_edt(truth), distance_transform_edt(~truth)
    return np.asarray(np.rint((inside + outside) ** 2))


FAMILY = Family(
    name="mBA",
    source="Cheng et al., CVPR 2020",
    metrics=(MetricInfo("mBA", "mean boundary accuracy"),),
    measure=measure,
)
