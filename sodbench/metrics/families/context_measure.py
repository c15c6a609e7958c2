"""CM, context measure, computed by pysodmetrics: in 0..1, higher is better.

An F-measure of forward inference and reverse deduction, both smoothed by a Gaussian whose shape follows the
object's. An image whose object is a single slanted line has no such Gaussian and is left out.
Source: Wang et al., Context-measure: contextualizing metric for camouflage, arXiv 2512.07076, 2025;
implementation: py_sod_metrics.ContextMeasure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sodbench.metrics.family import Columns, Curves, Family, Means, MetricInfo

if TYPE_CHECKING:
    from sodbench.metrics.measurement import Measurement
    from sodbench.metrics.protocol import Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's context measure."""
    from py_sod_metrics import ContextMeasure

    metric = ContextMeasure()
    try:
        with np.errstate(all="ignore"):
            metric.step(*measurement.as_floats(protocol), normalize=False)
    except np.linalg.LinAlgError:
        return {"CM": np.nan}, {}
    return {"CM": float(metric.get_results()["cm"])}, {}


def score(means: Means, curves: Means, protocol: Protocol) -> dict[str, Any]:
    """The mean over images."""
    return {"CM": means["CM"]}


FAMILY = Family(
    name="CM",
    metrics=(MetricInfo("CM", "context measure", "higher", (0.0, 1.0), "Wang et al., 2025"),),
    measure=measure,
    score=score,
)
