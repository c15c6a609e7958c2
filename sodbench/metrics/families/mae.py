"""MAE: the mean absolute error between map and mask.

MAE = mean |x - G|, in 0..1, lower is better; the data set's value is the mean over images.
Source: Perazzi et al., Saliency filters, CVPR 2012.
"""

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's MAE; against the grey mask divided by its maximum where the protocol says so."""
    from sodbench.metrics.kernels import curves

    x = measurement.scaled(protocol.mae_scale, protocol.scale_epsilon)
    if protocol.mask_in_mae == "grey":
        return {"MAE": _against_grey(measurement, x, protocol.scale_epsilon)}, {}
    return {"MAE": curves.mean_absolute_error(measurement.total, x)}, {}


def _against_grey(measurement: Measurement, x: NDArray[np.float64], epsilon: float) -> float:
    grey = measurement.grey_mask
    top = float(grey.max())
    if measurement.mask_is_the_object:
        truth = np.array([[0.0], [top / (top + epsilon) if top else 0.0]])
        error = float((measurement.total * np.abs(x - truth)).sum())
    else:
        # an empty mask stays 0 where no epsilon divides it
        error = float(np.abs(x[measurement.codes] - grey / (top + epsilon or 1.0)).sum())
    return error / (grey.size + epsilon)


FAMILY = Family(
    name="MAE",
    source="Perazzi et al., CVPR 2012",
    metrics=(MetricInfo("MAE", "MAE", higher_is_better=False),),
    measure=measure,
    standard=True,
)
