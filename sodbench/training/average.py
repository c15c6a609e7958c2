"""The exponential moving average of the weights, which is scored and shipped if a recipe sets `ema`."""

import copy

import torch
from torch import Tensor, nn


class Average:
    """A copy of a network whose weights and batch statistics are the moving average of the network's.

    The decay of step i is at most (1 + i) / (10 + i), so that the average soon forgets the first weights.
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
        """Restores the average of a checkpoint."""
        self.network.load_state_dict(state)
