"""What may be scored: the checks that come before any number, each with the fix in its message."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.errors import InputError

MapArray = NDArray[Any]  # uint8 (0..255) or float64 (0..1), two-dimensional, C order


def checked_map(values: Any, name: str) -> MapArray:
    """A saliency map as uint8 (0..255) or float64 (0..1), C order.

    uint8 is taken as it is; bool becomes 0 and 255; floating point stays what it is, at full precision.
    Raises InputError for anything else: colour, 16-bit, values outside 0..1, NaN, no pixels.
    """
    array = _two_dimensional(values, name, "map")
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == np.bool_:
        return np.ascontiguousarray(array).view(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all():
            bad = int(array.size - np.isfinite(array).sum())
            raise InputError(
                f"{name}: map has {bad} NaN or infinite values; expected numbers in 0..1: mend the network's "
                "output before scoring"
            )
        low, high = float(array.min()), float(array.max())
        if low < 0 or high > 1:
            raise InputError(
                f"{name}: floating-point map with values in {low:g}..{high:g}; expected 0..1: apply the "
                "sigmoid, or convert a 0..255 map with .astype('uint8')"
            )
        return np.ascontiguousarray(array, dtype=np.float64)
    raise InputError(
        f"{name}: map of type {array.dtype}; expected uint8 (0..255), bool, or floating point in 0..1: "
        "convert a 0..255 map with .astype('uint8'), divide a 16-bit one by 65535"
    )


def checked_mask(values: Any, name: str) -> NDArray[np.uint8]:
    """A mask as uint8 (0..255), C order; bool becomes 0 and 255.

    Raises InputError for a mask of 0 and 1 (toolkits read it as empty), colour, other types, no pixels.
    """
    array = _two_dimensional(values, name, "mask")
    if array.dtype == np.bool_:
        return np.ascontiguousarray(array).view(np.uint8) * np.uint8(255)
    if array.dtype != np.uint8:
        raise InputError(
            f"{name}: mask of type {array.dtype}; expected uint8 (0 and 255) or bool: threshold it, "
            "for example mask > 0"
        )
    if array.max() == 1:
        raise InputError(
            f"{name}: mask has the values 0 and 1 only, which every threshold reads as empty: "
            "pass mask.astype(bool), or mask * 255"
        )
    return np.ascontiguousarray(array)


def _two_dimensional(values: Any, name: str, what: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 2:
        kind = "colour or stacked" if array.ndim == 3 else f"{array.ndim}-dimensional"
        raise InputError(
            f"{name}: {kind} {what} of shape {array.shape}; expected height x width: pass one grey channel"
        )
    if array.size == 0:
        raise InputError(f"{name}: {what} of shape {array.shape} has no pixels; expected at least 1 x 1")
    return array


def size_mismatch(
    name: str, map_shape: tuple[int, ...], mask_shape: tuple[int, ...], protocol: str
) -> InputError:
    """The error for a map and a mask of different sizes."""
    return InputError(
        f"{name}: map is {_said(map_shape)}, mask is {_said(mask_shape)} (height x width); protocol "
        f"{protocol} compares equal sizes only: save maps at their pictures' own size"
    )


def _said(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
