"""Size-invariant MAE and F, computed by pysodmetrics: every object counts the same, however small.

The image is cut into the boxes of the mask's objects (components of 50 pixels and more); F is averaged over
the boxes, MAE over the boxes and the rest. siMAE in 0..1, lower is better; siMaxF, siMeanF (of the mean of
the images' curves) and siAdpF in 0..1, higher is better.
Source: Li et al., Size-invariance matters: rethinking metrics and losses for imbalanced multi-object salient
object detection, ICML 2024; implementation: py_sod_metrics.SizeInvarianceMAE, SizeInvarianceFmeasureV2.
"""

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.families import f_measure
from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's size-invariant scores and the curve siF."""
    from py_sod_metrics import FmeasureHandler, SizeInvarianceFmeasureV2, SizeInvarianceMAE

    x, truth = measurement.as_floats(protocol)
    if truth.all():
        # no background to cut at, which the package does not expect: a single box, the image
        f_columns, f_curves = f_measure.measure(measurement, protocol)
        error = float((1 - x).mean())
        columns = {"siMAE": error, "siMaxF": f_columns["maxF"], "siMeanF": float(f_curves["F"].mean())}
        return columns | {"siAdpF": f_columns.get("adpF", np.nan)}, {"siF": f_curves["F"]}
    metric = SizeInvarianceMAE()
    with np.errstate(all="ignore"):
        metric.step(x, truth, normalize=False)
    error = float(metric.get_results()["si_mae"])
    if not np.isfinite(error):
        error = _error_in_boxes(x, truth)
    handler = FmeasureHandler(with_dynamic=True, with_adaptive=True, beta=protocol.f_beta2)
    f = SizeInvarianceFmeasureV2({"f": handler})
    f.step(x, truth, normalize=False)
    results = f.get_results()["f"]
    curve = np.mean(np.atleast_2d(results["dynamic"][0]), axis=0)[::-1][: protocol.levels]
    columns = {
        "siMAE": error,
        "siMaxF": float(curve.max()),
        "siMeanF": float(curve.mean()),
        "siAdpF": float(results["adaptive"]),
    }
    return columns, {"siF": curve}


def _error_in_boxes(x: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """The mean of the boxes' errors, where they leave no rest (the package divides by its area)."""
    from py_sod_metrics import size_invariance as package

    count, labels = package.parse_connected_components(mask=truth)
    boxes = package.encode_bboxwise_tgts_bitwise(count, labels)
    error = np.abs(x - truth)
    return float(np.mean([error[package.get_kth_bit(boxes, k=k + 1) > 0].mean() for k in range(count)]))


FAMILY = Family(
    name="SI",
    source="Li et al., ICML 2024",
    metrics=(
        MetricInfo("siMAE", "size-invariant MAE", higher_is_better=False),
        MetricInfo("siMaxF", "size-invariant max F", curve="siF", summary="max"),
        MetricInfo("siMeanF", "size-invariant mean F", curve="siF", summary="mean"),
        MetricInfo("siAdpF", "size-invariant adaptive F"),
    ),
    measure=measure,
)
