"""`published.json`: the files of a published folder, so that it may be replaced, and nothing else with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sodbench import __version__
from sodbench.errors import InputError, first_of
from sodbench.files import sha256_of, write_text
from sodbench.json_text import read_json, to_json
from sodbench.schema import parse

FILE = "published.json"
SCHEMA = 1


@dataclass(frozen=True)
class _Contents:
    """What published.json holds."""

    schema: int
    sodbench: str
    files: dict[str, Any]


def write_contents(folder: Path) -> None:
    """Writes published.json: the size and SHA-256 of every other file in the folder."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    content = {"schema": SCHEMA, "sodbench": __version__, "files": files}
    write_text(folder / FILE, to_json(content, indent=1) + "\n")


def refuse_other_content(folder: Path, shown: Path, replace: bool) -> None:
    """Raises InputError, which calls the folder `shown`, where `folder` is none to publish into.

    It may be missing, empty, or, with `replace`, hold what was published before and nothing else.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{shown}: is a file; name a new or empty folder to publish into")
    if folder == Path.cwd() or folder in Path.cwd().parents:
        raise InputError(
            f"{shown}: is the folder you are in, or one above; name a new folder to publish into"
        )
    held = sorted(path.name for path in folder.iterdir())
    if not held:
        return
    if not _was_published(folder):
        raise InputError(
            f"{shown}: is not empty ({first_of(held, 3)}) and was not written by 'sodbench publish'; name a"
            " new or empty folder"
        )
    if not replace:
        raise InputError(f"{shown}: holds what was published before; replace it with --replace")
    own = {FILE, *_read(folder).files}
    foreign = [
        name
        for path in sorted(folder.rglob("*"))
        if not path.is_dir() and (name := path.relative_to(folder).as_posix()) not in own
    ]
    if foreign:
        raise InputError(
            f"{shown}: holds {first_of(foreign, 3)}, not written by 'sodbench publish'; move this elsewhere,"
            " because --replace replaces the whole folder"
        )


def _was_published(folder: Path) -> bool:
    try:
        _read(folder)
    except InputError:
        return False
    return True


def _read(folder: Path) -> _Contents:
    return parse(_Contents, read_json(folder / FILE), folder / FILE, more=True)
