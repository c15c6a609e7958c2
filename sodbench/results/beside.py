"""What lies in a reports folder beside the records of a method: shards, stress, speeds, thumbnails."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from sodbench.errors import unknown_names
from sodbench.names import folder_name

# shards of runs, stress studies, speeds that `sodbench bench` measured, thumbnails of the report's gallery
KINDS = ("shards", "stress", "speed", "thumbnails")


@dataclass(frozen=True)
class Beside:
    """A file or folder of a method in a reports folder, and what it is: one of `KINDS`."""

    kind: str
    path: Path


def beside(reports: Path, name: str, dataset: str | None = None) -> list[Beside]:
    """What there is of a method beside its records; of one data set only, or of all and of the method."""
    return list(_beside(reports, folder_name(name), None if dataset is None else folder_name(dataset)))


def checked_kinds(kinds: str | Collection[str]) -> list[str]:
    """The kinds, each once; InputError names those that there are not."""
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    unknown = [str(kind) for kind in kinds if kind not in KINDS]
    if unknown:
        raise unknown_names("kind of file beside a record", unknown, KINDS)
    return list(dict.fromkeys(kinds))


def _beside(reports: Path, method: str, dataset: str | None) -> Iterator[Beside]:
    for kind in ("shards", "stress"):
        for folder in _folders(reports / kind / method):
            if dataset in (None, folder.name):
                yield Beside(kind, folder)
    speed = reports / "efficiency" / f"{method}.json"
    if dataset is None and speed.is_file():
        yield Beside("speed", speed)
    of_method = re.compile(rf"\d+-{re.escape(method)}\.[a-z]+")
    for folder in _folders(reports / "gallery"):
        if dataset in (None, folder.name):
            for path in sorted(folder.iterdir()):
                if of_method.fullmatch(path.name):
                    yield Beside("thumbnails", path)


def _folders(top: Path) -> list[Path]:
    if not top.is_dir():
        return []
    return sorted(path for path in top.iterdir() if path.is_dir() and not path.name.startswith("."))
