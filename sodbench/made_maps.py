"""Which maps of a cell are made while it is not finished, so that an interrupted one goes on.

A hidden file in the folder of the maps holds, in its first line, what the maps depend on, then one line per
map with the digest of its file. A map counts as made if its file still has that digest: a file that is older
than the cell, cut short or changed does not. A process that is killed loses no more than a line at the end.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from sodbench.cores import core_count
from sodbench.errors import Note, first_of
from sodbench.files import sha256_of, write_text
from sodbench.json_text import to_json
from sodbench.results.dependencies import differences


class MadeMaps:
    """The maps of a cell in their folder; `existing` are those that an interrupted process left whole."""

    def __init__(self, folder: Path, existing: Mapping[str, str], path: Path) -> None:
        """`existing`: names of maps with the digests of their files. `path`: the hidden file."""
        self.folder = folder
        self.existing = frozenset(existing)
        self.count = len(existing)
        self._file = path.open("a", encoding="utf-8")
        self._lock = Lock()

    def map_of(self, name: str) -> Path:
        """Where the map of this name is, or will be."""
        return self.folder / f"{name}.png"

    def add(self, name: str, digest: str) -> None:
        """Takes down that the map of this name is written, as a file of this SHA-256; from any thread."""
        with self._lock:
            self.count += 1
            self._file.write(to_json([name, digest]) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Ends the writing; the file stays."""
        with suppress(OSError):  # a full disk, which the map that was to be written reports
            self._file.close()


@contextmanager
def unfinished_maps(
    folder: Path | None, depends_on: Mapping[str, str], names: Sequence[str]
) -> Iterator[MadeMaps | None]:
    """The maps of a cell while it is computed; the hidden file goes when the body ends without an error.

    folder: the folder of the maps, which the caller has locked; None: no maps are kept.
    depends_on: what the maps depend on. Where an interrupted process left maps that depend on the same, they
        count as made, and a note says how many; where they depend on something else, a note says on what.
    names: the images of the cell. Cells of other images, such as shards of one data set, have other files.
    """
    if folder is None:
        yield None
        return
    path = list_of(folder, names)
    existing = _existing(folder, path, depends_on, set(names))
    if existing:
        message = f"{len(existing)} of {len(names)} maps were already made, before an interruption"
        warnings.warn(f"{folder}: {message}; they are kept", Note, stacklevel=3)
    lines = [{"depends_on": dict(depends_on)}, *([name, digest] for name, digest in existing.items())]
    write_text(path, "".join(to_json(line) + "\n" for line in lines))
    made = MadeMaps(folder, existing, path)
    try:
        yield made
    except BaseException:
        made.close()
        if not made.count:
            path.unlink(missing_ok=True)
        raise
    made.close()
    path.unlink(missing_ok=True)


def list_of(folder: Path, names: Sequence[str]) -> Path:
    """The hidden file of a cell of these images."""
    digest = hashlib.sha256("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()
    return folder / f".unfinished-{digest[:8]}.jsonl"


def forget_unfinished(folder: Path, names: Sequence[str]) -> None:
    """Removes the hidden file of a cell that is recorded: its process was killed just before it did so."""
    list_of(folder, names).unlink(missing_ok=True)


def _existing(folder: Path, path: Path, depends_on: Mapping[str, str], names: set[str]) -> dict[str, str]:
    """The maps that were made before, with the digests of their files; a note where they do not count."""
    before, digests = _read(path)
    digests = {name: digest for name, digest in digests.items() if name in names}
    changed = differences(before, depends_on)
    if changed and digests:
        message = f"all maps are made again; {len(digests)} from before an interruption do not count"
        warnings.warn(f"{folder}: {message}: {first_of(changed, 3)}", Note, stacklevel=5)
    if changed or not digests:
        return {}
    with ThreadPoolExecutor(core_count()) as pool:
        now = pool.map(_digest, [folder / f"{name}.png" for name in digests])
        return {
            name: digest
            for (name, digest), found in zip(digests.items(), now, strict=True)
            if digest == found
        }


def _read(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What the maps of a hidden file depend on, and their digests; nothing where the file is no such file."""
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, ValueError):
        return {}, {}
    rows = [_parsed(line) for line in text.split("\n")]
    head = rows[0].get("depends_on") if rows and isinstance(rows[0], dict) else None
    if not isinstance(head, dict):
        return {}, {}
    pairs = [row for row in rows[1:] if isinstance(row, list) and len(row) == 2]
    digests = {name: digest for name, digest in pairs if isinstance(name, str) and isinstance(digest, str)}
    return {str(name): str(value) for name, value in head.items()}, digests


def _parsed(line: str) -> Any:
    """A line's content; None for the last one of a process that was killed."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _digest(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except (OSError, ValueError):
        return None
