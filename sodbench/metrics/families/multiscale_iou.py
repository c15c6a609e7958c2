"""MSIoU, multi-scale IoU of the edges, computed by pysodmetrics: in 0..1, higher is better.

Edges (Sobel) of mask and binarised map are compared on grids of 1 to 512 pixels; the area under the curve
of their agreement. At x > .5 (MSIoU) and at the adaptive threshold (adpMSIoU).
Source: Ahmadzadeh et al., Multiscale IOU: a metric for evaluation of salient object detection with fine
structures, ICIP 2021; implementation: py_sod_metrics.MSIoU.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from sodbench.metrics.family import Columns, Curves, Family, Means, MetricInfo

if TYPE_CHECKING:
    from sodbench.metrics.measurement import Measurement
    from sodbench.metrics.protocol import Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's multi-scale IoU."""
    from py_sod_metrics import MSIoU

    metric = MSIoU(with_dynamic=False, with_adaptive=True, with_binary=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy.trapz
        metric.step(*measurement.as_floats(protocol), normalize=False)
    found = metric.get_results()
    return {"MSIoU": float(found["binary"]), "adpMSIoU": float(found["adaptive"])}, {}


def score(means: Means, curves: Means, protocol: Protocol) -> dict[str, Any]:
    """The means over images."""
    return {"MSIoU": means["MSIoU"], "adpMSIoU": means["adpMSIoU"]}


SOURCE = "Ahmadzadeh et al., ICIP 2021"
FAMILY = Family(
    name="MSIoU",
    metrics=(
        MetricInfo("MSIoU", "multi-scale IoU", "higher", (0.0, 1.0), SOURCE),
        MetricInfo("adpMSIoU", "adaptive multi-scale IoU", "higher", (0.0, 1.0), SOURCE),
    ),
    measure=measure,
    score=score,
)
