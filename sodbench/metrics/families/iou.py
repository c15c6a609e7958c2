"""IoU, intersection over union: in 0..1, higher is better.

IoU = TP / (TP + FP + FN) of the binarised map: at x > .5 (IoU), at the adaptive threshold min(2 mean(x), 1)
(adpIoU), and over the levels (maxIoU and meanIoU, of the mean of the images' curves). Where both map and mask
are empty the score is 0, or 1 if the protocol scores agreement.
Source: Jaccard 1901; Everingham et al., The PASCAL visual object classes challenge, IJCV 2010.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.overlap import divided, overlap_family


def ratio(hit: NDArray[Any], false: NDArray[Any], inside: int, agreement: bool) -> NDArray[np.float64]:
    """IoU from true positives, false positives and the number of object pixels."""
    return divided(hit, false + inside, float(agreement))


FAMILY = overlap_family("IoU", "Everingham et al., IJCV 2010", ratio)
