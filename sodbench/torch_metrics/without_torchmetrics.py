"""What `SaliencyMetrics` needs of `torchmetrics.Metric`, where torchmetrics is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Self

import torch
from torch import Tensor, nn


class Metric(nn.Module):
    """A module with the methods of `torchmetrics.Metric` for one state, `images`, a list of tensors.

    `compute` gathers the images of all processes (`sync_on_compute`), `forward` does so for its value with
    `dist_sync_on_step`. `process_group`: the processes to gather from (None: all).
    """

    images: list[Tensor]

    def __init__(
        self,
        *,
        sync_on_compute: bool = True,
        dist_sync_on_step: bool = False,
        process_group: Any = None,
    ) -> None:
        super().__init__()
        self.sync_on_compute, self.dist_sync_on_step = sync_on_compute, dist_sync_on_step
        self.process_group = process_group
        self.images = []

    def add_state(self, name: str, default: list[Tensor], dist_reduce_fx: None) -> None:
        """Declares the state; there is only the one."""
        setattr(self, name, default)

    @property
    def device(self) -> torch.device:
        """The device of the state, and of what `compute` returns."""
        return torch.device("cpu")

    def reset(self) -> None:
        """Discards all images."""
        self.images = []

    def clone(self) -> Self:
        """A copy with its own state."""
        return deepcopy(self)

    def forward(self, *batch: Any, **named: Any) -> Any:
        """Adds a batch and returns the scores of this batch."""
        earlier, on_compute = self.images, self.sync_on_compute
        self.images, self.sync_on_compute = [], self.dist_sync_on_step
        try:
            self.update(*batch, **named)
            return self.compute()
        finally:
            self.images = earlier + self.images
            self.sync_on_compute = on_compute

    def update(self, *batch: Any, **named: Any) -> None:
        """Adds a batch."""
        raise NotImplementedError

    def compute(self) -> Any:
        """The scores of all images."""
        raise NotImplementedError

    def sync(self, should_sync: bool = True) -> None:
        """Puts one tensor per process, in the order of their ranks, in the place of the images."""
        import torch.distributed as dist

        if not (should_sync and dist.is_available() and dist.is_initialized()):
            return
        tables: list[Any] = [None] * dist.get_world_size(self.process_group)
        dist.all_gather_object(tables, torch.cat(self.images), group=self.process_group)
        self.images = tables

    @contextmanager
    def sync_context(self, should_sync: bool = True) -> Iterator[None]:
        """Has the images of all processes in the block, and those of this process after it."""
        images = self.images
        self.sync(should_sync=should_sync)
        try:
            yield
        finally:
            self.images = images
