"""An audit of a data set as it lies on disk: what is missing, broken, doubled, leaked or unusual.

Findings have three levels: a "problem" makes numbers wrong or incomparable (exit code 1), "known" is a
problem that the set is published with and the card names, a "note" is worth knowing.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sodbench.data.auditing.audit import Audit
from sodbench.data.auditing.fingerprint import Fingerprints, fingerprints, in_threads, matches
from sodbench.data.auditing.inspection import RULES, Inspected, inspect_image, inspect_mask
from sodbench.data.auditing.manifest import changes
from sodbench.data.card import Card, card_names, load_card
from sodbench.data.folder import DataSet, Sample, absent, no_layout, open_dataset, split_names
from sodbench.data.layout import Place, find_folder, own_files, stem_of
from sodbench.data.listing import scan
from sodbench.errors import InputError, first_of


def audit_set(
    card: Card,
    data_root: Path | None = None,
    against: Sequence[str] | None = None,
    workers: int | None = None,
) -> Audit:
    """Audits one set; leaks are looked for in the sets `against` (by default those of the other role)."""
    place, folder = find_folder(card, data_root)
    if folder is None:
        raise absent(card, data_root)
    audit = Audit(card.name, str(folder), card.count)
    if place is None:
        audit.add("problem", "layout", no_layout(card, folder))
        return audit
    images, masks = (_files(audit, card, place, what) for what in ("image", "mask"))
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
    looked = dict(zip(images, in_threads(inspect_image, list(images.values()), workers), strict=True))
    masked = dict(zip(masks, in_threads(inspect_mask, list(masks.values()), workers), strict=True))
    _audit_files(audit, looked, masked)
    _audit_masks(audit, [mask for mask in masked.values() if not mask.error])
    prints = fingerprints(images.items(), workers)
    _audit_doubles(audit, prints)
    others = _other_sets(card, data_root) if against is None else [load_card(name) for name in against]
    for other in others:
        if other.name != card.name:
            _audit_leaks(audit, card, prints, other, data_root, workers)
    samples = tuple(Sample(stem, images[stem], masks[stem]) for stem in pairs)
    changed = changes(DataSet(card.name, card.title, samples, card.count, folder, card))
    if changed is not None:
        audit.facts["manifest"] = "as pinned" if not changed else changed.line()
        if changed:
            audit.add("problem", "changed", f"not as the manifest says: {changed.line()}", changed.changed)
    return audit


def _files(audit: Audit, card: Card, place: Place, what: str) -> dict[str, Path]:
    """Stem -> path, with the card's quirks put right; what is wrong with names becomes findings."""
    folders: tuple[Path, ...] = getattr(place, f"{what}s")
    bad = [line for folder in folders for line in scan(folder).bad]
    if bad:
        audit.add("problem", "bad names", f"{len(bad)} entries cannot be read: {first_of(bad, 3)}", bad)
    paths = [path for folder in folders for path in scan(folder).pictures]
    found: dict[str, Path] = {}
    doubled = []
    for path in own_files(paths, place.layout, card, what):
        if found.setdefault(stem_of(path, place.layout, what), path) != path:
            doubled.append(f"{found[stem_of(path, place.layout, what)].name} and {path.name}")
    if doubled:
        audit.add(
            "problem", "same name", f"{len(doubled)} {what}s are there twice: {first_of(doubled, 3)}", doubled
        )
    by_case = Counter(stem.casefold() for stem in found)
    clash = [stem for stem in found if by_case[stem.casefold()] > 1]
    if clash:
        audit.add("problem", "case", f"{what}s whose names differ only in case: {first_of(clash, 4)}", clash)
    return dict(sorted(found.items()))


def _audit_names(audit: Audit, card: Card, images: dict[str, Path], masks: dict[str, Path]) -> None:
    for one, other, text in (
        (images, masks, "pictures without a mask"),
        (masks, images, "masks without a picture"),
    ):
        alone = sorted(one.keys() - other.keys())
        if alone:
            audit.add("problem", "unpaired", f"{len(alone)} {text}: {first_of(alone, 3)}", alone)
    wrong = sorted(stem for stem in images.keys() | masks.keys() if not card.is_official(stem))
    if wrong:
        audit.add("problem", "names", f"{len(wrong)} names are not of this set: {first_of(wrong, 3)}", wrong)
    if audit.pairs < card.count:
        audit.add("note", "part", f"{audit.pairs} of {card.count} pairs are here")
    if audit.pairs > card.count:
        audit.add("problem", "count", f"{audit.pairs} pairs, and the set has {card.count}")


def _audit_files(audit: Audit, images: dict[str, Inspected], masks: dict[str, Inspected]) -> None:
    every = [*images.values(), *masks.values()]
    unreadable = [file for file in every if file.error]
    if unreadable:
        errors = [file.error for file in unreadable]
        text = f"{len(errors)} files cannot be read: {first_of(errors, 3)}"
        audit.add("problem", "unreadable", text, errors)
    for what, files in (("images", images.values()), ("masks", masks.values())):
        modes = Counter(file.kind for file in files if not file.error)
        audit.facts[f"{what}: formats and modes"] = dict(modes.most_common())
        if len(modes) > 1:
            usual = modes.most_common(1)[0][0]
            odd = [file for file in files if not file.error and file.kind != usual]
            said = [f"{file.path.name} ({file.kind})" for file in odd]
            audit.add("note", "modes", f"{len(odd)} {what} are not {usual}: {first_of(said, 3)}", said)
    renamed = [f"{file.path.name} is {file.format}" for file in every if file.renamed]
    if renamed:
        audit.add(
            "note", "renamed", f"{len(renamed)} files have another format: {first_of(renamed, 3)}", renamed
        )
    sizes = {stem: file.size for stem, file in images.items() if not file.error}
    differ = [
        f"{mask.path.name} is {mask.size[1]} x {mask.size[0]}, its picture {other[1]} x {other[0]}"
        for stem, mask in masks.items()
        if not mask.error and (other := sizes.get(stem, mask.size)) != mask.size
    ]
    if differ:
        text = f"{len(differ)} masks have another size than their pictures: {first_of(differ, 2)}"
        audit.add("problem", "size", text, differ)
    if sizes:
        height, width = np.array(sorted(sizes.values())).T
        audit.facts["sizes (height x width)"] = (
            f"{height.min()} x {width.min()} to {height.max()} x {width.max()}, "
            f"median {int(np.median(height))} x {int(np.median(width))}"
        )


def _audit_masks(audit: Audit, masks: list[Inspected]) -> None:
    if not masks:
        return
    present = np.array([mask.levels for mask in masks])
    used = np.flatnonzero(present.sum(axis=0))
    audit.facts["mask grey levels"] = f"{used.size}: {first_of([str(level) for level in used], 16)}"
    pixels = int(present.sum())
    counts = {rule: np.array([mask.objects(rule) for mask in masks]) for rule in RULES}
    flips = {rule: counts[rule] - counts["> 128"] for rule in list(RULES)[1:]}
    audit.facts["pixels that change side"] = {
        f"> 128 to {rule}": f"{int(flip.sum())} in {int((flip > 0).sum())} masks ({flip.sum() / pixels:.4%})"
        for rule, flip in flips.items()
    }
    names = [mask.path.name for mask in masks]
    notes: tuple[tuple[str, str, Any], ...] = (
        ("grey", "masks have grey levels between 0 and 255", present[:, 1:255].any(axis=1)),
        ("exactly 128", "masks contain exactly 128: > 128, >= 128 and > .5 differ", present[:, 128] > 0),
        ("thresholds", "masks give another object with >= .1 than with > 128", flips[">= .1"] > 0),
        ("zero-one", "masks are stored as {0, 1} (read as {0, 255} here, as empty elsewhere)",
         np.array([mask.zero_one for mask in masks])),
        ("empty", "masks are empty (nothing > 128): F and recall mean nothing there", counts["> 128"] == 0),
        ("full", "masks are full (everything > 128)", counts["> 128"] == present.sum(axis=1)),
    )  # fmt: skip
    for kind, text, which in notes:
        chosen = [name for name, yes in zip(names, which, strict=True) if yes]
        if chosen:
            audit.add("note", kind, f"{len(chosen)} {text}: {first_of(chosen, 3)}", chosen)


def _audit_doubles(audit: Audit, prints: Fingerprints) -> None:
    found = matches(prints)
    for same, kind, text in (
        (True, "duplicates", "byte-identical"),
        (False, "near duplicates", "nearly identical"),
    ):
        pairs = [f"{match.first} = {match.second}" for match in found if match.same_bytes == same]
        if pairs:
            audit.add(
                "note", kind, f"{len(pairs)} {text} pairs of pictures inside: {first_of(pairs, 3)}", pairs
            )


def _other_sets(card: Card, data_root: Path | None) -> list[Card]:
    """The sets at hand from which pictures must not reappear in this one: training against test."""
    if card.role == "both":
        return []
    others = [load_card(name) for name in card_names()]
    here = []
    for other in others:
        if {card.role, other.role} == {"train", "test"} and not other.generator and not card.generator:
            place, _ = find_folder(other, data_root)
            if place is not None:
                here.append(other)
    return here


@lru_cache(maxsize=16)
def _prints_of(name: str, data_root: Path | None, workers: int | None) -> Fingerprints:
    samples = open_dataset(name, data_root).samples
    return fingerprints(((one.name, one.image) for one in samples if one.image is not None), workers)


def _audit_leaks(
    audit: Audit, card: Card, prints: Fingerprints, other: Card, data_root: Path | None, workers: int | None
) -> None:
    try:
        theirs = _prints_of(other.name, data_root, workers)
    except InputError as error:
        audit.add("note", "not compared", f"{other.name} could not be compared: {error}")
        return
    known = {name for quirk in card.quirks for name in quirk.known}
    compared = audit.facts.setdefault("compared with", {})
    compared[other.name] = f"{len(theirs.names)} of {other.count} pictures"
    found = matches(prints, theirs)
    serious = {card.role, other.role} == {"train", "test"}
    for same, text in ((True, "byte-identical to"), (False, "nearly identical to")):
        for is_known in (False, True):
            pairs = [m for m in found if m.same_bytes == same and (m.first in known) == is_known]
            if pairs:
                level = "note" if not serious else "known" if is_known else "problem"
                said = [f"{match.first} = {other.name}/{match.second}" for match in pairs]
                kind = "leak" if serious else "shared"
                audit.add(
                    level,
                    kind,
                    f"{len(said)} pictures are {text} ones of {other.name}: {first_of(said, 3)}",
                    said,
                )
