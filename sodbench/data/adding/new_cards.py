"""Writes cards of the user's own sets, `./datasets/<name>.toml`: either all or none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.adding.detect import DetectedSet, stems_in
from sodbench.data.card import Role, load_card
from sodbench.data.folder import open_dataset
from sodbench.data.image_files import is_utf8, printable, read_list
from sodbench.errors import InputError
from sodbench.files import write_text
from sodbench.paths import real_path
from sodbench.toml_text import toml_value


@dataclass(frozen=True)
class NewCard:
    """A set that is to be added: what it will be called, and where its files are."""

    name: str
    title: str
    role: Role
    folder: Path
    files: DetectedSet
    names: Path | None = None  # a list of the stems that belong to it

    @property
    def path(self) -> Path:
        """The card's file."""
        return Path.cwd() / "datasets" / f"{self.name}.toml"


def new_cards(
    name: str,
    folder: Path,
    sets: Sequence[DetectedSet],
    *,
    title: str | None = None,
    role: Role | None = None,
    names: Path | None = None,
) -> list[NewCard]:
    """One card per detected set; several are called after their splits: `mine-train`, `mine-test`."""
    cards = []
    for one in sets:
        split = one.split if len(sets) > 1 else ""
        card = NewCard(
            name=f"{name}-{split}" if split else name,
            title=f"{title or name}, {split}" if split else title or name,
            role=role or ("train" if "train" in one.split else "test"),
            folder=real_path(folder),
            files=one,
            names=names,
        )
        cards.append(card)
    return cards


def write_cards(cards: Sequence[NewCard], replace: bool = False) -> list[int]:
    """Writes the cards and returns the number of pairs of each set; an error leaves all files as before."""
    for card in cards:
        _check(card, replace)
    if len({card.name for card in cards}) < len(cards):
        raise InputError(f"{cards[0].folder}: several sets of one name; choose with --images and --masks")
    before = {card.path: card.path.read_text(encoding="utf-8") for card in cards if card.path.exists()}
    try:
        for card in cards:
            write_text(card.path, _toml(card))
        return [len(open_dataset(card.name)) for card in cards]
    except BaseException as error:
        for card in cards:
            if card.path in before:
                write_text(card.path, before[card.path])
            else:
                card.path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            reason = f"cannot be written ({error.strerror}); call from another folder"
            raise InputError(f"{cards[0].path.parent}: {reason}") from None
        raise


def _check(card: NewCard, replace: bool) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", card.name):
        raise InputError(f"--name {card.name!r}: expected lower-case letters, digits, '-', '_' and '.'")
    if card.path.exists():
        if not replace:
            raise InputError(f"{card.path}: exists already; --replace overwrites it")
    elif (other := _card_called(card.name)) is not None:
        raise InputError(f"--name {card.name}: is the name of {other}; choose another")
    if not is_utf8(str(card.folder)):
        raise InputError(f"{printable(str(card.folder))}: a name that is not UTF-8; rename the folder")


def _card_called(name: str) -> Path | None:
    try:
        return load_card(name).path
    except InputError:
        return None


def _toml(card: NewCard) -> str:
    files = card.files
    count = files.pairs + files.unmasked
    if card.names is not None:
        count = len(read_list(card.names) & set(stems_in(card.folder / files.images)))
        if not count:
            raise InputError(f"{card.names}: none of its names is an image of {card.folder / files.images}")
    lines = [
        f"title = {toml_value(card.title)}",
        f"summary = {toml_value(f'a set of my own: {files.how}')}",
        f'role = "{card.role}"',
        f"folders = {toml_value([card.folder.name])}",
        f"location = {toml_value(str(card.folder))}",
        "",
        "[count]",
        f"pairs = {count}",
        'source = "counted by sodbench datasets add"',
        "",
        "[[layouts]]",
        'name = "as found"',
        f"images = {toml_value(files.images)}",
        f"masks = {toml_value(files.masks)}",
        f"mask_suffix = {toml_value(files.mask_suffix)}",
        'source = "sodbench datasets add"',
    ]
    if card.names is not None:
        lines += ["", "[split]", f"lists = {toml_value([str(real_path(card.names))])}"]
    if files.unmasked:
        lines += [
            "",
            "[[quirks]]",
            f'text = "{files.unmasked} images have no mask and are left out"',
            'source = "sodbench datasets add"',
            "leave_out_unmasked = true",
        ]
    return "\n".join(lines) + "\n"
