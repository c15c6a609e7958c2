"""Attributes of images, computed from masks and images: what is measured, and the groups by fixed bounds.

The bounds are numbers, not quantiles of a set, so that groups of two sets compare. What is measured on a mask
is defined in `data.objects`; shape is that of the largest object. An image without an object belongs to one
group only, `none` of the number of objects. docs/attributes.md describes and justifies the bounds.

Sources of the bounds: small and large objects are those of SOC (Fan et al., Salient Objects in Clutter, ECCV
2018, attributes SO and BO); the others split ECSSD, SOD and DUTS-TE into groups of a usable size.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sodbench.data.auditing.file_facts import in_threads
from sodbench.data.folder import DataSet, Sample
from sodbench.data.objects import (
    axis_ratio,
    colour_contrast,
    components_of,
    touches_border,
    width_to_length,
)
from sodbench.errors import InputError

DEFINITIONS = 1  # the version of what is measured; a change makes stored measures worthless
DIGITS = 6  # of a stored measure
SMALL, LARGE = 0.1, 0.5  # share of the image
THIN = 0.1  # width over length
ELONGATED = 0.4  # minor over major axis
LOW, HIGH = 0.4, 0.65  # chi-squared distance
LISTED = "list"  # the attribute of the groups that a card names

# measures of all images by name (units: see MEASURES)
Columns = Mapping[str, NDArray[np.float64]]

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "area": "object pixels, share of the image, 0 to 1",
        "objects": "connected components of at least .1 % of the image; 1 where all are smaller",
        "border": "1 where an object touches the image's border, else 0",
        "axes": "minor over major axis of the largest object, 0 to 1",
        "width": "mean width over length of the largest object, 0 to .57",
        "contrast": "chi-squared distance of the colour histograms of objects and surroundings, 0 to 1",
    }
)


@dataclass(frozen=True)
class Rule:
    """A computed group: its name, its definition in words, and which images belong to it."""

    name: str
    definition: str
    holds: Callable[[Columns], NDArray[np.bool_]]


# the computed attributes and their groups, in the order of every table; NaN belongs to no group
ATTRIBUTES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "size": (
            Rule("small", "objects below 10 % of the image", lambda m: (m["area"] > 0) & (m["area"] < SMALL)),
            Rule("medium", "10 % to 50 %", lambda m: (m["area"] >= SMALL) & (m["area"] <= LARGE)),
            Rule("large", "above 50 %", lambda m: m["area"] > LARGE),
        ),
        "objects": (
            Rule("none", "empty mask", lambda m: m["objects"] == 0),
            Rule("one", "one connected component", lambda m: m["objects"] == 1),
            Rule("two", "two components", lambda m: m["objects"] == 2),
            Rule("three or more", "three components or more", lambda m: m["objects"] > 2),
        ),
        "border": (
            Rule("inside", "no object touches the border", lambda m: m["border"] == 0),
            Rule("touching", "an object touches the border", lambda m: m["border"] == 1),
        ),
        "shape": (
            Rule("thin", "mean width below 10 % of the length", lambda m: m["width"] < THIN),
            Rule(
                "elongated",
                "not thin; minor axis below 40 % of the major",
                lambda m: (m["width"] >= THIN) & (m["axes"] < ELONGATED),
            ),
            Rule("compact", "neither", lambda m: (m["width"] >= THIN) & (m["axes"] >= ELONGATED)),
        ),
        "contrast": (
            Rule("low", "chi-squared distance below .40", lambda m: m["contrast"] < LOW),
            Rule("medium", ".40 to .65", lambda m: (m["contrast"] >= LOW) & (m["contrast"] <= HIGH)),
            Rule("high", "above .65", lambda m: m["contrast"] > HIGH),
        ),
    }
)


@dataclass(frozen=True)
class Group:
    """The images of a data set that have an attribute; `definition` says in words which these are."""

    attribute: str
    name: str
    definition: str
    images: frozenset[str]

    def __str__(self) -> str:
        return f"{self.attribute}: {self.name}"


@dataclass(frozen=True)
class ImageAttributes:
    """What was measured on each image of a data set (NaN: does not apply), and the lists of its card.

    `measures` holds one value per image by the names of MEASURES; `lists` maps an attribute's name to the
    images that have it; `listed` is the number of names in each list, of images that are not here too.
    """

    dataset: str
    dataset_digest: str  # of the masks
    images: tuple[str, ...]
    measures: Mapping[str, tuple[float, ...]]
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    listed: Mapping[str, int] = field(default_factory=dict)
    definitions: int = DEFINITIONS

    def groups(self) -> list[Group]:
        """All groups: those of the computed attributes, then those that the card lists; some may be empty.

        An attribute that no image has, such as the contrast of a set without images, has no groups.
        """
        columns = {name: np.array(values, np.float64) for name, values in self.measures.items()}
        names = np.array(self.images, dtype=object)
        groups = []
        for attribute, rules in ATTRIBUTES.items():
            members = [frozenset(names[rule.holds(columns)]) for rule in rules]
            if any(members):
                groups += [
                    Group(attribute, rule.name, rule.definition, images)
                    for rule, images in zip(rules, members, strict=True)
                ]
        for name, images in self.lists.items():
            groups.append(Group(LISTED, name, "the images that the data set's card names", frozenset(images)))
        return groups

    def notes(self) -> list[str]:
        """What a reader of the groups must know about images that are in none, or not here."""
        notes = []
        pairs = zip(self.measures["contrast"], self.measures["objects"], strict=True)
        of_objects = [contrast for contrast, count in pairs if count > 0]
        no_contrast = sum(map(math.isnan, of_objects))
        if no_contrast and no_contrast == len(of_objects):
            notes.append("contrast is not measured: it needs the images, and only masks were here")
        elif no_contrast:
            notes.append(f"contrast is not measured on {no_contrast} images, whose objects fill the mask")
        for name, images in self.lists.items():
            if len(images) < self.listed.get(name, 0):
                notes.append(f"list {name}: {len(images)} of its {self.listed[name]} images are here")
        return notes


def measure(dataset: DataSet, workers: int | None = None) -> dict[str, tuple[float, ...]]:
    """The measures of all images of a data set, in its order: each mask and image is read once."""
    rows = in_threads(_of_sample, dataset.samples, workers)
    return {name: tuple(row[place] for row in rows) for place, name in enumerate(MEASURES)}


def _of_sample(sample: Sample) -> tuple[float, ...]:
    """The measures of one image, in the order of MEASURES."""
    inside = sample.read_mask() > 128
    if not inside.any():
        return (0.0, 0.0, *[math.nan] * 4)
    components = components_of(inside)
    largest = components.largest()
    contrast = math.nan
    if sample.image is not None:
        picture = sample.read_image()
        if picture.shape[:2] != inside.shape:
            raise InputError(
                f"{sample.mask}: its size differs from that of its image {sample.image}"
                f" ({_size(inside)} and {_size(picture)} pixels); run 'sodbench datasets verify'"
            )
        contrast = colour_contrast(picture, inside)
    values = (
        inside.mean(),
        max(components.counted, 1),
        touches_border(inside),
        axis_ratio(largest),
        width_to_length(largest),
        contrast,
    )
    return tuple(round(float(value), DIGITS) for value in values)


def _size(pixels: NDArray[np.generic]) -> str:
    return f"{pixels.shape[0]} x {pixels.shape[1]}"
