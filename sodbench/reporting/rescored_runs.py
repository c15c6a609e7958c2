"""`report --rescore`: the runs of a report, scored under the protocols asked for as far as they lack them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from sodbench.errors import InputError
from sodbench.further_protocols import with_protocols
from sodbench.reporting.labels import DEFAULT_PROTOCOL
from sodbench.reporting.report_table import runs_of
from sodbench.reporting.selection import Selection, is_scored_under, select_metrics, select_runs
from sodbench.results.run import Run


def rescored_runs(
    selection: Selection,
    runs: Run | Iterable[Run] | Path | str,
    data_root: Path | str | None,
    workers: int | None,
    progress: bool,
) -> tuple[Selection, list[Run], tuple[str, ...]]:
    """What is to be shown of the runs that are scored now, these runs, and notes."""
    from sodbench.metrics import load_protocol

    of_metrics = [one.partition("@")[2] for one in selection.metrics or () if "@" in one]
    asked = list(selection.protocols or dict.fromkeys(of_metrics) or [DEFAULT_PROTOCOL])
    for one in asked:  # a wrong name is said before the work
        load_protocol(one)
    runs = runs_of(runs)
    anything = replace(selection, protocols=None)
    chosen = select_runs(runs, anything)
    if selection.metrics is not None:
        plain = [one.partition("@")[0] for one in selection.metrics]
        select_metrics(chosen, replace(anything, metrics=plain))
    rescored = with_protocols(chosen, asked, data_root=data_root, workers=workers, progress=progress)
    held = [one for one in asked if any(is_scored_under(run, one) for run in rescored.runs)]
    # the notes name the others
    runs = [run for run in rescored.runs if any(is_scored_under(run, one) for one in held)]
    if not runs:
        raise InputError("; ".join(rescored.notes))
    protocols = held if selection.protocols is not None else None
    return replace(selection, methods=None, datasets=None, protocols=protocols), runs, rescored.notes
