"""Weighted F-measure: errors weighted by where they are; in 0..1, higher is better.

E = |x - G|. Inside the object an error counts min(E, E smoothed by a 7 x 7 Gaussian of sigma 5); outside it
counts E (2 - exp(ln .5 / 5 d)), d the distance to the object. R = 1 - mean error inside, P = TP / (TP + FP)
with these errors, F = (1 + b2) P R / (R + b2 P) with b2 = 1.
Source: Margolin et al., How to evaluate foreground maps?, CVPR 2014.
"""

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's weighted F; 0 for an empty mask, or 1 - mean(x) where the protocol scores agreement."""
    n_object = measurement.mask.n_object
    low, high = measurement.affine(protocol.wf_scale, protocol.scale_epsilon)
    n_background = measurement.mask.n - n_object
    background = (measurement.background_sum - low * n_background) / (high - low)
    if n_object == 0:
        return {"wF": 1 - background / n_background if protocol.empty_mask == "agreement" else 0.0}, {}
    near, inside = measurement.weighted_errors(high)
    near -= low * measurement.weight_sum if low else 0.0
    false_positive = 2 * background - near / (high - low)
    missed = inside / (high - low)
    true_positive = n_object - missed
    recall = 1 - missed / n_object
    predicted = true_positive + false_positive + protocol.wf_epsilon
    precision = true_positive / predicted if predicted else 0.0
    beta2 = protocol.wf_beta2
    both = recall + beta2 * precision + protocol.wf_epsilon
    return {"wF": (1 + beta2) * recall * precision / both if both else 0.0}, {}


FAMILY = Family(
    name="wF",
    source="Margolin et al., CVPR 2014",
    metrics=(MetricInfo("wF", "weighted F"),),
    measure=measure,
    standard=True,
)
