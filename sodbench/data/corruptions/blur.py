"""Blurs (Hendrycks and Dietterich, ICLR 2019); all lengths are in pixels of a short side of 224."""

import numpy as np

from sodbench.data.corruptions.filters import Floats, Pixels, disc, gaussian, line, sampled, to_levels
from sodbench.data.corruptions.stream import Stream


def gaussian_blur(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Numbers: the standard deviation."""
    return to_levels(gaussian(image, numbers[0] * scale))


def defocus_blur(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """The mean over a disc. Numbers: its radius, and the standard deviation that softens its edge."""
    radius, edge = numbers
    return to_levels(gaussian(disc(image, radius * scale), edge * scale))


def glass_blur(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Every pixel takes a near pixel's place, between two Gaussian blurs.

    Numbers: standard deviation, largest distance, repetitions. The pixels are taken all at once; ImageNet-C
    swaps them one after the other.
    """
    sigma, distance, repetitions = numbers
    reach = max(1, int(distance * scale + 0.5))
    shuffled = to_levels(gaussian(image, sigma * scale))
    rows, columns = np.indices(image.shape[:2], np.int64)
    for _ in range(int(repetitions)):
        # from -reach to reach - 1, as there
        down, right = stream.words(2, *image.shape[:2]).astype(np.int64) * (2 * reach) // 65536 - reach
        near = (np.clip(rows + down, 0, rows[-1, 0]), np.clip(columns + right, 0, columns[0, -1]))
        shuffled = shuffled[near]
    return to_levels(gaussian(shuffled, sigma * scale))


def motion_blur(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Half a Gaussian along a line within 45 degrees of the horizontal.

    Numbers: half the line's length, and the standard deviation.
    """
    radius, sigma = numbers
    return line(image, radius * scale, sigma * scale, stream.uniform(-0.125, 0.125))


def zoom_blur(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """The mean of the image and of its enlargements about the centre, one per hundredths in `numbers`.

    The sharp image counts twice, as in ImageNet-C; objects stay where they are.
    """
    total: Floats = image.astype(np.float32)
    middles = [(side - 1) / 2 for side in image.shape[:2]]
    for zoom in numbers:
        places = [
            (np.arange(side) - middle) / (zoom / 100) + middle
            for side, middle in zip(image.shape, middles, strict=False)
        ]
        total = total + sampled(image, places[0], places[1])
    return to_levels(total / np.float32(len(numbers) + 1))
