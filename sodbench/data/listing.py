"""What lies in a folder: picture files by stem, and list files of names."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.images import SUFFIXES
from sodbench.errors import InputError, first_of


def list_images(folder: Path) -> dict[str, Path]:
    """The pictures directly inside a folder, stem -> path, in the order of their names.

    Hidden files and files of other kinds are passed over. Two files of one stem, a broken link and a name
    that is not UTF-8 raise InputError.
    """
    return by_stem(picture_files(folder), folder)


@dataclass(frozen=True)
class Scan:
    """The picture files directly inside a folder, by name, and the entries that cannot be taken as such."""

    pictures: tuple[Path, ...]
    bad: tuple[str, ...]  # one line each


def scan(folder: Path) -> Scan:
    """Lists a folder without stopping at broken links and names that are not UTF-8."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        raise InputError(f"{folder}: no such folder") from None
    except NotADirectoryError:
        raise InputError(f"{folder}: not a folder") from None
    except OSError as error:
        raise InputError(f"{folder}: not readable ({error.strerror})") from None
    pictures, bad = [], []
    for entry in entries:
        if entry.name.startswith(".") or os.path.splitext(entry.name)[1].lower() not in SUFFIXES:  # noqa: PTH122
            continue
        try:
            is_file = entry.is_file()
        except OSError:  # a link to itself
            is_file = False
        if not is_utf8(entry.name):
            bad.append(f"{folder}: the file name {shown(entry.name)} is not UTF-8; rename it")
        elif re.search(r"[\x00-\x1f\x7f]", entry.name):  # would break lists, manifests and tables
            bad.append(f"{folder}: the file name {entry.name!r} holds control characters; rename it")
        elif is_file:
            pictures.append(Path(entry.path))
        elif entry.is_symlink():
            bad.append(f"{entry.path}: a broken link; remove it or put the file there")
    return Scan(tuple(pictures), tuple(bad))


def subfolders(folder: Path) -> list[Path]:
    """The folders directly inside a folder, by name; hidden ones and `__MACOSX` left out."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: not readable ({error.strerror})") from None
    return [entry for entry in entries if not entry.name.startswith((".", "__MACOSX")) and entry.is_dir()]


def folders_under(top: Path, depth: int) -> Iterator[Path]:
    """`top` and the folders in it, `depth` levels deep; links are not followed: they may run in rings."""
    yield top
    if depth:
        for folder in subfolders(top):
            if not folder.is_symlink():
                yield from folders_under(folder, depth - 1)


def picture_files(folder: Path) -> list[Path]:
    """The picture files directly inside `folder`, by name; raises InputError at the first bad entry."""
    found = scan(folder)
    if found.bad:
        raise InputError(found.bad[0])
    return list(found.pictures)


def is_utf8(name: str) -> bool:
    """False for a file name whose bytes are not UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str) -> str:
    """A file name that can be printed: bytes that are not UTF-8 as \\xe9."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def by_stem(paths: Iterable[Path], folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    twice = []
    for path in paths:
        if path.stem in found:
            twice.append(f"{found[path.stem].name} and {path.name}")
        found[path.stem] = path
    if twice:
        raise InputError(f"{folder}: two files of one name: {first_of(twice)}; remove the wrong ones")
    return dict(sorted(found.items()))


def read_list(path: Path) -> frozenset[str]:
    """The stems in a list file: a name or path a line, with or without extension (first column)."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: not readable ({error.strerror}); expected a list, a name a line") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text in UTF-8; expected a list, a name a line") from None
    stems = set()
    for line in lines:
        if line.strip() and not line.startswith("#"):
            name = Path(line.split()[0])
            stems.add(name.stem if name.suffix.lower() in SUFFIXES else name.name)
    if not stems:
        raise InputError(f"{path}: an empty list; expected a name a line")
    return frozenset(stems)
