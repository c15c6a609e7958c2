"""Detects where the images and masks of a folder are.

Understood are two folders of equal (or suffixed) stems, images and masks side by side in one folder,
several splits (`train/images`, `images/train`), and Hugging Face's `metadata.jsonl` or `metadata.csv`. What
is detected is reported to the user, who can name the folders instead.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sodbench.data.adding.huggingface import MetadataTable, metadata_tables
from sodbench.data.adding.words import IMAGE_WORDS, MASK_SUFFIXES, MASK_WORDS, has_word
from sodbench.data.image_files import folders_under, image_files
from sodbench.data.images import decode_mask
from sodbench.errors import InputError, first_of

DEPTH = 4  # levels of folders that are searched


@dataclass(frozen=True)
class DetectedSet:
    """One set in a folder: paths relative to the folder, counts, and how it was detected."""

    images: str
    masks: str
    mask_suffix: str
    pairs: int
    unmasked: int  # images without a mask
    how: str

    @property
    def split(self) -> str:
        """What distinguishes this set from others of the same folder: the split's name, or nothing."""
        words = [step for step in Path(self.images).parts if not has_word(step, IMAGE_WORDS)]
        return "-".join(re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in words)


def detect_sets(folder: Path) -> list[DetectedSet]:
    """The sets that a folder seems to hold, the largest first; raises InputError if there is none."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    stems = {inner: stems_in(inner) for inner in folders_under(folder, DEPTH)}
    stems = {inner: names for inner, names in stems.items() if names}
    if not stems:
        raise InputError(f"{folder}: no images in it (looked {DEPTH} folders deep)")
    tables = [table for inner in folders_under(folder, DEPTH) for table in metadata_tables(inner)]
    sets = (
        [_from_metadata(folder, table) for table in tables]
        or _side_by_side(folder, stems)
        or _in_folders(folder, stems)
    )
    if not sets:
        where = first_of([str(inner.relative_to(folder)) for inner in sorted(stems)], 4)
        raise InputError(
            f"{folder}: images in {where}, but no masks of the same names; "
            "name the two folders with --images and --masks"
        )
    return sorted(sets, key=lambda one: (-one.pairs, one.images))


def named_set(folder: Path, images: str, masks: str, mask_suffix: str) -> DetectedSet:
    """A set whose folders are named by the user; raises InputError if one of them does not exist."""
    for name in (images, masks):
        if not (folder / name).is_dir():
            raise InputError(f"{folder / name}: no such folder")
    names, mask_names = stems_in(folder / images), stems_in(folder / masks)
    return _paired(folder, (folder / images, names), (folder / masks, mask_names), mask_suffix, "as given")


def stems_in(folder: Path) -> list[str]:
    """The stems of the image files directly inside a folder."""
    return [path.stem for path in image_files(folder)]


def _paired(
    folder: Path, images: tuple[Path, list[str]], masks: tuple[Path, list[str]], suffix: str, how: str
) -> DetectedSet:
    """Counts the pairs of two folders, each given with the stems of its images or masks."""
    mask_stems = set(masks[1])
    pairs = sum(name + suffix in mask_stems for name in images[1])
    paths = [path.relative_to(folder).as_posix() for path in (images[0], masks[0])]
    return DetectedSet(paths[0], paths[1], suffix, pairs, len(images[1]) - pairs, how)


def _from_metadata(folder: Path, table: MetadataTable) -> DetectedSet:
    images = {image.parent for image, _ in table.pairs}
    masks = {mask.parent for _, mask in table.pairs}
    alike = all(mask.stem.startswith(image.stem) for image, mask in table.pairs)
    suffixes = {mask.stem.removeprefix(image.stem) for image, mask in table.pairs}
    if len(images) != 1 or len(masks) != 1 or not alike or len(suffixes) != 1:
        raise InputError(
            f"{folder}: {table.description}: images and masks must lie in one folder each and have the "
            "same stems (or one suffix for all masks); rename the files or make two folders"
        )
    images_folder, masks_folder = images.pop(), masks.pop()
    return _paired(
        folder,
        (images_folder, stems_in(images_folder)),
        (masks_folder, stems_in(masks_folder)),
        suffixes.pop(),
        table.description,
    )


def _side_by_side(folder: Path, stems: dict[Path, list[str]]) -> list[DetectedSet]:
    sets = []
    for inner, names in stems.items():
        every = set(names)
        for suffix in MASK_SUFFIXES:
            pictures = [name for name in every if not name.endswith(suffix)]
            masks = [name for name in every if name.endswith(suffix)]
            if masks and sum(name + suffix in every for name in pictures) >= max(1, len(masks) // 2):
                how = f"side by side, masks end in {suffix}"
                sets.append(_paired(folder, (inner, pictures), (inner, masks), suffix, how))
                break
        else:
            if len(names) > len(every):  # the same stems twice: .jpg and .png
                files = image_files(inner)
                pictures = [path.stem for path in files if path.suffix.lower() != ".png"]
                masks = [path.stem for path in files if path.suffix.lower() == ".png"]
                how = "side by side, images .jpg and masks .png"
                sets.append(_paired(folder, (inner, pictures), (inner, masks), "", how))
    return [one for one in sets if one.pairs]


def _in_folders(folder: Path, stems: dict[Path, list[str]]) -> list[DetectedSet]:
    likeness = {inner: _mask_likeness(inner) for inner in stems}
    pictures = [inner for inner in stems if likeness[inner] < 0.5]  # two folders of maps are no set
    best: dict[Path, tuple[tuple[float, int], DetectedSet]] = {}
    for images in pictures:
        for masks in stems:
            if images == masks or likeness[masks] <= likeness[images]:
                continue
            for suffix in ("", *MASK_SUFFIXES):
                how = "two folders of equal stems"
                one = _paired(folder, (images, stems[images]), (masks, stems[masks]), suffix, how)
                near = len(set(images.relative_to(folder).parts) & set(masks.relative_to(folder).parts))
                rank = (one.pairs + 0.1 * near, -len(suffix))
                if one.pairs and (masks not in best or rank > best[masks][0]):
                    best[masks] = (rank, one)
    # of several folders of masks for the same images the one that fits best
    chosen: dict[str, tuple[tuple[float, int], DetectedSet]] = {}
    for rank, one in best.values():
        if one.images not in chosen or rank > chosen[one.images][0]:
            chosen[one.images] = (rank, one)
    return [one for _, one in chosen.values()]


def _mask_likeness(folder: Path) -> float:
    """How much a folder looks like one of masks: by its name, and by a few of its files."""
    files = image_files(folder)
    binary = 0
    examined = files[:: max(1, len(files) // 4)][:4]
    for path in examined:
        try:
            levels = np.bincount(decode_mask(path)[0].ravel(), minlength=256)
        except InputError:
            continue  # coloured, or not readable: no mask
        binary += bool(levels[:8].sum() + levels[-8:].sum() > 0.7 * levels.sum())
    word = has_word(folder.name, MASK_WORDS) - has_word(folder.name, IMAGE_WORDS)
    return binary / len(examined) + 0.6 * word
