"""The boundary-aware loss (BAL): cross entropy with larger weights near the objects' boundaries.

Dongkyu Yu (POSTECH), DeepLabV3 with pyramid atrous convolution and boundary-aware loss. Two forms are
published and they differ: the paper's text ("paper") and the released code ("code").

| step | paper | code |
|---|---|---|
| edge of each class | 2 x 2 filter [[1, -.5], [-.5, 0]], not zero -> 1, summed over the classes | the same |
| downsampling by 4 | bilinear | two 2 x 2 sum filters of stride 2 |
| Gaussian exp(-(dx^2 + dy^2) / (n sigma)) | n = 35, peak 1 | n = 17 (the half-size), sum 1 |
| upsampling | bilinear, corners aligned | the same |
| weight | blur + .5 | 1.5 blur + .5, clipped to 0..4 |

Saliency has two classes, object and background, whose edges coincide, so an edge pixel counts 2.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.errors import InputError
from sodbench.losses.inputs import checked_outputs

Form = Literal["paper", "code"]

_CLASSES = 2


def boundary_weight(
    mask: Tensor,
    form: Form = "paper",
    *,
    size: int = 35,
    sigma: float = 3.0,
    beta: float = 0.5,
    gain: float | None = None,
    downsampling: int = 4,
    ignore: Tensor | None = None,
) -> Tensor:
    """The weight of every pixel's cross entropy, float32, of the mask's shape.

    mask: H x W, N x H x W or N x 1 x H x W; object where > .5.
    form: "paper" or "code", see the module's table.
    size: width of the Gaussian window in downsampled pixels, odd. n of the kernel is the size in the
    paper's form and the half-size, (size - 1) / 2, in the code's.
    sigma: of the kernel. beta: the weight far from any edge.
    gain: the factor of the blurred edge; unless given, 1 in the paper's form and 1.5 in the code's.
    downsampling: a power of two; 1 leaves the edge map at full size.
    ignore: of the mask's shape; pixels where it is true have weight 0.
    """
    if form not in ("paper", "code"):
        raise InputError(f"boundary_weight: form is {form!r}, expected 'paper' or 'code'")
    if size < 1 or size % 2 == 0:
        raise InputError(f"boundary_weight: size is {size}, expected an odd number")
    if downsampling < 1 or downsampling & (downsampling - 1):
        raise InputError(f"boundary_weight: downsampling is {downsampling}, expected a power of two")
    if mask.dim() not in (2, 3, 4) or (mask.dim() == 4 and mask.shape[1] != 1):
        raise ValueError(
            f"the mask has the shape {tuple(mask.shape)}; expected H x W, N x H x W or N x 1 x H x W"
        )
    height, width = mask.shape[-2:]
    # in float32: in half precision the blur by a 35-wide window is visibly coarse
    with torch.no_grad(), torch.autocast(mask.device.type, enabled=False):
        edge = _CLASSES * _edge((mask > 0.5).float().reshape(-1, 1, height, width))
        blurred = _blur(_shrink(edge, form, downsampling), form, size, sigma)
        if downsampling > 1:
            blurred = F.interpolate(blurred, size=(height, width), mode="bilinear", align_corners=True)
        weight = blurred * (gain if gain is not None else 1.0 if form == "paper" else 1.5) + beta
        if form == "code":
            weight = weight.clamp(0, 4)
        weight = weight.reshape(mask.shape)
        return weight if ignore is None else weight.masked_fill(ignore.bool(), 0.0)


class BoundaryAwareLoss(nn.Module):
    """mean(boundary weight * binary cross entropy) on logits, summed over the outputs.

    Takes the arguments of `boundary_weight` as keywords.
    """

    terms = ("bal",)

    def __init__(
        self,
        form: Form = "paper",
        *,
        size: int = 35,
        sigma: float = 3.0,
        beta: float = 0.5,
        gain: float | None = None,
        downsampling: int = 4,
    ) -> None:
        super().__init__()
        self.form: Form = form
        self.size, self.sigma, self.beta, self.gain, self.downsampling = size, sigma, beta, gain, downsampling
        boundary_weight(torch.zeros(1, 1), form, size=size, sigma=sigma, beta=beta, downsampling=downsampling)

    def forward(self, outputs: Sequence[Tensor] | Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar; outputs are logits N x 1 x H x W, the target N x 1 x H x W in 0..1."""
        return self.detailed(outputs, target)[0]

    def detailed(self, outputs: Sequence[Tensor] | Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The total loss, and its detached parts, outputs x 1."""
        maps = checked_outputs(outputs, target)
        weight = boundary_weight(
            target,
            self.form,
            size=self.size,
            sigma=self.sigma,
            beta=self.beta,
            gain=self.gain,
            downsampling=self.downsampling,
        )
        truth = target.float()
        parts = [
            (weight * F.binary_cross_entropy_with_logits(x.float(), truth, reduction="none")).mean()
            for x in maps
        ]
        table = torch.stack(parts)
        return table.sum(), table.detach()[:, None]


def _edge(mask: Tensor) -> Tensor:
    """1 where the filter [[1, -.5], [-.5, 0]] is not zero; bottom and right are padded symmetrically."""
    right = torch.cat([mask[..., 1:], mask[..., -1:]], -1)
    below = torch.cat([mask[..., 1:, :], mask[..., -1:, :]], -2)
    return (mask - 0.5 * right - 0.5 * below).ne(0).float()


def _shrink(edge: Tensor, form: Form, factor: int) -> Tensor:
    if factor == 1:
        return edge
    height, width = edge.shape[-2:]
    if form == "paper":
        size = (max(1, -(-height // factor)), max(1, -(-width // factor)))
        return F.interpolate(edge, size=size, mode="bilinear", align_corners=True)
    while factor > 1:
        # TensorFlow's SAME padding of a 2 x 2 filter: one zero row or column behind an odd size
        padded = F.pad(edge, (0, edge.shape[-1] % 2, 0, edge.shape[-2] % 2))
        edge = F.avg_pool2d(padded, 2) * 4
        factor //= 2
    return edge


def _blur(maps: Tensor, form: Form, size: int, sigma: float) -> Tensor:
    """The Gaussian of either form, zero padded, separably."""
    half = size // 2
    n = size if form == "paper" else max(half, 1)
    offset = torch.arange(-half, half + 1, dtype=torch.float64)
    window = torch.exp(-offset.square() / (n * sigma))
    if form == "code":
        window = window / window.sum()
    kernel = window.float().to(maps.device)
    across = F.conv2d(maps, kernel.view(1, 1, 1, -1), padding=(0, half))
    return F.conv2d(across, kernel.view(1, 1, -1, 1), padding=(half, 0))
