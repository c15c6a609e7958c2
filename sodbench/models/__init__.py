"""Networks and baselines: `create` makes a fresh network, `load_baseline` reads a recipe.

Every network's forward returns a tuple of logits, N x 1 x H x W each, the final map first. Nothing here
imports torch before a network is made, so that listing baselines stays fast.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sodbench.cores import share_cores

if TYPE_CHECKING:
    from sodbench.models.baseline import Baseline
    from sodbench.models.inference import choose_device
    from sodbench.models.initialisation import initialise
    from sodbench.models.loaded_network import LoadedNetwork
    from sodbench.models.lookup import baseline_names, baseline_of, create, load_baseline
    from sodbench.models.outputs import encoder_parameters

# before anything imports torch, which reads the environment then
share_cores()

_HOMES = {
    "Baseline": "baseline",
    "LoadedNetwork": "loaded_network",
    "baseline_names": "lookup",
    "baseline_of": "lookup",
    "baselines": "lookup",
    "choose_device": "inference",
    "create": "lookup",
    "encoder_parameters": "outputs",
    "initialise": "initialisation",
    "load_baseline": "lookup",
}

__all__ = [
    "Baseline",
    "LoadedNetwork",
    "baseline_names",
    "baseline_of",
    "baselines",
    "choose_device",
    "create",
    "encoder_parameters",
    "initialise",
    "load_baseline",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
