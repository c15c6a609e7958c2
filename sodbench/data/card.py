"""Cards: what a data set is, as data (`datasets/*.toml`), checked when it is read.

A card says how many pairs the set has, how the official archive and the usual re-packs are laid out,
where the set can be downloaded, how to cite it, under which terms, and what is wrong with it. The classes
below are the tables of the file and their fields its keys; docs/datasets.md describes them. Every table has
a `source`; what is unknown says "unknown".
"""

import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal

from sodbench import catalog
from sodbench.arguments import instances
from sodbench.data.card_checks import FILE_NAME, INSIDE, LISTS, PAIRS, PATTERN, RANGE, fits
from sodbench.errors import InputError, Note, unknown_names
from sodbench.schema import AT_LEAST_0, FILE_PATH, MD5, SHA256, parse, wrong

UNKNOWN = "unknown"
Role = Literal["train", "test", "both"]


@dataclass(frozen=True)
class Count:
    """How many pairs the set has: the number that every table states as expected."""

    pairs: Annotated[int, AT_LEAST_0, PAIRS]
    source: str = UNKNOWN


@dataclass(frozen=True)
class Names:
    """The official names (stems) of the samples: as a range, as a file next to the card, or as a pattern."""

    range: Annotated[str, RANGE] = ""
    list: Annotated[str, INSIDE, FILE_PATH] = ""
    pattern: Annotated[str, PATTERN] = ""
    source: str = UNKNOWN


@dataclass(frozen=True)
class Split:
    """The set is a part of the set `of`: the names in the first of `lists` that lies in the set's folder."""

    of: str = ""
    lists: tuple[Annotated[str, FILE_PATH], ...] = ()
    hint: str = ""
    source: str = UNKNOWN


@dataclass(frozen=True)
class Layout:
    """Where images and masks lie inside a set's folder; `*` in a path stands for any one folder."""

    name: str
    images: Annotated[str, INSIDE, FILE_PATH]
    masks: Annotated[str, INSIDE, FILE_PATH]
    mask_suffix: str = ""  # what a mask's stem has after the image's: 0001.jpg and 0001_mask.png
    source: str = UNKNOWN


@dataclass(frozen=True)
class Home:
    """The set's home pages."""

    pages: tuple[str, ...] = ()
    source: str = UNKNOWN


@dataclass(frozen=True)
class Archive:
    """One file of a mirror: its address (or Drive id), and its exact size and digests where known."""

    address: str
    name: Annotated[str, FILE_NAME, FILE_PATH]
    size: Annotated[int, AT_LEAST_0] | None = None
    sha256: Annotated[str, SHA256] | None = None
    md5: Annotated[str, MD5] | None = None
    into: Annotated[str, INSIDE, FILE_PATH] = ""  # the sub-folder into which its content belongs


@dataclass(frozen=True)
class Mirror:
    """One complete source of a set: all its archives are needed."""

    archives: tuple[Archive, ...] = ()
    kind: Literal["http", "drive", "manual"] = "http"
    note: str = ""
    source: str = UNKNOWN


@dataclass(frozen=True)
class Terms:
    """Under which terms the set may be used and passed on."""

    licence: str = UNKNOWN
    redistribution: Literal["unknown", "forbidden", "allowed"] = "unknown"
    source: str = UNKNOWN


@dataclass(frozen=True)
class Citation:
    """How to cite the set."""

    text: str = UNKNOWN
    source: str = UNKNOWN


@dataclass(frozen=True)
class Attributes:
    """Lists of the images that have an attribute: scores are reported for each list's images.

    `lists` maps an attribute's name to a text file in the set's folder, with one image name per line, or to
    the names themselves.
    """

    lists: Annotated[Mapping[str, str | tuple[str, ...]], LISTS] = field(default_factory=dict)
    source: str = UNKNOWN


@dataclass(frozen=True)
class Quirk:
    """What is wrong with a set as published, and what is done about it.

    `ignore_images` and `ignore_masks` are files that do not belong to the set. `take_mask` are the files to
    take where two masks have the same stem. `rename` maps old file names to new ones.
    """

    text: str
    source: str = UNKNOWN
    ignore_images: tuple[str, ...] = ()
    ignore_masks: tuple[str, ...] = ()
    take_mask: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    leave_out_unmasked: bool = False  # images without a mask belong to the archive, not to the set
    known: tuple[str, ...] = ()  # stems whose audit findings this quirk explains


@dataclass(frozen=True)
class Card:
    """What a data set is; `path` is the card's file, whose stem is the set's name."""

    title: str
    count: Count
    summary: str = ""
    role: Role = "test"
    folders: tuple[str, ...] = ()  # the folder's possible names below the data root
    aliases: tuple[str, ...] = ()
    layouts: tuple[Layout, ...] = ()
    names: Names = Names()
    split: Split = Split()
    location: Path | None = None  # the folder of a user's own set, which need not lie in a data root
    generator: Literal["synthetic:train", "synthetic:test"] | None = None
    home: Home = Home()
    mirrors: tuple[Mirror, ...] = ()
    terms: Terms = Terms()
    citation: Citation = Citation()
    quirks: tuple[Quirk, ...] = ()
    attributes: Attributes = Attributes()
    path: Path = field(init=False, default=Path())  # no key of the file

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.path.stem

    @property
    def expected(self) -> int:
        """The number of pairs that the complete set has."""
        return self.count.pairs

    @cached_property
    def official_names(self) -> frozenset[str] | None:
        """The complete official list of stems; None where it is not known."""
        if self.names.list:
            names = self.path.parent / self.names.list
            try:
                return frozenset(names.read_text(encoding="utf-8").split())
            except (OSError, UnicodeDecodeError) as error:
                raise InputError(f"{names}: cannot be read as a list of names in UTF-8 ({error})") from error
        if not self.names.range:
            return None
        first, last = self.names.range.split("-")
        return frozenset(f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1))

    def is_official(self, stem: str) -> bool:
        """False for a stem that the official list or pattern of names rules out."""
        if self.official_names is not None:
            return stem in self.official_names
        return not self.names.pattern or fits(self.names.pattern, stem)

    def owns_folder(self, name: str) -> bool:
        """True if a folder of this name, in any case, is the set's own and not that of the whole set."""
        return name.lower() in {folder.lower() for folder in self.folders}


def card_names() -> list[str]:
    """The names of all cards, sorted."""
    return sorted(catalog.entries("datasets"))


def readable_cards() -> tuple[list[Card], dict[Path, str]]:
    """All cards that can be read, by name, and what is wrong with each of the user's own that cannot.

    Wrong cards are noted, and so are those that have the name of a shipped data set.
    """
    cards, problems = [], {}
    for path in catalog.shadowing("datasets").values():
        problems[path] = str(catalog.taken_name("datasets", path))
    for name, path in sorted(catalog.entries("datasets").items()):
        try:
            cards.append(read_card(path))
        except InputError as error:
            if catalog.is_shipped_name("datasets", name):
                raise
            problems[path] = str(error)
    for problem in problems.values():
        warnings.warn(f"not a data set: {problem}", Note, stacklevel=3)
    return cards, problems


def load_card(name: str) -> Card:
    """The card of a data set by its name or one of its aliases, in any case.

    Raises InputError with the nearest names if there is none, and with file and key if the card is wrong.
    """
    return load_cards([name])[0]


def load_cards(names: Sequence[str]) -> list[Card]:
    """The cards of several names; all unknown names are reported together."""
    names = instances("data set", names, str, "a name or a DataSet")
    entries = catalog.entries("datasets")
    aliases = _aliases(tuple(entries.items()))
    cards, unknown = [], []
    for name in names:
        key = name.lower()
        entry = name if name in entries else key if key in entries else aliases.get(key)
        if entry is None:
            unknown.append(name)
        else:
            catalog.refuse_shadowing("datasets", entry)
            cards.append(read_card(entries[entry]))
    if unknown:
        raise unknown_names("data set", unknown, [*entries, *aliases])
    return cards


def reserved_for(name: str) -> str | None:
    """The data set whose card has this name or alias, in any letter case; None where the name is free."""
    entries = catalog.entries("datasets")
    names = _aliases(tuple(entries.items())) | {entry.lower(): entry for entry in entries}
    return names.get(_plain(name)) or shipped_card(name)


def shipped_card(name: str) -> str | None:
    """The data set whose shipped card has this name or alias, in any letter case; None without one."""
    entries = {path.stem: path for path in sorted(catalog.shipped_folder("datasets").glob("*.toml"))}
    owners = _aliases(tuple(entries.items())) | {entry.lower(): entry for entry in entries}
    return owners.get(_plain(name))


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


@lru_cache(maxsize=4)
def _aliases(entries: tuple[tuple[str, Path], ...]) -> dict[str, str]:
    """The entry of each alias; the first has it, and shipped cards come first."""
    aliases: dict[str, str] = {}
    for name, path in entries:
        try:
            listed = catalog.read_toml(path).get("aliases", [])
        except InputError:  # what is wrong is said when the card itself is read
            continue
        for alias in listed if isinstance(listed, list) else []:
            aliases.setdefault(str(alias).lower(), name)
    return aliases


def _refuse_reserved(card: Card) -> None:
    """A user's own card has neither the name nor an alias of a shipped one."""
    if catalog.is_shipped("datasets", card.path):
        return
    if shipped_card(card.name) is not None:
        raise catalog.taken_name("datasets", card.path)
    for number, alias in enumerate(card.aliases):
        if shipped_card(alias) is not None:
            raise wrong(
                card.path, f"aliases[{number}]", "a name of your own, not a shipped data set's", alias
            )


def read_card(path: Path) -> Card:
    """Reads and checks one card; raises InputError naming the file and the key."""
    content = catalog.read_toml(path)
    if not content.get("folders"):
        content["folders"] = [path.stem]
    card = parse(Card, content, path)
    object.__setattr__(card, "path", path)
    _refuse_reserved(card)
    if card.names.list and not (path.parent / card.names.list).is_file():
        raise InputError(f"{path}: names.list: no file {card.names.list} next to the card")
    return card
