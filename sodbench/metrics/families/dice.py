"""Dice, twice the intersection over the sum: in 0..1, higher is better.

Dice = 2 TP / (2 TP + FP + FN) of the binarised map: at x > .5 (Dice), at the adaptive threshold
min(2 mean(x), 1) (adpDice), and over the levels (maxDice and meanDice, of the mean of the images' curves).
Where both map and mask are empty the score is 0, or 1 if the protocol scores agreement.
Source: Dice, Measures of the amount of ecologic association between species, Ecology 1945.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.overlap import divided, overlap_family


def ratio(hit: NDArray[Any], false: NDArray[Any], inside: int, agreement: bool) -> NDArray[np.float64]:
    """Dice from true positives, false positives and the number of object pixels."""
    return divided(2 * hit, hit + false + inside, float(agreement))


FAMILY = overlap_family("Dice", "Dice 1945", ratio)
