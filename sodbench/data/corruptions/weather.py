"""Weather (Hendrycks and Dietterich, ICLR 2019); all lengths are in pixels of a short side of 224.

Layers of random numbers are made at that size and enlarged, so that a flake and a drop cover the same part of
the picture at every size.
"""

import numpy as np
from numpy.typing import NDArray

from sodbench.data.corruptions.filters import Floats, Pixels, enlarged, gaussian, line, to_levels
from sodbench.data.corruptions.stream import UNIT, Stream
from sodbench.data.synthetic.noise import fractal

_WATER = (175, 238, 238)  # pale turquoise
_MUD = (63, 42, 20)


def fog(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Adds fractal noise and lowers the contrast. Numbers: its strength, and how fast its detail fades."""
    strength, fading = numbers
    height, width = image.shape[:2]
    haze = fractal(stream, height, width, 128 * scale, octaves=8, roughness=1 / (fading * fading))
    highest = float(image.max()) / 255
    return to_levels((image + (255 * strength) * haze[..., None]) * (highest / (highest + strength)))


def snow(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Whitens the picture and lets flakes fall in two directions.

    Numbers: mean and deviation of the flakes' noise, its enlargement, the threshold above which it is
    a flake, half the length and the deviation of its motion, the share of the picture that is not whitened.
    """
    mean, deviation, size, threshold, radius, sigma, share = numbers
    height, width = image.shape[:2]
    rows, columns = (max(2, int(side / (scale * size) + 0.5)) for side in (height, width))
    noise = enlarged(mean + stream.normals(rows, columns) * (deviation / UNIT), height, width)
    flakes = np.where(noise < threshold, 0, noise)
    # within 45 degrees of straight down
    layer = line(to_levels(255 * flakes), radius * scale, sigma * scale, 0.25 + stream.uniform(-0.125, 0.125))
    grey = _grey(image)[..., None]
    white = np.maximum(image, 1.5 * grey + 127.5)
    falling = layer.astype(np.int64) + layer[::-1, ::-1]
    return to_levels(share * image + (1 - share) * white + falling[..., None])


def brightness(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Raises the value of hue, saturation, value. Numbers: by how much, of a range of 0..1."""
    value = image.max(axis=2).astype(np.float64)
    raised = np.minimum(value + 255 * numbers[0], 255)
    black = value == 0
    brighter = image * (raised / np.where(black, 1, value))[..., None]
    return to_levels(np.where(black[..., None], raised[..., None], brighter))


def spatter(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Drops on the lens: clear water at severities 1 to 3, mud at 4 and 5.

    Numbers: mean and deviation of the noise, the Gaussian blur that makes drops of it, the threshold above
    which it is a drop, the water's strength or the softness of the mud's edge, and whether it is mud.
    """
    mean, deviation, sigma, threshold, amount, mud = numbers
    height, width = image.shape[:2]
    rows, columns = (max(2, int(side / scale + 0.5)) for side in (height, width))
    depth = mean + gaussian(stream.normals(rows, columns), sigma) * (deviation / UNIT)
    if mud:
        soft = gaussian(255 * (depth > threshold), amount)
        cover = enlarged(np.where(soft < 0.8 * 255, 0, soft), height, width)[..., None] / np.float32(255)
        return to_levels(image * (1 - cover) + np.array(_MUD) * cover)
    layer = enlarged(_lit(depth, threshold), height, width)[..., None]
    return to_levels(image + layer * (amount * np.array(_WATER)))


def _lit(depth: Floats, threshold: float) -> Floats:
    """How brightly each place of a layer of water shines, 0..1: most where its surface faces the top left."""
    drop = depth > threshold
    slope = np.zeros_like(depth)
    slope[1:-1, 1:-1] = depth[2:, 2:] - depth[:-2, :-2]
    steepest = max(float(np.abs(slope[drop]).max()) if drop.any() else 0.0, 1e-9)
    light = np.where(drop, 0.35 + 0.65 * np.maximum(slope, 0) / steepest, 0)
    return gaussian(np.floor(255 * light), 0.7) / 255


def _grey(image: Pixels) -> NDArray[np.float64]:
    red, green, blue = np.moveaxis(image.astype(np.int64), 2, 0)
    return np.asarray((299 * red + 587 * green + 114 * blue) / 1000)
