"""The recipe's loss and optimiser."""

from typing import Any

import torch
from torch import nn

from sodbench.errors import InputError
from sodbench.training.recipe import Recipe


def build_loss(recipe: Recipe) -> Any:
    """The recipe's loss: an object with `terms` and `detailed(outputs, target) -> (total, parts)`."""
    from sodbench.losses import BoundaryAwareLoss, HybridLoss

    try:
        if recipe.loss == "boundary-aware":
            return BoundaryAwareLoss(**recipe.loss_options)
        return HybridLoss(recipe.loss_terms, **recipe.loss_options)
    except TypeError as error:
        raise InputError(f"training.loss_options: {error} for the {recipe.loss} loss") from error


def build_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser; each parameter group has the `factor` its learning rate is multiplied with."""
    encoder: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        (encoder if name.startswith(("encoder", "backbone")) else rest).append(parameter)
    groups: list[dict[str, Any]] = [{"params": rest, "factor": 1.0}]
    if encoder:
        groups.append({"params": encoder, "factor": recipe.encoder_factor})
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(
            groups, recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay, fused=True
        )
    kind = torch.optim.AdamW if recipe.optimiser == "adamw" else torch.optim.Adam
    # fused: one pass over the memory of weights and moments instead of a dozen
    return kind(groups, recipe.lr, recipe.betas, recipe.eps, recipe.weight_decay, fused=True)
