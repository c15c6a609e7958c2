"""Saliency maps of floating-point numbers: how probabilities become the 8-bit levels that protocols score.

A level is round(255 x), halves to even, as `sodbench run` writes the maps of a network, scikit-image's
`img_as_ubyte` does, and numpy rounds. A map of k / 255 becomes the level k again, in any precision.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.errors import InputError

RULE = "round(255 x)"  # what records say


def eight_bit_levels(values: NDArray[Any], name: Path) -> NDArray[np.uint8]:
    """A map H x W as uint8: uint8 as it is, bool as 0 and 255, floating point in 0..1 rounded.

    Raises InputError that names the file for NaN, infinite values and values outside 0..1.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    with np.errstate(invalid="ignore"):  # NaN, if one of the values is
        low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = int(values.size - np.isfinite(values).sum())
        raise InputError(
            f"{name}: a saliency map with {bad} NaN or infinite values; expected numbers in 0..1: correct "
            "the network's output before scoring"
        )
    if low < 0 or high > 1:
        raise InputError(
            f"{name}: a floating-point saliency map with values in {low:g}..{high:g}; expected 0..1: apply "
            "the sigmoid, clip what a resampling overshoots, or divide a 0..255 map by 255"
        )
    # in double precision, as a half-precision product would round to whole steps of 1/8
    return np.rint(values.astype(np.float64) * 255).astype(np.uint8)


def holds_floats(path: Path) -> bool:
    """Whether a file of a map holds floating-point numbers, by its header; False where it cannot be read."""
    from sodbench.data.npy_maps import read_npy_header
    from sodbench.data.picture_files import open_picture

    try:
        if path.suffix.lower() == ".npy":
            return read_npy_header(path).dtype.kind == "f"
        if path.suffix.lower() in (".tif", ".tiff"):
            with open_picture(path) as picture:
                return picture.mode == "F"
    except InputError:  # said when the map is scored
        pass
    return False
