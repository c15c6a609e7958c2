"""Removes recorded runs, each whole or not at all: what goes gets a hidden name first and is deleted then.

Whatever ends the process in between, a record is there or it is not; the next writer or `remove_runs` in the
same folder deletes what was left under a hidden name.
"""

import glob
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from sodbench.arguments import instances
from sodbench.errors import InputError, unknown_names
from sodbench.files import locked_folder, sha256_of
from sodbench.names import folder_name
from sodbench.paths import user_path
from sodbench.results.beside import Beside, beside, checked_kinds
from sodbench.results.loading import read_run, record_folders
from sodbench.results.replacement import RECORD_FILES, refuse_foreign_files
from sodbench.unfinished import sweep, temporary


@dataclass(frozen=True)
class RecordFolder:
    """The record of a method on a data set, which need not be readable.

    path: its place. folder: where it lies; not in its place where a crash has left a former record only.
    """

    name: str
    dataset: str
    path: Path
    folder: Path


@dataclass(frozen=True, repr=False)
class Removal:
    """What `remove_runs` has removed.

    records: the folders of records. beside: what else. left: what of the same runs is still there.
    maps: the folders of their maps, which are never removed.
    """

    records: tuple[RecordFolder, ...]
    beside: tuple[Beside, ...]
    left: tuple[Beside, ...]
    maps: tuple[Path, ...]

    def __str__(self) -> str:
        """One line per file or folder."""
        lines = [f"removed {one.path}: the record of {one.name} on {one.dataset}" for one in self.records]
        lines += [f"removed {one.path}: {one.kind}" for one in self.beside]
        lines += [f"left    {one.path}: {one.kind}" for one in self.left]
        return "\n".join([*lines, *(f"left    {path}: maps" for path in self.maps)])

    __repr__ = __str__

    def as_dict(self) -> dict[str, Any]:
        """The public JSON object."""
        return {
            "removed": [
                *({"kind": "record", "path": one.path} for one in self.records),
                *({"kind": one.kind, "path": one.path} for one in self.beside),
            ],
            "left": [
                *({"kind": one.kind, "path": one.path} for one in self.left),
                *({"kind": "maps", "path": path} for path in self.maps),
            ],
        }

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def remove_runs(
    names: str | Sequence[str],
    dataset: str | None = None,
    *,
    reports: Path | str = "reports",
    also: str | Collection[str] = (),
) -> Removal:
    """Removes the records of methods: `sodbench runs rm`.

    names: one or several methods, by their whole names: no pattern stands for others.
    dataset: only the runs on this data set; None: those on all.
    also: what else of these runs is removed: "shards", "stress", "speed", "thumbnails". Maps are never.

    Records that cannot be read are removed, too. Raises InputError, before anything is removed, for a name
    that is not there, and where a folder of a record holds other files.
    """
    reports = user_path(reports)
    names = [names] if isinstance(names, str) else names
    names = list(dict.fromkeys(instances("names", names, (str,), "names of methods")))
    kinds = checked_kinds(also)
    records: list[RecordFolder] = []
    others: list[Beside] = []
    for name in names:
        remove_leftovers(reports, name)
        of_name = beside(reports, name, dataset)
        wanted = any(one.kind in kinds for one in of_name)
        records += records_of(reports, name, dataset, missing_ok=wanted)
        others += of_name
    for one in records:
        refuse_foreign_files(one.path, RECORD_FILES)
    maps = _maps_of(records, reports)
    removed = tuple(one for one in records if remove_record(one.path))
    gone = tuple(one for one in others if one.kind in kinds)
    for extra in gone:
        with temporary(extra.path) as hidden, suppress(FileNotFoundError):
            extra.path.rename(hidden)
        _remove_empty(extra.path.parent, reports)
    return Removal(removed, gone, tuple(one for one in others if one.kind not in kinds), maps)


def records_of(
    reports: Path, name: str, dataset: str | None = None, *, missing_ok: bool = False
) -> list[RecordFolder]:
    """The places of a method's records, of one data set or all; InputError where there is none."""
    found = [RecordFolder(of, on, _place(folder), folder) for folder, of, on in record_folders(reports)]
    mine = [one for one in found if one.name == name]
    chosen = [one for one in mine if dataset in (None, one.dataset)]
    if chosen or missing_ok:
        return chosen
    if not found:
        raise InputError(f"no runs in {reports / 'runs'}; name another folder with --reports")
    if not mine:
        raise unknown_names("method", [name], {one.name for one in found})
    raise unknown_names(f"data set of {name}", [str(dataset)], {one.dataset for one in mine})


def remove_record(place: Path, run_json: str | None = None) -> bool:
    """Removes the record in its place; whether it was there.

    run_json: the SHA-256 that its run.json must have; InputError where another process has replaced it.
    """
    method = place.parent
    if not method.is_dir():
        return False
    with locked_folder(method):
        there = place.exists()
        if there:
            refuse_foreign_files(place, RECORD_FILES)
        if there and run_json is not None and sha256_of(place / "run.json") != run_json:
            raise InputError(f"{place}: another process has replaced this record meanwhile; it is left there")
        with ExitStack() as hidden:
            # former records first: one of them would stand in for the record
            for path in [*_former(place), place]:
                with suppress(FileNotFoundError):
                    path.rename(hidden.enter_context(temporary(place)))
                    there = True
        with suppress(OSError):  # it holds other records
            method.rmdir()
    return there


def _place(folder: Path) -> Path:
    """The place of a record whose former record stands in."""
    if not folder.name.startswith("."):
        return folder
    return folder.with_name(folder.name[1:].rpartition(".old-")[0])


def _former(place: Path) -> list[Path]:
    """Hidden former records of a place; last the one that stands in where there is no other."""
    return sorted(place.parent.glob(f".{glob.escape(place.name)}.old-*"), reverse=True)


def _maps_of(records: Sequence[RecordFolder], reports: Path) -> tuple[Path, ...]:
    """The folders of maps that are here, of the records that can be read."""
    folders = []
    for one in records:
        with suppress(InputError):
            folders.append(read_run(one.folder, reports).maps_folder())
    return tuple(dict.fromkeys(folder for folder in folders if folder is not None and folder.is_dir()))


def remove_leftovers(reports: Path, name: str) -> None:
    """Removes what killed processes left of a method under hidden names, and folders that are empty then."""
    folders = [reports / kind / folder_name(name) for kind in ("runs", "shards", "stress")]
    galleries = [path for path in (reports / "gallery").glob("*") if path.is_dir()]
    sweep([*folders, *galleries, reports / "efficiency"])
    for folder in (*folders[1:], *galleries, reports / "efficiency"):
        _remove_empty(folder, reports)
    with suppress(OSError):  # it holds records, or there is none
        folders[0].rmdir()


def _remove_empty(folder: Path, reports: Path) -> None:
    """Removes a folder below the reports folder, and those that hold it, as far as they are empty."""
    while folder != reports:
        with suppress(OSError):  # it holds something, or is gone
            folder.rmdir()
        folder = folder.parent
