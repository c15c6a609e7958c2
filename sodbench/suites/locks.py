"""One driver per step: several processes that run one suite share its cells and trainings.

A lock is a file in a hidden folder, of the reports folder for a cell, of the training folder for a training.
It ends with the process that holds it, however that ends, and is then removed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sodbench.files import locked
from sodbench.names import folder_name
from sodbench.suites.cells import Cell
from sodbench.suites.options import Options
from sodbench.suites.suite import Row, Suite


class Taken(Exception):
    """Another process is at this step."""


def cell_lock(cell: Cell, options: Options) -> Path:
    """The file whose lock the process holds that computes a cell, or a shard of it."""
    shard = "" if options.shard is None else f".{options.shard.folder}"
    names = (folder_name(cell.row.name), f"{folder_name(cell.dataset)}{shard}.lock")
    return options.reports.joinpath(".cells", *names)


def training_lock(suite: Suite, row: Row, options: Options) -> Path:
    """The file whose lock the process holds that trains a row."""
    return options.training.joinpath(".trainings", folder_name(suite.name), f"{folder_name(row.name)}.lock")


@contextmanager
def alone(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Holds a lock. Where another process has it: raises `Taken`, or calls `waiting` and waits."""

    def taken() -> None:
        raise Taken(path)

    # the hidden folders go in any case: a process that was killed may have left them
    made = [folder for folder in path.parents if not folder.exists()]
    folders = dict.fromkeys((*path.parents[:2], *made))
    with locked(path, waiting=waiting or taken):
        try:
            yield
        finally:
            # only with the lock held: whoever waits for it makes the file anew
            with suppress(OSError):
                path.unlink()
                for folder in folders:
                    folder.rmdir()


def is_taken(path: Path) -> bool:
    """Whether a process holds a lock; makes no file."""
    if not path.is_file():
        return False
    try:
        with alone(path):
            return False
    except Taken:
        return True
