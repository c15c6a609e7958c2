"""Guesses where the pictures and masks of a folder are.

Understood are two folders of equal (or suffixed) stems, pictures and masks side by side in one folder,
several splits (`train/images`, `images/train`), and Hugging Face's `metadata.jsonl` or `metadata.csv`. What
was guessed is said; what is guessed wrong can be given.
"""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sodbench.data.images import SUFFIXES, decode_mask
from sodbench.data.listing import folders_under, picture_files
from sodbench.errors import InputError, first_of

DEPTH = 4
MASK_WORDS = (
    "mask", "gt", "ground", "truth", "label", "seg", "annot", "matte", "alpha", "saliency", "target",
    "object",
)  # fmt: skip
IMAGE_WORDS = ("image", "img", "im", "rgb", "photo", "picture", "input", "source", "src", "jpeg")
MASK_SUFFIXES = (
    "_mask", "-mask", "_masks", "_gt", "-gt", "_GT", "_label", "_labels", "_seg", "_segmentation", "_matte",
    "_alpha", "_saliency", "_annotation", ".mask", "_target",
)  # fmt: skip


@dataclass(frozen=True)
class Guess:
    """One set that was recognised: paths relative to the folder, and why."""

    images: str
    masks: str
    mask_suffix: str
    pairs: int
    unmasked: int  # pictures without a mask
    why: str

    @property
    def part(self) -> str:
        """What tells this set from others of the same folder: the split's name, or nothing."""
        words = [step for step in Path(self.images).parts if not _is_word(step, IMAGE_WORDS)]
        return "-".join(re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in words)


def guess_sets(folder: Path) -> list[Guess]:
    """The sets that a folder seems to hold, the most pairs first; raises InputError if there is none."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    stems = {inner: [path.stem for path in picture_files(inner)] for inner in folders_under(folder, DEPTH)}
    stems = {inner: names for inner, names in stems.items() if names}
    if not stems:
        raise InputError(f"{folder}: no pictures in it (looked {DEPTH} folders deep)")
    found = _from_metadata(folder) or _side_by_side(folder, stems) or _in_folders(folder, stems)
    if not found:
        where = first_of([str(inner.relative_to(folder)) for inner in sorted(stems)], 4)
        raise InputError(
            f"{folder}: pictures in {where}, but no masks of the same names; "
            "name the two folders with --images and --masks"
        )
    return sorted(found, key=lambda guess: (-guess.pairs, guess.images))


def given_set(folder: Path, images: str, masks: str, mask_suffix: str) -> Guess:
    """A set whose folders were named by the user."""
    for part in (images, masks):
        if not (folder / part).is_dir():
            raise InputError(f"{folder / part}: no such folder")
    pictures = [path.stem for path in picture_files(folder / images)]
    return _paired(
        folder, folder / images, folder / masks, pictures, stems_in(folder / masks), mask_suffix, "as given"
    )


def _from_metadata(folder: Path) -> list[Guess]:
    """Hugging Face's image folder: a table of file names beside the pictures, with a column for the mask."""
    found = []
    for inner in folders_under(folder, DEPTH):
        for table in ("metadata.jsonl", "metadata.csv"):
            if (inner / table).is_file():
                rows = _rows(inner / table)
                columns = [key for key in rows[0] if key != "file_name" and _is_picture(rows[0][key])]
                if "file_name" not in rows[0] or not columns:
                    raise InputError(
                        f"{inner / table}: expected the columns file_name and one with the mask's file"
                    )
                mask_column = max(columns, key=lambda key: _is_word(key, MASK_WORDS))
                pairs = [(inner / str(row["file_name"]), inner / str(row[mask_column])) for row in rows]
                found.append(_from_pairs(folder, pairs, f"{table} (file_name, {mask_column})"))
    return found


def _rows(table: Path) -> list[dict[str, object]]:
    try:
        with table.open(encoding="utf-8", newline="") as file:
            if table.suffix == ".csv":
                rows: list[dict[str, object]] = [dict(row) for row in csv.DictReader(file)]
            else:
                rows = [json.loads(line) for line in file if line.strip()]
    except (ValueError, csv.Error) as error:
        raise InputError(f"{table}: not readable ({error})") from None
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{table}: expected one row a picture")
    return rows


def _from_pairs(folder: Path, pairs: Sequence[tuple[Path, Path]], why: str) -> Guess:
    images, masks = {image.parent for image, _ in pairs}, {mask.parent for _, mask in pairs}
    suffixes = {
        mask.stem.removeprefix(image.stem) for image, mask in pairs if mask.stem.startswith(image.stem)
    }
    alike = all(mask.stem.startswith(image.stem) for image, mask in pairs)
    if len(images) != 1 or len(masks) != 1 or len(suffixes) != 1 or not alike:
        raise InputError(
            f"{folder}: {why}: pictures and masks must lie in one folder each and have the same stems "
            "(or one suffix for all masks); rename the files or make two folders"
        )
    image_folder, mask_folder = images.pop(), masks.pop()
    return _paired(
        folder, image_folder, mask_folder, stems_in(image_folder), stems_in(mask_folder), suffixes.pop(), why
    )


def _side_by_side(folder: Path, stems: dict[Path, list[str]]) -> list[Guess]:
    found = []
    for inner, names in stems.items():
        every = set(names)
        for suffix in MASK_SUFFIXES:
            pictures = [name for name in every if not name.endswith(suffix)]
            masks = [name for name in every if name.endswith(suffix)]
            if masks and sum(name + suffix in every for name in pictures) >= max(1, len(masks) // 2):
                found.append(
                    _paired(
                        folder, inner, inner, pictures, masks, suffix, f"side by side, masks end in {suffix}"
                    )
                )
                break
        else:
            if len(names) > len(every):  # the same stems twice: .jpg and .png
                jpg = [path.stem for path in picture_files(inner) if path.suffix.lower() != ".png"]
                png = [path.stem for path in picture_files(inner) if path.suffix.lower() == ".png"]
                found.append(
                    _paired(folder, inner, inner, jpg, png, "", "side by side, pictures .jpg and masks .png")
                )
    return [guess for guess in found if guess.pairs]


def _in_folders(folder: Path, stems: dict[Path, list[str]]) -> list[Guess]:
    looks = {inner: _mask_likeness(inner) for inner in stems}
    pictures = [inner for inner in stems if looks[inner] < 0.5]  # two folders of maps are no set
    best: dict[Path, tuple[tuple[float, int], Guess]] = {}
    for images in pictures:
        for masks in stems:
            if images == masks or looks[masks] <= looks[images]:
                continue
            for suffix in ("", *MASK_SUFFIXES):
                guess = _paired(
                    folder, images, masks, stems[images], stems[masks], suffix, "two folders of equal stems"
                )
                near = len(set(images.relative_to(folder).parts) & set(masks.relative_to(folder).parts))
                rank = (guess.pairs + 0.1 * near, -len(suffix))
                if guess.pairs and (masks not in best or rank > best[masks][0]):
                    best[masks] = (rank, guess)
    taken: dict[str, tuple[tuple[float, int], Guess]] = {}
    for (
        rank,
        guess,
    ) in best.values():  # of several folders of masks for the same pictures the best-fitting one
        if guess.images not in taken or rank > taken[guess.images][0]:
            taken[guess.images] = (rank, guess)
    return [guess for _, guess in taken.values()]


def _mask_likeness(folder: Path) -> float:
    """How much a folder looks like one of masks: by its name, and by a few of its files."""
    files = picture_files(folder)
    plain = 0
    chosen = files[:: max(1, len(files) // 4)][:4]
    for path in chosen:
        try:
            levels = np.bincount(decode_mask(path)[0].ravel(), minlength=256)
        except InputError:
            continue  # coloured, or not readable: no mask
        plain += bool(levels[:8].sum() + levels[-8:].sum() > 0.7 * levels.sum())
    word = _is_word(folder.name, MASK_WORDS) - _is_word(folder.name, IMAGE_WORDS)
    return plain / len(chosen) + 0.6 * word


def _paired(
    folder: Path,
    images: Path,
    masks: Path,
    pictures: Sequence[str],
    mask_stems: Sequence[str],
    suffix: str,
    why: str,
) -> Guess:
    there = set(mask_stems)
    pairs = sum(name + suffix in there for name in pictures)
    relative = [path.relative_to(folder).as_posix() for path in (images, masks)]
    return Guess(relative[0], relative[1], suffix, pairs, len(pictures) - pairs, why)


def stems_in(folder: Path) -> list[str]:
    return [path.stem for path in picture_files(folder)]


def _is_picture(value: object) -> bool:
    return isinstance(value, str) and value.lower().endswith(SUFFIXES)


def _is_word(name: str, words: Sequence[str]) -> bool:
    parts = re.split(r"[^a-z]+", name.lower())
    return any(
        part.startswith(word) and (len(word) > 3 or part in (word, word + "s"))
        for part in parts
        for word in words
    )
