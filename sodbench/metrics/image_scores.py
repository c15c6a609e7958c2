"""One image under several protocols: the work that they share is done once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodbench.metrics.family import Columns, Curves
from sodbench.metrics.inputs import (
    MapArray,
    SizeMismatchError,
    checked_map,
    checked_mask,
    refuse_zero_one,
)
from sodbench.metrics.mask import MaskCache, MaskWork, binarise
from sodbench.metrics.measurement import Measurement
from sodbench.metrics.protocol import Protocol
from sodbench.metrics.resizing import resized

if TYPE_CHECKING:
    from sodbench.metrics.scorer import Scorer


@dataclass(frozen=True)
class ImageScores:
    """One image under one protocol: its columns, its curves, and its height, width and object share.

    `zero_one`: the map holds only 0 and 1, of 0..255. `constant`: all values of the map are equal.
    """

    name: str
    columns: Columns
    curves: Curves
    facts: tuple[int, int, float]
    zero_one: bool = False
    constant: bool = False


def measure_image(
    saliency_map: ArrayLike,
    mask: ArrayLike,
    name: str,
    scorers: "Sequence[Scorer]",
    masks: MaskCache | None,
) -> list[ImageScores]:
    """One image's scores for several scorers (protocols): what they share of the work is done once.

    `masks` keeps the work of the mask for later maps (None: it is not kept).
    """
    values = checked_map(saliency_map, name)
    grey = checked_mask(mask, name)
    protocols = [scorer.protocol for scorer in scorers]
    size = (grey.shape[0], grey.shape[1])
    sized: dict[str, MapArray] = {}
    if values.shape == size:
        sized = dict.fromkeys((scorer.size_rule for scorer in scorers), values)
    # before anything is resized
    for scorer in scorers:
        if scorer.size_rule == "error" and "error" not in sized:
            raise SizeMismatchError(name, values.shape, size, scorer.protocol.name)
    for how in {scorer.size_rule for scorer in scorers} - sized.keys():
        sized[how] = resized(values, size, how)
    shared: dict[tuple[int, int], Measurement] = {}
    images = []
    for scorer, protocol in zip(scorers, protocols, strict=True):
        least, values = object_level(grey, protocol), sized[scorer.size_rule]
        measurement = shared.get((least, id(values)))
        if measurement is None:
            binary = binarise(grey, least)
            if binary.truth is not grey:  # otherwise it has the values 0 and 255
                refuse_zero_one(grey, name)
            work = masks.work(binary) if masks else MaskWork(binary, use=str(len(shared)))
            measurement = Measurement(values, binary, work, grey, protocol.s_centre_rounding)
            shared[least, id(values)] = measurement
        columns: Columns = {}
        curves: Curves = {}
        for family in scorer.families:
            more, lines = family.measure(measurement, protocol)
            columns |= more
            curves |= lines
        work = measurement.mask
        facts = (work.height, work.width, work.n_object / work.n)
        low, high = measurement.extent
        zero_one = not measurement.is_float and high == 1
        images.append(ImageScores(name, columns, curves, facts, zero_one, constant=low == high))
    return images


def object_level(grey: NDArray[np.uint8], protocol: Protocol) -> int:
    """The smallest grey value that the protocol takes for object, 256 if none can be."""
    threshold = protocol.mask_threshold
    if protocol.mask_scale == "max":
        threshold *= (float(grey.max()) + 1e-8) / 255
    least = math.floor(threshold) + 1 if protocol.mask_comparator == ">" else math.ceil(threshold)
    return min(max(least, 0), 256)
