"""The report of a suite: the table that a paper prints, from the records of its cells."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from sodbench.errors import InputError, Note, first_of, unknown_names
from sodbench.files import locked_folder
from sodbench.names import folder_name
from sodbench.paths import user_path
from sodbench.reporting.csv_json import write_csv, write_json
from sodbench.reporting.report_table import report_table
from sodbench.reporting.selection import Selection, listed
from sodbench.reporting.side_by_side import side_by_side
from sodbench.reporting.wide_formats import write_wide
from sodbench.reporting.write import FORMATS, Written
from sodbench.results.run import Run
from sodbench.suites.plan import Plan
from sodbench.suites.planner import plan_suite
from sodbench.suites.suite import Suite


def report_suite(
    suite: str | Path,
    folder: Path | str | None = None,
    *,
    formats: Sequence[str] = ("markdown",),
    digits: int = 3,
    reports: Path | str = "reports",
    maps: Path | str = "maps",
    training: Path | str = "training",
    data_root: Path | str | None = None,
    device: str | None = None,
    trust: bool = False,
) -> Written:
    """Writes a suite's table, methods by data sets, from the records of its cells: `sodbench suite report`.

    Methods with several seeds have mean and standard deviation. Published rows of the suite's methods follow
    theirs where a number may be compared, with the difference, measured minus published; a suite that names
    its `published` sources shows all comparable rows of these.

    folder: where the documents are written; None: `suites/<name>` in the reports folder.
    formats: among "markdown", "html", "latex", "csv" and "json". digits: those after the point, 1 to 10.

    The other arguments are those of `plan_suite`. A record of other settings than the suite's is left out,
    with a note. Raises InputError where there is no record, and as `plan_suite`.
    """
    formats = listed(formats)
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise unknown_names("format", unknown, FORMATS)
    plan = plan_suite(
        suite,
        reports=reports,
        maps=maps,
        training=training,
        data_root=data_root,
        device=device,
        trust=trust,
    )
    read = plan.suite
    runs, notes = _records(plan)
    if not runs:
        raise InputError(
            f"{read.name}: no cell of this suite is done in {user_path(reports) / 'runs'}; start with "
            f"'sodbench suite run {suite}'{f' ({first_of(notes, 1)})' if notes else ''}"
        )
    selection = Selection(metrics=_metrics(read, runs), protocols=_protocols(read), digits=digits)
    shown = report_table(
        runs,
        selection,
        published=read.published or True,
        seeds=any(row.seed is not None for row in read.rows()),
        measured_methods=not read.published,
    )
    table = side_by_side(
        shown.table,
        title=read.title,
        metrics=shown.table.metrics,
        methods=[method.name for method in read.methods],
        datasets=read.datasets,
        group_by="none",
    )
    place = user_path(reports) / "suites" / folder_name(read.name) if folder is None else user_path(folder)
    with locked_folder(place, waiting=lambda: _wait_for(place)):
        documents = write_wide(place, table, formats)
        if "csv" in formats:
            documents.append(write_csv(place, shown.table))
        if "json" in formats:
            documents.append(write_json(place, shown.table))
    kept = [note for note in shown.notes if not note.startswith("no two runs")]
    return Written(tuple(documents), (), (*notes, *kept))


def _records(plan: Plan) -> tuple[list[Run], list[str]]:
    """The records that the table shows, and notes about the cells without one.

    A record that cannot be compared with what its cell would be now, because weights or data are not here, is
    shown and noted.
    """
    runs: list[Run] = []
    groups: dict[str, list[str]] = {}
    cells = [step for step in plan.steps if step.dataset is not None]
    for step in cells:
        name = f"{step.method} on {step.dataset}"
        if step.state == "done" and step.run is not None:
            runs.append(step.run)
        elif step.run is None:
            groups.setdefault("no record", []).append(name)
        elif step.state == "impossible":
            runs.append(step.run)
            groups.setdefault("shown as recorded; it cannot be checked here", []).append(name)
        else:
            groups.setdefault("left out: recorded with other settings than the suite's", []).append(name)
    return runs, [
        f"{len(names)} of {len(cells)} cells: {why}: {first_of(names, 3)}" for why, names in groups.items()
    ]


def _metrics(suite: Suite, runs: Sequence[Run]) -> list[str] | None:
    """The scores to show, in the suite's order; a family stands for all of its scores."""
    from sodbench.metrics.registry import all_families, split_name

    if suite.metrics is None:
        return None
    named = _protocols(suite)
    recorded = list(dict.fromkeys(full for run in runs for full in run.values()))
    recorded = [full for full in recorded if split_name(full)[1] in named]
    families = all_families()
    chosen: list[str] = []
    for name in suite.metrics:
        metric, at, protocol = name.partition("@")
        names = {one.name for one in families[metric].metrics} | {metric} if metric in families else {metric}
        fitting = [full for full in recorded if split_name(full)[0] in names]
        chosen += [full for full in fitting if not at or split_name(full)[1] == protocol]
    return list(dict.fromkeys(chosen)) or None


def _protocols(suite: Suite) -> list[str]:
    """The suite's protocols by name; the records may hold others, too."""
    from sodbench.metrics.protocol import load_protocol

    return [load_protocol(one).name for one in suite.protocols]


def _wait_for(folder: Path) -> None:
    warnings.warn(f"{folder}: another process is writing a report there; waiting", Note, stacklevel=4)
