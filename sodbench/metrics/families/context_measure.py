"""CM, context measure, computed by pysodmetrics: in 0..1, higher is better.

An F-measure of forward inference and reverse deduction, both smoothed by a Gaussian whose shape follows the
object's. An image whose object is a single slanted line has no such Gaussian and is left out.
Source: Wang et al., Context-measure: contextualizing metric for camouflage, arXiv 2512.07076, 2025;
implementation: py_sod_metrics.ContextMeasure.
"""

import numpy as np

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol


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


FAMILY = Family(
    name="CM",
    source="Wang et al., 2025",
    metrics=(MetricInfo("CM", "context measure"),),
    measure=measure,
)
