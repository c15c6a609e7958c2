"""Pairs files on disk: pictures with masks by their stem, and saliency maps with both.

A data root holds one folder a set (`ECSSD/`, `DUTS-TE/`). Inside, the layouts of the card are tried first,
then those of the usual re-packs. A folder that holds only a part of a set works: the card's count stays
the expected number, and every table says `201/1000`.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sodbench.data.card import Card, Layout, load_card
from sodbench.data.images import SUFFIXES
from sodbench.data.layout import REPACKS, Place, files_of, find_folder
from sodbench.data.listing import list_images, read_list
from sodbench.data.locations import data_root as find_root
from sodbench.errors import InputError, first_of

__all__ = ["DataSet", "Sample", "list_images", "open_dataset", "open_folders", "pair_maps"]


class NoListError(InputError):
    """The list that tells a split's samples from the whole set's is not there."""


@dataclass(frozen=True)
class Sample:
    """One picture and its mask; `image` is None where only masks are at hand."""

    name: str
    image: Path | None
    mask: Path | None


@dataclass(frozen=True)
class DataSet:
    """A data set as it lies on disk: its samples in the order of their names."""

    name: str
    title: str
    samples: tuple[Sample, ...]
    expected: int
    folder: Path
    card: Card | None = None

    def digest(self) -> str:
        """SHA-256 over the names and the bytes of the masks: what scores depend on besides the maps."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.sha256()
        for sample in self.samples:
            content = b"" if sample.mask is None else sample.mask.read_bytes()
            digest.update(f"{sample.name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()


def open_dataset(name: str, data_root: Path | None = None, masks_only: bool = False) -> DataSet:
    """Opens a data set by its card's name or alias.

    `sample` and `sample-train` are made on first use. With `masks_only` pictures are not looked for.
    Raises InputError if the set is not there, or if pictures and masks do not pair.
    """
    card = load_card(name)
    place, chosen = find_folder(card, data_root, masks_only)
    if chosen is None:
        raise absent(card, data_root)
    if place is None:
        raise InputError(no_layout(card, chosen))
    listed = split_names(card, chosen)
    images = {} if masks_only else files_of(place.images, place.layout, card, "image")
    masks = files_of(place.masks, place.layout, card, "mask")
    if listed is not None:
        images = {stem: path for stem, path in images.items() if stem in listed}
        masks = {stem: path for stem, path in masks.items() if stem in listed}
    if any(quirk.leave_out_unmasked for quirk in card.quirks):
        images = {stem: path for stem, path in images.items() if stem in masks}
    samples = _pair(card.name, images, masks, masks_only, place)
    return DataSet(card.name, card.title, samples, card.count, chosen, card)


def open_folders(name: str, masks: Path, images: Path | None = None) -> DataSet:
    """An ad-hoc data set from a folder of masks and, where there are pictures, a folder of these."""
    found = list_images(masks)
    if not found:
        raise InputError(f"{masks}: no masks (expected {', '.join(SUFFIXES[:4])} files)")
    pictures = {} if images is None else list_images(images)
    if images is not None and not pictures:
        raise InputError(f"{images}: no pictures (expected {', '.join(SUFFIXES[:4])} files)")
    place = Place((masks if images is None else images,), (masks,), Layout("given", ".", "."))
    samples = _pair(name, pictures, found, images is None, place)
    return DataSet(name, name, samples, len(samples), masks)


def pair_maps(dataset: DataSet, folder: Path, allow_missing: bool = False) -> list[tuple[Sample, Path]]:
    """Each sample with its saliency map of the same stem in `folder`; further maps are left alone.

    Raises InputError naming the first ten samples without a map and their number, unless `allow_missing`;
    and always if no map fits at all.
    """
    maps = list_images(folder)
    pairs = [(sample, maps[sample.name]) for sample in dataset.samples if sample.name in maps]
    missing = [sample.name for sample in dataset.samples if sample.name not in maps]
    if not maps:
        inner = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
        hint = f"; it holds the folders {first_of(inner)}: name one of them" if inner else ""
        raise InputError(f"{folder}: no saliency maps (expected {', '.join(SUFFIXES[:4])} files){hint}")
    if not pairs:
        raise InputError(
            f"{folder}: none of its {len(maps)} maps is named like a sample of {dataset.name}: "
            f"found {first_of(sorted(maps), 3)}; expected {first_of(missing, 3)}"
        )
    if missing and not allow_missing:
        raise InputError(
            f"{folder}: {len(missing)} of {len(dataset.samples)} maps of {dataset.name} are missing: "
            f"{first_of(missing)}; --allow-missing scores the rest"
        )
    return pairs


def _pair(
    name: str, images: dict[str, Path], masks: dict[str, Path], masks_only: bool, place: Place
) -> tuple[Sample, ...]:
    if not masks or not (images or masks_only):
        empty = place.masks if not masks else place.images
        raise InputError(f"{empty[0]}: no pictures for {name} (expected {', '.join(SUFFIXES[:4])} files)")
    if masks_only:
        return tuple(Sample(stem, None, path) for stem, path in sorted(masks.items()))
    without_mask, without_image = sorted(images.keys() - masks.keys()), sorted(masks.keys() - images.keys())
    if without_mask or without_image:
        raise InputError(
            f"{name}: pictures and masks do not pair: "
            f"{len(without_mask)} of {place.images[0]} without a mask ({first_of(without_mask) or 'none'}), "
            f"{len(without_image)} of {place.masks[0]} without a picture "
            f"({first_of(without_image) or 'none'})"
        )
    return tuple(Sample(stem, images[stem], masks[stem]) for stem in sorted(images))


def no_layout(card: Card, folder: Path) -> str:
    """What is wrong with a set's folder in which no pictures and masks are found, and what is expected."""
    known = " or ".join(f"{layout.images}/ with {layout.masks}/" for layout in card.layouts or REPACKS[:2])
    return f"{folder}: holds no pictures and masks in a known layout for {card.name}; expected {known}"


def absent(card: Card, data_root: Path | None) -> InputError:
    """The error for a set whose folder is not there."""
    if card.location is not None:
        return InputError(f"{card.name}: no folder {card.location} (named in {card.path})")
    root = find_root(data_root)
    return InputError(
        f"{card.name}: no folder {card.folders[0]}/ in the data root {root.path} "
        f"(chosen by {root.chosen_by}); `sodbench datasets fetch {card.name}` gets it or says where to put it"
    )


def split_names(card: Card, folder: Path) -> frozenset[str] | None:
    """The stems of a split, where the set's folder is that of the whole set; None for all of them."""
    if not card.split_lists or (
        card.split_of and folder.name.lower() in {name.lower() for name in card.folders}
    ):
        return None
    for name in card.split_lists:
        path = folder / name
        if path.is_file():
            return read_list(path)
    raise NoListError(
        f"{folder}: no list of the names of {card.name}; put one, a name a line, as "
        f"{folder / card.split_lists[0]}" + (f": {card.split_hint}" if card.split_hint else "")
    )
