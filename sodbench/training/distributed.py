"""Several processes under torchrun: the rank of this one, and batch statistics over all of them in training.

Under torchrun the batch is shared out among the processes. Gradients are averaged by
DistributedDataParallel, and batch normalisation takes its statistics over the whole batch. The number of
processes therefore changes the time and, up to rounding, not the result.
"""

import atexit
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from sodbench.errors import InputError
from sodbench.models.inference import choose_device

T = TypeVar("T")

# processes wait this long for one that validates, fills a cache or writes files; steps keep torch's time-out
_PATIENCE = timedelta(days=7)


@dataclass(frozen=True)
class Process:
    """This process: its rank among `world` processes, its device, and the group in which they wait."""

    rank: int
    world: int
    device: torch.device
    group: "dist.ProcessGroup | None" = None

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and prints."""
        return self.rank == 0

    def wait(self) -> None:
        """Waits until all processes are here, however long the work of one of them takes."""
        if self.world > 1:
            dist.barrier(group=self.group)

    def gather(self, value: T) -> list[T]:
        """The values of all processes, by rank, on every process; waits for them like `wait`."""
        values = [value] * self.world
        if self.world > 1:
            dist.all_gather_object(values, value, group=self.group)
        return values

    def share(self, value: T) -> T:
        """The first process's value, on every process; waits for it like `wait`."""
        values = [value]
        if self.world > 1:
            dist.broadcast_object_list(values, src=0, group=self.group)
        return values[0]


def is_first() -> bool:
    """Whether this process is the first of torchrun's, or the only one."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def joined(device: str | None) -> Iterator[Process]:
    """Joins torchrun's processes (gloo on CPUs, nccl on GPUs) for one job; alone without torchrun.

    `device` is torch's name, None a GPU if there is one. A process group that exists already is used.
    Raises InputError for a device that is not available, and if the processes cannot connect.
    """
    place = _device(device)
    if "RANK" not in os.environ:
        yield Process(0, 1, place)
        return
    if not dist.is_initialized():
        _connect("nccl" if place.type == "cuda" else "gloo")
    # gloo, because waiting needs no GPU; a time-out of its own, because a step that hangs should fail soon
    group = cast("dist.ProcessGroup", dist.new_group(backend="gloo", timeout=_PATIENCE))
    try:
        yield Process(dist.get_rank(), dist.get_world_size(), place, group)
    finally:
        dist.destroy_process_group(group)


def _device(name: str | None) -> torch.device:
    """The device by its name; under torchrun each process of a machine takes the GPU of its local rank."""
    name = choose_device(name)
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    device = torch.device(choose_device(name))
    if device.type == "cuda" and device.index is not None:  # "cuda" is the current one already
        torch.cuda.set_device(device)
    return device


def _connect(backend: str) -> None:
    try:
        dist.init_process_group(backend)
    except (dist.DistError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        port = os.environ.get("MASTER_PORT", "?")
        raise InputError(
            f"the processes could not connect at port {port} ({reason}); "
            "if the port is in use, choose another with torchrun --master-port"
        ) from error
    # kept for the next training of this program, because the processes cannot connect a second time
    atexit.register(_disconnect)


def _disconnect() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
        # gloo's threads outlive a group that DistributedDataParallel used. One that still holds a tensor when
        # the interpreter ends aborts the process, so they get the interpreter's lock once more.
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
    """nn.BatchNorm2d with training statistics over all processes; torch's SyncBatchNorm needs GPUs."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.running_mean is None or self.running_var is None:
            return super().forward(input)
        x = input.float() if input.dtype in (torch.bfloat16, torch.float16) else input
        count = x.numel() // x.shape[1] * dist.get_world_size()
        mean = _sum_over_processes(x.sum((0, 2, 3))) / count
        centred = x - mean[:, None, None]
        variance = _sum_over_processes(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            assert self.num_batches_tracked is not None  # nosec B101 # for the type checker
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
    """The sum over the processes; its gradient is the sum of the processes' gradients."""

    @staticmethod
    def forward(ctx: FunctionCtx, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> Tensor:
        total = grad.clone()
        dist.all_reduce(total)
        return total


def _sum_over_processes(value: Tensor) -> Tensor:
    return _Sum.apply(value)  # type: ignore[no-any-return]
