"""Finds where the images and masks of a set lie: the folder under the data root, and its layout."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sodbench.data.card import Card, Layout, load_card
from sodbench.data.image_files import by_stem, image_files, read_list, subfolders
from sodbench.data.locations import data_root as find_root
from sodbench.errors import InputError
from sodbench.paths import user_path

Kind = Literal["image", "mask"]

# layouts that re-packs of any set use; the first that fits is taken, after those of the card
REPACKS = (
    Layout("SALOD", "images", "segmentations"),
    Layout("InSPyReNet", "images", "masks"),
    Layout("F3Net", "image", "mask"),
    Layout("images and GT", "images", "GT"),
    Layout("imgs and gt", "imgs", "gt"),
    Layout("im and gt", "im", "gt"),
    Layout("Imgs and GT", "Imgs", "GT"),
    Layout("Image and GT", "Image", "GT"),
    Layout("images and ground truth", "images", "ground_truth_mask"),
    Layout("PoolNet, side by side", "Imgs", "Imgs"),
    Layout("side by side", ".", "."),
)


class NoListError(InputError):
    """The list that tells a split's samples from those of the whole set is missing."""


@dataclass(frozen=True)
class PairFolders:
    """The folders with the images and the masks of a set, and the layout by which they were found."""

    images: tuple[Path, ...]
    masks: tuple[Path, ...]
    layout: Layout


def find_folders(
    card: Card, data_root: Path | None = None, masks_only: bool = False
) -> tuple[PairFolders | None, Path | None]:
    """The folders with images and masks, and the set's folder.

    (None, folder) if no known layout fits the folder, (None, None) if the set is not there.
    """
    folder = _set_folder(card, data_root)
    if folder is None:
        return None, None
    candidates = [expand_layout(folder, layout) for layout in (*card.layouts, *REPACKS)]
    for folders in candidates:
        if folders.masks and folders.images:
            return folders, folder
    if masks_only:
        for folders in candidates:
            if folders.masks:
                return folders, folder
    return None, folder


def _set_folder(card: Card, data_root: Path | None) -> Path | None:
    if card.generator:
        from sodbench.data.synthetic import sample_folder

        return sample_folder(card.generator.removeprefix("synthetic:"))
    if card.location is not None:
        folder = card.path.parent / user_path(card.location)
        return folder if folder.is_dir() else None
    root = find_root(data_root)
    if not root.path.is_dir():
        raise InputError(
            f"{root.path}: no such data root (from {root.chosen_by}); "
            "name a folder that holds one folder per data set with --data-root or SODBENCH_DATA"
        )
    folders = {folder.name.lower(): folder for folder in reversed(subfolders(root.path))}
    names = [*card.folders, card.name]
    if card.split.of:
        whole = load_card(card.split.of)
        names += [*whole.folders, whole.name]
    return next((folders[name.lower()] for name in names if name.lower() in folders), None)


def expand_layout(folder: Path, layout: Layout) -> PairFolders:
    """The folders that a layout stands for inside `folder`; none if it does not fit."""
    images, masks = _expand(folder, layout.images), _expand(folder, layout.masks)
    if images == masks and not any(image_files(inner) for inner in masks):
        return PairFolders((), (), layout)  # "side by side" fits any folder, so it must hold pictures
    return PairFolders(images, masks, layout)


def _expand(folder: Path, path: str) -> tuple[Path, ...]:
    """The folders that a layout's path stands for, whatever the case of their names."""
    folders = [folder]
    for step in Path(path).parts:
        inside = [entry for outer in folders for entry in subfolders(outer)]
        if step == "*":
            folders = inside
        else:
            same = [entry for entry in inside if entry.name == step]
            folders = same or [entry for entry in inside if entry.name.lower() == step.lower()][:1]
    return tuple(folders)


def files_of(folders: Sequence[Path], layout: Layout, card: Card, kind: Kind) -> dict[str, Path]:
    """Stem -> path of all images ("image") or masks ("mask"), with the card's quirks applied.

    Raises InputError for two files of one stem and for entries that are no files.
    """
    paths = [path for folder in folders for path in image_files(folder)]
    files = by_stem(own_files(paths, layout, card, kind), folders[0])
    return {stem_of(path, layout, kind): path for path in files.values()}


def own_files(paths: Iterable[Path], layout: Layout, card: Card, kind: Kind) -> list[Path]:
    """Those of the files in a set's folders that are its images, or its masks."""
    if layout.images == layout.masks:
        # side by side photographs are .jpg and masks .png (MSRA10K, THUR15K, PoolNet), or masks have a suffix
        def is_mask(path: Path) -> bool:
            if layout.mask_suffix:
                return path.stem.endswith(layout.mask_suffix)
            return path.suffix.lower() == ".png"

        paths = [path for path in paths if is_mask(path) == (kind == "mask")]
    ignored = ignored_files(card, kind)
    kept = [path for path in paths if path.name not in ignored]
    if kind == "mask":
        right = {Path(name).stem: name for quirk in card.quirks for name in quirk.take_mask}
        present = {path.name for path in kept}
        kept = [path for path in kept if right.get(path.stem) not in present or path.name == right[path.stem]]
    return kept


def ignored_files(card: Card, kind: Kind) -> set[str]:
    """The names of files that lie among a set's images or masks and do not belong to it."""
    if kind == "image":
        return {name for quirk in card.quirks for name in quirk.ignore_images}
    return {name for quirk in card.quirks for name in quirk.ignore_masks}


def stem_of(path: Path, layout: Layout, kind: Kind) -> str:
    """The sample's name that a file stands for."""
    return path.stem.removesuffix(layout.mask_suffix) if kind == "mask" else path.stem


def split_names(card: Card, folder: Path) -> frozenset[str] | None:
    """The stems of a split where its folder holds the whole set; None where the folder is the split's own."""
    if not card.split.lists or (card.split.of and card.owns_folder(folder.name)):
        return None
    for name in card.split.lists:
        path = folder / name
        if path.is_file():
            return read_list(path)
    hint = f": {card.split.hint}" if card.split.hint else ""
    raise NoListError(
        f"{folder}: no list of the names of {card.name}; put one, with one name per line, at "
        f"{folder / card.split.lists[0]}{hint}"
    )


def no_layout(card: Card, folder: Path) -> str:
    """The message about a set's folder in which no images and masks are found."""
    known = " or ".join(f"{layout.images}/ with {layout.masks}/" for layout in card.layouts or REPACKS[:2])
    return f"{folder}: holds no images and masks in a known layout for {card.name}; expected {known}"


def absent(card: Card, data_root: Path | None) -> InputError:
    """The error for a set whose folder does not exist."""
    if card.location is not None:
        return InputError(f"{card.name}: no folder {card.location} (named in {card.path})")
    root = find_root(data_root)
    return InputError(
        f"{card.name}: no folder {card.folders[0]}/ in the data root {root.path} "
        f"(from {root.chosen_by}); `sodbench datasets fetch {card.name}` downloads it, or says where "
        "to put it"
    )
