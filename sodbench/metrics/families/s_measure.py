"""S-measure, structural similarity of object and regions: in 0..1, higher is better.

S = alpha S_object + (1 - alpha) S_region, alpha = 0.5; an empty mask scores 1 - mean(x), a full one mean(x).
S_region cuts the image at the object's centre into four quadrants. A constant region has variance 0 and an
empty quadrant weighs nothing, both decided in exact arithmetic.
Source: Fan et al., Structure-measure: a new way to evaluate foreground maps, ICCV 2017.
"""

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol


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


FAMILY = Family(
    name="S",
    source="Fan et al., ICCV 2017",
    metrics=(MetricInfo("S", "S-measure"),),
    measure=measure,
    standard=True,
)
