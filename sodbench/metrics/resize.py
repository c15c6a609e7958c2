"""Resampling of a map to its mask's size, for the protocols that do so instead of refusing it.

Bicubic with a = -0.5, wider when shrinking (as MATLAB's imresize and Pillow do), the result rounded to
8 bits: as if the map had been saved at that size. How the toolkits round in between is not documented;
a protocol's numbers for maps of another size agree with them to about 1e-3.
"""

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.checks import MapArray


def resized(values: MapArray, shape: tuple[int, int]) -> MapArray:
    """The map at another height and width; uint8 stays uint8, floating point is clipped to 0..1."""
    rows = _weights(values.shape[0], shape[0])
    columns = _weights(values.shape[1], shape[1])
    found = rows @ values.astype(np.float64) @ columns.T
    if values.dtype == np.uint8:
        return np.clip(np.floor(found + 0.5), 0, 255).astype(np.uint8)
    return np.clip(found, 0.0, 1.0)


def _weights(size: int, wanted: int) -> NDArray[np.float64]:
    """The matrix (wanted x size) that resamples one side."""
    scale = size / wanted
    reach = max(scale, 1.0)
    centre = (np.arange(wanted) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(size) - centre[:, None]) / reach
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    weights = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
