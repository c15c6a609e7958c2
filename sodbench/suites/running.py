"""Runs a suite: every training and every cell that is not done yet, each by one process only.

Several processes may run one suite at once. A step that another process is at is left for later; when nothing
else is left, it is waited for. A failure ends its step, not the suite.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from sodbench.arguments import SHARDS
from sodbench.data.locations import data_root, remember_root
from sodbench.errors import InputError, Note, cut
from sodbench.made_maps import forget_unfinished
from sodbench.names import folder_name
from sodbench.paths import user_path
from sodbench.recording import check_place
from sodbench.results.dependencies import Parts
from sodbench.results.run import Run
from sodbench.shard import Shard
from sodbench.suites.cells import Cell, compute_cell, weights_of
from sodbench.suites.dask_connection import checked_address
from sodbench.suites.dask_engine import DaskEngine, Lost, dask_engine
from sodbench.suites.durations import duration
from sodbench.suites.locks import Taken, alone, cell_lock, training_lock
from sodbench.suites.options import Options
from sodbench.suites.outcomes import Outcome, SuiteRun
from sodbench.suites.plan import Step, time_left
from sodbench.suites.planner import Planner
from sodbench.suites.suite import Row, Suite, load_suite
from sodbench.suites.trainings import train_row

Tell = Callable[[str], None]


@dataclass(frozen=True)
class _Unit:
    """A training (without a data set) or a cell, by what it is computed from."""

    row: Row = field(hash=False)  # which holds tables of settings
    dataset: str | None = None

    @property
    def name(self) -> str:
        """The step in words."""
        return f"{self.row.name} on {self.dataset}" if self.dataset else f"training of {self.row.name}"


def run_suite(
    suite: str | Path,
    *,
    reports: Path | str = "reports",
    maps: Path | str = "maps",
    training: Path | str = "training",
    data_root: Path | str | None = None,
    device: str | None = None,
    batch: int | None = None,
    workers: int | None = None,
    loaders: int = 1,
    keep_maps: bool = True,
    shard: str | Shard | None = None,
    dask: str | None = None,
    shards: int | None = None,
    replace: bool = False,
    trust: bool = False,
    progress: bool = False,
    tell: Tell | None = None,
) -> SuiteRun:
    """Computes what of a suite is not done yet: `sodbench suite run`.

    A cell whose record depends on what it would depend on now is reused; any other is computed, and `tell` is
    told what changed. A failure of one step does not stop the others. Other processes may run the same suite
    at the same time: each step is computed by one of them.

    suite, reports, maps, training, data_root, device, trust: as for `plan_suite`.
    batch, workers, replace, progress: as for `evaluate`. loaders: processes that load training samples.
    keep_maps: whether predicted maps are kept; without, they are scored from memory.
    shard: compute this part of every cell only, such as "3/16"; `sodbench merge` makes the records.
    dask: the address of a Dask scheduler, such as "tcp://host:8786", whose workers compute shards of cells
        and trainings; "local": one worker process per core of this machine (a script needs
        `if __name__ == "__main__":` then).
    shards: into how many parts a cell is shared out with `dask`; None: one per worker, of 64 images or more.
    tell: called with one line about every step, and with the time left.

    Raises InputError for a suite that is wrong, before any work is done.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError(
            "a suite under torchrun: start `sodbench suite run` several times instead; the processes share"
            " its steps, each on the GPU that --device names"
        )
    if dask is not None:
        dask = checked_address(dask)
        if shard is not None:
            raise InputError("--shard and --dask: a cluster shares out all shards; leave --shard out")
    if shards is not None:
        shards = SHARDS.checked("the number of shards", shards)
        if dask is None:
            raise InputError("--shards: it is for --dask; --shard 3/16 computes one part in this process")
    options = Options(
        reports=user_path(reports),
        maps=user_path(maps),
        training=user_path(training),
        data_root=None if data_root is None else user_path(data_root),
        device=device,
        batch=batch,
        workers=workers,
        loaders=loaders,
        keep_maps=keep_maps,
        shard=None if shard is None else Shard.parse(shard),
        replace=replace,
        trust=trust,
        progress=progress,
    )
    driver = _Driver(load_suite(suite), options, tell or (lambda line: None))
    if dask is None:
        return driver.run()
    with dask_engine(dask, options, shards, driver.say) as driver.engine:
        return driver.run()


@dataclass
class _Driver:
    """One process's work on a suite."""

    suite: Suite
    options: Options
    tell: Tell
    ended: dict[_Unit, Outcome] = field(default_factory=dict)
    runs: dict[_Unit, Run] = field(default_factory=dict)
    engine: DaskEngine | None = None
    # held by what must not happen in two threads at once, which all is but the work of a cluster
    turn: threading.RLock = field(default_factory=threading.RLock)

    def say(self, line: str) -> None:
        """Tells one line."""
        with self.turn:
            self.tell(line)

    def run(self) -> SuiteRun:
        self.planner = Planner(self.suite, self.options)
        plan = self.planner.plan()
        self.tell(plan.summary())
        units = [
            _Unit(row, dataset)
            for row in self.suite.rows()
            for dataset in (*([None] if row.seed is not None else []), *self.suite.datasets)
        ]
        self.estimates = dict(zip(units, plan.steps, strict=True))
        self.computed = _Rate()
        pending = units
        while pending:
            left = self._try_all(pending)
            if len(left) == len(pending):  # the others are at all that is left
                self._wait_for(left[0])
                left = left[1:] if left[0] in self.ended else left
            pending = left
        outcomes = tuple(self.ended[unit] for unit in units)
        counts = Counter(one.state for one in outcomes)
        self.tell(f"{self.suite.name}: {', '.join(f'{count} {state}' for state, count in counts.items())}")
        return SuiteRun(self.suite, outcomes, tuple(self.runs[unit] for unit in units if unit in self.runs))

    def _try_all(self, units: list[_Unit]) -> list[_Unit]:
        """Computes what no other process is at, with a cluster all rows at once; what is left."""
        if self.engine is None:
            return [unit for unit in units if not self._try(unit)]
        rows = [[unit for unit in units if unit.row.name == row.name] for row in self.suite.rows()]

        def left_of(row: list[_Unit]) -> list[_Unit]:
            return [unit for unit in row if not self._try(unit)]

        return [unit for left in self.engine.together(left_of, [row for row in rows if row]) for unit in left]

    def _try(self, unit: _Unit) -> bool:
        """Computes a step unless another process is at it, or at the training before it; whether it ended."""
        if unit.dataset is not None and unit.row.seed is not None and _Unit(unit.row) not in self.ended:
            return False
        try:
            with alone(self._lock(unit)):
                self._settle(unit)
        except Taken:
            return False
        return True

    def _wait_for(self, unit: _Unit) -> None:
        first = unit
        if unit.dataset is not None and unit.row.seed is not None and _Unit(unit.row) not in self.ended:
            first = _Unit(unit.row)

        def say() -> None:
            warnings.warn(f"{first.name}: another process is at it; waiting", Note, stacklevel=2)

        with alone(self._lock(first), waiting=say):
            self._settle(first)

    def _lock(self, unit: _Unit) -> Path:
        if unit.dataset is None:
            return training_lock(self.suite, unit.row, self.options)
        return cell_lock(Cell(unit.row, unit.dataset), self.options)

    def _settle(self, unit: _Unit) -> None:
        """Brings a step to its end, with its lock held."""
        began = time.monotonic()
        step = None
        try:
            with self.turn:
                step = self._state(unit)
            if step.state == "done":
                outcome = Outcome(step.method, step.dataset, "reused")
                if step.run is not None:
                    self.runs[unit] = step.run
                    # whoever computed it may have been killed before it noted this
                    remember_root(self.options.reports, data_root(self.options.data_root).path)
                    maps = self.options.maps / folder_name(unit.row.name) / folder_name(step.run.dataset)
                    forget_unfinished(maps, step.run.images)
                elif unit.dataset is None:
                    train_row(self.suite, unit.row, self.options)  # takes one back that was set aside
            elif step.state == "impossible":
                outcome = Outcome(step.method, step.dataset, "impossible", step.reason)
            else:
                outcome = self._compute(unit, step, began)
        except Lost:
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            changed = step.changed if step else ()
            outcome = Outcome(unit.row.name, unit.dataset, "failed", " ".join(reason.split()), changed)
        with self.turn:
            self.ended[unit] = outcome
            self._report(unit, outcome)

    def _state(self, unit: _Unit) -> Step:
        """The state of a step as it is now: another process may have brought it to its end."""
        if unit.dataset is None:
            step = self.planner.training(unit.row)
            assert step is not None  # nosec B101 # for the type checker
            return step
        training = None
        if unit.row.seed is not None:
            before = self.ended[_Unit(unit.row)]
            if before.state == "failed":
                raise InputError(f"its training failed: {cut(before.reason, 300)}")
            training = Step(unit.row.name, None, "impossible" if before.state == "impossible" else "done")
        return self.planner.cell(Cell(unit.row, unit.dataset), training)

    def _compute(self, unit: _Unit, step: Step, began: float) -> Outcome:
        if step.changed:
            self.say(f"{unit.name}: computed again, because this changed: {'; '.join(step.changed)}")
        elif step.reason:
            self.say(f"{unit.name}: {step.reason}")
        if unit.dataset is None:
            self._train(unit.row)
        else:
            self.runs[unit] = self._run_of(Cell(unit.row, unit.dataset))
        seconds = time.monotonic() - began
        with self.turn:
            self.computed.add(unit, step, seconds)
        return Outcome(step.method, step.dataset, "computed", "", step.changed, seconds)

    def _train(self, row: Row) -> None:
        if self.engine is None:
            train_row(self.suite, row, self.options)
        else:
            self.engine.train(self.suite, row)

    def _run_of(self, cell: Cell) -> Run:
        if self.engine is None:
            return compute_cell(self.suite, cell, self.options)

        def parts_of(shard: Shard) -> Parts:
            with self.turn:
                weights = weights_of(self.suite, cell.row, self.options)
                return self.planner.keys.parts_of_shard(cell, weights, shard)

        dataset = self.planner.keys.dataset(cell.dataset)
        names = [sample.name for sample in dataset.samples]
        scoring = replace(
            self.planner.keys.scoring, reports=self.options.reports, replace=self.options.replace
        )
        check_place(cell.row.name, dataset, names, scoring)
        return self.engine.compute(self.suite, cell, parts_of, len(names))

    def _report(self, unit: _Unit, outcome: Outcome) -> None:
        line = f"[{len(self.ended)}/{len(self.estimates)}] {outcome.name}: {outcome.state}"
        if outcome.state == "computed":
            line += f" in {duration(outcome.seconds)}{self.computed.speed(unit, outcome.seconds)}"
        elif outcome.reason:
            line += f": {outcome.reason}"
        left = [
            (one, step)
            for one, step in self.estimates.items()
            if one not in self.ended and step.state in ("to do", "running")
        ]
        if left:
            known = [self.computed.expected(one, step) for one, step in left]
            seconds = sum(one for one in known if one is not None)
            line += f"; {time_left(seconds, known.count(None))}"
        self.tell(line)


@dataclass
class _Rate:
    """What the steps of this run took: seconds per image, or per step of a training, of each method."""

    seconds: dict[tuple[str, bool], float] = field(default_factory=dict)
    units: dict[tuple[str, bool], int] = field(default_factory=dict)
    sizes: dict[_Unit, int] = field(default_factory=dict)

    def add(self, unit: _Unit, step: Step, seconds: float) -> None:
        key, size = _kind(unit), step.steps if unit.dataset is None else step.images
        if size:
            self.sizes[unit] = size
            self.seconds[key] = self.seconds.get(key, 0.0) + seconds
            self.units[key] = self.units.get(key, 0) + size

    def speed(self, unit: _Unit, seconds: float) -> str:
        """The rate of a step: `, 4.9 images/s`."""
        size = self.sizes.get(unit)
        if not size or seconds <= 0:
            return ""
        return f", {size / seconds:.3g} {'steps' if unit.dataset is None else 'images'}/s"

    def expected(self, unit: _Unit, step: Step) -> float | None:
        """The seconds of a step: by the method's own rate in this run, else by recorded speeds."""
        key, size = _kind(unit), step.steps if unit.dataset is None else step.images
        if size and key in self.units:
            return size * self.seconds[key] / self.units[key]
        return step.seconds


def _kind(unit: _Unit) -> tuple[str, bool]:
    return unit.row.method.name, unit.dataset is None
