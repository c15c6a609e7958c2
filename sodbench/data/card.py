"""Cards: what a data set is, as data (`datasets/*.toml`), validated when it is read.

A card says how many pairs the set has, how the official archive and the usual re-packs are laid out,
where it can be had, how to cite it, under which terms, and what is wrong with it. Every table of a card
carries a `source`; what is unknown says "unknown". The format is described in docs/datasets.md.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from sodbench import catalog
from sodbench.data.checked_table import CheckedTable
from sodbench.errors import InputError, unknown_names

UNKNOWN = "unknown"
ROLES = ("train", "test", "both")
MIRROR_KINDS = ("http", "drive", "manual")
REDISTRIBUTION = (UNKNOWN, "forbidden", "allowed")


@dataclass(frozen=True)
class Layout:
    """Where pictures and masks lie inside a set's folder; `*` in a path stands for any one folder."""

    name: str
    images: str
    masks: str
    mask_suffix: str = ""  # what a mask's stem has behind the picture's: 0001.jpg and 0001_mask.png
    source: str = UNKNOWN


@dataclass(frozen=True)
class Archive:
    """One file of a mirror: its address (or Drive id), and its exact size and digests as far as known."""

    address: str
    name: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    into: str = ""  # the sub-folder into which its content belongs


@dataclass(frozen=True)
class Mirror:
    """One complete source of a set: all its archives are needed."""

    kind: str
    archives: tuple[Archive, ...]
    note: str = ""
    source: str = UNKNOWN


@dataclass(frozen=True)
class Quirk:
    """What is wrong with a set as published, and what is done about it.

    `ignore_images`, `ignore_masks`: files (by name) that do not belong to the set. `take_mask`: files that
    are the right mask where two of the same stem lie side by side. `rename`: old file name -> new one.
    """

    text: str
    source: str = UNKNOWN
    ignore_images: tuple[str, ...] = ()
    ignore_masks: tuple[str, ...] = ()
    take_mask: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    leave_out_unmasked: bool = False  # pictures without a mask belong to the archive, not to the set
    known: tuple[str, ...] = ()  # stems whose audit findings this quirk explains


@dataclass(frozen=True)
class Card:
    """What a data set is. `count` is the number of pairs that every table states as expected."""

    name: str
    title: str
    summary: str
    role: str
    count: int
    count_source: str
    folders: tuple[str, ...]
    layouts: tuple[Layout, ...]
    aliases: tuple[str, ...] = ()
    names: frozenset[str] | None = None  # the complete official list of stems, where it is known
    names_pattern: str = ""
    names_source: str = UNKNOWN
    split_of: str = ""
    split_lists: tuple[str, ...] = ()
    split_hint: str = ""
    location: Path | None = None
    generator: str = ""
    home: tuple[str, ...] = ()
    home_source: str = UNKNOWN
    mirrors: tuple[Mirror, ...] = ()
    licence: str = UNKNOWN
    redistribution: str = UNKNOWN
    terms_source: str = UNKNOWN
    citation: str = UNKNOWN
    citation_source: str = UNKNOWN
    quirks: tuple[Quirk, ...] = ()
    path: Path = Path()

    def is_official(self, stem: str) -> bool:
        """False for a stem that the official list or pattern of names rules out."""
        if self.names is not None:
            return stem in self.names
        return not self.names_pattern or re.fullmatch(self.names_pattern, stem) is not None


def card_names() -> list[str]:
    """The names of all cards, sorted."""
    return sorted(catalog.entries("datasets"))


def load_card(name: str) -> Card:
    """The card of a data set by its name or one of its aliases, whatever the case.

    Raises InputError with the nearest names if there is none, and with file and key if the card is wrong.
    """
    return load_cards([name])[0]


def load_cards(names: Sequence[str]) -> list[Card]:
    """The cards of several names; all unknown names are reported together."""
    entries = catalog.entries("datasets")
    aliases = _aliases(tuple(entries.items()))
    found, unknown = [], []
    for name in names:
        key = name.lower()
        stem = name if name in entries else key if key in entries else aliases.get(key)
        if stem is None:
            unknown.append(name)
        else:
            found.append(_read(stem, entries[stem]))
    if unknown:
        raise unknown_names("data set", unknown, [*entries, *aliases])
    return found


@lru_cache(maxsize=4)
def _aliases(entries: tuple[tuple[str, Path], ...]) -> dict[str, str]:
    return {
        alias.lower(): name for name, path in entries for alias in catalog.read_toml(path).get("aliases", [])
    }


def _read(name: str, path: Path) -> Card:
    return parse_card(name, catalog.read_toml(path), path)


def parse_card(name: str, content: Mapping[str, Any], path: Path) -> Card:
    """Validates a card's TOML; raises InputError naming the file and the key."""
    top = CheckedTable(dict(content), path, "")
    count, names, terms = top.table("count"), top.table("names"), top.table("terms")
    split, home, citation = top.table("split"), top.table("home"), top.table("citation")
    location = top.text("location", "")
    card = Card(
        name=name,
        title=top.text("title"),
        summary=top.text("summary", ""),
        role=top.choice("role", ROLES, "test"),
        count=count.whole("pairs"),
        count_source=count.text("source", UNKNOWN),
        folders=top.texts("folders") or (name,),
        layouts=tuple(_layout(table) for table in top.tables("layouts")),
        aliases=top.texts("aliases"),
        names=_official_names(names),
        names_pattern=names.text("pattern", ""),
        names_source=names.text("source", UNKNOWN),
        split_of=split.text("of", ""),
        split_lists=split.texts("lists"),
        split_hint=split.text("hint", ""),
        location=Path(location).expanduser() if location else None,
        generator=top.text("generator", ""),
        home=home.texts("pages"),
        home_source=home.text("source", UNKNOWN),
        mirrors=tuple(_mirror(table) for table in top.tables("mirrors")),
        licence=terms.text("licence", UNKNOWN),
        redistribution=terms.choice("redistribution", REDISTRIBUTION, UNKNOWN),
        terms_source=terms.text("source", UNKNOWN),
        citation=citation.text("text", UNKNOWN),
        citation_source=citation.text("source", UNKNOWN),
        quirks=tuple(_quirk(table) for table in top.tables("quirks")),
        path=path,
    )
    for table in (top, count, names, terms, split, home, citation):
        table.refuse_leftovers()
    return card


def _official_names(table: CheckedTable) -> frozenset[str] | None:
    """The stems of `range` ("0001-1000") or of `list`, a file beside the card with a stem a line."""
    span, listed = table.text("range", ""), table.text("list", "")
    if listed:
        file = table.path.parent / listed
        if not file.is_file():
            raise InputError(f"{table.path}: names.list: no file {listed} beside the card")
        return frozenset(file.read_text(encoding="utf-8").split())
    if not span:
        return None
    if not re.fullmatch(r"\d+-\d+", span):
        raise InputError(f"{table.path}: names.range: found {span!r}; expected like '0001-1000'")
    first, last = span.split("-")
    return frozenset(f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1))


def _layout(table: CheckedTable) -> Layout:
    layout = Layout(
        name=table.text("name"),
        images=table.text("images"),
        masks=table.text("masks"),
        mask_suffix=table.text("mask_suffix", ""),
        source=table.text("source", UNKNOWN),
    )
    for part in (layout.images, layout.masks):
        if Path(part).is_absolute() or ".." in Path(part).parts:
            raise InputError(
                f"{table.path}: layouts: {part!r} leaves the set's folder; expected a path inside it"
            )
    table.refuse_leftovers()
    return layout


def _mirror(table: CheckedTable) -> Mirror:
    archives = []
    for entry in table.tables("archives"):
        archives.append(
            Archive(
                address=entry.text("address"),
                name=entry.text("name"),
                size=entry.whole("size", None),
                sha256=entry.text("sha256", None),
                md5=entry.text("md5", None),
                into=entry.text("into", ""),
            )
        )
        if "/" in archives[-1].name or archives[-1].name.startswith("."):
            raise InputError(
                f"{table.path}: mirrors.archives.name: {archives[-1].name!r} is not a plain file name"
            )
        entry.refuse_leftovers()
    mirror = Mirror(
        kind=table.choice("kind", MIRROR_KINDS, "http"),
        archives=tuple(archives),
        note=table.text("note", ""),
        source=table.text("source", UNKNOWN),
    )
    table.refuse_leftovers()
    return mirror


def _quirk(table: CheckedTable) -> Quirk:
    quirk = Quirk(
        text=table.text("text"),
        source=table.text("source", UNKNOWN),
        ignore_images=table.texts("ignore_images"),
        ignore_masks=table.texts("ignore_masks"),
        take_mask=table.texts("take_mask"),
        rename={key: str(value) for key, value in table.table("rename").rest().items()},
        leave_out_unmasked=table.flag("leave_out_unmasked"),
        known=table.texts("known"),
    )
    table.refuse_leftovers()
    return quirk
