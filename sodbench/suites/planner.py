"""Finds out what of a suite is done, to do, or impossible, and why; computes nothing.

The state of a step follows from what lies in the folders now: records, trainings, data sets, weights, locks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sodbench.data.card import load_card
from sodbench.data.folder import open_dataset
from sodbench.errors import InputError
from sodbench.json_text import read_json
from sodbench.paths import user_path
from sodbench.results.dependencies import Parts, differences, without_further_protocols
from sodbench.results.loading import read_sound_run, record_place
from sodbench.results.run import Run
from sodbench.results.shard_records import shard_folder
from sodbench.shard import Shard
from sodbench.suites.cells import Cell, Keys, weights_of
from sodbench.suites.locks import cell_lock, is_taken, training_lock
from sodbench.suites.options import Options
from sodbench.suites.plan import Plan, Step
from sodbench.suites.speeds import Speeds
from sodbench.suites.suite import Row, Suite, baseline_of, load_suite
from sodbench.suites.trainings import TrainingKeys, recipe_of


def plan_suite(
    suite: str | Path,
    *,
    reports: Path | str = "reports",
    maps: Path | str = "maps",
    training: Path | str = "training",
    data_root: Path | str | None = None,
    device: str | None = None,
    trust: bool = False,
) -> Plan:
    """What of a suite is done, to do, or impossible, and why: `sodbench suite plan`. Computes nothing.

    suite: a name (`sodbench.suite_names()`) or the path of a TOML file.
    reports: the folder of records; maps: the folder of predicted maps, one folder per method in it; training:
        that of trained networks, one folder per suite in it.
    data_root, device: as for `evaluate`.
    trust: whether code outside sodbench, which a baseline of the suite may name, may run.

    Raises InputError for a suite that is wrong (see `docs/suites.md`).
    """
    options = Options(
        reports=user_path(reports),
        maps=user_path(maps),
        training=user_path(training),
        data_root=None if data_root is None else user_path(data_root),
        device=device,
        trust=trust,
    )
    return Planner(load_suite(suite), options).plan()


class Planner:
    """Finds the state of the steps of a suite."""

    def __init__(self, suite: Suite, options: Options) -> None:
        self.suite, self.options = suite, options
        self.keys = Keys(suite, replace(options, shard=None))
        self.parts = Keys(suite, options)
        self.trainings = TrainingKeys(suite, options)
        self.speeds = Speeds(options.reports, options.training, self.keys.device)

    def plan(self) -> Plan:
        """The state of every step as it is now."""
        return Plan(self.suite, tuple(self._steps()))

    def _steps(self) -> Iterator[Step]:
        for row in self.suite.rows():
            training = self.training(row)
            if training is not None:
                yield self._with_running(training, training_lock(self.suite, row, self.options))
            for dataset in self.suite.datasets:
                cell = Cell(row, dataset)
                yield self._with_running(self.cell(cell, training), cell_lock(cell, self.options))

    def training(self, row: Row) -> Step | None:
        """The training of a row; None where it has none."""
        if row.seed is None:
            return None
        step = Step(row.name, None, "to do")
        try:
            recipe = recipe_of(self.suite, row, baseline_of(row.method, self.options.trust))
            step = replace(
                step,
                steps=recipe.iterations,
                seconds=self.speeds.training(row.method, recipe.iterations * recipe.batch),
            )
            progress = self.trainings.progress(row)
        except InputError as error:
            return replace(step, state="impossible", reason=str(error), fetch=self._fetch_training_set(row))
        if progress.done:
            return replace(step, state="done")
        if progress.changed:
            return replace(step, changed=progress.changed)
        if progress.steps and step.seconds is not None:
            step = replace(step, seconds=step.seconds * (1 - progress.steps / recipe.iterations))
        if progress.interrupted:
            step = replace(step, reason="interrupted; goes on from its last checkpoint")
        return step

    def cell(self, cell: Cell, training: Step | None) -> Step:
        """A cell; `training` is the step before it, of a row that is trained."""
        step = Step(cell.row.name, cell.dataset, "to do", expected=load_card(cell.dataset).expected)
        run, problem = recorded(self.options.reports, cell)
        step = replace(step, run=run)
        try:
            dataset = self.keys.dataset(cell.dataset)
        except InputError as error:
            fetch = f"sodbench datasets fetch {cell.dataset}"
            return replace(step, state="impossible", reason=str(error), fetch=fetch)
        images = len(dataset.samples)
        step = replace(step, images=images, seconds=self.speeds.cell(cell.row.method, images))
        if training is not None and training.state != "done":
            if training.state == "impossible":
                return replace(step, state="impossible", reason="its network cannot be trained here")
            return step
        try:
            weights = self._weights(cell.row)
            wanted = self.keys.parts(cell, weights)
        except InputError as error:
            command = self._fetch_weights(cell.row)
            return replace(step, state="impossible", reason=str(error), fetch=command)
        then = {} if run is None else without_further_protocols(run.provenance.depends_on, wanted)
        if run is not None and then == wanted:
            return replace(step, state="done")
        shard = self.options.shard
        if shard is not None:
            made = shard_parts(self.options.reports, cell, shard)
            wanted = self.parts.parts(cell, weights)
            changed = differences(made, wanted) if made else ()
            return replace(step, state="done" if made == wanted else "to do", changed=tuple(changed))
        if run is None:
            return replace(step, reason=problem)
        if not then:
            return replace(step, reason="its record does not say what its scores depend on")
        return replace(step, changed=tuple(differences(then, wanted)))

    def _weights(self, row: Row) -> Path | None:
        return weights_of(self.suite, row, self.options) if row.seed is None else self.trainings.weights(row)

    def _with_running(self, step: Step, lock: Path) -> Step:
        return replace(step, state="running") if step.state == "to do" and is_taken(lock) else step

    def _fetch_weights(self, row: Row) -> str | None:
        if row.method.baseline is None or row.method.weights is not None or row.seed is not None:
            return None
        try:
            baseline = baseline_of(row.method, self.options.trust)
        except InputError:
            return None
        return f"sodbench baselines fetch {baseline.name}" if baseline.weights_state == "fetch" else None

    def _fetch_training_set(self, row: Row) -> str | None:
        """The command for the first data set that a training lacks."""
        try:
            recipe = recipe_of(self.suite, row, baseline_of(row.method, self.options.trust))
        except InputError:
            return None
        for name in (*recipe.dataset, *recipe.validate_on):
            try:
                open_dataset(name, self.options.data_root)
            except InputError:
                return f"sodbench datasets fetch {load_card(name).name}"
        return None


def recorded(reports: Path, cell: Cell) -> tuple[Run | None, str]:
    """The record in the place of a cell's, and what is wrong with one that cannot be used."""
    folder = record_place(reports, cell.row.name, cell.dataset)
    if not folder.is_dir():
        return None, ""
    try:
        return read_sound_run(folder, cell.row.name, cell.dataset, reports), ""
    except InputError as error:
        return None, str(error)


def shard_parts(reports: Path, cell: Cell, shard: Shard) -> Parts:
    """What the recorded shard of a cell depended on; empty where there is none."""
    folder = shard_folder(reports, cell.row.name, cell.dataset, shard)
    try:
        parts = read_json(folder / "shard.json")["provenance"]["depends_on"]
    except (InputError, KeyError, TypeError):
        return {}
    return dict(parts) if isinstance(parts, dict) else {}
