"""F-measure and the precision-recall curve: maxF, meanF, adpF, each in 0..1, higher is better.

At level t: precision P = TP / N, recall R = TP / |G|, F = (1 + b2) P R / (b2 P + R) with b2 = 0.3.
maxF and meanF are taken of the data set's F curve: the mean of the images' F curves, or F of the mean
precision and mean recall (`f_average`). adpF is the mean of F at the threshold min(2 mean(x), 1).
Source: Achanta et al., Frequency-tuned salient region detection, CVPR 2009.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves, Family, Means, MetricInfo

if TYPE_CHECKING:
    from sodbench.metrics.measurement import Measurement
    from sodbench.metrics.protocol import Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's own maxF and meanF (of its curve), adpF, and the curves precision, recall and F."""
    from sodbench.metrics.kernels import curves

    names = ["maxF", "meanF", "adpF"] if protocol.f_adaptive else ["maxF", "meanF"]
    if _left_out(measurement, protocol):
        return dict.fromkeys(names, np.nan), _named(np.full((3, protocol.levels), np.nan))
    adaptive = measurement.adaptive_counts(protocol, protocol.f_scale) if protocol.f_adaptive else (0, 0)
    table = np.empty((3, protocol.levels))
    max_f, mean_f, adaptive_f = curves.f_scores(
        measurement.counts(protocol, protocol.f_scale),
        *adaptive,
        measurement.mask.n_object,
        protocol.f_beta2,
        protocol.precision_epsilon,
        protocol.recall_epsilon,
        protocol.f_epsilon,
        protocol.empty_mask == "agreement",
        table,
    )
    if protocol.mean_f == "adaptive":
        mean_f = adaptive_f
    columns = {"maxF": max_f, "meanF": mean_f}
    if protocol.f_adaptive:
        columns["adpF"] = adaptive_f
    return columns, _named(table)


def score(means: Means, curves: Means, protocol: Protocol) -> dict[str, Any]:
    """maxF and meanF of the data set's curve, and the mean adpF."""
    f = data_set_curve(curves, protocol)
    mean_f = means["adpF"] if protocol.mean_f == "adaptive" else f.mean(axis=-1)
    scores = {"maxF": f.max(axis=-1), "meanF": mean_f}
    return scores | {"adpF": means["adpF"]} if protocol.f_adaptive else scores


def data_set_curve(curves: Means, protocol: Protocol) -> NDArray[np.float64]:
    """The data set's F curve from the mean curves (last axis: level)."""
    if protocol.f_average == "images":
        return np.asarray(curves["F"])
    return f_of(curves["precision"], curves["recall"], protocol.f_beta2, protocol.f_epsilon)


def f_of(precision: Any, recall: Any, beta2: float, epsilon: float = 0.0) -> NDArray[np.float64]:
    """F of precision and recall, 0 where both are."""
    numerator = (1 + beta2) * precision * recall
    denominator = beta2 * precision + recall + epsilon
    return np.asarray(numerator / np.where(denominator > 0, denominator, 1.0))


def _left_out(measurement: Measurement, protocol: Protocol) -> bool:
    empty_mask = "empty-mask" in protocol.f_left_out and measurement.mask.n_object == 0
    return empty_mask or ("empty-map" in protocol.f_left_out and measurement.extent[1] == 0)


def _named(table: NDArray[np.float64]) -> Curves:
    return {"precision": table[0], "recall": table[1], "F": table[2]}


SOURCE = "Achanta et al., CVPR 2009"
FAMILY = Family(
    name="F",
    metrics=(
        MetricInfo("maxF", "max F", "higher", (0.0, 1.0), SOURCE),
        MetricInfo("meanF", "mean F", "higher", (0.0, 1.0), SOURCE),
        MetricInfo("adpF", "adaptive F", "higher", (0.0, 1.0), SOURCE),
    ),
    measure=measure,
    score=score,
    standard=True,
)
