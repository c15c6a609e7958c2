"""E-measure, enhanced alignment of the binarised map with the mask: maxE, meanE, adpE, higher is better.

E = sum over pixels of (a + 1)^2 / 4 over N - 1, a = 2 p g / (p^2 + g^2), p and g the binarised map and the
mask minus their means. Because of N - 1 (as in the authors' code) a perfect map scores N / (N - 1), just
above 1; protocol `raw` divides by N. maxE and meanE are taken of the mean of the images' curves.
Source: Fan et al., Enhanced-alignment measure for binary foreground map evaluation, IJCAI 2018.
"""

import numpy as np

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's own maxE and meanE (of its curve), adpE, and the curve E."""
    from sodbench.metrics.kernels import curves

    n, n_object = measurement.mask.n, measurement.mask.n_object
    # a single pixel has no N - 1: its E is that of N
    size = n - 1 if protocol.e_denominator == "N-1" and n > 1 else n
    denominator = float(size + protocol.e_epsilon)
    adaptive = measurement.adaptive_counts(protocol, protocol.e_scale, protocol.e_comparator)
    counts = measurement.counts(protocol, protocol.e_scale, protocol.e_comparator)
    curve = np.empty(protocol.levels if protocol.e_curve else 0)
    max_e, mean_e, adaptive_e = curves.e_scores(
        counts, *adaptive, n_object, n, denominator, protocol.e_epsilon, curve
    )
    if not protocol.e_curve:
        return {"adpE": adaptive_e}, {}
    return {"maxE": max_e, "meanE": mean_e, "adpE": adaptive_e}, {"E": curve}


FAMILY = Family(
    name="E",
    source="Fan et al., IJCAI 2018",
    metrics=(
        MetricInfo("maxE", "max E", curve="E", summary="max", only_if="e_curve"),
        MetricInfo("meanE", "mean E", curve="E", summary="mean", only_if="e_curve"),
        MetricInfo("adpE", "adaptive E"),
    ),
    measure=measure,
    standard=True,
)
