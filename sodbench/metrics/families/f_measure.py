"""F-measure and the precision-recall curve: maxF, meanF, adpF, each in 0..1, higher is better.

At level t: precision P = TP / N, recall R = TP / |G|, F = (1 + b2) P R / (b2 P + R) with b2 = 0.3.
maxF and meanF are taken of the data set's F curve: the mean of the images' F curves, or F of the mean
precision and mean recall (`f_average`). adpF is the mean of F at the threshold min(2 mean(x), 1).
Source: Achanta et al., Frequency-tuned salient region detection, CVPR 2009.
"""

from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import (
    Columns,
    Curves,
    Family,
    Inputs,
    Means,
    Measurement,
    MetricInfo,
    Protocol,
    Scores,
)

Array = NDArray[np.float64]


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's own maxF and meanF (of its curve), adpF, and the curves precision, recall and F."""
    from sodbench.metrics.kernels import curves

    names = ["maxF", "meanF", "adpF"] if protocol.f_adaptive else ["maxF", "meanF"]
    if _left_out(measurement, protocol):
        return dict.fromkeys(names, np.nan), _named(np.full((3, protocol.levels), np.nan))
    adaptive = (0, 0)
    if protocol.f_adaptive or protocol.mean_f == "adaptive":
        adaptive = measurement.adaptive_counts(protocol, protocol.f_scale)
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


def data_set_curve(curves: Means, protocol: Protocol) -> Array:
    """The data set's F curve from the mean curves (last axis: level)."""
    if protocol.f_average == "images":
        return np.asarray(curves["F"])
    return f_of(curves["precision"], curves["recall"], protocol.f_beta2, protocol.f_epsilon)


@overload
def f_of(precision: float, recall: float, beta2: float, epsilon: float = 0.0) -> float: ...


@overload
def f_of(precision: Array, recall: Array, beta2: float, epsilon: float = 0.0) -> Array: ...


def f_of(precision: Any, recall: Any, beta2: float, epsilon: float = 0.0) -> Any:
    """F of precision and recall (numbers, or arrays of one shape), 0 where both are 0."""
    denominator = beta2 * precision + recall + epsilon
    return (1 + beta2) * precision * recall / (denominator + (denominator == 0))


def _left_out(measurement: Measurement, protocol: Protocol) -> bool:
    empty_mask = "empty-mask" in protocol.f_left_out and measurement.mask.n_object == 0
    return empty_mask or ("empty-map" in protocol.f_left_out and measurement.extent[1] == 0)


def _named(table: Array) -> Curves:
    return {"precision": table[0], "recall": table[1], "F": table[2]}


@dataclass(frozen=True)
class FMeasure(Family):
    """The F-measure: its data-set curve, and what is called mean F, are the protocol's choice."""

    def inputs(self, protocol: Protocol) -> Inputs:
        """The curves that the protocol averages, and the adaptive F where it is printed."""
        curves = ("F",) if protocol.f_average == "images" else ("precision", "recall")
        if protocol.f_adaptive:
            return Inputs(("adpF",), curves)
        return Inputs(("meanF",) if protocol.mean_f == "adaptive" else (), curves)

    def score(self, means: Means, curves: Means, protocol: Protocol) -> Scores:
        """maxF and meanF of the data set's curve, and the mean adpF."""
        f = data_set_curve(curves, protocol)
        scores = {"maxF": f.max(axis=-1), "meanF": f.mean(axis=-1)}
        if protocol.mean_f == "adaptive":
            scores["meanF"] = means["adpF" if protocol.f_adaptive else "meanF"]
        if protocol.f_adaptive:
            scores["adpF"] = means["adpF"]
        return scores


FAMILY = FMeasure(
    name="F",
    source="Achanta et al., CVPR 2009",
    metrics=(
        MetricInfo("maxF", "max F"),
        MetricInfo("meanF", "mean F"),
        MetricInfo("adpF", "adaptive F", only_if="f_adaptive"),
    ),
    measure=measure,
    standard=True,
)
