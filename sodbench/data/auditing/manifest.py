"""Manifests: the digest of every image and mask of a copy of a data set, in the format of `sha256sum`.

It is stored next to the user's own cards, `./datasets/<name>.sha256`, and can be kept under version control;
`sha256sum -c` inside the set's folder checks it as well.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.auditing.file_facts import in_threads
from sodbench.data.folder import DataSet
from sodbench.errors import InputError, first_of
from sodbench.files import sha256_of, write_text


@dataclass(frozen=True)
class Changes:
    """How a copy differs from its manifest: file names relative to the set's folder."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def line(self) -> str:
        """'2 changed (a, b), 1 gone (c)'."""
        lists = (("changed", self.changed), ("gone", self.removed), ("new", self.added))
        return ", ".join(f"{len(names)} {word} ({first_of(names, 3)})" for word, names in lists if names)


def manifest_path(name: str) -> Path:
    """Where the manifest of a set lies, whether it exists or not."""
    return Path.cwd() / "datasets" / f"{name}.sha256"


def file_digests(dataset: DataSet) -> dict[str, str]:
    """The SHA-256 of every image and mask of a set, by path relative to its folder."""
    files = [path for sample in dataset for path in (sample.image, sample.mask) if path is not None]
    names = [_relative(path, dataset.folder) for path in files]
    return dict(sorted(zip(names, in_threads(sha256_of, files), strict=True)))


def write_manifest(dataset: DataSet, path: Path | None = None) -> Path:
    """Writes the manifest of a set, whole or not at all, and returns its path."""
    path = manifest_path(dataset.name) if path is None else path
    try:
        write_text(path, "".join(f"{digest}  {name}\n" for name, digest in file_digests(dataset).items()))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); call from another folder") from None
    return path


def read_manifest(path: Path) -> dict[str, str]:
    """Digest by file name; raises InputError naming the first line that `sha256sum` would not write."""
    digests = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        match = re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line)
        if match is None:
            raise InputError(f"{path}:{number}: found {line[:40]!r}; expected '<sha256>  <file>'")
        digests[match[2]] = match[1]
    return digests


def changes(dataset: DataSet, path: Path | None = None) -> Changes | None:
    """How a set differs from its manifest; None if it has no manifest. Reads every file once."""
    path = manifest_path(dataset.name) if path is None else path
    if not path.is_file():
        return None
    pinned, here = read_manifest(path), file_digests(dataset)
    return Changes(
        added=tuple(sorted(here.keys() - pinned.keys())),
        removed=tuple(sorted(pinned.keys() - here.keys())),
        changed=tuple(sorted(name for name in here.keys() & pinned.keys() if here[name] != pinned[name])),
    )


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
