"""The tensors of a training loop as pictures: 8-bit maps and masks, checked one by one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sodbench.data.preprocessing import finish
from sodbench.errors import InputError

Values = NDArray[Any]
ROUNDING = 1e-5  # by which interpolation may leave 0..1; such values are clipped


def pictures(values: Tensor | Sequence[Tensor], what: str) -> list[Values]:
    """Tensor N x 1 x H x W or N x H x W, or a sequence of H x W or 1 x H x W, as N arrays H x W on the CPU.

    Floating point comes as float32. Raises InputError for other types and shapes; `what` names the argument.
    """
    if isinstance(values, Tensor):
        stack = values[:, 0] if values.ndim == 4 and values.shape[1] == 1 else values
        if stack.ndim != 3:
            raise InputError(f"{what}: tensor of shape {_shape(values)}; {_remedy(values)}")
        return list(_array(stack, what))
    if not isinstance(values, list | tuple):
        raise InputError(
            f"{what} of type {type(values).__name__}; expected a tensor N x 1 x H x W, or a list of tensors "
            "H x W: Scorer takes arrays"
        )
    arrays = []
    for index, one in enumerate(values):
        if not isinstance(one, Tensor):
            raise InputError(f"{what}[{index}] of type {type(one).__name__}; expected a tensor H x W")
        flat = one[0] if one.ndim == 3 and one.shape[0] == 1 else one
        if flat.ndim != 2:
            raise InputError(f"{what}[{index}]: tensor of shape {_shape(one)}; expected H x W")
        arrays.append(_array(flat, f"{what}[{index}]"))
    return arrays


def saliency_map(probability: Values, name: str, stretch: bool) -> NDArray[np.uint8]:
    """A probability h x w as the 8-bit map that `sodbench run` writes of it (`preprocessing.finish`).

    Raises InputError for another type than floating point, NaN, and values outside 0..1.
    """
    if probability.dtype != np.float32:
        raise InputError(
            f"{name}: probabilities of type {probability.dtype}; expected floating point in 0..1: divide a "
            "0..255 map by 255"
        )
    low, high = (float(probability.min()), float(probability.max())) if probability.size else (0.0, 0.0)
    if not np.isfinite([low, high]).all():
        bad = int(probability.size - np.isfinite(probability).sum())
        raise InputError(
            f"{name}: probabilities have {bad} NaN or infinite values; expected numbers in 0..1: look for "
            "the step at which the loss diverged"
        )
    if low < -ROUNDING or high > 1 + ROUNDING:
        kind, remedy = (", as of logits", "") if low < 0 else ("", ", or divide a 0..255 map by 255")
        raise InputError(
            f"{name}: probabilities with values in {low:g}..{high:g}{kind}; expected 0..1: pass "
            f"torch.sigmoid(logits){remedy}"
        )
    if not probability.size:
        raise InputError(f"{name}: probabilities without pixels; expected at least 1 x 1")
    height, width = probability.shape
    return finish(np.clip(probability, 0, 1), (height, width), stretch)


def mask_levels(mask: Values, name: str) -> NDArray[np.uint8]:
    """A mask as 8-bit grey levels: 0 and 1 of any type become 0 and 255; other uint8 levels stay.

    Raises InputError for masks of any other type that hold more than 0 and 1 (or 255), and for uint8 masks
    without a level from 128 up, which are no masks.
    """
    top = mask.max() if mask.size else 0
    if mask.dtype == np.uint8 and top >= 128:
        return mask
    if top in (0, 1, 255) and ((mask == 0) | (mask == top)).all():
        return np.where(mask > 0, np.uint8(255), np.uint8(0))
    if mask.dtype == np.uint8:
        raise InputError(
            f"{name}: mask with values in 0..{top}; expected 0 and 1, or the grey levels of a mask file up "
            "to 255: choose the object's label, for example masks == 1"
        )
    raise InputError(
        f"{name}: mask of type {mask.dtype} with values other than 0 and 1; expected 0 and 1, or uint8 grey "
        "levels: resize masks with nearest neighbour, or threshold them, for example masks > 0.5"
    )


def _array(tensor: Tensor, what: str) -> Values:
    if tensor.is_complex() or tensor.layout is not torch.strided or tensor.device.type == "meta":
        kind = "complex" if tensor.is_complex() else "sparse" if tensor.device.type != "meta" else "meta"
        raise InputError(f"{what}: a {kind} tensor; expected real values")
    tensor = tensor.detach().cpu()  # numpy has no bfloat16
    values: Values = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    return values


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "one number"


def _remedy(tensor: Tensor) -> str:
    expected = "expected N x 1 x H x W or N x H x W"
    if tensor.ndim == 4:
        return f"{expected}: choose one channel, for example [:, :1]"
    return f"{expected}: add the batch's dimension with [None]" if tensor.ndim == 2 else expected
