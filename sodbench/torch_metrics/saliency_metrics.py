"""The metric of a training loop: batches in, the data set's scores out, for any number of processes."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sodbench.arguments import THREADS
from sodbench.cores import core_count
from sodbench.errors import InputError
from sodbench.metrics.inputs import checked_name
from sodbench.metrics.protocol import DEFAULT, Protocol
from sodbench.torch_metrics.batches import pictures
from sodbench.torch_metrics.image_rows import ImageRows
from sodbench.torch_metrics.without_torchmetrics import Metric as PlainMetric

if TYPE_CHECKING:
    Metric = PlainMetric
else:
    try:
        from torchmetrics import Metric
    except ImportError:
        Metric = PlainMetric

PLAIN: bool = Metric is PlainMetric
Batch = Tensor | Sequence[Tensor]


class SaliencyMetrics(Metric):
    """The data set's scores of a network's outputs, batch by batch, as a `torchmetrics.Metric`.

    Probabilities become 8-bit maps as in `sodbench run` (255 p, rounded), so the scores are those that
    `sodbench score` gives for the same maps in files. Any number of processes gives the scores of one, to the
    bit. An image with a name counts once, also where a DistributedSampler repeats it to fill up a process.

    >>> metrics = SaliencyMetrics("pysodmetrics", ["MAE", "maxF"])
    >>> masks = torch.zeros(2, 1, 8, 8); masks[..., 2:6, 2:6] = 1
    >>> metrics.update(masks * 0.8, masks, names=["a", "b"])
    >>> metrics.compute()["maxF"]
    tensor(1., dtype=torch.float64)
    """

    is_differentiable = False
    higher_is_better = None
    full_state_update = False

    images: list[Tensor]

    def __init__(
        self,
        protocol: str | Path | Protocol = DEFAULT,
        metrics: Sequence[str] | None = None,
        *,
        stretch: bool = False,
        workers: int | None = None,
        **options: Any,
    ) -> None:
        """Chooses the protocol (a name, a TOML file, a `Protocol`) and the metrics (None: all it defines).

        `stretch`: maps the smallest and largest probability of an image to 0 and 255, as baselines with
        `[output] stretch` do, BASNet's among them. `workers`: threads that score a batch (None: one per core,
        shared among the processes of torchrun). `options`: those of `torchmetrics.Metric`, such as
        `sync_on_compute`. Raises InputError for unknown names.
        """
        super().__init__(**options)
        self.rows = ImageRows(protocol, metrics, bool(stretch))
        self.workers = None if workers is None else THREADS.checked("workers", workers)
        self.add_state("images", default=[], dist_reduce_fx=None)

    def update(self, probabilities: Batch, masks: Batch, names: Sequence[str] | None = None) -> None:
        """Scores a batch and adds it.

        `probabilities`: N x 1 x H x W or N x H x W, floating point in 0..1, on any device; or a list of
        H x W, each of its own size. `masks`: the same shapes; 0 and 1 of any type, or the grey levels 0..255
        of mask files as uint8, to which the protocol's threshold applies. `names`: one per image.
        Raises InputError, and adds nothing, for a batch that cannot be scored.
        """
        maps, truths = pictures(probabilities, "probabilities"), pictures(masks, "masks")
        if len(maps) != len(truths):
            raise InputError(
                f"masks: {len(truths)} for {len(maps)} images of probabilities; expected one per image"
            )
        given = [None] * len(maps) if names is None else _checked_names(names, len(maps))
        titles = [name or f"image {index} of the batch" for index, name in enumerate(given)]
        jobs = (maps, truths, given, titles)
        workers = min(self.workers or _threads(), len(maps))
        if workers > 1:
            with ThreadPoolExecutor(workers) as pool:
                rows = list(pool.map(self.rows.measure, *jobs))
        else:
            rows = list(map(self.rows.measure, *jobs))
        if rows:
            self.images.append(torch.stack([torch.from_numpy(row) for row in rows]))

    def forward(self, probabilities: Batch, masks: Batch, names: Sequence[str] | None = None) -> Any:
        """Adds a batch and returns its own scores; `update` alone costs less.

        Raises InputError, and adds nothing, for a batch that cannot be scored.
        """
        before = {**vars(self), "images": list(self.images)}
        try:
            return super().forward(probabilities, masks, names)
        except InputError:
            vars(self).update(before)
            raise

    def compute(self) -> dict[str, Tensor]:
        """The scores of all images of all processes, by metric name: float64 scalars on the metric's device.

        A score is NaN if the protocol excludes every image. Raises InputError without images, if processes
        scored under different protocols, and if images of one name have different masks.
        """
        if PLAIN:  # torchmetrics does this by itself
            with self.sync_context(should_sync=self.sync_on_compute):
                table = self.rows.counted(self.images)
        else:
            table = self.rows.counted(self.images)
        scores = self.rows.scores(table)
        real = torch.float32 if self.device.type == "mps" else torch.float64
        return {name: torch.tensor(value, dtype=real, device=self.device) for name, value in scores.items()}

    def merge_state(self, incoming_state: "SaliencyMetrics | dict[str, Any]") -> None:
        """Adds all images of another one, or of its state `{"images": ...}`.

        Raises InputError, and adds nothing, where protocol, metrics or `stretch` differ.
        """
        if isinstance(incoming_state, SaliencyMetrics):
            self._check(incoming_state)
            incoming_state = {"images": incoming_state.images}
        if not isinstance(incoming_state, dict) or "images" not in incoming_state:
            kind = type(incoming_state).__name__
            raise InputError(f"merge_state: found {kind}; expected a SaliencyMetrics, or its state")
        ours, theirs = self.rows.joined(self.images), self.rows.joined(incoming_state["images"])
        self.images = [self.rows.counted([ours, theirs])]
        self._computed, self._update_count = None, 1  # torchmetrics': the images have changed

    def sync(self, *arguments: Any, **options: Any) -> None:
        """Gathers the images of all processes, also where one of them has none; see `torchmetrics.Metric`."""
        self.images = [self._table()]
        super().sync(*arguments, **options)

    def __repr__(self) -> str:
        """Protocol, metric families and the number of images so far, names given twice counted twice."""
        families = [family.name for family in self.rows.families]
        count = sum(map(len, self.images))
        return f"SaliencyMetrics(protocol={self.rows.protocol.name!r}, metrics={families}, images={count})"

    def _table(self) -> Tensor:
        """This process's images as one tensor on the metric's device, where collectives expect it."""
        return self.rows.joined(self.images).to(self.device)

    def _check(self, other: "SaliencyMetrics") -> None:
        ours, theirs = self.rows, other.rows
        if ours.protocol != theirs.protocol:
            names = f"{ours.protocol.name} here, {theirs.protocol.name} there"
            raise InputError(f"cannot merge metrics of different protocols: {names}")
        if ours.signed != theirs.signed:
            raise InputError(
                "cannot merge metrics of one protocol with different settings: expected the same `metrics` "
                "and the same `stretch`"
            )


def _checked_names(names: Sequence[str], count: int) -> list[str | None]:
    if isinstance(names, str | bytes) or not isinstance(names, Sequence):
        raise InputError(f"names of type {type(names).__name__}; expected a list of strings, one per image")
    if len(names) != count:
        raise InputError(f"names: {len(names)} for {count} images of probabilities; expected one per image")
    checked = [checked_name(name) for name in names]
    if "" in checked:
        raise InputError(
            f"names[{checked.index('')}] is an empty name; expected the file's stem, for example"
        )
    return [*checked]


def _threads() -> int:
    """One thread per core, shared among the processes that torchrun has started on this machine."""
    processes = os.environ.get("LOCAL_WORLD_SIZE", "")
    return max(1, core_count() // (int(processes) if processes.isdecimal() else 1))
