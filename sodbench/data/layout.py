"""Finds where the pictures and masks of a set lie: the folder under the data root, and its layout."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.card import Card, Layout, load_card
from sodbench.data.listing import by_stem, picture_files, subfolders
from sodbench.data.locations import data_root as find_root
from sodbench.errors import InputError

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


@dataclass(frozen=True)
class Place:
    """Where a set's pictures and masks were found: a layout and the folders that it stands for."""

    images: tuple[Path, ...]
    masks: tuple[Path, ...]
    layout: Layout


def find_folder(
    card: Card, data_root: Path | None = None, masks_only: bool = False
) -> tuple[Place | None, Path | None]:
    """The place of a set's files, and the set's folder.

    (None, folder) if no known layout fits the folder, (None, None) if the set is not there.
    """
    if card.generator:
        from sodbench.data.synthetic import sample_folder

        chosen = sample_folder(card.generator.removeprefix("synthetic:"))
    elif card.location is not None:
        chosen = card.location if card.location.is_absolute() else card.path.parent / card.location
        if not chosen.is_dir():
            return None, None
    else:
        root = find_root(data_root)
        if not root.path.is_dir():
            raise InputError(
                f"{root.path}: no such data root (chosen by {root.chosen_by}); "
                "name a folder that holds one folder a set with --data-root or SODBENCH_DATA"
            )
        folders = {folder.name.lower(): folder for folder in reversed(subfolders(root.path))}
        names = [*card.folders, card.name]
        if card.split_of:
            whole = load_card(card.split_of)
            names += [*whole.folders, whole.name]
        fitting = [folders[name.lower()] for name in names if name.lower() in folders]
        if not fitting:
            return None, None
        chosen = fitting[0]
    places = [expand_layout(chosen, layout) for layout in (*card.layouts, *REPACKS)]
    for place in places:
        if place.masks and place.images:
            return place, chosen
    if masks_only:
        for place in places:
            if place.masks:
                return place, chosen
    return None, chosen


def expand_layout(folder: Path, layout: Layout) -> Place:
    """The folders that a layout stands for inside `folder`; none if it does not fit."""
    images, masks = _expand(folder, layout.images), _expand(folder, layout.masks)
    if images == masks and not any(picture_files(inner) for inner in masks):
        return Place((), (), layout)  # "side by side" fits any folder: it must hold pictures to be meant
    return Place(images, masks, layout)


def _expand(folder: Path, part: str) -> tuple[Path, ...]:
    """The folders that a layout's path stands for, whatever the case of their names."""
    places = [folder]
    for step in Path(part).parts:
        inside = [entry for place in places for entry in subfolders(place)]
        if step == "*":
            places = inside
        else:
            same = [entry for entry in inside if entry.name == step]
            places = same or [entry for entry in inside if entry.name.lower() == step.lower()][:1]
    return tuple(places)


def files_of(folders: Sequence[Path], layout: Layout, card: Card, what: str) -> dict[str, Path]:
    """Stem -> path of all pictures ("image") or masks ("mask"), with the card's quirks put right in memory.

    Raises InputError for two files of one stem and for entries that are no files.
    """
    paths = [path for folder in folders for path in picture_files(folder)]
    found = by_stem(own_files(paths, layout, card, what), folders[0])
    return {stem_of(path, layout, what): path for path in found.values()}


def own_files(paths: Iterable[Path], layout: Layout, card: Card, what: str) -> list[Path]:
    """Of the files in a set's folders those that are its pictures, or its masks."""
    if layout.images == layout.masks:
        # side by side photographs are .jpg and masks .png (MSRA10K, THUR15K, PoolNet), or masks have a suffix
        def is_mask(path: Path) -> bool:
            return (
                path.stem.endswith(layout.mask_suffix)
                if layout.mask_suffix
                else path.suffix.lower() == ".png"
            )

        paths = [path for path in paths if is_mask(path) == (what == "mask")]
    ignored = {name for quirk in card.quirks for name in getattr(quirk, f"ignore_{what}s")}
    kept = [path for path in paths if path.name not in ignored]
    if what == "mask":
        right = {Path(name).stem: name for quirk in card.quirks for name in quirk.take_mask}
        present = {path.name for path in kept}
        kept = [path for path in kept if right.get(path.stem) not in present or path.name == right[path.stem]]
    return kept


def stem_of(path: Path, layout: Layout, what: str) -> str:
    """The sample's name that a file stands for."""
    return path.stem.removesuffix(layout.mask_suffix) if what == "mask" else path.stem
