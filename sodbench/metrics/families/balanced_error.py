"""BER, balanced error rate at .5: in 0..1, lower is better.

BER = 1 - (TP / |G| + TN / |not G|) / 2 of the map at x > .5. A class that the mask lacks adds 0 to the sum,
as in pysodmetrics; where the protocol scores agreement, only the class that is there counts.
Source: Vicente et al., Large-scale training of shadow detectors with noisily-annotated data, ECCV 2016.
"""

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol
from sodbench.metrics.overlap import at_half


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's balanced error rate."""
    background, hit = at_half(measurement, protocol)
    inside = measurement.mask.n_object
    outside = measurement.mask.n - inside
    hit_rate = hit / inside if inside else 0.0
    reject_rate = (outside - background) / outside if outside else 0.0
    if protocol.empty_mask == "agreement" and not (inside and outside):
        return {"BER": 1 - (hit_rate + reject_rate)}, {}
    return {"BER": 1 - 0.5 * (hit_rate + reject_rate)}, {}


FAMILY = Family(
    name="BER",
    source="Vicente et al., ECCV 2016",
    metrics=(MetricInfo("BER", "balanced error rate", higher_is_better=False),),
    measure=measure,
)
