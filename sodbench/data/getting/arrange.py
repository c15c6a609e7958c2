"""Brings an unpacked archive into the one layout, `images/` and `masks/`, and repairs known quirks.

Every repair is returned as a line for the log; what does not pair is left out and named.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.card import Card, load_card
from sodbench.data.images import read_mask, write_map
from sodbench.data.layout import REPACKS, Place, expand_layout, files_of
from sodbench.data.listing import folders_under, picture_files, read_list
from sodbench.errors import InputError, first_of

DEPTH = 6
MANY = 1.05  # times the card's count: listings of one set differ by a few pairs, bundles by thousands
KEPT = (".txt", ".md", ".pdf", ".lst")


@dataclass(frozen=True)
class Arranged:
    """How many pairs were brought into place, and what was repaired or left out on the way."""

    pairs: int
    log: tuple[str, ...]


def arrange(unpacked: Path, card: Card, target: Path) -> Arranged:
    """Moves the pairs of `card` found anywhere in `unpacked` to `target`/images and `target`/masks."""
    place = _find(unpacked, card)
    log = [f"layout: {place.images[0].relative_to(unpacked)} and {place.masks[0].relative_to(unpacked)}"]
    log += _stray(place, card)
    images, masks = (
        files_of(getattr(place, f"{what}s"), place.layout, card, what) for what in ("image", "mask")
    )
    log += _alone("pictures without a mask", images, masks) + _alone("masks without a picture", masks, images)
    renamed = {old: new for quirk in card.quirks for old, new in quirk.rename.items()}
    pairs, said = _choose(sorted(images.keys() & masks.keys()), card, unpacked)
    log += said
    for folder in ("images", "masks"):
        (target / folder).mkdir(parents=True, exist_ok=True)
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
    return Arranged(len(pairs), tuple(log))


def _choose(pairs: list[str], card: Card, unpacked: Path) -> tuple[list[str], list[str]]:
    """Of more pairs than the set has (a bundle, the whole of a split) its own, by their names and lists."""
    if len(pairs) <= card.count:
        return pairs, []
    log = []
    own = [stem for stem in pairs if card.is_official(stem)]
    if len(own) < len(pairs):
        log.append(f"left out {len(pairs) - len(own)} pairs whose names are not of this set")
    lists = [read_list(path) for name in card.split_lists for path in sorted(unpacked.rglob(name))]
    if card.split_of and lists:
        chosen = min(lists, key=lambda names: abs(len(names) - card.count))
        own = [stem for stem in own if stem in chosen]
        log.append(f"took the {len(own)} pairs of the split's list")
    if not 0 < len(own) <= MANY * card.count:
        raise InputError(
            f"{card.name}: {len(own)} pairs in the archive, and the set has {card.count}: it is another set, "
            f"or several in one; put the right pairs into images/ and masks/ of {card.folders[0]}/ by hand"
        )
    return own, log


def _move(path: Path, to: Path) -> list[str]:
    path.rename(to)
    return [f"renamed {path.name} to {to.name}"] if path.name != to.name else []


def _alone(what: str, some: Iterable[str], others: Iterable[str]) -> list[str]:
    alone = sorted(set(some) - set(others))
    return [f"left out {len(alone)} {what}: {first_of(alone)}"] if alone else []


def _find(unpacked: Path, card: Card) -> Place:
    names = {name.lower() for name in (*card.folders, card.name)}
    if card.split_of:
        names |= {name.lower() for name in load_card(card.split_of).folders}
    found: list[tuple[bool, int, Place]] = []
    for folder in folders_under(unpacked, DEPTH):
        inside = folder.relative_to(unpacked).parts
        named = any(part.lower() in names for part in inside)
        for layout in (*card.layouts, *REPACKS):
            place = expand_layout(folder, layout)
            if not (place.images and place.masks):
                continue
            try:
                pairs = (
                    files_of(place.images, layout, card, "image").keys()
                    & files_of(place.masks, layout, card, "mask").keys()
                )
            except InputError:
                continue
            if pairs:
                found.append((named, len(pairs), place))
    if not found:
        raise InputError(
            f"{card.name}: no pairs of pictures and masks in the archive; it is not what it was taken for"
        )
    chosen = [entry for entry in found if entry[0]] or found
    best = max(chosen, key=lambda entry: entry[1])
    others = {entry[2].masks[0].parent for entry in chosen if not set(entry[2].masks) & set(best[2].masks)}
    if not best[0] and others and best[2].layout not in card.layouts:
        sets = first_of(sorted({path.name for path in others} | {best[2].masks[0].parent.name}))
        raise InputError(
            f"{card.name}: the archive holds several sets ({sets}), none in a folder called "
            + " or ".join(card.folders)
        )
    return best[2]


def _stray(place: Place, card: Card) -> list[str]:
    log = []
    for what in ("image", "mask"):
        ignored = {name for quirk in card.quirks for name in getattr(quirk, f"ignore_{what}s")}
        for folder in getattr(place, f"{what}s"):
            log += [
                f"left out {path.name}: {_why(card, path.name)}"
                for path in picture_files(folder)
                if path.name in ignored
            ]
    return log


def _why(card: Card, name: str) -> str:
    return next(q.text for q in card.quirks if name in (*q.ignore_images, *q.ignore_masks))
