"""Fills a network by the rule under which the golden outputs of the original BASNet were made."""

import zlib

import numpy as np
import torch
from torch import nn


def fill(network: nn.Module) -> nn.Module:
    """Every tensor from a generator seeded by its name: the same on every machine."""
    filled = {}
    for name, tensor in network.state_dict().items():
        shape = tuple(tensor.shape)
        a = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)
        if name.endswith("num_batches_tracked"):
            a = np.zeros(shape)
        elif len(shape) == 4:
            a = a * np.sqrt(1 / np.prod(shape[1:]))
        elif name.endswith("running_var"):
            a = 1 + 0.1 * np.abs(a)
        elif name.endswith(("running_mean", "bias")):
            a = 0.1 * a
        else:
            a = 1 + 0.1 * a
        filled[name] = torch.as_tensor(np.asarray(a), dtype=tensor.dtype)
    network.load_state_dict(filled)
    return network
