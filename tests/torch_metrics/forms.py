"""`SaliencyMetrics` with torchmetrics and without it, and the batches of the tests."""

import importlib
import sys
from typing import Any

import torch
from torch import Tensor

MODULE = "sodbench.torch_metrics"


def saliency_metrics(form: str) -> Any:
    """The class, imported anew: "torchmetrics" or "plain", where torchmetrics is hidden."""
    for name in [name for name in sys.modules if name.startswith(MODULE)]:
        del sys.modules[name]
    hidden = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "torchmetrics"}
    if form == "plain":
        sys.modules.update(dict.fromkeys([*hidden, "torchmetrics"]))  # type: ignore[arg-type]
    try:
        return importlib.import_module(MODULE).SaliencyMetrics
    finally:
        if form == "plain":
            del sys.modules["torchmetrics"]
            sys.modules.update(hidden)


def batch(count: int, height: int = 40, width: int = 52, seed: int = 0) -> tuple[Tensor, Tensor, list[str]]:
    """Probabilities and masks N x 1 x H x W, and names; an empty mask and a black map are among them."""
    random = torch.Generator().manual_seed(seed)
    coarse = (torch.rand(count, 1, 4, 4, generator=random) < 0.4).float()
    masks = torch.nn.functional.interpolate(coarse, (height, width))
    noise = torch.rand(count, 1, height, width, generator=random)
    probabilities = (0.7 * masks + 0.5 * noise * noise).clamp(0, 1)
    masks[3::7] = 0
    probabilities[5::9] = 0
    return probabilities, masks, [f"{seed}-{index:03}" for index in range(count)]
