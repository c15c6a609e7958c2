"""IoU, intersection over union: in 0..1, higher is better.

IoU = TP / (TP + FP + FN) of the binarised map: at x > .5 (IoU), at the adaptive threshold min(2 mean(x), 1)
(adpIoU), and over the 256 levels (maxIoU and meanIoU, of the mean of the images' curves). Nothing in either
picture scores 0, or 1 where the protocol scores agreement.
Source: Jaccard 1901; Everingham et al., The PASCAL visual object classes challenge, IJCV 2010.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves, Family, Means, MetricInfo
from sodbench.metrics.overlap import divided, measure_ratio, score_ratio

if TYPE_CHECKING:
    from sodbench.metrics.measurement import Measurement
    from sodbench.metrics.protocol import Protocol


def ratio(hit: NDArray[Any], false: NDArray[Any], inside: int, agreement: bool) -> NDArray[np.float64]:
    """IoU from true positives, false positives and the number of object pixels."""
    return divided(hit, false + inside, float(agreement))


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's IoU at .5, best, mean and adaptive, and its curve."""
    return measure_ratio("IoU", ratio, measurement, protocol)


def score(means: Means, curves: Means, protocol: Protocol) -> dict[str, Any]:
    """The data set's IoU."""
    return score_ratio("IoU", means, curves)


SOURCE = "Everingham et al., IJCV 2010"
FAMILY = Family(
    name="IoU",
    metrics=(
        MetricInfo("IoU", "IoU at .5", "higher", (0.0, 1.0), SOURCE),
        MetricInfo("maxIoU", "max IoU", "higher", (0.0, 1.0), SOURCE),
        MetricInfo("meanIoU", "mean IoU", "higher", (0.0, 1.0), SOURCE),
        MetricInfo("adpIoU", "adaptive IoU", "higher", (0.0, 1.0), SOURCE),
    ),
    measure=measure,
    score=score,
)
