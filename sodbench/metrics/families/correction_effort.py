"""HCE, human correction effort, computed by pysodmetrics: from 0 up, lower is better.

An estimate of the mouse clicks needed to correct the map (x > .5): the control points of the polygons around
wrong regions, small errors relaxed.
Source: Qin et al., Highly accurate dichotomous image segmentation, ECCV 2022; implementation:
py_sod_metrics.HumanCorrectionEffortMeasure.
"""

import math

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's human correction effort."""
    from py_sod_metrics import HumanCorrectionEffortMeasure

    metric = HumanCorrectionEffortMeasure()
    metric.step(*measurement.as_floats(protocol), normalize=False)
    return {"HCE": float(metric.get_results()["hce"])}, {}


FAMILY = Family(
    name="HCE",
    source="Qin et al., ECCV 2022",
    metrics=(MetricInfo("HCE", "human correction effort", higher_is_better=False, range=(0.0, math.inf)),),
    measure=measure,
)
