"""What a worker of a Dask cluster does for a suite: one shard of a cell, or one training.

A task works in a temporary folder of its own worker and returns the files that it made, so that driver and
workers need not share a folder. What a user can correct comes back as a message; any other error is Dask's,
which tries the task again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sodbench.data.locations import forget_roots
from sodbench.errors import InputError, first_of
from sodbench.json_text import to_json
from sodbench.names import folder_name
from sodbench.paths import real_path
from sodbench.results.dependencies import differences
from sodbench.results.environment import code_state, versions
from sodbench.results.recorded_paths import locate, portable
from sodbench.results.shard_records import shard_folder
from sodbench.suites.cells import Cell, compute_cell
from sodbench.suites.options import Options
from sodbench.suites.suite import Row, Suite
from sodbench.suites.trainings import WEIGHTS, train_row, training_folder

Files = dict[str, bytes]  # the content of each file of a folder, by its path in it
PLACES = ("data_folder", "maps", "masks", "images", "baseline", "weights")  # of a provenance


@dataclass(frozen=True)
class Made:
    """What a task made on the worker at `where`: the record and the maps of a shard, or a training.

    problem: why there is none; empty where all went well.
    """

    where: str
    files: Files
    maps: Files
    problem: str = ""


@dataclass(frozen=True)
class Worker:
    """What the driver asks of a worker before it sends a task."""

    software: dict[str, str]
    threads: int
    gpus: float


def software() -> dict[str, str]:
    """The versions, and the commit of a checkout, that driver and workers must have in common."""
    return versions() | {"commit of sodbench": str(code_state()["commit"])}


def describe(dask_worker: Any) -> Worker:
    """The worker on which this runs; Dask fills in the argument."""
    state = dask_worker.state
    return Worker(software(), state.nthreads, state.total_resources.get("GPU", 0))


def refuse_other_software(where: str, found: Mapping[str, str], expected: Mapping[str, str]) -> None:
    """Raises InputError for a worker whose packages are not the driver's."""
    if found != expected:
        raise InputError(
            f"worker {where} has other software than this process:"
            f" {first_of(differences(expected, found), 3).replace(', was ', ', expected ')}; install the same"
            " there"
        )


def same(files: Files) -> Files:
    """A task whose result is the trained weights that the tasks of many shards need."""
    return files


def compute_shard(
    suite: Suite, cell: Cell, options: Options, expected: Mapping[str, str], weights: Files | None
) -> Made:
    """Predicts and scores the shard `options.shard` of a cell.

    options: those of the driver, with absolute folders. expected: its software. weights: the files of the
    row's training.
    """

    def work(folder: Path, threads: int) -> tuple[Files, Files]:
        here = _moved(options, folder, threads)
        if weights is not None:
            write_files(training_folder(suite, cell.row, here), weights)
        try:
            compute_cell(suite, cell, here)
        finally:
            forget_roots(here.reports)
        assert options.shard is not None  # nosec B101 # for the type checker
        record = shard_folder(here.reports, cell.row.name, cell.dataset, options.shard)
        _name_driver_folders(record / "shard.json", here, options)
        return read_files(record), read_files(here.maps / folder_name(cell.row.name))

    return _made(expected, work)


def compute_training(
    suite: Suite, row: Row, options: Options, expected: Mapping[str, str], begun: Files
) -> Made:
    """Trains a row; `begun` are the files of its interrupted training, if there is one."""

    def work(folder: Path, threads: int) -> tuple[Files, Files]:
        here = _moved(options, folder, threads)
        place = training_folder(suite, row, here)
        if begun:
            write_files(place, begun)
        train_row(suite, row, here)
        return read_files(place), {}

    return _made(expected, work)


def weights_file(folder: Path) -> Files:
    """The weights of a training."""
    return {WEIGHTS: (folder / WEIGHTS).read_bytes()}


def read_files(folder: Path) -> Files:
    """The files of a folder and of those in it; hidden ones left out."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = ((path.relative_to(folder), path) for path in paths)
    return {
        name.as_posix(): path.read_bytes()
        for name, path in names
        if not any(part.startswith(".") for part in name.parts)
    }


def write_files(folder: Path, files: Files) -> None:
    """Writes files into a folder, which is made if need be."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _made(expected: Mapping[str, str], work: Callable[[Path, int], tuple[Files, Files]]) -> Made:
    from distributed import get_worker

    worker = get_worker()
    try:
        # a worker may have come since the driver asked
        refuse_other_software(worker.address, software(), expected)
        # Dask removes what a killed worker leaves there
        with TemporaryDirectory(prefix="sodbench-", dir=worker.local_directory) as folder:
            files, maps = work(real_path(folder), worker.state.nthreads)
    except InputError as error:
        return Made(worker.address, {}, {}, str(error))
    return Made(worker.address, files, maps)


def _moved(options: Options, folder: Path, threads: int) -> Options:
    return replace(
        options,
        reports=folder / "reports",
        maps=folder / "maps",
        training=folder / "training",
        workers=options.workers or threads,
        progress=False,
    )


def _name_driver_folders(path: Path, here: Options, there: Options) -> None:
    """Makes the places in a shard record those of the driver, whose reports folder will hold it."""
    content = json.loads(path.read_text(encoding="utf-8"))
    said = content["provenance"]
    for key in PLACES:
        value = said.get(key)
        if value is not None and value.startswith("reports:"):
            place = locate(value, here.reports)
            assert place is not None  # nosec B101 # for the type checker
            for mine, theirs in ((here.maps, there.maps), (here.training, there.training)):
                if place.is_relative_to(mine):
                    place = theirs / place.relative_to(mine)
            said[key] = portable(place, there.reports)
    path.write_text(to_json(content, indent=1) + "\n", encoding="utf-8")
