"""Folds batch normalisation into the convolution before it: in eval mode the two are one convolution.

One forward pass shows which layer follows which, so that any network can be folded, a user's included. The
folded copy is used only if it gives the same maps.
"""

import copy
from collections import defaultdict

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sodbench.models.tf32 import without_tf32


def fold_batch_norms(network: nn.Module, example: Tensor) -> nn.Module:
    """A copy of `network` in eval mode with its batch normalisations folded away.

    `example` is any input that the network takes. Where folding would change the maps (a convolution whose
    output is also used without its normalisation, say), `network` itself is returned.
    """
    plain = network.eval()
    # TF32 would hide that the maps are the same: on a GPU nothing would be folded
    with torch.no_grad(), without_tf32():
        pairs = _pairs(plain, example)
        if not pairs:
            return plain
        folded = copy.deepcopy(plain)
        for conv_name, bn_name in pairs:
            conv, bn = folded.get_submodule(conv_name), folded.get_submodule(bn_name)
            assert isinstance(conv, nn.Conv2d) and isinstance(bn, nn.BatchNorm2d)  # nosec B101 # for the type checker
            _replace(folded, conv_name, fuse_conv_bn_eval(conv, bn))
            _replace(folded, bn_name, nn.Identity())
        same = _same(plain(example), folded(example))
    return folded if same else plain


def _pairs(network: nn.Module, example: Tensor) -> list[tuple[str, str]]:
    """Names of the convolutions and normalisations that follow each other directly, and no other."""
    outputs: dict[int, tuple[Tensor, str]] = {}
    seen: set[tuple[str, str]] = set()
    hooks = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):

            def remember(module: nn.Module, args: object, output: Tensor, name: str = name) -> None:
                # keeping the tensor keeps its id unique
                outputs[id(output)] = (output, name)

            hooks.append(module.register_forward_hook(remember))
        elif isinstance(module, nn.BatchNorm2d) and module.track_running_stats:

            def look(module: nn.Module, args: tuple[Tensor, ...], name: str = name) -> None:
                if id(args[0]) in outputs:
                    seen.add((outputs[id(args[0])][1], name))

            hooks.append(module.register_forward_pre_hook(look))
    try:
        network(example)
    finally:
        for hook in hooks:
            hook.remove()
    partners: dict[str, set[str]] = defaultdict(set)
    for conv_name, bn_name in seen:
        partners[conv_name].add(bn_name)
        partners[bn_name].add(conv_name)
    return sorted((c, b) for c, b in seen if len(partners[c]) == 1 and len(partners[b]) == 1)


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, own = name.rpartition(".")
    setattr(network.get_submodule(parent), own, module)


def _same(expected: tuple[Tensor, ...], folded: tuple[Tensor, ...]) -> bool:
    """Whether the maps are equal up to rounding: probabilities within 0.0001."""
    return all(
        torch.allclose(torch.sigmoid(a), torch.sigmoid(b), rtol=0, atol=1e-4)
        for a, b in zip(expected, folded, strict=True)
    )
