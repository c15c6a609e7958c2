"""Networks and baselines: `create` makes a fresh network, `load_baseline` reads a recipe.

Every network's forward returns a tuple of logits, N x 1 x H x W each, the final map first. Nothing here
imports torch before a network is made, so that listing baselines stays fast.
"""

from typing import TYPE_CHECKING

from sodbench.models.registry import Baseline, LoadedNetwork, baseline_names, create, load_baseline

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Baseline",
    "LoadedNetwork",
    "baseline_names",
    "choose_device",
    "create",
    "initialise",
    "load_baseline",
]


def initialise(network: "nn.Module", how: str = "default", seed: int = 0) -> str:
    """See `sodbench.models.initialisation.initialise`."""
    from sodbench.models.initialisation import initialise

    return initialise(network, how, seed)


def choose_device(asked: str | None = None) -> str:
    """See `sodbench.cli.device.choose_device`."""
    from sodbench.cli.device import choose_device

    return choose_device(asked)
