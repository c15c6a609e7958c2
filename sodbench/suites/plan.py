"""The plan of a suite: its trainings and cells, and which of them are done, to do, or impossible and why.

import sodbench as sb

plan = sb.plan_suite("basnet-table2")
plan.steps                 # one per training and cell: state, reason, what changed, seconds
plan.fetch                 # the commands that fetch what is missing
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any, Literal

from sodbench.cell_key import Parts, differences
from sodbench.data.card import load_card
from sodbench.errors import InputError, first_of
from sodbench.json_text import plain, read_json
from sodbench.names import folder_name
from sodbench.paths import user_path
from sodbench.results.integrity import differences as record_differences
from sodbench.results.loading import misplaced, read_run
from sodbench.results.run import Run
from sodbench.shard import Shard
from sodbench.suites.cells import Cell, Keys, weights_of
from sodbench.suites.durations import duration
from sodbench.suites.locks import cell_lock, is_taken, training_lock
from sodbench.suites.options import Options
from sodbench.suites.speeds import Speeds
from sodbench.suites.suite import Row, Suite, baseline_of, load_suite
from sodbench.suites.trainings import TrainingKeys, recipe_of
from sodbench.text import columns

State = Literal["done", "running", "to do", "impossible"]
TRAINING = "(training)"  # in place of the data set, where tables print a training


@dataclass(frozen=True)
class Step:
    """One training or one cell of a suite, and its state.

    method: its row's name. dataset: None for a training. images: how many are on this disk, of expected ones.
    steps: of a training, how many its recipe has. reason: why it is not done. changed: what its record, or
    its former training, depended on and what it would depend on now. fetch: the command that fetches what is
    missing. seconds: an estimate from recorded speeds; None: unknown. run: its record, also where that is of
    other settings.
    """

    method: str
    dataset: str | None
    state: State
    images: int | None = None
    expected: int | None = None
    steps: int | None = None
    reason: str = ""
    changed: tuple[str, ...] = ()
    fetch: str | None = None
    seconds: float | None = None
    run: Run | None = field(default=None, repr=False, compare=False)

    @property
    def size(self) -> str:
        """What there is to do: `201/1000 images`, `800 steps`."""
        if self.steps is not None:
            return f"{self.steps} steps"
        return "" if self.images is None else f"{self.images}/{self.expected} images"

    def as_dict(self) -> dict[str, Any]:
        """The public JSON object."""
        fields: dict[str, Any] = plain(replace(self, run=None))
        del fields["run"]
        return {"kind": "training" if self.dataset is None else "cell", **fields}


@dataclass(frozen=True, repr=False)
class Plan:
    """The steps of a suite, in the order in which they are computed."""

    suite: Suite
    steps: tuple[Step, ...]

    @property
    def counts(self) -> dict[str, int]:
        """The number of steps in each state."""
        return dict(Counter(step.state for step in self.steps))

    @property
    def fetch(self) -> list[str]:
        """The commands that fetch what is missing, each once."""
        return list(dict.fromkeys(step.fetch for step in self.steps if step.fetch))

    @property
    def seconds(self) -> float:
        """The estimated seconds of what is to do and of known speed."""
        return sum(step.seconds or 0 for step in self.steps if step.state == "to do")

    @property
    def unknown(self) -> int:
        """The number of steps to do of unknown speed."""
        return sum(step.state == "to do" and step.seconds is None for step in self.steps)

    def as_dict(self) -> dict[str, Any]:
        """The public JSON object."""
        return {
            "suite": self.suite.name,
            "title": self.suite.title,
            "counts": self.counts,
            "seconds": self.seconds,
            "unknown": self.unknown,
            "fetch": self.fetch,
            "steps": [step.as_dict() for step in self.steps],
        }

    def lines(self) -> list[str]:
        """The plan as text: one line per step, then why and what to do."""
        rows = [("method", "data set", "", "state", "time")]
        for step in self.steps:
            time = "" if step.state != "to do" else duration(step.seconds)
            rows.append((step.method, step.dataset or TRAINING, step.size, step.state, time))
        lines = [*columns(rows), "", self.summary()]
        reasons: dict[str, list[str]] = {}
        for step in self.steps:
            if step.reason:
                reasons.setdefault(step.reason, []).append(_named(step))
            if step.changed:
                reasons.setdefault(f"changed: {'; '.join(step.changed)}", []).append(_named(step))
        lines += [f"{first_of(names, 3)}: {reason}" for reason, names in reasons.items()]
        return lines + [f"to fetch: {command}" for command in self.fetch]

    def summary(self) -> str:
        """One line: how many steps are in each state, and the time that the rest takes."""
        trainings = sum(step.dataset is None for step in self.steps)
        cells = len(self.steps) - trainings
        counted = [f"{trainings} training{'s' * (trainings != 1)}"] * bool(trainings)
        counted.append(f"{cells} cell{'s' * (cells != 1)}")
        order = ("done", "running", "to do", "impossible")
        states = ", ".join(f"{self.counts[one]} {one}" for one in order if one in self.counts)
        line = f"{self.suite.name}: {' and '.join(counted)}: {states}"
        return f"{line}; {time_left(self.seconds, self.unknown)}" if "to do" in self.counts else line

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        heads = ("method", "data set", "size", "state", "time", "why")
        rows = [
            (
                step.method,
                step.dataset or TRAINING,
                step.size,
                step.state,
                duration(step.seconds) if step.state == "to do" else "",
                "; ".join([step.reason] * bool(step.reason) + [*step.changed]),
            )
            for step in self.steps
        ]
        head = "".join(f"<th>{text}</th>" for text in heads)
        body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
        return f"<table><caption>{escape(self.summary())}</caption><tr>{head}</tr>{body}</table>"


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
        if run is not None and run.provenance.depends_on == wanted:
            return replace(step, state="done")
        shard = self.options.shard
        if shard is not None:
            then = shard_parts(self.options.reports, cell, shard)
            wanted = self.parts.parts(cell, weights)
            changed = differences(then, wanted) if then else ()
            return replace(step, state="done" if then == wanted else "to do", changed=tuple(changed))
        if run is None:
            return replace(step, reason=problem)
        then = run.provenance.depends_on
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
        from sodbench.data.folder import open_dataset

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
    folder = reports / "runs" / folder_name(cell.row.name) / folder_name(cell.dataset)
    if not folder.is_dir():
        return None, ""
    try:
        run = read_run(folder, reports)
        problems = [*misplaced(run, cell.row.name, cell.dataset), *record_differences(run)]
    except InputError as error:
        return None, str(error)
    return (None, f"{folder}: {first_of(problems, 3)}") if problems else (run, "")


def shard_parts(reports: Path, cell: Cell, shard: Shard) -> Parts:
    """What the recorded shard of a cell depended on; empty where there is none."""
    names = (folder_name(cell.row.name), folder_name(cell.dataset), shard.folder)
    try:
        parts = read_json(reports.joinpath("shards", *names, "shard.json"))["provenance"]["depends_on"]
    except (InputError, KeyError, TypeError):
        return {}
    return dict(parts) if isinstance(parts, dict) else {}


def time_left(seconds: float, unknown: int) -> str:
    """How long the rest takes, in words: `about 3 min left`, `3 min and 2 steps of unknown time left`."""
    steps = f"{unknown} step{'s' * (unknown != 1)} of unknown time"
    if unknown:
        return f"about {duration(seconds)} and {steps} left" if seconds else f"{steps} left"
    return f"about {duration(seconds)} left"


def _named(step: Step) -> str:
    return f"{step.method} on {step.dataset}" if step.dataset else f"training of {step.method}"
