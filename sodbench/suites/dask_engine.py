"""The driver's side of a Dask cluster: shards of cells and trainings as tasks, their results as records.

The shards of a cell are written to `reports/shards` as they come and are joined when all are there. Shards
that an earlier run has left there, and that depend on the same parts, are not computed again.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sodbench.data.locations import data_root, remember_root
from sodbench.errors import InputError, first_of
from sodbench.merging import merge_and_remove
from sodbench.names import folder_name
from sodbench.paths import real_path
from sodbench.results.dependencies import Parts, differences
from sodbench.results.replacement import refuse_foreign_files
from sodbench.results.saving import put_in_place
from sodbench.results.shard_records import FILES, check_shard_place, read_shard, shard_folder
from sodbench.shard import MOST, Shard
from sodbench.suites.cells import Cell
from sodbench.suites.dask_connection import PATIENCE, connected, described
from sodbench.suites.dask_tasks import (
    Made,
    compute_shard,
    compute_training,
    read_files,
    refuse_other_software,
    same,
    software,
    weights_file,
    write_files,
)
from sodbench.suites.options import Options
from sodbench.suites.suite import Row, Suite
from sodbench.suites.trainings import is_complete, place_for_training, training_folder

if TYPE_CHECKING:
    from sodbench.results.run import Run

T = TypeVar("T")
U = TypeVar("U")

RETRIES = 2  # of a task that fails; a worker that dies is another matter, and is Dask's
ENOUGH_IMAGES = 64  # of a shard, where the number of shards is not given
MOST_AT_ONCE = 64  # rows of a suite, each in a thread that waits for its tasks


class Lost(InputError):
    """The cluster is gone, and with it every step that is under way."""


@dataclass
class DaskEngine:
    """A connection to a cluster, and what its workers have in common.

    software: what all workers have, and this process. gpus: whether tasks that run a network ask for a GPU.
    """

    client: Any
    address: str
    software: dict[str, str]
    workers: int
    gpus: bool
    options: Options
    shards: int | None
    tell: Callable[[str], None]

    def together(self, work: Callable[[T], U], items: Sequence[T]) -> list[U]:
        """Calls `work` for all items, each in a thread; where one call raises, all tasks are cancelled."""
        with ThreadPoolExecutor(min(len(items), MOST_AT_ONCE)) as pool:
            calls: list[Future[U]] = [pool.submit(work, item) for item in items]
            try:
                wait(calls, return_when=FIRST_EXCEPTION)
                for call in calls:
                    if call.done() and not call.cancelled():
                        call.result()
            except BaseException:
                for call in calls:
                    call.cancel()
                with suppress(Exception):  # what waits for a task learns that it is cancelled
                    self.client.close(timeout=PATIENCE)
                raise
            return [call.result() for call in calls]

    def train(self, suite: Suite, row: Row) -> None:
        """Trains a row on one worker, from its last checkpoint here where there is one."""
        folder = place_for_training(suite, row, self.options)
        begun = read_files(folder) if folder.is_dir() else {}
        task = self._submit(
            True, compute_training, suite, row_with_absolute_paths(row), self.options, self.software, begun
        )
        (made,) = self._results([task], f"training of {row.name}")

        put_in_place(folder, lambda staged: write_files(staged, made.files), lambda: None)
        if not is_complete(folder):
            raise InputError(f"{folder}: the training that came from {made.where} is not whole; try again")

    def compute(self, suite: Suite, cell: Cell, parts_of: Callable[[Shard], Parts], images: int) -> Run:
        """Predicts and scores a cell in shards, and records it.

        parts_of: what a shard of the cell depends on. images: those of the cell.
        """
        name = f"{cell.row.name} on {cell.dataset}"
        count = self._count(cell, images)
        todo, done = [], 0
        for number in range(1, count + 1):
            shard = Shard(number, count)
            if self._is_there(cell, shard, parts_of):
                done += 1
            else:
                todo.append(shard)
        if done:
            self.tell(f"{name}: {done} of {count} shards are there already")
        weights = None
        if cell.row.seed is not None and todo:
            files = weights_file(training_folder(suite, cell.row, self.options))
            weights = self._submit(False, same, files)
        sent = Cell(row_with_absolute_paths(cell.row), cell.dataset)
        is_network = cell.row.method.maps is None
        tasks = [
            self._submit(
                is_network,
                compute_shard,
                suite,
                sent,
                replace(self.options, shard=shard),
                self.software,
                weights,
            )
            for shard in todo
        ]
        for made in self._results(tasks, name):
            shard = self._keep(cell, made, parts_of)
            done += 1
            self.tell(f"{name}: {done} of {count} shards; shard {shard} from {made.where}")
        remember_root(self.options.reports, data_root(self.options.data_root).path)
        (run,) = merge_and_remove(
            [(cell.row.name, cell.dataset)],
            count,
            self.options.reports,
            replace=self.options.replace or "same data",
        )
        return run

    def _count(self, cell: Cell, images: int) -> int:
        """How many shards a cell has: as asked for, as those that are there, or one for each worker."""
        if self.shards is not None:
            return self.shards
        place = shard_folder(self.options.reports, cell.row.name, cell.dataset, Shard(1, 1)).parent
        found = [re.fullmatch(r"[0-9]+-of-([0-9]+)", path.name) for path in place.glob("*-of-*")]
        counts = {int(one[1]) for one in found if one is not None}
        if len(counts) == 1:
            return min(max(1, *counts), MOST)
        return max(1, min(self.workers, images // ENOUGH_IMAGES))

    def _is_there(self, cell: Cell, shard: Shard, parts_of: Callable[[Shard], Parts]) -> bool:
        """Whether a shard was computed before, by the same software, from the same parts."""
        folder = shard_folder(self.options.reports, cell.row.name, cell.dataset, shard)
        if not folder.is_dir():
            return False
        check_shard_place(self.options.reports, cell.row.name, cell.dataset, shard)
        try:
            then = read_shard(folder, self.options.reports).said.provenance
        except InputError:  # damaged: it is computed again
            return False
        before = then.versions | {"commit of sodbench": str(then.code.get("commit"))}
        return before == self.software and then.depends_on == parts_of(shard)

    def _keep(self, cell: Cell, made: Made, parts_of: Callable[[Shard], Parts]) -> Shard:
        """Writes the record of a shard that has come, and its maps; refuses one of other data."""
        reports = self.options.reports
        content = json.loads(made.files["shard.json"])
        shard = Shard.parse(content["shard"])
        changed = differences(parts_of(shard), content["provenance"]["depends_on"])
        if changed:
            raise InputError(
                f"shard {shard} came from worker {made.where} with other parts than here:"
                f" {first_of(changed, 3).replace(', was ', ', here ')}; give its worker the same files"
            )
        final = shard_folder(reports, cell.row.name, cell.dataset, shard)
        write_files(self.options.maps / folder_name(cell.row.name), made.maps)
        put_in_place(
            final,
            lambda staged: write_files(staged, made.files),
            lambda: refuse_foreign_files(final, FILES),
        )
        return shard

    def _submit(self, needs_gpu: bool, work: Callable[..., Any], *arguments: Any) -> Any:
        if self.client.status != "running":
            raise self._lost()
        wanted = {"GPU": 1} if needs_gpu and self.gpus else None
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)
            return self.client.submit(work, *arguments, pure=False, retries=RETRIES, resources=wanted)

    def _results(self, tasks: Sequence[Any], name: str) -> Iterator[Made]:
        """What the tasks have made, as it comes; InputError for the first that failed."""
        import distributed

        as_completed: Any = distributed.as_completed

        try:
            for task in as_completed(tasks, loop=self.client.loop):
                try:
                    made: Made = task.result()
                except distributed.KilledWorker as error:
                    raise InputError(
                        f"{name}: each worker that began one of its tasks died, the last one at"
                        f" {error.last_worker.address}; its log says why (out of memory?)"
                    ) from None
                except CancelledError:
                    raise self._lost() from None
                if made.problem:
                    raise InputError(f"{made.problem} (on worker {made.where})")
                yield made
                task.release()
        finally:
            for task in tasks:
                if not task.done():
                    task.cancel()

    def _lost(self) -> Lost:
        return Lost(
            f"the Dask scheduler at {self.address} is gone; what was finished is kept: start it again, and"
            " then the same command"
        )


@contextmanager
def dask_engine(
    address: str, options: Options, shards: int | None, tell: Callable[[str], None]
) -> Iterator[DaskEngine]:
    """Connects to a cluster, or starts one for `local`; raises InputError where its workers do not fit."""
    with ExitStack() as stack:
        client = stack.enter_context(connected(address))
        workers = described(client, address)
        expected = software()
        for where, worker in sorted(workers.items()):
            refuse_other_software(where, worker.software, expected)
        threads = sum(worker.threads for worker in workers.values())
        gpus = any(worker.gpus for worker in workers.values()) and options.device != "cpu"
        has = f"{len(workers)} worker{'s' * (len(workers) != 1)}, {threads} thread{'s' * (threads != 1)}"
        tell(f"Dask at {client.scheduler.address}: {has}{', with GPUs' if gpus else ''}")
        absolute = replace(
            options,
            reports=real_path(options.reports),
            maps=real_path(options.maps),
            training=real_path(options.training),
            data_root=None if options.data_root is None else real_path(options.data_root),
        )
        yield DaskEngine(client, address, expected, len(workers), gpus, absolute, shards, tell)


def row_with_absolute_paths(row: Row) -> Row:
    """The row for a process in another working directory: files that the suite names by their paths."""

    def absolute(name: str | None) -> str | None:
        return None if name is None else str(Path(name).expanduser().absolute())

    method = row.method
    baseline = method.baseline
    if baseline is not None and baseline.endswith((".toml", ".onnx")):
        baseline = absolute(baseline)
    return replace(
        row,
        method=replace(
            method, baseline=baseline, weights=absolute(method.weights), maps=absolute(method.maps)
        ),
    )
