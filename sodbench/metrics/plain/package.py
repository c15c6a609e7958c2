"""What pysodmetrics itself computes: its standard five, and the metrics that are defined by its code.

Importing the package takes a second or more, so it is loaded when one of these is asked for.
"""

import math
import threading
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves
from sodbench.metrics.plain import scales, standard
from sodbench.metrics.plain.picture import Array, Picture
from sodbench.metrics.protocol import Protocol

NEEDED_BY = ("CM", "HCE", "MSIoU", "SI")  # the families that the package itself is the check of
MOST_OBJECTS = 63  # that its size-invariant classes take
FIVE = ("MAE", "F", "E", "S", "wF")
_loud = threading.Lock()  # the package warns about itself, and warnings are switched off for all threads


def package_scores(picture: Picture) -> tuple[Columns, Curves]:
    """The package's own MAE, F, E, S and wF of the map and the mask as they are, levels ascending.

    Left out is what the package leaves to chance: S where it is NaN or hangs on rounding
    (`s_is_left_to_chance`), and E of a single pixel, which it divides by 0.
    """
    columns, curves = standard_five(picture.map, picture.mask)
    if s_is_left_to_chance(picture.map, picture.mask > 128):
        del columns["S"]
    if picture.map.size == 1:
        for name in ("maxE", "meanE", "adpE"):
            del columns[name]
        del curves["E"]
    return columns, curves


def standard_five(
    saliency_map: NDArray[Any], mask: NDArray[Any], normalize: bool = True
) -> tuple[Columns, Curves]:
    """Whatever the package's five classes find, levels ascending; `normalize` is that of their `step`."""
    import py_sod_metrics as package

    with _loud, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        error, f, e = package.MAE(), package.Fmeasure(), package.Emeasure()
        s, weighted = package.Smeasure(), package.WeightedFmeasure()
        for metric in (error, f, e, s, weighted):
            metric.step(saliency_map, mask, normalize)
    f_curve, e_curve = f.changeable_fms[0][::-1], e.changeable_ems[0][::-1]
    columns = {
        "MAE": float(error.maes[0]),
        "maxF": float(f_curve.max()),
        "meanF": float(f_curve.mean()),
        "adpF": float(f.adaptive_fms[0]),
        "maxE": float(e_curve.max()),
        "meanE": float(e_curve.mean()),
        "adpE": float(e.adaptive_ems[0]),
        "S": float(s.sms[0]),
        "wF": float(weighted.weighted_fms[0]),
    }
    return columns, {
        "precision": f.precisions[0][::-1],
        "recall": f.recalls[0][::-1],
        "F": f_curve,
        "E": e_curve,
    }


def s_is_left_to_chance(saliency_map: NDArray[Any], truth: NDArray[np.bool_]) -> bool:
    """True where the package's S is NaN or hangs on rounding.

    NaN: the object's centre rounds to the last row or column. Chance: a quadrant of one level (not 0 or 1
    after scaling) inside which the mask is constant too; whether its mean rounds to the level decides 0 or 1.
    """
    if truth.all() or not truth.any():
        return False
    row, column = (int(place) + 1 for place in np.argwhere(truth).mean(axis=0).round())
    if row >= truth.shape[0] or column >= truth.shape[1]:
        return True
    ends = (saliency_map.min(), saliency_map.max())
    if ends[0] == ends[1]:
        ends = (0, 255 if saliency_map.dtype == np.uint8 else 1)
    for above in (slice(0, row), slice(row, None)):
        for left in (slice(0, column), slice(column, None)):
            part, inside = saliency_map[above, left], truth[above, left]
            if part.min() == part.max() and inside.min() == inside.max() and part.flat[0] not in ends:
                return True
    return False


def context_measure(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """CM; left out where the object has no Gaussian."""
    from py_sod_metrics import ContextMeasure

    try:
        return {"CM": float(_results(ContextMeasure(), picture, protocol)["cm"])}, {}
    except np.linalg.LinAlgError:
        return {"CM": math.nan}, {}


def correction_effort(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """HCE."""
    from py_sod_metrics import HumanCorrectionEffortMeasure

    return {"HCE": float(_results(HumanCorrectionEffortMeasure(), picture, protocol)["hce"])}, {}


def multiscale_iou(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """MSIoU at .5 and at the adaptive threshold; over the levels (seconds in the package) transcribed."""
    from py_sod_metrics import MSIoU

    results = _results(MSIoU(with_dynamic=False, with_adaptive=True, with_binary=True), picture, protocol)
    curve = scales.multiscale_curve(picture, protocol)
    columns = {
        "MSIoU": float(results["binary"]),
        "adpMSIoU": float(results["adaptive"]),
        "maxMSIoU": float(curve.max()),
        "meanMSIoU": float(curve.mean()),
    }
    return columns, {"MSIoU": curve}


def size_invariant(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """MAE and F in the boxes of the objects; the single box of a full mask is the image."""
    from py_sod_metrics import SizeInvarianceMAE

    x, truth = picture.x(protocol.f_scale, protocol.scale_epsilon), picture.truth(protocol)
    boxes = _boxes(truth)
    if truth.all():
        columns, curves = standard.f_measure(picture, protocol)
        curve, adaptive = curves["F"], columns.get("adpF", math.nan)
    else:
        curve, adaptive = _f_in_boxes(picture, protocol, boxes)
    error = math.nan
    if not truth.all() and len(boxes) <= MOST_OBJECTS:
        error = float(_results(SizeInvarianceMAE(), picture, protocol)["si_mae"])
    if not math.isfinite(error):
        error = _error_in_boxes(np.abs(x - truth), boxes)
    columns = {
        "siMAE": error,
        "siMaxF": float(curve.max()),
        "siMeanF": float(curve.mean()),
        "siAdpF": adaptive,
    }
    return columns, {"siF": curve}


def _f_in_boxes(picture: Picture, protocol: Protocol, boxes: list[Any]) -> tuple[Array, float]:
    """The mean F of the objects over the levels and at the adaptive thresholds."""
    from py_sod_metrics import FmeasureHandler, FmeasureV2, SizeInvarianceFmeasureV2

    handler = FmeasureHandler(with_dynamic=True, with_adaptive=True, beta=protocol.f_beta2)
    if len(boxes) <= MOST_OBJECTS:
        results = _results(SizeInvarianceFmeasureV2({"f": handler}), picture, protocol)["f"]
        curve = np.atleast_2d(results["dynamic"][0]).mean(axis=0)
    else:
        # one object after the other
        x, truth = picture.x(protocol.f_scale, protocol.scale_epsilon), picture.truth(protocol)
        f = FmeasureV2({"f": handler})
        for box in boxes:
            inside = np.zeros_like(truth)
            inside[box] = True
            f.step(x * inside, truth & inside, normalize=False)
        results = f.get_results()["f"]
        curve = results["dynamic"]
    return curve[::-1][: protocol.levels], float(results["adaptive"])


def _boxes(truth: NDArray[np.bool_]) -> list[Any]:
    """The boxes of the objects of 50 pixels and more, or of the largest."""
    from scipy.ndimage import find_objects, label

    labels, count = label(truth)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    least = min(50, max(areas, default=0))
    return [box for box, area in zip(find_objects(labels), areas, strict=True) if area >= least]


def _error_in_boxes(error: Array, boxes: list[Any]) -> float:
    """The mean of the boxes' errors and of the rest's, that weighed by its size as a part of theirs."""
    rest = np.ones(error.shape, np.bool_)
    for box in boxes:
        rest[box] = False
    weight = np.count_nonzero(rest) / np.count_nonzero(~rest)
    outside = error[rest].mean() if rest.any() else 0.0
    inside = [error[box].mean() for box in boxes]
    return float((weight * outside + np.sum(inside)) / (len(boxes) + weight))


def _results(metric: Any, picture: Picture, protocol: Protocol) -> Any:
    """What a class of the package finds for the scaled map and the object."""
    x, truth = picture.x(protocol.f_scale, protocol.scale_epsilon), picture.truth(protocol)
    with _loud, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        metric.step(x, truth, normalize=False)
        return metric.get_results()
