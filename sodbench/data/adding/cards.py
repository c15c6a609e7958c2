"""Cards of sets of one's own, `./datasets/<name>.toml`, written all or none."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.adding.guess import Guess, stems_in
from sodbench.data.card import load_card
from sodbench.data.folder import open_dataset
from sodbench.data.listing import is_utf8, read_list, shown
from sodbench.errors import InputError
from sodbench.files import write_text


@dataclass(frozen=True)
class Proposal:
    """A set that is to be added: what it will be called, and where its files are."""

    name: str
    title: str
    role: str
    folder: Path
    guess: Guess
    names: Path | None = None  # a list of the stems that belong to it

    @property
    def card(self) -> Path:
        return Path.cwd() / "datasets" / f"{self.name}.toml"


def proposals(
    name: str,
    folder: Path,
    guesses: Sequence[Guess],
    title: str | None = None,
    role: str | None = None,
    names: Path | None = None,
) -> list[Proposal]:
    """One set a guess; of several each is called after its part: `mine-train`, `mine-test`."""
    found = []
    for guess in guesses:
        part = guess.part if len(guesses) > 1 else ""
        found.append(
            Proposal(
                f"{name}-{part}" if part else name,
                f"{title or name}, {part}" if part else title or name,
                role or ("train" if "train" in guess.part else "test"),
                folder.resolve(),
                guess,
                names,
            )
        )
    return found


def add_sets(proposed: Sequence[Proposal], replace: bool = False) -> list[int]:
    """Writes the cards and returns the pairs of each set; on any error no card is new and none is changed."""
    for one in proposed:
        _check(one, replace)
    if len({one.name for one in proposed}) < len(proposed):
        raise InputError(f"{proposed[0].folder}: several sets of one name; choose with --images and --masks")
    before = {one.card: one.card.read_text(encoding="utf-8") for one in proposed if one.card.exists()}
    try:
        for one in proposed:
            write_text(one.card, _card_text(one))
        return [len(open_dataset(one.name).samples) for one in proposed]
    except BaseException as error:
        for one in proposed:
            if one.card in before:
                write_text(one.card, before[one.card])
            else:
                one.card.unlink(missing_ok=True)
        if isinstance(error, OSError):
            reason = f"cannot be written ({error.strerror}); call from another folder"
            raise InputError(f"{proposed[0].card.parent}: {reason}") from None
        raise


def _check(one: Proposal, replace: bool) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", one.name):
        raise InputError(f"--name {one.name!r}: expected small letters, digits, '-', '_' and '.'")
    if one.card.exists():
        if not replace:
            raise InputError(f"{one.card}: is there already; --replace writes it anew")
    elif (taken := _card_called(one.name)) is not None:
        raise InputError(f"--name {one.name}: is the name of {taken}; choose another")
    if not is_utf8(str(one.folder)):
        raise InputError(f"{shown(str(one.folder))}: a name that is not UTF-8; rename the folder")


def _card_called(name: str) -> Path | None:
    try:
        return load_card(name).path
    except InputError:
        return None


def _card_text(one: Proposal) -> str:
    def text(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML string

    guess = one.guess
    count = guess.pairs
    if one.names is not None:
        count = len(read_list(one.names) & set(stems_in(one.folder / guess.images)))
        if not count:
            raise InputError(f"{one.names}: none of its names is a picture of {one.folder / guess.images}")
    lines = [
        f"title = {text(one.title)}",
        f"summary = {text(f'a set of my own: {guess.why}')}",
        f'role = "{one.role}"',
        f"folders = [{text(one.folder.name)}]",
        f"location = {text(str(one.folder))}",
        "",
        "[count]",
        f"pairs = {count}",
        'source = "counted by sodbench datasets add"',
        "",
        "[[layouts]]",
        'name = "as found"',
        f"images = {text(guess.images)}",
        f"masks = {text(guess.masks)}",
        f"mask_suffix = {text(guess.mask_suffix)}",
        'source = "sodbench datasets add"',
    ]
    if one.names is not None:
        lines += ["", "[split]", f"lists = [{text(str(one.names.resolve()))}]"]
    if guess.unmasked:
        lines += [
            "",
            "[[quirks]]",
            f'text = "{guess.unmasked} pictures have no mask and are left out"',
            'source = "sodbench datasets add"',
            "leave_out_unmasked = true",
        ]
    return "\n".join(lines) + "\n"
