"""Size-invariant MAE and F: every object counts the same, however small.

The image is cut into the boxes of the mask's objects (4-connected components of 50 pixels and more; without
any, the largest ones): K boxes of n_k pixels and the rest of n_0. siMAE = (n_0 / n MAE_0 + sum of MAE_k) /
(K + n_0 / n) with n the pixels that are in boxes; F is the mean over the boxes, the map outside each taken
for 0. siMAE in 0..1, lower is better; siMaxF, siMeanF (of the mean of the images' curves) and siAdpF in
0..1, higher is better. An empty or a full mask is one box, the image (F of a full mask is the protocol's).
Equal to py_sod_metrics.SizeInvarianceMAE and SizeInvarianceFmeasureV2, except where these raise or divide
by 0: a full mask, boxes that leave no rest, more than 63 objects. From 53 to 63 the package's boxes may not
be the objects' (it keeps them as bits of a float64): its own code is called there.
Source: Li et al., Size-invariance matters: rethinking metrics and losses for imbalanced multi-object salient
object detection, ICML 2024.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.families import f_measure
from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol

# with more objects the package's boxes may not be the objects', with more still it raises
MOST_OBJECTS, TOO_MANY = 52, 63


class BoxCounts(NamedTuple):
    """Background and object pixels of a box: at or above 256 levels and the adaptive one, above .5."""

    levels: NDArray[np.int64]
    adaptive: tuple[int, int]
    half: tuple[int, int]
    n_object: int


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's size-invariant scores and the curve siF."""
    from sodbench.metrics.kernels import curves

    if measurement.mask.n_object == measurement.mask.n:
        f_columns, f_curves = f_measure.measure(measurement, protocol)
        columns = {"siMAE": error(measurement, protocol), "siMaxF": f_columns["maxF"]}
        columns |= {"siMeanF": float(f_curves["F"].mean()), "siAdpF": f_columns.get("adpF", np.nan)}
        return columns, {"siF": f_curves["F"]}
    if left_to_package(measurement):
        return _by_package(measurement, protocol)
    total = np.zeros(256)
    adaptive = 0.0
    boxes = counts_in_boxes(measurement, protocol)
    table = np.empty((3, 256))
    for box in boxes:
        *_, score = curves.f_scores(
            box.levels, *box.adaptive, box.n_object, protocol.f_beta2, 0.0, 0.0, 0.0, False, table
        )
        total += table[2]
        adaptive += score
    columns = {"siMAE": error(measurement, protocol)}
    return _scores(columns, total / len(boxes), adaptive / len(boxes), protocol)


def left_to_package(measurement: Measurement) -> bool:
    """Whether the mask has so many objects that the package's result is its own affair."""
    return MOST_OBJECTS < len(measurement.mask.object_boxes) <= TOO_MANY


def error(measurement: Measurement, protocol: Protocol) -> float:
    """The image's size-invariant MAE."""
    x = measurement.scaled(protocol.f_scale, protocol.scale_epsilon)
    areas = np.array([histogram.sum() for histogram in measurement.box_histograms()])
    wrong = np.array(
        [histogram[0] @ x + histogram[1] @ (1 - x) for histogram in measurement.box_histograms()]
    )
    rest = areas[-1] / (measurement.mask.n - areas[-1])
    outside = wrong[-1] / areas[-1] if areas[-1] else 0.0
    return float((rest * outside + (wrong[:-1] / areas[:-1]).sum()) / (areas.size - 1 + rest))


def counts_in_boxes(measurement: Measurement, protocol: Protocol) -> list[BoxCounts]:
    """The counts of every object's box, as if the map and the mask were 0 outside it."""
    from sodbench.metrics.kernels import curves
    from sodbench.metrics.levels import curve_levels

    x = measurement.own_scaled(protocol.f_scale, protocol.scale_epsilon)
    level = np.append(0, curve_levels(x, 256, "truncate", ">="))
    # the pixels outside the box come before the map's own levels
    x = np.append(x.dtype.type(0), x)
    n = measurement.mask.n
    found = []
    for k, inside in enumerate(measurement.box_histograms()[:-1]):
        outside = n - int(inside.sum())
        histogram = np.concatenate([np.array([[outside], [0]]), inside], axis=1)
        levels = np.empty((2, 256), np.int64)
        curves.counts_above(histogram, level, levels)
        background, hit, _, gap = curves.adaptive_counts(histogram, x.astype(np.float64, copy=False), False)
        if gap < measurement.rounding(x):
            # the threshold falls on a level: take the mean as the package does, over the image
            top, bottom, left, right = measurement.mask.object_boxes[k]
            values = np.zeros(measurement.truth.shape, x.dtype)
            values[top:bottom, left:right] = x[1:][measurement.codes[top:bottom, left:right]]
            background, hit = histogram[:, x >= min(2 * values.mean(), 1)].sum(axis=1).tolist()
        half = histogram[:, x > 0.5].sum(axis=1).tolist()
        found.append(BoxCounts(levels, (background, hit), (half[0], half[1]), int(inside[1].sum())))
    return found


def _scores(
    columns: Columns, curve: NDArray[Any], adaptive: float, protocol: Protocol
) -> tuple[Columns, Curves]:
    curve = curve[: protocol.levels]
    columns |= {"siMaxF": float(curve.max()), "siMeanF": float(curve.mean()), "siAdpF": adaptive}
    return columns, {"siF": curve}


def _by_package(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    from py_sod_metrics import FmeasureHandler, SizeInvarianceFmeasureV2, SizeInvarianceMAE

    x, truth = measurement.as_floats(protocol)
    mae = SizeInvarianceMAE()
    with np.errstate(all="ignore"):
        mae.step(x, truth, normalize=False)
    value = float(mae.get_results()["si_mae"])
    handler = FmeasureHandler(with_dynamic=True, with_adaptive=True, beta=protocol.f_beta2)
    f = SizeInvarianceFmeasureV2({"f": handler})
    f.step(x, truth, normalize=False)
    results = f.get_results()["f"]
    columns = {"siMAE": value if np.isfinite(value) else error(measurement, protocol)}
    curve = np.mean(np.atleast_2d(results["dynamic"][0]), axis=0)[::-1]
    return _scores(columns, curve, float(results["adaptive"]), protocol)


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
