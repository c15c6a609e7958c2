"""Brings what any network returns to the one form: a tuple of logits N x 1 x H x W, the final map first."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sodbench.errors import InputError

# keeps the logit of a probability of exactly 0 or 1 finite in float32
_EDGE = 1e-7


class Logits(nn.Module):
    """Wraps a network; its state dict is the network's own, without a prefix.

    `kind`: what the network's maps are, "logits" or "probability"; "auto" takes maps that lie within 0..1
    for probabilities (a saliency network's logits are far below 0 in the background).
    """

    def __init__(self, network: nn.Module, kind: str) -> None:
        super().__init__()
        self.network = network
        self.kind = kind

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = tuple(_one_channel(m, x) for m in _flatten(self.network(x)))
        if not maps:
            raise InputError(f"{type(self.network).__name__} returned no maps")
        if self.kind == "logits" or (self.kind == "auto" and not all(_within_unit(m) for m in maps)):
            return maps
        return tuple(torch.logit(m.float(), eps=_EDGE) for m in maps)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.network.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.network.load_state_dict(*args, **kwargs)


def as_logits(network: nn.Module, kind: str) -> nn.Module:
    """The network itself where it is one of this package, else wrapped."""
    own = type(network).__module__.startswith("sodbench.") and kind == "logits"
    return network if own else Logits(network, kind)


def _flatten(returned: Any) -> list[Tensor]:
    """Maps in order; of a dictionary (torchvision's `{"out": ..., "aux": ...}`) the values in order."""
    if isinstance(returned, Tensor):
        return [returned]
    if isinstance(returned, Mapping):
        returned = list(returned.values())
    if isinstance(returned, list | tuple):
        return [m for part in returned for m in _flatten(part)]
    return []


def _within_unit(maps: Tensor) -> bool:
    return bool(maps.min() >= 0) and bool(maps.max() <= 1)


def _one_channel(maps: Tensor, x: Tensor) -> Tensor:
    """N x 1 x H x W at the input's size; a map without a channel dimension gets one."""
    if maps.dim() == 3:
        maps = maps[:, None]
    if maps.dim() != 4 or maps.shape[1] != 1:
        raise InputError(
            f"the network returned a map of shape {tuple(maps.shape)}; expected N x 1 x H x W (one channel)"
        )
    if maps.shape[2:] != x.shape[2:]:
        maps = F.interpolate(maps, size=x.shape[2:], mode="bilinear", align_corners=False)
    return maps
