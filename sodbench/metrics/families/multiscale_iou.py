"""MSIoU, multi-scale IoU of the edges, computed by pysodmetrics: in 0..1, higher is better.

Edges (Sobel) of mask and binarised map are compared on grids of 1 to 512 pixels; the area under the curve
of their agreement. At x > .5 (MSIoU) and at the adaptive threshold (adpMSIoU).
Source: Ahmadzadeh et al., Multiscale IOU: a metric for evaluation of salient object detection with fine
structures, ICIP 2021; implementation: py_sod_metrics.MSIoU.
"""

import warnings

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's multi-scale IoU."""
    from py_sod_metrics import MSIoU

    metric = MSIoU(with_dynamic=False, with_adaptive=True, with_binary=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy.trapz
        metric.step(*measurement.as_floats(protocol), normalize=False)
    results = metric.get_results()
    return {"MSIoU": float(results["binary"]), "adpMSIoU": float(results["adaptive"])}, {}


FAMILY = Family(
    name="MSIoU",
    source="Ahmadzadeh et al., ICIP 2021",
    metrics=(MetricInfo("MSIoU", "multi-scale IoU"), MetricInfo("adpMSIoU", "adaptive multi-scale IoU")),
    measure=measure,
)
