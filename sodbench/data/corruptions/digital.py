"""Digital corruptions (Hendrycks and Dietterich, ICLR 2019), and how pictures are stored and sent."""

from io import BytesIO

import numpy as np
from PIL import Image

from sodbench.data.corruptions.filters import Pixels, enlarged, shrunk, to_levels
from sodbench.data.corruptions.stream import Stream


def contrast(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Numbers: the share that is left of the difference to each channel's mean."""
    pixels = image.shape[0] * image.shape[1]
    means = image.sum(axis=(0, 1), dtype=np.int64) / pixels
    return to_levels((image - means) * numbers[0] + means)


def saturate(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Numbers: factor and summand of the saturation of hue, saturation, value. A grey pixel stays grey."""
    factor, summand = numbers
    value = image.max(axis=2).astype(np.float64)
    chroma = value - image.min(axis=2)
    # saturation is chroma / value; the levels lie below the value in proportion to it
    wanted = np.clip(chroma * factor + summand * value, 0, value)
    ratio = wanted / np.where(chroma == 0, 1, chroma)
    return to_levels(value[..., None] - (value[..., None] - image) * ratio[..., None])


def pixelate(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Numbers: the short side in blocks, as a share of 224."""
    height, width = image.shape[:2]
    share = min(1.0, numbers[0] / scale)
    rows, columns = (max(1, int(side * share)) for side in (height, width))
    small = shrunk(image, rows, columns)
    nearest = [(2 * np.arange(side) + 1) * n // (2 * side) for side, n in ((height, rows), (width, columns))]
    return np.asarray(small[nearest[0][:, None], nearest[1][None, :]])


def jpeg(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Numbers: the quality of libjpeg's compression, 4:2:0."""
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(numbers[0]), subsampling="4:2:0")
    with Image.open(file) as stored:
        return np.asarray(stored).copy()


def downscale(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Shrinks by area and enlarges again, bilinear. Numbers: what each side is divided by."""
    height, width = image.shape[:2]
    small = shrunk(image, *(max(1, int(side / numbers[0] + 0.5)) for side in (height, width)))
    return to_levels(enlarged(small, height, width))


def aspect(image: Pixels, numbers: tuple[float, ...], stream: Stream, scale: float) -> Pixels:
    """Squeezes the width. Numbers: the share of it that is left. The result is narrower than the image."""
    height, width = image.shape[:2]
    return shrunk(image, height, max(1, int(width * numbers[0] + 0.5)))
