"""The audit of duplicates: images that occur twice in a data set, or also in another one."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from sodbench.data.auditing.audit import Audit, Level
from sodbench.data.auditing.fingerprint import Fingerprints, fingerprints, matches
from sodbench.data.card import Card, load_card, readable_cards
from sodbench.data.folder import open_dataset
from sodbench.data.layout import find_folders
from sodbench.errors import InputError, first_of


def audit_duplicates(
    audit: Audit,
    card: Card,
    images: dict[str, Path],
    data_root: Path | None,
    against: Sequence[str] | None,
    workers: int | None,
) -> None:
    """Adds duplicates and near duplicates inside the set, and images that it shares with other sets."""
    prints = fingerprints(images.items(), workers)
    _audit_inside(audit, prints)
    others = _other_sets(card, data_root) if against is None else [load_card(name) for name in against]
    compared: dict[str, str] = {}
    for other in others:
        if other.name == card.name:
            continue
        try:
            theirs = _prints_of(other.name, data_root, workers)
        except InputError as error:
            audit.add("note", "not compared", f"{other.name} could not be compared: {error}")
            continue
        compared[other.name] = f"{len(theirs.names)} of {other.expected} images"
        _audit_shared(audit, card, prints, other, theirs)
    if compared:
        audit.facts["compared with"] = compared


def _audit_inside(audit: Audit, prints: Fingerprints) -> None:
    same_pictures = matches(prints)
    for same_bytes, kind, text in (
        (True, "duplicates", "byte-identical"),
        (False, "near duplicates", "nearly identical"),
    ):
        pairs = [
            f"{match.first} = {match.second}" for match in same_pictures if match.same_bytes == same_bytes
        ]
        if pairs:
            message = f"{len(pairs)} {text} pairs of images inside: {first_of(pairs, 3)}"
            audit.add("note", kind, message, pairs)


def _other_sets(card: Card, data_root: Path | None) -> list[Card]:
    """The sets on this disk whose images must not be in this one: training against test."""
    if card.role == "both" or card.generator:
        return []
    return [
        other
        for other in readable_cards()[0]
        if {card.role, other.role} == {"train", "test"}
        and not other.generator
        and find_folders(other, data_root)[0] is not None
    ]


@lru_cache(maxsize=16)
def _prints_of(name: str, data_root: Path | None, workers: int | None) -> Fingerprints:
    samples = open_dataset(name, data_root).samples
    return fingerprints(((one.name, one.image) for one in samples if one.image is not None), workers)


def _audit_shared(audit: Audit, card: Card, prints: Fingerprints, other: Card, theirs: Fingerprints) -> None:
    known = {name for quirk in card.quirks for name in quirk.known}
    shared = matches(prints, theirs)
    is_leak = {card.role, other.role} == {"train", "test"}
    for same_bytes, text in ((True, "byte-identical to"), (False, "nearly identical to")):
        for is_known in (False, True):
            pairs = [
                f"{match.first} = {other.name}/{match.second}"
                for match in shared
                if match.same_bytes == same_bytes and (match.first in known) == is_known
            ]
            if pairs:
                level: Level = "note" if not is_leak else "known" if is_known else "problem"
                kind = "leak" if is_leak else "shared"
                message = f"{len(pairs)} images are {text} ones of {other.name}: {first_of(pairs, 3)}"
                audit.add(level, kind, message, pairs)
