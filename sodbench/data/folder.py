"""Data sets on disk: images paired with masks by their stem, and saliency maps with both.

A data root holds one folder per data set (`ECSSD/`, `DUTS-TE/`). Inside, the layouts of the card are tried
first, then those of the usual re-packs. A folder that holds only a part of a set works: the card's count
stays the expected number, and every table says `201/1000`.
"""

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import overload

from sodbench.data import notebook
from sodbench.data.card import Card, Layout, load_card, reserved_for
from sodbench.data.image_files import list_images
from sodbench.data.images import Pixels, read_image, read_mask
from sodbench.data.layout import PairFolders, absent, files_of, find_folders, no_layout, split_names
from sodbench.data.locations import data_root as data_root_of
from sodbench.data.map_files import EXPECTED_MAPS, list_maps, pattern_hint
from sodbench.data.picture_files import SUFFIXES
from sodbench.errors import InputError, Note, first_of
from sodbench.names import folder_name
from sodbench.paths import user_path

__all__ = ["DataSet", "Pairing", "Sample", "list_images", "open_dataset", "open_folders", "pair_maps"]

EXPECTED_FILES = f"expected {', '.join(SUFFIXES[:4])} files"


@dataclass(frozen=True)
class Sample:
    """One image and its mask; `image` is None where only masks are available."""

    name: str
    image: Path | None
    mask: Path | None

    def read_image(self) -> Pixels:
        """The image as H x W x 3 uint8 RGB; raises InputError if there is none or it cannot be read."""
        if self.image is None:
            raise InputError(f"sample {self.name}: its data set was opened without images")
        return read_image(self.image)

    def read_mask(self) -> Pixels:
        """The mask as H x W uint8, 0 background to 255 object; raises InputError if it cannot be read."""
        if self.mask is None:
            raise InputError(f"sample {self.name}: has no mask")
        return read_mask(self.mask)

    def with_map(self, saliency_map: Path | str | Pixels) -> "SampleWithMap":
        """The sample with a saliency map (a file, or H x W uint8), for display in a notebook."""
        return SampleWithMap(self, saliency_map)

    def _repr_html_(self) -> str:
        return notebook.sample_html(self.name, self.image, self.mask, None)


@dataclass(frozen=True, repr=False)
class SampleWithMap:
    """A sample and a saliency map of it: a notebook shows image, mask and map side by side."""

    sample: Sample
    saliency_map: Path | str | Pixels

    def __repr__(self) -> str:
        return f"<SampleWithMap {self.sample.name}>"

    def _repr_html_(self) -> str:
        return notebook.sample_html(self.sample.name, self.sample.image, self.sample.mask, self.saliency_map)


@dataclass(frozen=True, repr=False)
class DataSet:
    """A data set on disk: its samples, sorted by name.

    `len(dataset)`, iteration, `dataset[3]`, `dataset["0005"]` and `dataset[:10]` work on the samples.
    `expected` is the number of samples of the complete set. A data set opened from folders has no card;
    `masks_folder` and `images_folder` are these folders. `data_root` is where a set with a card
    was looked for.
    """

    name: str
    title: str
    samples: tuple[Sample, ...]
    expected: int
    folder: Path
    card: Card | None = None
    masks_folder: Path | None = None
    images_folder: Path | None = None
    data_root: Path | None = None

    def digest(self) -> str:
        """SHA-256 of the names and bytes of the masks, on which scores depend besides the maps."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.sha256()
        for sample in self.samples:
            content = b"" if sample.mask is None else sample.mask.read_bytes()
            digest.update(f"{sample.name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    @cached_property
    def _by_name(self) -> dict[str, Sample]:
        return {sample.name: sample for sample in self.samples}

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    @overload
    def __getitem__(self, key: int | str) -> Sample: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Sample, ...]: ...
    def __getitem__(self, key: int | str | slice) -> Sample | tuple[Sample, ...]:
        if not isinstance(key, str):
            return self.samples[key]
        if key not in self._by_name:
            near = get_close_matches(key, self._by_name, n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise InputError(f"{self.name}: no sample is named {key!r}{hint}")
        return self._by_name[key]

    def __repr__(self) -> str:
        return f"DataSet({self.name!r}, {len(self)} of {self.expected} samples, folder={str(self.folder)!r})"

    def _repr_html_(self) -> str:
        return notebook.dataset_html(self.title, len(self), self.expected, self.folder, self.card)


@dataclass(frozen=True)
class Pairing:
    """The samples of a data set that have a saliency map, and what is left over on either side."""

    pairs: tuple[tuple[Sample, Path], ...]
    missing: tuple[str, ...]  # names of samples without a map
    surplus: tuple[str, ...]  # stems of maps that belong to no sample

    def note(self) -> str:
        """One line about the maps that are not scored; empty where there are none."""
        if not self.surplus:
            return ""
        count = "1 map belongs" if len(self.surplus) == 1 else f"{len(self.surplus)} maps belong"
        return f"{count} to no image of the data set and will not be scored: {first_of(self.surplus, 3)}"


def open_dataset(name: str, data_root: Path | str | None = None, masks_only: bool = False) -> DataSet:
    """Opens a data set by its card's name or alias.

    `sample` and `sample-train` are generated on first use. With `masks_only`, images are ignored.
    Raises InputError if the data set is missing, or if images and masks do not pair.
    """
    card = load_card(name)
    root = data_root_of(data_root).path
    data_root = None if data_root is None else root
    folders, folder = find_folders(card, data_root, masks_only)
    if folder is None:
        raise absent(card, data_root)
    if folders is None:
        raise InputError(no_layout(card, folder))
    listed = split_names(card, folder)
    images = {} if masks_only else files_of(folders.images, folders.layout, card, "image")
    masks = files_of(folders.masks, folders.layout, card, "mask")
    if listed is not None:
        images = {stem: path for stem, path in images.items() if stem in listed}
        masks = {stem: path for stem, path in masks.items() if stem in listed}
    if any(quirk.leave_out_unmasked for quirk in card.quirks):
        images = {stem: path for stem, path in images.items() if stem in masks}
    samples = _pair(card.name, images, masks, masks_only, folders)
    return DataSet(card.name, card.title, samples, card.expected, folder, card, data_root=root)


def open_to_score(name: str, data_root: Path | str | None = None) -> DataSet:
    """Opens a data set to score against: with its images, or as masks alone where its folder has no images.

    Raises InputError as `open_dataset` does.
    """
    card = load_card(name)
    root = None if data_root is None else data_root_of(data_root).path
    has_images = find_folders(card, root)[0] is not None
    masks_only = not has_images and find_folders(card, root, masks_only=True)[0] is not None
    if masks_only:
        warnings.warn(f"{card.name}: no images in its folder; only its masks are used", Note, stacklevel=3)
    return open_dataset(name, data_root, masks_only)


def open_folders(name: str, masks: Path | str, images: Path | str | None = None) -> DataSet:
    """An ad-hoc data set from a folder of masks and, optionally, a folder of images.

    Raises InputError for a folder without masks or images, and for the name of a data set that has a card.
    """
    folder_name(name)  # refuses what is no name
    refuse_reserved(name)
    masks = user_path(masks)
    images = None if images is None else user_path(images)
    mask_files = list_images(masks)
    if not mask_files:
        raise InputError(f"{masks}: no masks ({EXPECTED_FILES})")
    pictures = {} if images is None else list_images(images)
    if images is not None and not pictures:
        raise InputError(f"{images}: no images ({EXPECTED_FILES})")
    folders = PairFolders((masks if images is None else images,), (masks,), Layout("given", ".", "."))
    samples = _pair(name, pictures, mask_files, images is None, folders)
    return DataSet(name, name, samples, len(samples), masks, masks_folder=masks, images_folder=images)


def refuse_reserved(name: str) -> None:
    """Raises InputError for the name or alias of a card: tables would take a folder for that data set."""
    owner = reserved_for(name)
    if owner is not None:
        raise InputError(
            f"the name {name!r} is reserved for the data set {owner}: score that set by its name"
            f" (--dataset {owner} --data-root DIR, without --masks), or choose another name with --dataset"
        )


def pair_maps(
    dataset: DataSet, folder: Path, allow_missing: bool = False, pattern: str | None = None
) -> Pairing:
    """Each sample with the saliency map of the same stem in `folder`, and what is left over.

    pattern: which part of a map's file name is the name of its image (`map_files.checked_pattern`); None: the
    stem.

    Raises InputError naming the first ten samples without a map and their number, unless `allow_missing`;
    and always if no map fits. Maps that belong to no sample are returned as `surplus`. They are no error
    where a card or the images say what belongs to the set, because a folder of maps is often that of the
    whole set where only a part of it is on this disk. Where there are only masks, a mask is missing, which is
    an error unless `allow_missing`.
    """
    maps = list_maps(folder, pattern)
    pairs = tuple((sample, maps[sample.name]) for sample in dataset.samples if sample.name in maps)
    missing = [sample.name for sample in dataset.samples if sample.name not in maps]
    if not maps:
        inner = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
        hint = (
            f"; it holds the folders {first_of(inner)}: name one of them, or score all of them with --layout"
            if inner
            else ""
        )
        raise InputError(f"{folder}: no saliency maps ({EXPECTED_MAPS}){hint}")
    if not pairs:
        raise InputError(
            f"{folder}: none of its {len(maps)} maps is named like a sample of {dataset.name}: "
            f"found {first_of(sorted(maps), 3)}; expected {first_of(missing, 3)}"
            + ("" if pattern else pattern_hint(maps, missing))
        )
    if missing and not allow_missing:
        raise InputError(
            f"{folder}: {len(missing)} of {len(dataset)} maps of {dataset.name} are missing: "
            f"{first_of(missing)}; --allow-missing scores the rest"
        )
    surplus = sorted(maps.keys() - {sample.name for sample in dataset.samples})
    if surplus and not allow_missing and _has_only_masks(dataset):
        raise InputError(
            f"{dataset.masks_folder}: {len(surplus)} of {len(maps)} maps have no mask here: "
            f"{first_of(surplus)}; add the masks; --allow-missing scores the rest"
        )
    return Pairing(pairs, tuple(missing), tuple(surplus))


def counting_maps(dataset: DataSet, folder: Path, pattern: str | None = None) -> DataSet:
    """The data set; one of masks alone expects an image for every map in `folder` as well."""
    if not _has_only_masks(dataset):
        return dataset
    names = {sample.name for sample in dataset} | list_maps(folder, pattern).keys()
    return replace(dataset, expected=max(dataset.expected, len(names)))


def _has_only_masks(dataset: DataSet) -> bool:
    return dataset.card is None and dataset.images_folder is None


def _pair(
    name: str, images: dict[str, Path], masks: dict[str, Path], masks_only: bool, folders: PairFolders
) -> tuple[Sample, ...]:
    if not masks or not (images or masks_only):
        empty = folders.masks if not masks else folders.images
        raise InputError(f"{empty[0]}: no images for {name} ({EXPECTED_FILES})")
    if masks_only:
        return tuple(Sample(stem, None, path) for stem, path in sorted(masks.items()))
    without_mask, without_image = sorted(images.keys() - masks.keys()), sorted(masks.keys() - images.keys())
    if without_mask or without_image:
        raise InputError(
            f"{name}: images and masks do not pair: {len(without_mask)} of {folders.images[0]} "
            f"without a mask ({first_of(without_mask) or 'none'}), {len(without_image)} of "
            f"{folders.masks[0]} without an image ({first_of(without_image) or 'none'})"
        )
    return tuple(Sample(stem, images[stem], masks[stem]) for stem in sorted(images))
