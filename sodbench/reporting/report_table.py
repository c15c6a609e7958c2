"""The table that a report shows of recorded runs: selected, with intervals, joined seeds, published rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sodbench.arguments import DIGITS
from sodbench.errors import InputError
from sodbench.paths import user_path
from sodbench.reporting.headline import headline
from sodbench.reporting.published_rows import with_published
from sodbench.reporting.selection import Selection, of_one_meaning, select_metrics, select_runs
from sodbench.reporting.table import Table, make_table
from sodbench.reporting.uncertainty import with_intervals, with_seeds_joined
from sodbench.results.loading import load_runs
from sodbench.results.run import Run, checked_runs
from sodbench.results.shard_records import merge_hint


@dataclass(frozen=True)
class ReportTable:
    """The runs that a report shows, their table as measured, and the table as every format prints it."""

    runs: list[Run]
    measured: Table
    table: Table
    notes: tuple[str, ...]


def report_table(
    runs: Run | Iterable[Run] | Path | str,
    selection: Selection,
    *,
    efficiency: Path | None = None,
    published: bool | Sequence[str] = False,
    intervals: bool = False,
    seeds: bool = False,
    measured_methods: bool = False,
    arguments: Sequence[str] | None = None,
    headline_only: bool = False,
) -> ReportTable:
    """The selected runs and their table, with the intervals, joined seeds and published rows asked for.

    `efficiency` is the reports folder in which measured efficiencies are looked up. With `measured_methods`
    only published rows of methods in the table are added. `arguments` are those of the report, for the
    commands that show more published rows (None: no commands). See `report`.
    With `headline_only` the metrics are MAE, max F and S, or all that were recorded where these were not.
    """
    DIGITS.checked("digits", selection.digits)
    runs = runs_of(runs)
    chosen, mixed = of_one_meaning(select_runs(runs, selection), selection)
    if headline_only:
        selection = replace(selection, metrics=headline(select_metrics(chosen, selection)))
    measured = make_table(chosen, selection, efficiency)
    notes = [*mixed, *measured.left_out]
    table = with_intervals(measured, chosen) if intervals else measured
    if seeds:
        joined = with_seeds_joined(table, chosen, selection.sort)
        if joined is table:
            notes.append("no two runs named <method>-seed<k> to join")
        table = joined
    if published is not False:
        table = with_published(
            table, chosen, sources_of(published), measured_methods=measured_methods, arguments=arguments
        )
    return ReportTable(chosen, measured, table, tuple(notes))


def runs_of(runs: Run | Iterable[Run] | Path | str) -> list[Run]:
    """The runs of a reports folder, or as they were given; InputError where there are none."""
    if isinstance(runs, Path | str):
        folder = user_path(runs)
        runs = load_runs(folder)
        if not runs:
            raise InputError(
                f"no runs in {folder / 'runs'}; make one with 'sodbench run' or 'sodbench score'"
                f"{merge_hint(folder)}"
            )
    runs = checked_runs([runs] if isinstance(runs, Run) else runs)
    if not runs:
        raise InputError("no runs given; give at least one")
    return runs


def sources_of(published: bool | Sequence[str]) -> Sequence[str]:
    """The names of the sources asked for; none: all of them."""
    return () if isinstance(published, bool) else published
