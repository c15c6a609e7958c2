"""Relaxed boundary F (relaxF): how well the object's boundary is met; in 0..1, higher is better.

The map is binarised at .5; the boundary of a binary image is what a 3 x 3 erosion takes away. Relaxed
precision is the share of the map's boundary within a window of the mask's boundary, relaxed recall the
reverse; F with b2 = 0.3. Window and averaging are the protocol's: a 5 x 5 square and F of the means fit the
published tables, the disk of radius 3 is what the text says.
Source: Qin et al., BASNet, CVPR 2019, section 4.2; Ehrig and Euzenat 2005 for the relaxation.
"""

from dataclasses import dataclass

from sodbench.metrics.families.f_measure import f_of
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


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's relaxed precision, recall and F; a ratio without pixels is 0.

    Where the protocol scores agreement, two images without any boundary score 1.
    """
    length, near, true_length, true_near = measurement.boundary_counts(
        protocol.boundary_erosion == "square", protocol.boundary_window == "disk", protocol.boundary_radius
    )
    precision = near / length if length else 0.0
    recall = true_near / true_length if true_length else 0.0
    if protocol.empty_mask == "agreement" and length == 0 and true_length == 0:
        precision = recall = 1.0
    f = f_of(precision, recall, protocol.boundary_beta2)
    return {"relaxF": f, "relaxP": precision, "relaxR": recall}, {}


@dataclass(frozen=True)
class RelaxedF(Family):
    """Relaxed F, averaged over images or computed from the mean precision and the mean recall."""

    def inputs(self, protocol: Protocol) -> Inputs:
        """The images' F, or their precision and recall."""
        return Inputs(("relaxF",) if protocol.boundary_average == "images" else ("relaxP", "relaxR"), ())

    def score(self, means: Means, curves: Means, protocol: Protocol) -> Scores:
        """The mean over images, or F of the mean precision and the mean recall."""
        if protocol.boundary_average == "images":
            return {"relaxF": means["relaxF"]}
        return {"relaxF": f_of(means["relaxP"], means["relaxR"], protocol.boundary_beta2)}


FAMILY = RelaxedF(
    name="relaxF",
    source="Qin et al., CVPR 2019",
    metrics=(MetricInfo("relaxF", "relaxed boundary F"),),
    measure=measure,
    standard=True,
)
