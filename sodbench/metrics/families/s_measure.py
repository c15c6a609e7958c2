"""S-measure, structural similarity of object and regions: in 0..1, higher is better.

S = alpha S_object + (1 - alpha) S_region, alpha = 0.5; an empty mask scores 1 - mean(x), a full one mean(x).
S_region cuts the image at the object's centre into four quadrants. A constant region has variance 0 and an
empty quadrant weighs nothing, both decided in exact arithmetic.
Source: Fan et al., Structure-measure: a new way to evaluate foreground maps, ICCV 2017.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sodbench.metrics.family import Columns, Curves, Family, Means, MetricInfo

if TYPE_CHECKING:
    from sodbench.metrics.measurement import Measurement
    from sodbench.metrics.protocol import Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's S-measure."""
    from sodbench.metrics.kernels import curves

    value = curves.s_measure(
        measurement.histogram(protocol.s_centre_rounding),
        measurement.scaled(protocol.s_scale, protocol.scale_epsilon),
        protocol.s_alpha,
        protocol.s_object_ddof,
        protocol.s_variance_ddof,
        protocol.s_covariance_ddof,
        protocol.s_epsilon,
        protocol.s_clip,
    )
    return {"S": value}, {}


def score(means: Means, curves: Means, protocol: Protocol) -> dict[str, Any]:
    """The mean over images."""
    return {"S": means["S"]}


FAMILY = Family(
    name="S",
    metrics=(MetricInfo("S", "S-measure", "higher", (0.0, 1.0), "Fan et al., ICCV 2017"),),
    measure=measure,
    score=score,
    standard=True,
)
