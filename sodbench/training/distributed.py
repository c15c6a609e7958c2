"""One process or many: who this process is, and batch statistics over all of them.

Under torchrun the batch is shared out among the processes. Gradients are averaged by
DistributedDataParallel, and batch normalisation takes its statistics over the whole batch, so that the
number of processes changes the time and, up to rounding, not the result.
"""

import os
import time
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sodbench.errors import InputError


@dataclass(frozen=True)
class Process:
    """This process's place among all, and its device."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    def wait(self) -> None:
        """Waits for all processes."""
        if self.world > 1:
            dist.barrier()


def join(device: str | None) -> Process:
    """Joins torchrun's processes (gloo on CPUs, nccl on GPUs), or stands alone outside of torchrun."""
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and "LOCAL_RANK" in os.environ:
        device = f"cuda:{local}"
    place = torch.device(device)
    if place.type == "cuda":
        if not torch.cuda.is_available():
            raise InputError(
                f"--device {device}: no CUDA device is available to torch here; use --device cpu"
            )
        torch.cuda.set_device(place)
    if "RANK" not in os.environ:
        return Process(0, 1, place)
    try:
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    except (dist.DistError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        port = os.environ.get("MASTER_PORT", "?")
        raise InputError(
            f"the training processes could not meet at port {port} ({reason}); "
            "if the port is in use, choose another with torchrun --master-port"
        ) from error
    return Process(dist.get_rank(), dist.get_world_size(), place)


def leave(process: Process) -> None:
    """Leaves the group of processes."""
    if process.world > 1 and dist.is_initialized():
        dist.destroy_process_group()
        # gloo's threads outlive a group that DistributedDataParallel used; one that still has to let go of a
        # tensor when the interpreter ends aborts the process, so they get the interpreter's lock once more
        time.sleep(0.1)


def share_statistics(network: nn.Module, process: Process) -> nn.Module:
    """Makes batch normalisation take its statistics over all processes."""
    if process.world == 1:
        return network
    if process.device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call, no-any-return]
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = _GlobalBatchNorm2d
    return network


class _GlobalBatchNorm2d(nn.BatchNorm2d):
    """nn.BatchNorm2d whose training statistics are over all processes; torch's SyncBatchNorm needs GPUs."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.running_mean is None or self.running_var is None:
            return super().forward(input)
        x = input.float() if input.dtype in (torch.bfloat16, torch.float16) else input
        count = x.numel() // x.shape[1] * dist.get_world_size()
        mean = _sum_over_processes(x.sum((0, 2, 3))) / count
        centred = x - mean[:, None, None]
        variance = _sum_over_processes(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            assert self.num_batches_tracked is not None
            self.num_batches_tracked += 1
            share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance * (count / max(count - 1, 1)), share)
        scale = torch.rsqrt(variance + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        result = centred * scale[:, None, None]
        if self.bias is not None:
            result = result + self.bias[:, None, None]
        return result.to(input.dtype)


class _Sum(torch.autograd.Function):
    """Sum over the processes; the gradient of every process's part is the sum of all gradients."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        total = grad.clone()
        dist.all_reduce(total)
        return total


def _sum_over_processes(value: Tensor) -> Tensor:
    return _Sum.apply(value)  # type: ignore[no-any-return]
