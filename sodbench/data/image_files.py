"""Listing of image files in a folder, and reading of name lists."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.picture_files import SUFFIXES
from sodbench.errors import InputError, first_of
from sodbench.paths import refuse_special


@dataclass(frozen=True)
class Scan:
    """The image files directly inside a folder, by name, and what is wrong with entries that are skipped."""

    pictures: tuple[Path, ...]
    bad: tuple[str, ...]  # one line each


def scan(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> Scan:
    """Lists the image files of a folder without stopping at broken links and names that are not UTF-8.

    suffixes: the endings of the files to list, in lower case.
    """
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
        if entry.name.startswith(".") or os.path.splitext(entry.name)[1].lower() not in suffixes:  # noqa: PTH122
            continue
        try:
            is_file = entry.is_file()
        except OSError:  # a link to itself
            is_file = False
        if not is_utf8(entry.name):
            bad.append(f"{folder}: the file name {printable(entry.name)} is not UTF-8; rename it")
        elif re.search(r"[\x00-\x1f\x7f]", entry.name):  # would break lists, manifests and tables
            bad.append(f"{folder}: the file name {entry.name!r} holds control characters; rename it")
        elif is_file:
            pictures.append(Path(entry.path))
        elif entry.is_symlink():
            bad.append(f"{entry.path}: a broken link; remove it or put the file there")
        elif not entry.is_dir():
            bad.append(f"{entry.path}: neither a file nor a folder; remove it")
    return Scan(tuple(pictures), tuple(bad))


def image_files(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> list[Path]:
    """The image files directly inside a folder, by name; raises InputError at the first bad entry."""
    listing = scan(folder, suffixes)
    if listing.bad:
        raise InputError(listing.bad[0])
    return list(listing.pictures)


def list_images(folder: Path) -> dict[str, Path]:
    """The image files directly inside a folder, stem -> path, in the order of their names.

    Hidden files and files of other kinds are passed over. Two files of one stem, a broken link and a name
    that is not UTF-8 raise InputError.
    """
    return by_stem(image_files(folder), folder)


def by_stem(paths: Iterable[Path], folder: Path) -> dict[str, Path]:
    """Stem -> path, sorted; raises InputError, which names the folder, for two paths of one stem."""
    files: dict[str, Path] = {}
    twice = []
    for path in paths:
        if path.stem in files:
            twice.append(f"{files[path.stem].name} and {path.name}")
        files[path.stem] = path
    if twice:
        raise InputError(f"{folder}: two files of one name: {first_of(twice)}; remove the wrong ones")
    return dict(sorted(files.items()))


def subfolders(folder: Path) -> list[Path]:
    """The folders directly inside a folder, by name; hidden ones and `__MACOSX` are left out."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: not readable ({error.strerror})") from None
    return [entry for entry in entries if not entry.name.startswith((".", "__MACOSX")) and entry.is_dir()]


def folders_under(top: Path, depth: int) -> Iterator[Path]:
    """`top` and the folders in it, `depth` levels deep; links are not followed: they may form rings."""
    yield top
    if depth:
        for folder in subfolders(top):
            if not folder.is_symlink():
                yield from folders_under(folder, depth - 1)


def read_list(path: Path, may_be_empty: bool = False) -> frozenset[str]:
    """The stems in a list file: one name or path per line (first column), with or without extension."""
    refuse_special(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(
            f"{path}: not readable ({error.strerror}); expected a list with one name per line"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text in UTF-8; expected a list with one name per line") from None
    stems = set()
    for line in lines:
        if line.strip() and not line.startswith("#"):
            stems.add(listed_stem(line.split()[0]))
    if not stems and not may_be_empty:
        raise InputError(f"{path}: an empty list; expected one name per line")
    return frozenset(stems)


def listed_stem(name: str) -> str:
    """The stem that a name in a list stands for: `a.jpg`, `images/a.jpg` and `a` stand for `a`."""
    path = Path(name)
    return path.stem if path.suffix.lower() in SUFFIXES else path.name


def is_utf8(name: str) -> bool:
    """False for a file name whose bytes are not UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(name: str) -> str:
    """A file name that can be printed: bytes that are not UTF-8 become \\xe9."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
