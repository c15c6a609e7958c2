"""Augmentation of training samples: random scale and crop, rotation, mirroring, colour.

Images and masks are uint8 throughout, H x W x 3 (RGB) and H x W. Every random number comes from the
generator that is passed in, so that a sample depends on its seed alone.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from sodbench.data.preprocessing import IMAGENET_MEAN

Pixels = npt.NDArray[np.uint8]
Size = tuple[int, int]

# fills what a crop or a rotation shows beyond the image: the colour that normalisation maps to zero
_FILL = np.array([round(255 * m) for m in IMAGENET_MEAN], np.uint8)


@dataclass(frozen=True)
class Augmentation:
    """How a sample is turned into what the network sees; the fields are those of the recipe."""

    resize: Size | None = None
    crop: Size | None = None
    flip: bool = False
    scale_jitter: tuple[float, float, float] | None = None
    aspect_jitter: float = 1.0
    rotation: float = 0.0
    colour_jitter: tuple[float, float, float] | None = None


def augment(
    image: Pixels, mask: Pixels, how: Augmentation, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A resized pair scaled and cropped, rotated, mirrored and recoloured, in this order.

    What is switched off draws no random number, so that it does not change the other draws.
    """
    if how.scale_jitter is not None and how.crop is not None:
        image, mask = _scaled_crop(image, mask, how, random)
    elif how.crop is not None:
        top, left = (
            int(random.integers(0, have - want + 1)) if have >= want else 0
            for have, want in zip(mask.shape, how.crop, strict=True)
        )
        image, mask = _crop(image, mask, top, left, how.crop)
    if how.rotation:
        image, mask = _rotate(image, mask, float(random.uniform(-how.rotation, how.rotation)))  # nosec B311 # no secret
    if how.flip and random.random() < 0.5:  # nosec B311 # no secret
        image, mask = image[:, ::-1], mask[:, ::-1]
    if how.colour_jitter is not None:
        image = _recolour(image, how.colour_jitter, random)
    return image, mask


def _crop(image: Pixels, mask: Pixels, top: int, left: int, size: Size) -> tuple[Pixels, Pixels]:
    """Cuts a window out; beyond the image it is of the mean colour, and background."""
    height, width = size
    image, mask = (
        image[top : top + height, left : left + width],
        mask[top : top + height, left : left + width],
    )
    if mask.shape == size:
        return image, mask
    padded_image = np.broadcast_to(_FILL, (height, width, 3)).copy()
    padded_mask = np.zeros(size, np.uint8)
    padded_image[: mask.shape[0], : mask.shape[1]] = image
    padded_mask[: mask.shape[0], : mask.shape[1]] = mask
    return padded_image, padded_mask


def _scaled_crop(
    image: Pixels, mask: Pixels, how: Augmentation, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A crop of the randomly scaled pair, computed from the needed part of the image alone."""
    assert how.crop is not None and how.scale_jitter is not None  # nosec B101 # for the type checker
    size = how.crop
    low, high, step = how.scale_jitter
    if step > 0:
        scale = low + step * int(random.integers(0, round((high - low) / step) + 1))
    else:
        scale = float(random.uniform(low, high))  # nosec B311 # no secret
    scales = (scale, scale)  # vertical, horizontal
    if how.aspect_jitter > 1:
        limit = math.log(how.aspect_jitter) / 2
        stretch = math.exp(random.uniform(-limit, limit))  # nosec B311 # no secret
        scales = (scale / stretch, scale * stretch)
    top, left = (
        float(random.uniform(0, max(0.0, have * by - want)))  # nosec B311 # no secret
        for have, by, want in zip(mask.shape, scales, size, strict=True)
    )
    # the part of the crop that the image fills, and the window of the image (in its own pixels) for it
    height, width = (
        min(want, max(1, round(have * by))) for have, by, want in zip(mask.shape, scales, size, strict=True)
    )
    vertical, horizontal = scales
    window = (
        left / horizontal,
        top / vertical,
        min((left + width) / horizontal, mask.shape[1]),
        min((top + height) / vertical, mask.shape[0]),
    )
    filled = (width, height)
    scaled_image = np.asarray(Image.fromarray(image).resize(filled, Image.Resampling.BILINEAR, box=window))
    scaled_mask = np.asarray(Image.fromarray(mask).resize(filled, Image.Resampling.NEAREST, box=window))
    return _crop(scaled_image, scaled_mask, 0, 0, size)


def _rotate(image: Pixels, mask: Pixels, degrees: float) -> tuple[Pixels, Pixels]:
    """Rotates both about the centre; the corners that appear are of the mean colour, and background."""
    fill = tuple(_FILL.tolist())
    rotated = Image.fromarray(image).rotate(degrees, Image.Resampling.BILINEAR, fillcolor=fill)
    return np.asarray(rotated), np.asarray(Image.fromarray(mask).rotate(degrees, Image.Resampling.NEAREST))


def _recolour(image: Pixels, jitter: tuple[float, float, float], random: np.random.Generator) -> Pixels:
    """Random brightness, contrast and saturation, as one affine map of the colour (3 x 4)."""
    brightness, contrast, saturation = (
        1 + amount * random.uniform(-1, 1)  # nosec B311 # no secret
        for amount in jitter
    )
    luma = np.array([0.299, 0.587, 0.114])
    mix = contrast * brightness * (saturation * np.eye(3) + (1 - saturation) * luma)
    mean = float((image.reshape(-1, 3).mean(0) * luma).sum())
    shift = mean * brightness * (1 - contrast)
    changed = image.astype(np.float32) @ mix.T.astype(np.float32) + np.float32(shift)
    result: Pixels = np.clip(np.rint(changed), 0, 255).astype(np.uint8)
    return result
