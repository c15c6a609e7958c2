"""From an image to a network's input, and from a probability to an 8-bit saliency map.

The default is BASNet's recipe: bilinear resize without anti-aliasing (scikit-image's
`resize(order=1, anti_aliasing=False)`), division by the image's own maximum, ImageNet mean and standard
deviation; on the way back min-max stretching, truncation to 8 bits, bilinear resize with Pillow (official
`data_loader.py` and `basnet_test.py`). Others resize with a filter of Pillow's (`resample`), or keep the
picture's aspect (`fit`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from sodbench.data.resizing import MapFilter, PictureFilter, resize_map, resize_picture
from sodbench.schema import AT_LEAST_1, SIDE, Check

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
Fit = Literal["stretch", "pad", "long-side"]
_Side = Annotated[int, AT_LEAST_1, SIDE]
_MEANS = Check("three numbers from -1000 to 1000", lambda values: all(abs(value) <= 1000 for value in values))
_ALL_ABOVE_0 = Check(
    "three numbers above 0, from 0.000001 to 1000", lambda values: all(1e-6 <= v <= 1000 for v in values)
)
_STEP = 32  # by which networks halve and double their input five times


@dataclass(frozen=True)
class InputSpec:
    """The input of a network: size in pixels, scaling of the levels, normalisation per channel (RGB).

    `resample` says how a picture is resized: "bilinear" is BASNet's interpolation, which skips pixels when it
    shrinks; the others are Pillow's filters, which average ("bilinear-antialias" is Pillow's BILINEAR).
    `fit` says to which size (see `fitted_size`): "stretch" to height x width; "pad" into height x width at
    the picture's aspect, the rest filled with zeros after normalisation, which is the mean colour;
    "long-side" the longer side to the larger of height and width, without padding. `fixed` says that the
    network takes no size but height x width.
    """

    height: _Side = 256
    width: _Side = 256
    scaling: Literal["max", "255"] = "max"
    mean: Annotated[tuple[float, float, float], _MEANS] = IMAGENET_MEAN
    std: Annotated[tuple[float, float, float], _ALL_ABOVE_0] = IMAGENET_STD
    resample: PictureFilter = "bilinear"
    fit: Fit = "stretch"
    fixed: bool = False


def prepare(image: npt.NDArray[np.uint8], spec: InputSpec) -> npt.NDArray[np.float32]:
    """Resizes, scales, normalises and pads: H x W x 3 uint8 RGB -> 3 x height x width float32.

    `scaling` "max" divides by the resized image's own maximum (a black image stays black), "255" by 255.
    With `fit` "long-side" the input has the size that `fitted_size` says; otherwise it has the spec's size.
    """
    target = (spec.height, spec.width)
    size = fitted_size((image.shape[0], image.shape[1]), target, spec.fit)
    resized = resize_picture(image, size, spec.resample)
    peak = float(resized.max()) if spec.scaling == "max" else 255.0
    scale = np.float32(1 / peak if peak > 0 else 1)
    mean = np.asarray(spec.mean, np.float32)
    std = np.asarray(spec.std, np.float32)
    normalised = np.ascontiguousarray((resized * (scale / std) - mean / std).transpose(2, 0, 1))
    if spec.fit != "pad" or size == target:
        return normalised
    padded = np.zeros((3, *target), np.float32)
    padded[:, : size[0], : size[1]] = normalised
    return padded


def finish(
    probability: npt.NDArray[np.float32],
    size: tuple[int, int],
    stretch: bool,
    resample: MapFilter = "bilinear",
    fit: Fit = "stretch",
) -> npt.NDArray[np.uint8]:
    """Turns a probability h x w in 0..1 into a saliency map of `size` (H, W), uint8.

    In this order: with `fit` "pad" the padding is cut off; levels are made; they are resized with Pillow's
    filter `resample`. `stretch` maps the smallest value to 0 and the largest to 255 and truncates to whole
    levels, as BASNet's code does; a constant map stays as it is. Otherwise levels are 255 p, rounded.
    """
    p = without_padding(np.asarray(probability, np.float32), size, fit)
    if stretch:
        low, high = float(p.min()), float(p.max())
        if high > low:
            p = (p - np.float32(low)) / np.float32(high - low)
    exact = np.clip(p, 0, 1) * np.float32(255)
    levels = (exact if stretch else np.rint(exact)).astype(np.uint8)
    return resize_map(levels, size, resample)


def fitted_size(size: tuple[int, int], target: tuple[int, int], fit: Fit) -> tuple[int, int]:
    """The height and width to which a picture of `size` (H, W) is resized for an input of `target`.

    "stretch": the target. "pad": the largest size of the picture's aspect within the target, so that one side
    is the target's; the other is rounded to whole pixels, halves up, and is at least 1. The picture lies at
    the top left and is padded at the right and at the bottom, as in Segment Anything and torchvision's
    detectors. "long-side": the longer side becomes the larger side of the target and the other follows the
    aspect, both rounded to multiples of 32, halves up, and at least 32.
    """
    height, width = size
    if fit == "pad":
        if height * target[1] >= width * target[0]:
            return target[0], max(1, _rounded(width * target[0], height))
        return max(1, _rounded(height * target[1], width)), target[1]
    if fit == "long-side":
        long = max(target)
        rows, columns = (_rounded(side * long, max(size) * _STEP) for side in size)
        return max(1, rows) * _STEP, max(1, columns) * _STEP
    return target


def without_padding(
    probability: npt.NDArray[np.float32], size: tuple[int, int], fit: Fit
) -> npt.NDArray[np.float32]:
    """The part of a map h x w that shows the picture of `size` (H, W)."""
    if fit != "pad":
        return probability
    rows, columns = fitted_size(size, (probability.shape[0], probability.shape[1]), fit)
    return probability[:rows, :columns]


def stacks(
    inputs: Sequence[npt.NDArray[np.float32]],
) -> Iterator[tuple[list[int], npt.NDArray[np.float32]]]:
    """Inputs 3 x h x w as batches of one shape each, with the inputs' indices."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for index, one in enumerate(inputs):
        by_shape.setdefault(one.shape, []).append(index)
    for indices in by_shape.values():
        yield indices, np.stack([inputs[index] for index in indices])


def _rounded(numerator: int, denominator: int) -> int:
    """The quotient of two positive numbers, rounded to the nearest whole number, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)
