"""The data set's scores a second time, from the scores and curves of its images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.kept_curves import in_pieces
from sodbench.metrics.plain.probabilities import calibration_errors
from sodbench.metrics.protocol import Protocol
from sodbench.metrics.registry import all_metrics

IMAGES = 1024  # whose curves are read at a time
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
    lines = _mean_lines(curves, protocol)
    pooled = ("binPixels", "binProbability", "binObject")
    if set(pooled) <= set(lines):
        scores |= calibration_errors(np.stack([lines[name] for name in pooled]))
    for name, info in all_metrics().items():
        curve = info.curve or SUMMARY_OF.get(name)
        if name in scores or name not in per_image or name in POOLED:
            continue
        if curve is None:
            scores[name] = _mean(per_image[name])
        elif curve in lines:
            line = lines[curve]
            scores[name] = float(line.max() if "max" in name.lower() else line.mean())
    return scores


def _mean(values: NDArray[Any]) -> float:
    """The mean of the images that are not left out; NaN where none is left."""
    valid = values[~np.isnan(values)]
    return float(valid.mean()) if valid.size else float("nan")


def _mean_lines(
    curves: Mapping[str, NDArray[np.float32]], protocol: Protocol
) -> dict[str, NDArray[np.float64]]:
    """The mean of every curve, and of F: of the images' F curves, or F of their mean precision and recall."""
    sums: dict[str, NDArray[np.float64]] = {}
    counts: dict[str, int] = {}
    for piece in in_pieces(curves, IMAGES):
        lines = dict(piece)
        if "precision" in lines and protocol.f_average == "images":
            lines["F"] = _f(lines["precision"], lines["recall"], protocol)
        for name, rows in lines.items():
            counted = rows[~np.isnan(rows[:, 0])]
            sums[name] = sums.get(name, 0.0) + counted.sum(axis=0, dtype=np.float64)
            counts[name] = counts.get(name, 0) + len(counted)
    means = {name: total / counts[name] if counts[name] else total * np.nan for name, total in sums.items()}
    if "precision" in means and protocol.f_average != "images":
        means["F"] = _f(means["precision"], means["recall"], protocol)
    return means


def _f(p: NDArray[Any], r: NDArray[Any], protocol: Protocol) -> NDArray[Any]:
    bottom = protocol.f_beta2 * p + r + protocol.f_epsilon
    bottom[bottom == 0] = 1
    return np.asarray((1 + protocol.f_beta2) * p * r / bottom)
