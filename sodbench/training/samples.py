"""Training samples: read, resized, augmented; the same sample whatever the workers, ranks or restarts.

Every random draw comes from a generator seeded by (seed, epoch, sample), and the order of an epoch by
(seed, epoch). The stream of samples is one endless sequence of epochs; step i takes the samples
i * batch ... (i + 1) * batch - 1 of it, shared out among the processes.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from sodbench.data.folder import Sample
from sodbench.data.preprocessing import IMAGENET_MEAN, InputSpec
from sodbench.errors import InputError
from sodbench.training.cache import Cache, Pixels, Size, read_pair, resize_pair

# what lies outside of a picture in a crop larger than it: the colour that normalisation turns into zero
_BEYOND = np.array([round(255 * m) for m in IMAGENET_MEAN], np.uint8)


@dataclass(frozen=True)
class Augmentation:
    """How a sample is turned into what the network sees; the fields are those of the recipe."""

    resize: Size | None = None
    crop: Size | None = None
    flip: bool = False
    scale_jitter: tuple[float, float, float] | None = None
    aspect_jitter: float = 1.0
    rotation: float = 0.0
    colour_jitter: tuple[float, float, float] | None = None


class Item(NamedTuple):
    """One augmented sample: image 3 x h x w and mask h x w, uint8; `bad` says why it could not be read."""

    image: Pixels
    mask: Pixels
    name: str
    bad: str


@dataclass(frozen=True)
class Batch:
    """Stacked samples: images N x 3 x h x w, masks N x 1 x h x w, uint8; `bad` names what was left out."""

    images: Tensor
    masks: Tensor
    names: tuple[str, ...]
    bad: tuple[str, ...]

    def pin_memory(self) -> "Batch":
        """Called by torch's loader so that the copy to a GPU overlaps with its work."""
        return Batch(self.images.pin_memory(), self.masks.pin_memory(), self.names, self.bad)


class TrainingSet(Dataset[Item]):
    """Augmented samples by (epoch, index).

    A sample that cannot be read is replaced by the next one that can, and named in the item's `bad`.
    """

    def __init__(
        self, samples: Sequence[Sample], augmentation: Augmentation, seed: int, cache: Cache | None = None
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
    """This process's part of every batch from step `start` to step `stop`: lists of (epoch, index).

    size: samples in the set. batch: samples a step over all processes; it must divide by world * accumulate.
    A step consists of `accumulate` lists.
    """

    def __init__(
        self,
        size: int,
        batch: int,
        seed: int,
        start: int,
        stop: int,
        accumulate: int = 1,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if batch % (world * accumulate):
            raise InputError(
                f"training.batch={batch} does not divide among {world} processes and {accumulate} parts "
                "of a step; set training.batch to a multiple of their product"
            )
        self.size, self.batch, self.seed, self.start, self.stop = size, batch, seed, start, stop
        self.parts = world * accumulate
        self.accumulate, self.rank, self.world = accumulate, rank, world

    def __len__(self) -> int:
        return (self.stop - self.start) * self.accumulate

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        share = self.batch // self.parts
        shuffled = (-1, np.empty(0, np.int64))
        for step in range(self.start, self.stop):
            for part in range(self.accumulate):
                first = step * self.batch + (part * self.world + self.rank) * share
                keys = []
                for position in range(first, first + share):
                    epoch, place = divmod(position, self.size)
                    if shuffled[0] != epoch:
                        shuffled = (epoch, _order(self.size, self.seed, epoch))
                    keys.append((epoch, int(shuffled[1][place])))
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


def augment(
    image: Pixels, mask: Pixels, how: Augmentation, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A resized pair scaled and cropped, rotated, flipped, coloured: in that order, by `random` alone.

    What is switched off draws nothing, so that it does not change the other draws.
    """
    if how.scale_jitter is not None and how.crop is not None:
        image, mask = _scaled_crop(image, mask, how, random)
    elif how.crop is not None:
        top, left = (
            int(random.integers(0, have - want + 1)) if have >= want else 0
            for have, want in zip(mask.shape, how.crop, strict=True)
        )
        image, mask = _crop(image, mask, top, left, how.crop)
    if how.rotation:
        image, mask = _rotate(image, mask, float(random.uniform(-how.rotation, how.rotation)))
    if how.flip and random.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    if how.colour_jitter is not None:
        image = _recolour(image, how.colour_jitter, random)
    return image, mask


def _crop(image: Pixels, mask: Pixels, top: int, left: int, size: Size) -> tuple[Pixels, Pixels]:
    """Cuts a window out; what lies beyond the picture is of the mean colour, and background."""
    height, width = size
    image, mask = (
        image[top : top + height, left : left + width],
        mask[top : top + height, left : left + width],
    )
    if mask.shape == size:
        return image, mask
    full = np.broadcast_to(_BEYOND, (height, width, 3)).copy()
    empty = np.zeros(size, np.uint8)
    full[: mask.shape[0], : mask.shape[1]] = image
    empty[: mask.shape[0], : mask.shape[1]] = mask
    return full, empty


def _scaled_crop(
    image: Pixels, mask: Pixels, how: Augmentation, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A crop of the randomly scaled pair, computed from the needed part of the picture alone."""
    assert how.crop is not None and how.scale_jitter is not None
    size = how.crop
    low, high, step = how.scale_jitter
    if step > 0:
        scale = low + step * int(random.integers(0, round((high - low) / step) + 1))
    else:
        scale = float(random.uniform(low, high))
    scales = (scale, scale)  # down, across
    if how.aspect_jitter > 1:
        limit = math.log(how.aspect_jitter) / 2
        stretch = math.exp(random.uniform(-limit, limit))
        scales = (scale / stretch, scale * stretch)
    top, left = (
        float(random.uniform(0, max(0.0, have * by - want)))
        for have, by, want in zip(mask.shape, scales, size, strict=True)
    )
    # the window in the picture's own pixels, and the part of the crop that it fills
    height, width = (
        min(want, max(1, round(have * by))) for have, by, want in zip(mask.shape, scales, size, strict=True)
    )
    down, across = scales
    box = (
        left / across,
        top / down,
        min((left + width) / across, mask.shape[1]),
        min((top + height) / down, mask.shape[0]),
    )
    wanted = (width, height)
    part = np.asarray(Image.fromarray(image).resize(wanted, Image.Resampling.BILINEAR, box=box))
    shape = np.asarray(Image.fromarray(mask).resize(wanted, Image.Resampling.NEAREST, box=box))
    return _crop(part, shape, 0, 0, size)


def _rotate(image: Pixels, mask: Pixels, degrees: float) -> tuple[Pixels, Pixels]:
    """Turns both about their centre; what comes in at the corners is of the mean colour, and background."""
    beyond = tuple(_BEYOND.tolist())
    turned = Image.fromarray(image).rotate(degrees, Image.Resampling.BILINEAR, fillcolor=beyond)
    return np.asarray(turned), np.asarray(Image.fromarray(mask).rotate(degrees, Image.Resampling.NEAREST))


def _recolour(image: Pixels, jitter: tuple[float, float, float], random: np.random.Generator) -> Pixels:
    """Random brightness, contrast and saturation, one 3 x 4 linear map of the colour."""
    brightness, contrast, saturation = (1 + amount * random.uniform(-1, 1) for amount in jitter)
    luma = np.array([0.299, 0.587, 0.114])
    mix = contrast * brightness * (saturation * np.eye(3) + (1 - saturation) * luma)
    mean = float((image.reshape(-1, 3).mean(0) * luma).sum())
    shift = mean * brightness * (1 - contrast)
    changed = image.astype(np.float32) @ mix.T.astype(np.float32) + np.float32(shift)
    result: Pixels = np.clip(np.rint(changed), 0, 255).astype(np.uint8)
    return result


def _order(size: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(size)
