"""A tree of saliency maps: which of its folders hold the maps of which method on which data set.

A layout says so, as a path from the root: `{method}/{dataset}`, `{dataset}/{method}`,
`maps-{method}/{dataset}_test`, `results/{dataset}/{method}/maps`. `{method}` stands for a method's name,
`{dataset}` for a data set's: the name or an alias of its card, or the name of its folder in a data root, in
any letter case. All else stands for itself.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sodbench.data.card import readable_cards
from sodbench.data.image_files import subfolders
from sodbench.errors import InputError, first_of, shown
from sodbench.names import folder_name

METHOD, DATASET = "{method}", "{dataset}"


@dataclass(frozen=True)
class MapFolder:
    """One folder of maps: its method's name, and its data set's; None where the layout names no data set."""

    method: str
    dataset: str | None
    folder: Path


@dataclass(frozen=True)
class MapTree:
    """The folders of maps, sorted by method and data set; those in the place of one that no card knows."""

    folders: tuple[MapFolder, ...]
    unknown: tuple[Path, ...]


def checked_layout(layout: str) -> tuple[str, ...]:
    """The steps of a layout; InputError where it is none."""
    if not isinstance(layout, str):
        raise InputError(f"layout: expected a text such as {METHOD}/{DATASET}, found {shown(layout)}")
    problem = _problem(layout)
    if problem:
        raise InputError(f"layout {layout!r}: {problem}, for example {METHOD}/{DATASET}")
    return _steps(layout)


def _steps(layout: str) -> tuple[str, ...]:
    return tuple(layout.removeprefix("./").rstrip("/").split("/"))


def _problem(layout: str) -> str:
    rest = layout.replace(METHOD, "", 1)
    if rest == layout:
        return f"no {METHOD}; expected the folder that names the method as {METHOD}"
    rest = rest.replace(DATASET, "", 1)
    for field in (METHOD, DATASET):
        if field in rest:
            return f"{field} twice; expected it once"
    if "{name}" in rest:
        return "{name} is a part of a file's name; expected it in the pattern (--pattern)"
    if re.search(r"[{}]", rest):
        return f"an unknown field; expected {METHOD} and {DATASET}"
    if f"{METHOD}{DATASET}" in layout or f"{DATASET}{METHOD}" in layout:
        return f"nothing between {METHOD} and {DATASET}; expected a / or other characters"
    if any(step in ("", ".", "..") for step in _steps(layout)) or re.search(r"[\\\x00-\x1f]", layout):
        return "expected a path from the root, with / and without .."
    return ""


def find_map_folders(root: Path, layout: str) -> MapTree:
    """The folders below `root` that fit the layout.

    Raises InputError for a layout that is none, a root that is no folder, where no folder fits, and for two
    folders of one method and data set.
    """
    steps = checked_layout(layout)
    if not root.is_dir():
        problem = "it is a file" if root.exists() else "there is none"
        raise InputError(f"{root}: expected a folder with folders of saliency maps, {problem}")
    names = _data_sets()
    places: list[tuple[Path, str, str | None]] = [(root, "", None)]
    unknown: list[Path] = []
    for step in steps:
        further = []
        for folder, method, dataset in places:
            for inner in subfolders(folder):
                fields = _fields(step, inner.name, names)
                if fields is None:
                    continue
                named = fields.get("dataset")
                known = None if named is None else names.get(named.lower())
                if named is not None and known is None:
                    unknown.append(inner)
                else:
                    further.append((inner, fields.get("method", method), known or dataset))
        places = further
    folders = sorted(
        (MapFolder(method, dataset, folder) for folder, method, dataset in places),
        key=lambda one: (one.method, one.dataset or "", str(one.folder)),
    )
    if not folders:
        raise InputError(f"{root}: no folder fits the layout {layout!r}{_found(root, unknown)}")
    _refuse_twice(folders)
    return MapTree(tuple(folders), tuple(unknown))


def _found(root: Path, unknown: Sequence[Path]) -> str:
    if unknown:
        named = first_of([folder.relative_to(root).as_posix() for folder in unknown], 3)
        return f": no data set has the name of {named} (sodbench datasets list)"
    inner = [folder.name for folder in subfolders(root)]
    return f"; it holds {'the folders ' + first_of(inner, 5) if inner else 'no folders'}"


def _refuse_twice(folders: Sequence[MapFolder]) -> None:
    first: dict[tuple[str, str | None], Path] = {}
    for one in folders:
        folder_name(one.method)  # refuses what is no name
        other = first.setdefault((one.method, one.dataset), one.folder)
        if other is not one.folder:
            of = one.method if one.dataset is None else f"{one.method} on {one.dataset}"
            raise InputError(
                f"{other} and {one.folder}: two folders of the maps of {of}; remove one of them, or choose a "
                "layout that fits one"
            )


def _fields(step: str, name: str, data_sets: Mapping[str, str]) -> dict[str, str] | None:
    """The fields of a step of the layout that a folder's name holds; None where it does not fit."""
    if METHOD in step and DATASET in step:
        # "a_b_sod" as {method}_{dataset}: the longest name of a data set decides what the method's is
        for known in data_sets:
            if found := re.fullmatch(_expression(step, known), name):
                return found.groupdict()
    found = re.fullmatch(_expression(step), name)
    return None if found is None else found.groupdict()


@lru_cache(maxsize=512)
def _expression(step: str, dataset: str | None = None) -> str:
    """The regular expression of a step; `dataset`: the only name that may stand for the data set's."""
    names = ".+" if dataset is None else f"(?i:{re.escape(dataset)})"
    fields = {METHOD: "(?P<method>.+)", DATASET: f"(?P<dataset>{names})"}
    parts = re.split(f"({re.escape(METHOD)}|{re.escape(DATASET)})", step)
    return "".join(fields.get(part, re.escape(part)) for part in parts)


def _data_sets() -> dict[str, str]:
    """The data sets by all their names in lower case, longest names first.

    Of one name for several the card's own name counts first, then an alias, then a folder.
    """
    cards = readable_cards()[0]
    names = {card.name.lower(): card.name for card in cards}
    for others in ("aliases", "folders"):
        for card in cards:
            for other in getattr(card, others):
                names.setdefault(other.lower(), card.name)
    return {name: names[name] for name in sorted(names, key=len, reverse=True)}
