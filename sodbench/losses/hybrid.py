"""The hybrid loss of BASNet: binary cross entropy + structural similarity + intersection over union.

Qin et al., "BASNet: Boundary-Aware Salient Object Detection", CVPR 2019, equations 3 to 8. For every
output map (p the probability, t the target): the mean of BCE, 1 - mean SSIM (11 x 11 Gaussian window of
sigma 1.5, zero padding, C1 = .01^2, C2 = .03^2), and the mean over the images of
1 - sum(p t) / (sum p + sum t - sum p t). The loss of a network is the sum over its outputs and terms.

All outputs of a network share one target, so they are stacked, and the target's statistics are computed
once. The window is separable. The gradient is written out and costs three more filterings, where automatic
differentiation takes the transpose of every step. The loss is computed in float32 for outputs of any type.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.arguments import NOT_NEGATIVE
from sodbench.errors import InputError, unknown_names
from sodbench.losses.inputs import checked_outputs

TERMS = ("bce", "ssim", "iou")
Padding = Literal["same", "valid"]

_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2
_CACHED = 850_000  # values per map for which the dozen maps in use fit a core's second-level cache


class HybridLoss(nn.Module):
    """Sum over outputs and terms of the hybrid loss, on logits.

    terms: any non-empty choice of "bce", "ssim", "iou".
    ssim_padding: "same" pads the maps with zeros (the official code); "valid" uses only windows inside
    the map (TensorFlow's SSIM, used by the Keras variant).
    smooth: added to numerator and denominator of the IoU (the Keras variant: 1e-9; official: 0).
    """

    def __init__(
        self, terms: Sequence[str] = TERMS, *, ssim_padding: Padding = "same", smooth: float = 0.0
    ) -> None:
        super().__init__()
        unknown = [term for term in terms if term not in TERMS]
        if unknown:
            raise unknown_names("loss term", unknown, TERMS)
        if not terms:
            raise InputError(f"a loss needs at least one term of {', '.join(TERMS)}")
        if ssim_padding not in ("same", "valid"):
            raise InputError(f"ssim_padding is {ssim_padding!r}, expected 'same' or 'valid'")
        self.terms = tuple(term for term in TERMS if term in terms)
        self.ssim_padding: Padding = ssim_padding
        self.smooth = NOT_NEGATIVE.checked("smooth", smooth)

    def forward(self, outputs: Sequence[Tensor] | Tensor, target: Tensor) -> Tensor:
        """The total loss, a float32 scalar.

        outputs: one tensor of logits N x 1 x H x W, or a sequence of them (deep supervision).
        target: N x 1 x H x W in 0..1. Raises InputError where the shapes differ.
        """
        return self.detailed(outputs, target)[0]

    def detailed(self, outputs: Sequence[Tensor] | Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The total loss, and its parts as a detached float32 table, outputs x terms."""
        logits = _stack(outputs, target)
        total, parts = _Hybrid.apply(logits, target, self.terms, self.ssim_padding, self.smooth)
        return total, parts

    def extra_repr(self) -> str:
        return f"terms={self.terms}, ssim_padding={self.ssim_padding!r}, smooth={self.smooth}"


def bce_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Mean binary cross entropy of logits against a target in 0..1; same shapes, float32 scalar."""
    return HybridLoss(("bce",))(logits, target)  # type: ignore[no-any-return]


def ssim_loss(logits: Tensor, target: Tensor, padding: Padding = "same") -> Tensor:
    """1 - mean structural similarity of sigmoid(logits) and the target (Wang et al., TIP 2004)."""
    return HybridLoss(("ssim",), ssim_padding=padding)(logits, target)  # type: ignore[no-any-return]


def iou_loss(logits: Tensor, target: Tensor, smooth: float = 0.0) -> Tensor:
    """Mean over the images of 1 - soft intersection over union of sigmoid(logits) and the target."""
    return HybridLoss(("iou",), smooth=smooth)(logits, target)  # type: ignore[no-any-return]


def _stack(outputs: Sequence[Tensor] | Tensor, target: Tensor) -> Tensor:
    """Outputs as one tensor K x N x H x W, in float32."""
    return torch.stack([output[:, 0].float() for output in checked_outputs(outputs, target)])


class _Hybrid(torch.autograd.Function):
    """Value and gradient in one pass over the stacked maps."""

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, target: Tensor, terms: tuple[str, ...], padding: Padding, smooth: float
    ) -> tuple[Tensor, Tensor]:
        with torch.autocast(logits.device.type, enabled=False):
            truth = _Target.of(target[:, 0].float(), terms, padding)
            together = logits.shape[0]
            if logits.device.type == "cpu":
                # as many outputs at once as fit a core's cache: two to three times faster than all
                together = max(1, _CACHED // truth.t.numel())
            pieces = [
                _evaluate(x, truth, terms, smooth, ctx.needs_input_grad[0])
                for x in torch.split(logits, together)
            ]
        parts = torch.cat([values for values, _ in pieces])
        gradients = [gradient for _, gradient in pieces if gradient is not None]
        ctx.save_for_backward(torch.cat(gradients) if gradients else None)
        ctx.mark_non_differentiable(parts)
        return parts.sum(), parts

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_total: Tensor, grad_parts: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_total, None, None, None, None


class _Target(NamedTuple):
    """The target N x H x W and what every output needs of it."""

    t: Tensor
    pad: int
    mean: Tensor | None
    square: Tensor | None

    @classmethod
    def of(cls, t: Tensor, terms: tuple[str, ...], padding: Padding) -> "_Target":
        pad = _WINDOW // 2 if padding == "same" else 0
        if "ssim" not in terms:
            return cls(t, pad, None, None)
        height, width = t.shape[1:]
        if padding == "valid" and min(height, width) < _WINDOW:
            raise InputError(
                f"maps of {height} x {width} are smaller than SSIM's {_WINDOW} x {_WINDOW} window"
            )
        mean, square = _filter(torch.stack([t, t * t]), pad)
        return cls(t, pad, mean, square)


def _evaluate(
    x: Tensor, truth: _Target, terms: tuple[str, ...], smooth: float, differentiate: bool
) -> tuple[Tensor, Tensor | None]:
    """Parts (K x terms) and, when asked, d(sum of the parts)/dx for the logits x: K x N x H x W."""
    t = truth.t
    count, height, width = t.shape
    p = torch.sigmoid(x)
    values: dict[str, Tensor] = {}
    by_p = torch.zeros_like(p) if differentiate else None  # d loss / d p, before the sigmoid
    if "iou" in terms:
        overlap = (p * t).sum((2, 3))
        union = p.sum((2, 3)) + t.sum((1, 2)) - overlap
        # an empty target under an all-zero map is 0/0; the smallest float keeps it finite
        safe = (union + smooth).clamp_min(torch.finfo(p.dtype).tiny)
        ratio = (overlap + smooth) / safe
        values["iou"] = (1 - ratio).mean(1)
        if by_p is not None:
            inside, outside = (v[:, :, None, None] for v in (-1 / (safe * count), ratio / (safe * count)))
            by_p += torch.lerp(outside.expand_as(p), inside.expand_as(p), t.expand_as(p))
    if "ssim" in terms:
        values["ssim"], slope = _ssim(p, truth, differentiate)
        if by_p is not None and slope is not None:
            by_p -= slope
    gradient = None
    if by_p is not None:
        gradient = by_p.mul_(p).mul_(1 - p)
    if "bce" in terms:
        # softplus(x) - x t, safe for any x
        values["bce"] = (F.softplus(x) - x * t).mean((1, 2, 3))
        if gradient is not None:
            gradient.add_(p - t, alpha=1 / (count * height * width))
    return torch.stack([values[term] for term in terms], 1), gradient


def _ssim(p: Tensor, truth: _Target, differentiate: bool) -> tuple[Tensor, Tensor | None]:
    """1 - mean SSIM of each of the K outputs, and d(mean SSIM)/dp, K x N x H x W."""
    t, mean_t, mean_tt = truth.t, truth.mean, truth.square
    assert mean_t is not None and mean_tt is not None  # nosec B101 # for the type checker
    mean_p, mean_pp, mean_pt = _filter(torch.stack([p, p * p, p * t]), truth.pad)
    two_means = 2 * mean_p * mean_t
    a = two_means + _C1
    b = 2 * mean_pt - two_means + _C2
    squares = mean_p.square() + mean_t.square()
    c = squares + _C1
    d = mean_pp + mean_tt - squares + _C2
    similarity = a * b / (c * d)
    value = 1 - similarity.mean((1, 2, 3))
    if not differentiate:
        return value, None
    # S = a b / (c d) by the three filtered maps that depend on p
    by_pt = 2 * a / (c * d)
    by_pp = -similarity / d
    by_mean = 2 * (mean_t * (b - a) / (c * d) - mean_p * similarity * (1 / c - 1 / d))
    # the window is symmetric: the transpose of the filter is the filter itself, padded to the full size
    through = _filter(torch.stack([by_mean, by_pp, by_pt]), _WINDOW - 1 - truth.pad)
    slope = through[0] + 2 * p * through[1] + t * through[2]
    return value, slope / similarity[0].numel()


def _filter(maps: Tensor, pad: int) -> Tensor:
    """Gaussian-filters every map of ... x H x W, as channels of one grouped convolution per direction."""
    *lead, height, width = maps.shape
    stacked = maps.reshape(1, -1, height, width)
    groups = stacked.shape[1]
    window = _window(maps.device)
    across = F.conv2d(stacked, window.expand(groups, 1, 1, -1), padding=(0, pad), groups=groups)
    both = F.conv2d(across, window[:, None].expand(groups, 1, -1, 1), padding=(pad, 0), groups=groups)
    return both.reshape(*lead, *both.shape[2:])


def _window(device: torch.device) -> Tensor:
    """The 11 weights of the Gaussian window, summing to one, float32."""
    offset = torch.arange(_WINDOW, dtype=torch.float64) - _WINDOW // 2
    weight = torch.exp(-offset.square() / (2 * _SIGMA**2))
    # a blocking copy would wait for the network's whole forward pass on a GPU; on other devices it must block
    return (weight / weight.sum()).float().to(device, non_blocking=device.type == "cuda")
