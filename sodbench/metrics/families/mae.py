"""MAE: the mean absolute error between map and mask.

MAE = mean |x - G|, in 0..1, lower is better; the data set's value is the mean over images.
Source: Perazzi et al., Saliency filters, CVPR 2012.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sodbench.metrics.family import Columns, Curves, Family, Means, MetricInfo

if TYPE_CHECKING:
    from sodbench.metrics.measurement import Measurement
    from sodbench.metrics.protocol import Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's MAE; against the grey mask divided by its maximum where the protocol says so."""
    from sodbench.metrics.kernels import curves

    x = measurement.scaled(protocol.mae_scale, protocol.scale_epsilon)
    grey = measurement.grey_mask
    if protocol.mask_in_mae == "grey" and not measurement.mask_has_two_values:
        image = x[measurement.codes]
        truth = grey / (float(grey.max()) + protocol.scale_epsilon)
        return {"MAE": float(np.abs(image - truth).sum() / (grey.size + protocol.scale_epsilon))}, {}
    return {"MAE": curves.mean_absolute_error(measurement.total, x)}, {}


def score(means: Means, curves: Means, protocol: Protocol) -> dict[str, Any]:
    """The mean over images."""
    return {"MAE": means["MAE"]}


FAMILY = Family(
    name="MAE",
    metrics=(MetricInfo("MAE", "MAE", "lower", (0.0, 1.0), "Perazzi et al., CVPR 2012"),),
    measure=measure,
    score=score,
    standard=True,
)
