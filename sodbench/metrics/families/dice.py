"""Dice, twice the intersection over the sum: in 0..1, higher is better.

Dice = 2 TP / (2 TP + FP + FN) of the binarised map: at x > .5 (Dice), at the adaptive threshold
min(2 mean(x), 1) (adpDice), and over the levels (maxDice and meanDice, of the mean of the images' curves).
Nothing in either picture scores 0, or 1 where the protocol scores agreement.
Source: Dice, Measures of the amount of ecologic association between species, Ecology 1945.
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
    """Dice from true positives, false positives and the number of object pixels."""
    return divided(2 * hit, hit + false + inside, float(agreement))


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's Dice at .5, best, mean and adaptive, and its curve."""
    return measure_ratio("Dice", ratio, measurement, protocol)


def score(means: Means, curves: Means, protocol: Protocol) -> dict[str, Any]:
    """The data set's Dice."""
    return score_ratio("Dice", means, curves)


SOURCE = "Dice 1945"
FAMILY = Family(
    name="Dice",
    metrics=(
        MetricInfo("Dice", "Dice at .5", "higher", (0.0, 1.0), SOURCE),
        MetricInfo("maxDice", "max Dice", "higher", (0.0, 1.0), SOURCE),
        MetricInfo("meanDice", "mean Dice", "higher", (0.0, 1.0), SOURCE),
        MetricInfo("adpDice", "adaptive Dice", "higher", (0.0, 1.0), SOURCE),
    ),
    measure=measure,
    score=score,
)
