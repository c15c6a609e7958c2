"""Noise, pixel by pixel and channel by channel (Hendrycks and Dietterich, ICLR 2019)."""

from sodbench.data.corruptions.filters import Pixels, to_levels
from sodbench.data.corruptions.stream import UNIT, Stream

# All corruptions are called alike: the image (H x W x 3 uint8), the numbers of its severity, the random
# stream, and the scale by which lengths grow (the short side over 224).


def gaussian_noise(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Adds normal numbers. Numbers: the standard deviation, of a range of 0..1."""
    (deviation,) = numbers
    return to_levels(image + stream.normals(*image.shape) * (255 * deviation / UNIT))


def shot_noise(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Counts photons. Numbers: how many of them a pixel of full level receives on average."""
    photons = int(numbers[0])
    return to_levels(stream.counts(image, photons) * 255 / photons)


def impulse_noise(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Salt and pepper. Numbers: the fraction of the values that become 0 or 255."""
    (fraction,) = numbers
    draw = stream.words(*image.shape)
    limit = int(65536 * fraction)
    noisy = image.copy()
    noisy[draw < limit] = 0
    noisy[draw < limit // 2] = 255
    return noisy


def speckle_noise(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Adds normal numbers in proportion to the level. Numbers: their standard deviation at level 1."""
    (deviation,) = numbers
    return to_levels(image + image * (stream.normals(*image.shape) * (deviation / UNIT)))
