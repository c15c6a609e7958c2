"""Exponentially averaged weights, the ones that are scored and shipped where a recipe says `ema`."""

import copy

import torch
from torch import Tensor, nn


class Average:
    """A network whose weights and batch statistics are the average of another's.

    The decay warms up with the steps, (1 + i) / (10 + i), so that the average forgets the beginning.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    def update(self, network: nn.Module, iteration: int) -> None:
        """Moves the average towards the network after step `iteration`."""
        share = 1 - min(self.decay, (1 + iteration) / (10 + iteration))
        own, new = self.network.state_dict(), network.state_dict()
        floating = [name for name, value in own.items() if value.is_floating_point()]
        torch._foreach_lerp_([own[n] for n in floating], [new[n].detach() for n in floating], share)
        for name in own.keys() - set(floating):
            own[name].copy_(new[name])

    def load(self, state: dict[str, Tensor]) -> None:
        """Goes on from a checkpoint."""
        self.network.load_state_dict(state)
