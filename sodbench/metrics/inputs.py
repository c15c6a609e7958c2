"""Validation of maps, masks and their names before scoring."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodbench.errors import InputError
from sodbench.metrics.protocol import load_protocol, protocol_names

# the compiled loops count pixels, with a margin, in 32 bits
MOST_PIXELS, MARGIN = 2**31 - 1, 72

MapArray = NDArray[Any]  # uint8 (0..255) or float64 (0..1), two-dimensional, C order


def checked_map(values: ArrayLike, name: str) -> MapArray:
    """A saliency map as uint8 (0..255) or float64 (0..1), H x W, C order.

    uint8 is taken as it is; bool becomes 0 and 255; floating point keeps its full precision.
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
                f"{name}: map has {bad} NaN or infinite values; expected numbers in 0..1: correct the "
                "network's output before scoring"
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


def checked_mask(values: ArrayLike, name: str) -> NDArray[np.uint8]:
    """A mask as uint8 (0..255), H x W, C order; bool becomes 0 and 255.

    Raises InputError for colour, other types, no pixels. `refuse_zero_one` goes with it.
    """
    array = _two_dimensional(values, name, "mask")
    if array.dtype == np.bool_:
        return np.ascontiguousarray(array).view(np.uint8) * np.uint8(255)
    if array.dtype != np.uint8:
        raise InputError(
            f"{name}: mask of type {array.dtype}; expected uint8 (0 and 255) or bool: threshold it, "
            "for example mask > 0"
        )
    return np.ascontiguousarray(array)


def refuse_zero_one(mask: NDArray[np.uint8], name: str) -> None:
    """Raises InputError for a mask of the values 0 and 1, which toolkits read as empty."""
    if mask.max() == 1:
        raise InputError(
            f"{name}: mask has the values 0 and 1 only, which every threshold reads as empty: "
            "pass mask.astype(bool), or mask * 255"
        )


def checked_name(name: object) -> str:
    """The name of an image; InputError for anything but a string."""
    if not isinstance(name, str):
        raise InputError(
            f"a name of type {type(name).__name__}; expected a string, for example the file's stem"
        )
    return name


def as_array(values: ArrayLike, name: str, what: str) -> NDArray[Any]:
    """A map or mask as a numpy array of any shape and type.

    Raises InputError for a masked array with masked values, which would be taken for pixels, and for what is
    no array: ragged lists, tensors on a GPU.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InputError(
            f"{name}: {what} is a masked array with masked values; expected values everywhere: fill them, "
            "for example with .filled(0)"
        )
    try:
        return np.asarray(values)
    except Exception as error:  # whatever a foreign type raises in its __array__
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{name}: {what} of type {type(values).__name__} is not an array ({why}); expected a numpy "
            "array, height x width"
        ) from None


def _two_dimensional(values: ArrayLike, name: str, what: str) -> NDArray[Any]:
    array = as_array(values, name, what)
    if array.ndim != 2:
        kind = "colour or stacked" if array.ndim == 3 else f"{array.ndim}-dimensional"
        raise InputError(
            f"{name}: {kind} {what} of shape {array.shape}; expected height x width: pass one grey channel"
        )
    if array.size == 0:
        raise InputError(f"{name}: {what} of shape {array.shape} has no pixels; expected at least 1 x 1")
    if array.shape[0] * (array.shape[1] + MARGIN) > MOST_PIXELS:
        raise InputError(
            f"{name}: {what} of shape {array.shape} is too large; expected at most {MOST_PIXELS:,} pixels, "
            f"{MARGIN} columns added: score it at a smaller size"
        )
    return array


class SizeMismatchError(InputError):
    """A map and a mask of different sizes, under a protocol that does not resample.

    `sizes` states the image's name and both sizes; `remedy` the protocol and what to do.
    """

    def __init__(
        self, name: str, map_shape: tuple[int, ...], mask_shape: tuple[int, ...], protocol: str
    ) -> None:
        """Shapes are height x width."""
        self.sizes = f"{name}: map is {_shape(map_shape)}, mask is {_shape(mask_shape)}"
        resampling = [one for one in protocol_names() if load_protocol(one).size_mismatch != "error"]
        self.remedy = (
            f"protocol {protocol} compares equal sizes only: save maps at the size of their images, or "
            f"choose a protocol that resamples maps ({', '.join(resampling)}), or resize them by a filter "
            "that the record names (sodbench score --resize bilinear)"
        )
        super().__init__(f"{self.sizes} (height x width); {self.remedy}")


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
