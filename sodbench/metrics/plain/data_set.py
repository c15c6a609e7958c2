"""The data set's scores a second time, from the scores and curves of its images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.plain.probabilities import calibration_errors
from sodbench.metrics.protocol import Protocol
from sodbench.metrics.registry import all_metrics

POOLED = ("ECE", "MCE")  # of the bins of all images, not the mean of the images' own
SUMMARY_OF = {"maxF": "F", "meanF": "F"}  # besides those whose `MetricInfo` names a curve


def data_set_scores(
    per_image: Mapping[str, NDArray[Any]], curves: Mapping[str, NDArray[np.float32]], protocol: Protocol
) -> dict[str, float]:
    """The scores that follow: means of columns, maximum and mean of mean curves (n x levels, where kept)."""
    scores = {}
    if "relaxP" in per_image and protocol.boundary_average == "means":
        p, r = _mean(per_image["relaxP"]), _mean(per_image["relaxR"])
        bottom = protocol.boundary_beta2 * p + r
        scores["relaxF"] = (1 + protocol.boundary_beta2) * p * r / bottom if bottom else 0.0
    if protocol.mean_f == "adaptive" and "meanF" in per_image:
        scores["meanF"] = _mean(per_image["meanF"])
    pooled = ("binPixels", "binProbability", "binObject")
    if set(pooled) <= set(curves):
        scores |= calibration_errors(np.stack([_mean_line(curves[name]) for name in pooled]))
    lines: dict[str, NDArray[np.float64]] = {}
    for name, info in all_metrics().items():
        curve = info.curve or SUMMARY_OF.get(name)
        if name in scores or name not in per_image or name in POOLED:
            continue
        if curve is None:
            scores[name] = _mean(per_image[name])
        elif curve in curves or (curve == "F" and "precision" in curves):
            if curve not in lines:
                lines[curve] = _f_line(curves, protocol) if curve == "F" else _mean_line(curves[curve])
            line = lines[curve]
            scores[name] = float(line.max() if "max" in name.lower() else line.mean())
    return scores


def _mean(values: NDArray[Any]) -> float:
    """The mean of the images that are not left out; NaN where none is left."""
    valid = values[~np.isnan(values)]
    return float(valid.mean()) if valid.size else float("nan")


def _mean_line(curves: NDArray[np.float32]) -> NDArray[np.float64]:
    counted = ~np.isnan(curves[:, 0])
    rows = curves if counted.all() else curves[counted]
    if not len(rows):
        return np.full(curves.shape[1], np.nan)
    return np.asarray(rows.mean(axis=0, dtype=np.float64))


def _f_line(curves: Mapping[str, NDArray[np.float32]], protocol: Protocol) -> NDArray[np.float64]:
    """The mean of the images' F curves, or F of their mean precision and recall."""
    p, r = curves["precision"], curves["recall"]
    if protocol.f_average == "images":
        return _mean_line(_f(p, r, protocol))
    return np.asarray(_f(_mean_line(p), _mean_line(r), protocol))


def _f(p: NDArray[Any], r: NDArray[Any], protocol: Protocol) -> NDArray[Any]:
    bottom = protocol.f_beta2 * p + r + protocol.f_epsilon
    bottom[bottom == 0] = 1
    return np.asarray((1 + protocol.f_beta2) * p * r / bottom)
