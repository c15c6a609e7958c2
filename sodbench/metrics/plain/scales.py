"""Multi-scale IoU at every level: edges of the binarised map and of the mask on grids of 1 to 512 pixels.

Ahmadzadeh et al., Multiscale IOU, ICIP 2021, as pysodmetrics' class MSIoU does it.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.plain.picture import Array, Picture
from sodbench.metrics.protocol import Protocol


def multiscale_curve(picture: Picture, protocol: Protocol) -> Array:
    """The area under the ratios of the ten grids for floor(255 x) >= 0, 1 ..., as many levels as F has."""
    level = np.floor(255 * picture.x(protocol.f_scale, protocol.scale_epsilon))
    mask = _cells(picture.truth(protocol))
    with np.errstate(over="ignore"):
        # the package adds the mask's cells up in half precision
        sizes = [np.float64(np.float16(np.count_nonzero(cells)) + np.float16(1)) for cells in mask]
    curve = np.zeros(protocol.levels)
    present = set(np.unique(level).astype(int).tolist())
    for t in range(protocol.levels):
        if t > 0 and t - 1 not in present:
            curve[t] = curve[t - 1]
            continue
        both = [np.count_nonzero(a & b) for a, b in zip(_cells(level >= t), mask, strict=True)]
        ratios = (np.array(both) + 1) / sizes
        curve[t] = (ratios.sum() - (ratios[0] + ratios[-1]) / 2) / 9
    return curve


def _cells(binary: NDArray[np.bool_]) -> list[NDArray[Any]]:
    """The cells of each grid, anchored at the bottom right, that hold an edge."""
    grey = binary.view(np.uint8)
    slopes = [cv2.Sobel(grey, cv2.CV_16S, *way, borderType=cv2.BORDER_CONSTANT) for way in ((1, 0), (0, 1))]
    edges = (slopes[0] != 0) | (slopes[1] != 0)
    height, width = edges.shape
    cells = [np.pad(edges, ((-height % 512, 0), (-width % 512, 0)))]
    for _ in range(9):
        rows = cells[-1][::2] | cells[-1][1::2]
        cells.append(rows[:, ::2] | rows[:, 1::2])
    return cells
