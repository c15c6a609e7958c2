"""HCE, human correction effort, computed by pysodmetrics: from 0 up, lower is better.

An estimate of the mouse clicks that mending the map (x > .5) would take: control points of the polygons
around wrong regions, small errors relaxed.
Source: Qin et al., Highly accurate dichotomous image segmentation, ECCV 2022; implementation:
py_sod_metrics.HumanCorrectionEffortMeasure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sodbench.metrics.family import Columns, Curves, Family, Means, MetricInfo

if TYPE_CHECKING:
    from sodbench.metrics.measurement import Measurement
    from sodbench.metrics.protocol import Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's human correction effort."""
    from py_sod_metrics import HumanCorrectionEffortMeasure

    metric = HumanCorrectionEffortMeasure()
    metric.step(*measurement.as_floats(protocol), normalize=False)
    return {"HCE": float(metric.get_results()["hce"])}, {}


def score(means: Means, curves: Means, protocol: Protocol) -> dict[str, Any]:
    """The mean over images."""
    return {"HCE": means["HCE"]}


FAMILY = Family(
    name="HCE",
    metrics=(
        MetricInfo("HCE", "human correction effort", "lower", (0.0, float("inf")), "Qin et al., ECCV 2022"),
    ),
    measure=measure,
    score=score,
)
