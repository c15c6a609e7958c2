"""Training samples: their order, augmentation and batches, identical in every run.

A sample's random numbers come from a generator seeded by (seed, epoch, sample), and the order of an epoch
from one seeded by (seed, epoch). The samples form one endless sequence of epochs. Step i takes the samples
i * batch ... (i + 1) * batch - 1 of it, shared out among the processes. The number of loader processes, the
number of training processes and restarts therefore change nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from sodbench.data.folder import Sample
from sodbench.data.images import read_image, read_mask
from sodbench.data.preprocessing import InputSpec
from sodbench.data.resizing import resize_bilinear
from sodbench.errors import InputError
from sodbench.training.augmentation import Augmentation, Pixels, Size, augment

if TYPE_CHECKING:
    from sodbench.training.cache import Cache


class Item(NamedTuple):
    """One augmented sample: image 3 x h x w and mask h x w, uint8.

    `bad` says, one per line, which samples could not be read and were replaced by this one.
    """

    image: Pixels
    mask: Pixels
    name: str
    bad: str


@dataclass(frozen=True)
class Batch:
    """Stacked samples: images N x 3 x h x w, masks N x 1 x h x w, uint8; `bad` lists the unreadable ones."""

    images: Tensor
    masks: Tensor
    names: tuple[str, ...]
    bad: tuple[str, ...]

    def pin_memory(self) -> "Batch":
        """The batch in pinned memory, from which copies to a GPU overlap with its work; torch calls this."""
        return Batch(self.images.pin_memory(), self.masks.pin_memory(), self.names, self.bad)


class TrainingSet(Dataset[Item]):
    """Augmented samples by (epoch, index).

    A sample that cannot be read is replaced by the next readable one, and named in the item's `bad`.
    """

    def __init__(
        self, samples: Sequence[Sample], augmentation: Augmentation, seed: int, cache: "Cache | None" = None
    ) -> None:
        if not samples:
            raise InputError("the training set has no samples")
        self.samples = list(samples)
        self.augmentation = augmentation
        self.seed = seed
        self.cache = cache

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: tuple[int, int]) -> Item:
        epoch, index = key
        bad = []
        for step in range(len(self.samples)):
            number = (index + step) % len(self.samples)
            try:
                image, mask = self._read(number)
            except InputError as error:
                bad.append(str(error))
                continue
            random = np.random.Generator(np.random.PCG64([self.seed, epoch, index]))
            image, mask = augment(image, mask, self.augmentation, random)
            return Item(
                np.ascontiguousarray(image.transpose(2, 0, 1)),
                np.ascontiguousarray(mask),
                self.samples[number].name,
                "\n".join(bad),
            )
        raise InputError(f"no training sample can be read; the first: {bad[0]}")

    def _read(self, number: int) -> tuple[Pixels, Pixels]:
        if self.cache:
            return self.cache.read(number)
        return resize_pair(*read_pair(self.samples[number]), self.augmentation.resize)


class Stream(Sampler[list[tuple[int, int]]]):
    """This process's part of every batch from step `start` to step `stop`, as lists of (epoch, index).

    size: samples in the set. batch: samples per step over all processes; world * accumulate must divide it.
    A step consists of `accumulate` lists.
    """

    def __init__(
        self,
        size: int,
        batch: int,
        seed: int,
        *,
        start: int,
        stop: int,
        accumulate: int = 1,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if batch % (world * accumulate):
            raise InputError(
                f"training.batch={batch} cannot be split among {world} processes and {accumulate} parts "
                "per step; set training.batch to a multiple of their product"
            )
        self.size, self.batch, self.seed, self.start, self.stop = size, batch, seed, start, stop
        self.parts = world * accumulate
        self.accumulate, self.rank, self.world = accumulate, rank, world

    def __len__(self) -> int:
        return (self.stop - self.start) * self.accumulate

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        share = self.batch // self.parts
        ordered_epoch, order = -1, np.empty(0, np.int64)
        for step in range(self.start, self.stop):
            for part in range(self.accumulate):
                first = step * self.batch + (part * self.world + self.rank) * share
                keys = []
                for position in range(first, first + share):
                    epoch, place = divmod(position, self.size)
                    if epoch != ordered_epoch:
                        ordered_epoch, order = epoch, _order(self.size, self.seed, epoch)
                    keys.append((epoch, int(order[place])))
                yield keys


def collate(items: Sequence[Item]) -> Batch:
    """Stacks items into a batch."""
    bad = [line for item in items for line in item.bad.splitlines()]
    return Batch(
        torch.from_numpy(np.stack([item.image for item in items])),
        torch.from_numpy(np.stack([item.mask for item in items]))[:, None],
        tuple(item.name for item in items),
        tuple(bad),
    )


def normalise(images: Tensor, spec: InputSpec) -> Tensor:
    """uint8 N x 3 x h x w -> the network's float32 input, scaled and normalised as at inference."""
    x = images.float()
    if spec.scaling == "max":
        x = x / x.amax((1, 2, 3), keepdim=True).clamp_min(1)
    else:
        x = x / 255
    mean = torch.tensor(spec.mean, device=x.device).view(1, 3, 1, 1)
    std = torch.tensor(spec.std, device=x.device).view(1, 3, 1, 1)
    return (x - mean) / std


def read_pair(sample: Sample) -> tuple[Pixels, Pixels]:
    """Image H x W x 3 and mask H x W, uint8; raises InputError if one is missing or the sizes differ."""
    if sample.image is None or sample.mask is None:
        raise InputError(f"{sample.name}: training needs an image and a mask")
    image, mask = read_image(sample.image), read_mask(sample.mask)
    if image.shape[:2] != mask.shape:
        raise InputError(
            f"{sample.mask}: the mask is {mask.shape[1]} x {mask.shape[0]} and its image "
            f"{image.shape[1]} x {image.shape[0]}; repair or remove the pair"
        )
    return image, mask


def resize_pair(image: Pixels, mask: Pixels, size: Size | None) -> tuple[Pixels, Pixels]:
    """The image resized bilinearly without anti-aliasing (as at inference), the mask by nearest neighbour."""
    if size is None or mask.shape == size:
        return image, mask
    small = np.rint(resize_bilinear(image, *size)).astype(np.uint8)
    rows = ((np.arange(size[0]) + 0.5) * (mask.shape[0] / size[0])).astype(np.intp)
    columns = ((np.arange(size[1]) + 0.5) * (mask.shape[1] / size[1])).astype(np.intp)
    return small, mask[rows][:, columns]


def _order(size: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """The order of an epoch: a permutation of the samples."""
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(size)
