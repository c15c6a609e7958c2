"""The recipe's loss, optimiser and moving average of the weights."""

import copy
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from sodbench.errors import InputError
from sodbench.models.outputs import encoder_parameters
from sodbench.training.recipe import Recipe


class Loss(Protocol):
    """What the trainer needs of a loss; `sodbench.losses` has two."""

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the terms that the loss is the sum of."""

    def detailed(self, outputs: Sequence[Tensor], target: Tensor) -> tuple[Tensor, Tensor]:
        """The total loss (scalar), and its parts as a detached table, outputs x terms.

        outputs: logits N x 1 x H x W each; target: N x 1 x H x W in 0..1.
        """


def build_loss(recipe: Recipe) -> Loss:
    """The recipe's loss; raises InputError for options that it does not take."""
    from sodbench.losses import BoundaryAwareLoss, HybridLoss

    try:
        if recipe.loss == "boundary-aware":
            return BoundaryAwareLoss(**recipe.loss_options)
        return HybridLoss(recipe.loss_terms, **recipe.loss_options)
    except TypeError as error:
        raise InputError(f"training.loss_options: {error} for the {recipe.loss} loss") from error


def build_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser, with the encoder's parameters in a group of their own.

    The learning rate of a group is the schedule's times the group's `factor`.
    Raises InputError if the recipe has an `encoder_factor` and the network no encoder.
    """
    encoder = encoder_parameters(network)
    if not encoder and recipe.encoder_factor != 1:
        raise InputError(
            f"training.encoder_factor is {recipe.encoder_factor}, but the network has no part called encoder "
            "or backbone; name its encoder's submodules in an attribute encoder_names, or leave the key out"
        )
    in_encoder = {id(parameter) for parameter in encoder}
    others = [parameter for parameter in network.parameters() if id(parameter) not in in_encoder]
    groups: list[dict[str, Any]] = [{"params": others, "factor": 1.0}]
    if encoder:
        groups.append({"params": encoder, "factor": recipe.encoder_factor})
    if recipe.optimiser == "sgd":
        # torch's fused SGD does not fill the momentum where the gradient scaler of fp16 skips the first step
        fused = recipe.precision != "fp16"
        return torch.optim.SGD(
            groups, recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay, fused=fused
        )
    kind = torch.optim.AdamW if recipe.optimiser == "adamw" else torch.optim.Adam
    # fused: one pass over the memory of weights and moments instead of a dozen
    return kind(groups, recipe.lr, recipe.betas, recipe.eps, recipe.weight_decay, fused=True)


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
