"""Brings an unpacked archive into the standard layout, `images/` and `masks/`, and repairs known quirks.

Every repair is returned as a line for the log; what does not pair is left out and named.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.card import Card, load_card
from sodbench.data.image_files import folders_under, image_files, read_list
from sodbench.data.images import read_mask, write_map
from sodbench.data.layout import REPACKS, PairFolders, expand_layout, files_of, ignored_files
from sodbench.errors import InputError, first_of

DEPTH = 6  # levels of folders that are searched
# of the card's count: lists of one set differ by a few pairs, a bundle of sets has thousands more
MAX_RATIO = 1.05
KEPT = (".txt", ".md", ".pdf", ".lst")


@dataclass(frozen=True)
class StandardCopy:
    """How many pairs a copy in the standard layout has, and what was repaired or left out."""

    pairs: int
    log: tuple[str, ...]


@dataclass(frozen=True)
class _Candidate:
    """Folders in an archive that hold pairs; `named` if one of them is called like the set."""

    folders: PairFolders
    pairs: int
    named: bool


def standardise(unpacked: Path, card: Card, target: Path) -> StandardCopy:
    """Moves the pairs of `card`, wherever they lie in `unpacked`, to `target`/images and `target`/masks."""
    folders = _find(unpacked, card)
    log = [f"layout: {folders.images[0].relative_to(unpacked)} and {folders.masks[0].relative_to(unpacked)}"]
    log += _ignored(folders, card)
    images = files_of(folders.images, folders.layout, card, "image")
    masks = files_of(folders.masks, folders.layout, card, "mask")
    log += _alone("images without a mask", images, masks) + _alone("masks without an image", masks, images)
    renamed = {old: new for quirk in card.quirks for old, new in quirk.rename.items()}
    pairs, notes = _choose(sorted(images.keys() & masks.keys()), card, unpacked)
    log += notes
    for name in ("images", "masks"):
        (target / name).mkdir(parents=True, exist_ok=True)
    for stem in pairs:
        image, mask = images[stem], masks[stem]
        log += _move(image, target / "images" / renamed.get(image.name, stem + image.suffix.lower()))
        if any(mask.name in quirk.take_mask for quirk in card.quirks):
            write_map(target / "masks" / f"{stem}.png", read_mask(mask))
            log.append(f"converted the mask {mask.name} to .png; the .png beside it has the wrong size")
        else:
            log += _move(mask, target / "masks" / renamed.get(mask.name, stem + mask.suffix.lower()))
    for path in sorted(unpacked.rglob("*")):  # read-me, licence, the list of a split
        if path.suffix.lower() in KEPT and path.is_file() and not (target / path.name).exists():
            path.rename(target / path.name)
    return StandardCopy(len(pairs), tuple(log))


def _choose(pairs: list[str], card: Card, unpacked: Path) -> tuple[list[str], list[str]]:
    """The set's own pairs by their names and lists, where the archive has more (a bundle, a whole set)."""
    if len(pairs) <= card.expected:
        return pairs, []
    log = []
    own = [stem for stem in pairs if card.is_official(stem)]
    if len(own) < len(pairs):
        log.append(f"left out {len(pairs) - len(own)} pairs whose names are not of this set")
    lists = [read_list(path) for name in card.split.lists for path in sorted(unpacked.rglob(name))]
    if card.split.of and lists:
        nearest = min(lists, key=lambda names: abs(len(names) - card.expected))
        own = [stem for stem in own if stem in nearest]
        log.append(f"took the {len(own)} pairs of the split's list")
    if not 0 < len(own) <= MAX_RATIO * card.expected:
        raise InputError(
            f"{card.name}: {len(own)} pairs in the archive, and the set has {card.expected}: it is another "
            "set, or several in one; copy the right pairs into images/ and masks/ of "
            f"{card.folders[0]}/"
        )
    return own, log


def _move(path: Path, to: Path) -> list[str]:
    path.rename(to)
    return [f"renamed {path.name} to {to.name}"] if path.name != to.name else []


def _alone(what: str, some: Iterable[str], others: Iterable[str]) -> list[str]:
    alone = sorted(set(some) - set(others))
    return [f"left out {len(alone)} {what}: {first_of(alone)}"] if alone else []


def _find(unpacked: Path, card: Card) -> PairFolders:
    candidates = _candidates(unpacked, card)
    if not candidates:
        raise InputError(
            f"{card.name}: no pairs of images and masks in the archive; it is not the expected file"
        )
    candidates = [one for one in candidates if one.named] or candidates
    best = max(candidates, key=lambda one: one.pairs)
    masks = best.folders.masks
    others = {one.folders.masks[0].parent for one in candidates if not set(one.folders.masks) & set(masks)}
    if not best.named and others and best.folders.layout not in card.layouts:
        sets = first_of(sorted({path.name for path in others} | {masks[0].parent.name}))
        raise InputError(
            f"{card.name}: the archive holds several sets ({sets}), none in a folder called "
            + " or ".join(card.folders)
        )
    return best.folders


def _candidates(unpacked: Path, card: Card) -> list[_Candidate]:
    names = {name.lower() for name in (*card.folders, card.name)}
    if card.split.of:
        names |= {name.lower() for name in load_card(card.split.of).folders}
    candidates = []
    for top in folders_under(unpacked, DEPTH):
        named = any(part.lower() in names for part in top.relative_to(unpacked).parts)
        for layout in (*card.layouts, *REPACKS):
            folders = expand_layout(top, layout)
            if not (folders.images and folders.masks):
                continue
            try:
                images = files_of(folders.images, layout, card, "image")
                masks = files_of(folders.masks, layout, card, "mask")
            except InputError:
                continue
            if pairs := images.keys() & masks.keys():
                candidates.append(_Candidate(folders, len(pairs), named))
    return candidates


def _ignored(folders: PairFolders, card: Card) -> list[str]:
    log = []
    for inner, names in (
        (folders.images, ignored_files(card, "image")),
        (folders.masks, ignored_files(card, "mask")),
    ):
        for folder in inner:
            log += [
                f"left out {path.name}: {_reason(card, path.name)}"
                for path in image_files(folder)
                if path.name in names
            ]
    return log


def _reason(card: Card, name: str) -> str:
    return next(q.text for q in card.quirks if name in (*q.ignore_images, *q.ignore_masks))
