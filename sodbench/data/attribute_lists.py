"""The attribute lists that a card names, read and checked against the images of the data set."""

import warnings
from collections.abc import Collection
from pathlib import Path

from sodbench.data.card import Card
from sodbench.data.image_files import listed_stem, read_list
from sodbench.errors import InputError, Note, first_of


def read_lists(card: Card, folder: Path) -> dict[str, frozenset[str]]:
    """The stems in each list that the card names or holds; `folder` is the data set's.

    A list whose file is not in the folder is left out with a note.
    """
    lists, missing = {}, []
    for name, source in card.attributes.lists.items():
        if not isinstance(source, str):
            lists[name] = frozenset(map(listed_stem, source))
        elif (folder / source).is_file():
            lists[name] = read_list(folder / source, may_be_empty=True)
        else:
            missing.append(source)
    if missing:
        warnings.warn(
            f"{card.name}: {len(missing)} of {len(card.attributes.lists)} attribute lists are not in"
            f" {folder}: {first_of(missing, 3)}; their groups are left out",
            Note,
            stacklevel=3,
        )
    return lists


def refuse_strangers(card: Card, name: str, stems: Collection[str], images: Collection[str]) -> None:
    """Raises InputError where a list names images that the set lacks; `images` are the stems that are here.

    Where only a part of the set is here, a list may name as many others as are missing, unless the card's
    official names rule them out.
    """
    others = sorted(set(stems) - set(images))
    strangers = [stem for stem in others if not card.is_official(stem)]
    if not strangers and len(others) > max(0, card.expected - len(images)):
        strangers = others
    if strangers:
        remedy = "correct the list"
        if len(images) >= card.expected:
            remedy += f", or count.pairs where these {len(images)} images are a part of the set only"
        raise InputError(
            f"{card.path}: attributes.lists.{name}: {len(strangers)} of {len(stems)} names are no images of"
            f" {card.name}: {first_of(strangers, 3)}; {remedy}"
        )
