"""An audit of a data set as it lies on disk: what is missing, broken, duplicated, leaked or unusual."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sodbench.data.auditing.audit import Audit
from sodbench.data.auditing.duplicates import audit_duplicates
from sodbench.data.auditing.file_facts import RULES, FileFacts, image_facts, in_threads, mask_facts
from sodbench.data.auditing.manifest import changes
from sodbench.data.card import Card
from sodbench.data.folder import DataSet, Sample
from sodbench.data.image_files import scan
from sodbench.data.layout import (
    Kind,
    PairFolders,
    absent,
    find_folders,
    no_layout,
    own_files,
    split_names,
    stem_of,
)
from sodbench.errors import first_of

# shares of the masks with more object than background along their border: at most 4 % in ECSSD, SOD, DUTS,
# PASCAL-S and SOC, at least 96 % where their masks are inverted
INVERTED, PARTLY_INVERTED = 0.5, 0.1
FEWEST_INVERTED = 2  # one such mask says nothing


def audit_dataset(
    card: Card,
    data_root: Path | None = None,
    against: Sequence[str] | None = None,
    workers: int | None = None,
) -> Audit:
    """Audits one set; leaks are looked for in the sets `against` (by default those of the other role)."""
    folders, folder = find_folders(card, data_root)
    if folder is None:
        raise absent(card, data_root)
    audit = Audit(card.name, str(folder), card.expected)
    if folders is None:
        audit.add("problem", "layout", no_layout(card, folder))
        return audit
    images = _files(audit, card, folders, "image")
    masks = _files(audit, card, folders, "mask")
    listed = split_names(card, folder)
    if listed is not None:
        images = {stem: path for stem, path in images.items() if stem in listed}
        masks = {stem: path for stem, path in masks.items() if stem in listed}
    if any(quirk.leave_out_unmasked for quirk in card.quirks):
        images = {stem: path for stem, path in images.items() if stem in masks}
    audit.images, audit.masks = len(images), len(masks)
    pairs = sorted(images.keys() & masks.keys())
    audit.pairs = len(pairs)
    _audit_names(audit, card, images, masks)
    of_images = dict(zip(images, in_threads(image_facts, list(images.values()), workers), strict=True))
    of_masks = dict(zip(masks, in_threads(mask_facts, list(masks.values()), workers), strict=True))
    _audit_files(audit, of_images, of_masks)
    _audit_masks(audit, [mask for mask in of_masks.values() if not mask.error])
    audit_duplicates(audit, card, images, data_root=data_root, against=against, workers=workers)
    samples = tuple(Sample(stem, images[stem], masks[stem]) for stem in pairs)
    changed = changes(DataSet(card.name, card.title, samples, card.expected, folder, card))
    if changed is not None:
        audit.facts["manifest"] = "as pinned" if not changed else changed.line()
        if changed:
            audit.add("problem", "changed", f"not as the manifest says: {changed.line()}", changed.changed)
    return audit


def _files(audit: Audit, card: Card, folders: PairFolders, kind: Kind) -> dict[str, Path]:
    """Stem -> path, with the card's quirks applied; what is wrong with names becomes issues."""
    scans = [scan(folder) for folder in (folders.images if kind == "image" else folders.masks)]
    bad = [line for one in scans for line in one.bad]
    if bad:
        audit.add("problem", "bad names", f"{len(bad)} entries cannot be read: {first_of(bad, 3)}", bad)
    paths = [path for one in scans for path in one.pictures]
    files: dict[str, Path] = {}
    doubled = []
    for path in own_files(paths, folders.layout, card, kind):
        first = files.setdefault(stem_of(path, folders.layout, kind), path)
        if first != path:
            doubled.append(f"{first.name} and {path.name}")
    if doubled:
        text = f"{len(doubled)} {kind}s are there twice: {first_of(doubled, 3)}"
        audit.add("problem", "same name", text, doubled)
    by_case = Counter(stem.casefold() for stem in files)
    clash = [stem for stem in files if by_case[stem.casefold()] > 1]
    if clash:
        audit.add("problem", "case", f"{kind}s whose names differ only in case: {first_of(clash, 4)}", clash)
    return dict(sorted(files.items()))


def _audit_names(audit: Audit, card: Card, images: dict[str, Path], masks: dict[str, Path]) -> None:
    for one, other, text in (
        (images, masks, "images without a mask"),
        (masks, images, "masks without an image"),
    ):
        alone = sorted(one.keys() - other.keys())
        if alone:
            audit.add("problem", "unpaired", f"{len(alone)} {text}: {first_of(alone, 3)}", alone)
    wrong = sorted(stem for stem in images.keys() | masks.keys() if not card.is_official(stem))
    if wrong:
        audit.add("problem", "names", f"{len(wrong)} names are not of this set: {first_of(wrong, 3)}", wrong)
    if audit.pairs < card.expected:
        audit.add("note", "part", f"{audit.pairs} of {card.expected} pairs are here")
    if audit.pairs > card.expected:
        audit.add("problem", "count", f"{audit.pairs} pairs, and the set has {card.expected}")


def _audit_files(audit: Audit, images: dict[str, FileFacts], masks: dict[str, FileFacts]) -> None:
    every = [*images.values(), *masks.values()]
    unreadable = [file.error for file in every if file.error]
    if unreadable:
        text = f"{len(unreadable)} files cannot be read: {first_of(unreadable, 3)}"
        audit.add("problem", "unreadable", text, unreadable)
    for what, files in (("images", images.values()), ("masks", masks.values())):
        modes = Counter(file.kind for file in files if not file.error)
        audit.facts[f"{what}: formats and modes"] = dict(modes.most_common())
        if len(modes) > 1:
            usual = modes.most_common(1)[0][0]
            others = [file for file in files if not file.error and file.kind != usual]
            names = [f"{file.path.name} ({file.kind})" for file in others]
            audit.add("note", "modes", f"{len(others)} {what} are not {usual}: {first_of(names, 3)}", names)
    misnamed = [f"{file.path.name} is {file.format}" for file in every if file.misnamed]
    if misnamed:
        text = f"{len(misnamed)} files have another format: {first_of(misnamed, 3)}"
        audit.add("note", "renamed", text, misnamed)
    sizes = {stem: file.size for stem, file in images.items() if not file.error}
    differ = [
        f"{mask.path.name} is {mask.size[1]} x {mask.size[0]}, its image {other[1]} x {other[0]}"
        for stem, mask in masks.items()
        if not mask.error and (other := sizes.get(stem, mask.size)) != mask.size
    ]
    if differ:
        text = f"{len(differ)} masks have another size than their images: {first_of(differ, 2)}"
        audit.add("problem", "size", text, differ)
    if sizes:
        height, width = np.array(sorted(sizes.values())).T
        audit.facts["sizes (height x width)"] = (
            f"{height.min()} x {width.min()} to {height.max()} x {width.max()}, "
            f"median {int(np.median(height))} x {int(np.median(width))}"
        )


def _audit_masks(audit: Audit, masks: list[FileFacts]) -> None:
    if not masks:
        return
    levels = np.array([mask.levels for mask in masks])
    used = np.flatnonzero(levels.sum(axis=0))
    audit.facts["mask grey levels"] = f"{used.size}: {first_of([str(level) for level in used], 16)}"
    pixels = int(levels.sum())
    counts = {rule: np.array([mask.object_pixels(rule) for mask in masks]) for rule in RULES}
    flips = {rule: counts[rule] - counts["> 128"] for rule in list(RULES)[1:]}
    audit.facts["pixels that change side"] = {
        f"> 128 to {rule}": f"{int(flip.sum())} in {int((flip > 0).sum())} masks ({flip.sum() / pixels:.4%})"
        for rule, flip in flips.items()
    }
    _audit_inversion(audit, masks)
    names = [mask.path.name for mask in masks]
    notes: tuple[tuple[str, str, NDArray[np.bool_]], ...] = (
        ("grey", "masks have grey levels between 0 and 255", levels[:, 1:255].sum(axis=1) > 0),
        ("exactly 128", "masks contain exactly 128: > 128, >= 128 and > .5 differ", levels[:, 128] > 0),
        ("thresholds", "masks give another object with >= .1 than with > 128", flips[">= .1"] > 0),
        ("zero-one", "masks are stored as {0, 1} (read as {0, 255} here, as empty elsewhere)",
         np.array([mask.zero_one for mask in masks])),
        ("empty", "masks are empty (nothing > 128): F and recall mean nothing there", counts["> 128"] == 0),
        ("full", "masks are full (everything > 128)", counts["> 128"] == levels.sum(axis=1)),
    )  # fmt: skip
    for kind, text, which in notes:
        concerned = [name for name, yes in zip(names, which, strict=True) if yes]
        if concerned:
            audit.add("note", kind, f"{len(concerned)} {text}: {first_of(concerned, 3)}", concerned)


def _audit_inversion(audit: Audit, masks: list[FileFacts]) -> None:
    """Objects rarely fill the border of an image: masks in which they do may have 0 for the object."""
    partial = [mask for mask in masks if mask.object_pixels("> 128") < mask.levels.sum()]
    bordered = [mask.path.name for mask in partial if mask.border > 0.5]
    if len(bordered) < FEWEST_INVERTED or len(bordered) <= PARTLY_INVERTED * len(partial):
        return
    text = (
        f"{len(bordered)} of {len(masks)} masks have more object than background along their border and "
        f"may be inverted: {first_of(bordered, 3)}; expected 255 for the object"
    )
    audit.add("problem" if len(bordered) > INVERTED * len(partial) else "note", "inverted", text, bordered)
