"""The elastic transform (Hendrycks and Dietterich, ICLR 2019), of an image and of its mask alike."""

import numpy as np
from numpy.typing import NDArray

from sodbench.data.corruptions.filters import Floats, Pixels, enlarged, gaussian, to_levels
from sodbench.data.corruptions.stream import Stream
from sodbench.data.synthetic.noise import at
from sodbench.data.synthetic.numbers import Array

_LARGEST_SIGMA = 60  # pixels of a short side of 224; smoother fields move everything alike


def elastic(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Moves every pixel by a random affine map and a smooth random field.

    Numbers: the field's strength and smoothness, and how far the affine map moves three points, all in pixels
    of a short side of 224. A field smoother than 60 of them would move everything alike and is left out.
    """
    if min(image.shape[:2]) < 2:  # nothing lies between its pixels
        return image
    y, x = _sources(image.shape[:2], numbers, stream, scale)
    channels = [at(image[..., channel].astype(np.float64), y, x) for channel in range(image.shape[2])]
    return to_levels(np.stack(channels, axis=-1))


def elastic_mask(mask: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """The mask (H x W) moved as `elastic` moves its image, without new grey levels: the nearest pixel."""
    if min(mask.shape) < 2:
        return mask
    y, x = _sources(mask.shape[:2], numbers, stream, scale)
    return mask[_nearest(y, mask.shape[0]), _nearest(x, mask.shape[1])]


def _sources(
    size: tuple[int, ...], numbers: tuple[float, ...], stream: Stream, scale: float
) -> tuple[Array, Array]:
    """Where each pixel comes from: rows and columns, H x W."""
    height, width = size
    strength, sigma, shift = numbers
    y, x = np.indices((height, width)).astype(np.float64)
    u, v = (y - height / 2) / (height / 3), (x - width / 2) / (width / 3)
    # three corners of a rectangle about the centre move on their own: a shift and two edges
    corners = (stream.grid(3, 2) * 2 - 1) * (shift * scale)
    middle = (corners[1] + corners[2]) * 0.5
    along_u, along_v = (corners[0] - corners[1]) * 0.5, (corners[0] - corners[2]) * 0.5
    moved = [grid + (middle[i] + u * along_u[i] + v * along_v[i]) for i, grid in enumerate((y, x))]
    if sigma <= _LARGEST_SIGMA:
        for i in range(2):
            moved[i] = moved[i] + _field(height, width, sigma, scale, stream) * (strength * scale)
    return moved[0], moved[1]


def _field(height: int, width: int, sigma: float, scale: float, stream: Stream) -> Floats:
    """Smooth noise about 0: uniform numbers of -1..1, blurred, at a short side of 224, enlarged."""
    rows, columns = (max(2, int(side / scale + 0.5)) for side in (height, width))
    noise = stream.words(rows, columns).astype(np.int64) * 2 - 65535
    return enlarged(gaussian(noise, sigma) / 65536, height, width)


def _nearest(positions: Array, size: int) -> NDArray[np.int64]:
    """Whole positions, mirrored once at the borders as `at` does, then cut."""
    inside = np.abs(positions)
    inside = np.where(inside > size - 1, 2.0 * (size - 1) - inside, inside)
    return np.clip(np.floor(inside + 0.5), 0, size - 1).astype(np.int64)
