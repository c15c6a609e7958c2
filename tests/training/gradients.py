"""Run under torchrun by test_trainer.py: saves a network's gradients and statistics, in double precision."""

import sys

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from sodbench.training.distributed import joined, share_statistics

with joined("cpu") as process:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for width in (3, 8, 8):
        layers += [nn.Conv2d(width, 8, 3), nn.BatchNorm2d(8), nn.Tanh()]
    network = nn.Sequential(*layers, nn.Conv2d(8, 1, 1)).double().train()
    x, target = torch.randn(4, 3, 12, 12).double(), torch.rand(4, 1, 6, 6).double()
    share = 4 // process.world
    mine = slice(process.rank * share, (process.rank + 1) * share)
    run = DistributedDataParallel(share_statistics(network, process))
    nn.functional.binary_cross_entropy_with_logits(run(x[mine]), target[mine]).backward()
    if process.first:
        # a bias before batch normalisation has no gradient but rounding
        biases = {f"{3 * i}.bias" for i in range(3)}
        gradients = {name: p.grad for name, p in network.named_parameters() if name not in biases}
        torch.save(gradients | {n: b for n, b in network.named_buffers() if "running" in n}, sys.argv[1])
