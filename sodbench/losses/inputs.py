"""Validation of what a loss is computed on."""

from collections.abc import Sequence

from torch import Tensor

from sodbench.arguments import instance, instances
from sodbench.errors import InputError


def checked_outputs(outputs: Sequence[Tensor] | Tensor, target: Tensor) -> list[Tensor]:
    """The outputs of a network as a list of logits N x 1 x H x W, which is the target's shape.

    Raises InputError for another shape, no images, complex numbers and what is no tensor.
    """
    instance("target", target, Tensor, "a tensor")
    maps = instances("outputs", [outputs] if isinstance(outputs, Tensor) else outputs, Tensor, "tensors")
    if not maps:
        raise InputError("the network returned no output to compute a loss on")
    for number, output in enumerate(maps):
        if output.shape != target.shape or output.dim() != 4 or output.shape[1] != 1 or not output.numel():
            raise InputError(
                f"output {number} has the shape {tuple(output.shape)} and the target {tuple(target.shape)}; "
                "both must be N x 1 x H x W, none of them 0"
            )
        if output.is_complex() or target.is_complex():
            raise InputError(f"output {number} or the target is complex; expected real numbers")
    return maps
