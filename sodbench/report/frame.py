"""The one table behind every format: a row a method and data set, a column a metric by its full name."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sodbench.errors import unknown_names
from sodbench.report.labels import DEFAULT_PROTOCOL, label, order, split_name
from sodbench.results.record import Run

if TYPE_CHECKING:
    import pandas as pd

# columns that describe a row; all other columns are metrics
FACTS = ("dataset", "title", "method", "scored", "expected", "comparable")


@dataclass(frozen=True)
class Selection:
    """What a report shows: names of methods, data sets, metrics, protocols (None: all), digits, order."""

    methods: Sequence[str] | None = None
    datasets: Sequence[str] | None = None
    metrics: Sequence[str] | None = None
    protocols: Sequence[str] | None = None
    precision: int = 3
    sort: str | None = None


def select(runs: Iterable[Run], selection: Selection) -> list[Run]:
    """The runs of the chosen methods and data sets; InputError names what no run has."""
    runs = list(runs)
    _check("method", selection.methods, {run.name for run in runs})
    _check("data set", selection.datasets, {run.dataset for run in runs})
    _check("protocol", selection.protocols, {protocol for run in runs for protocol in run.tables})
    return [
        run
        for run in runs
        if (selection.methods is None or run.name in selection.methods)
        and (selection.datasets is None or run.dataset in selection.datasets)
    ]


def columns_of(runs: Sequence[Run], selection: Selection) -> list[str]:
    """Full names of the metrics to show, in the field's order, protocol after protocol.

    Without a choice of protocols: the default one if any run has it, else all there are.
    """
    recorded = {full for run in runs for full in run.values()}
    protocols = list(selection.protocols or [])
    if not protocols:
        found = sorted({split_name(full)[1] for full in recorded})
        protocols = [DEFAULT_PROTOCOL] if DEFAULT_PROTOCOL in found else found
    if selection.metrics is None:
        return [
            full
            for protocol in protocols
            for full in sorted(recorded, key=order)
            if split_name(full)[1] == protocol
        ]
    asked = [
        full
        for metric in selection.metrics
        for full in ([metric] if "@" in metric else [f"{metric}@{protocol}" for protocol in protocols])
    ]
    plain = {split_name(full)[0] for full in recorded}
    _check("metric", [full for full in asked if full not in recorded], recorded | plain)
    return list(dict.fromkeys(asked))


def build(runs: Sequence[Run], selection: Selection) -> "pd.DataFrame":
    """One row a selected run: the columns of FACTS, then the metrics by full name (NaN where absent).

    Rows of one data set whose `comparable` is equal were scored on the same images and masks.
    """
    import pandas as pd

    chosen = select(runs, selection)
    metrics = columns_of(chosen, selection)
    rows = []
    for run in chosen:
        values = run.values()
        facts = {
            "dataset": run.dataset,
            "title": run.title,
            "method": run.name,
            "scored": run.scored,
            "expected": run.expected,
            "comparable": f"{run.dataset_digest}:{run.provenance.get('images_sha256', run.scored)}",
        }
        rows.append(facts | {full: values.get(full, math.nan) for full in metrics})
    frame = pd.DataFrame(rows, columns=[*FACTS, *metrics])
    return _sorted(frame, metrics, selection.sort)


def metric_columns(frame: "pd.DataFrame") -> list[str]:
    """The metrics of a frame, in their order."""
    return [str(column) for column in frame.columns if "@" in str(column)]


def _sorted(frame: "pd.DataFrame", metrics: Sequence[str], sort: str | None) -> "pd.DataFrame":
    """Data sets by name; in each the best first by `sort` (default max F, else the first metric)."""
    if sort == "name":
        return frame.sort_values(["dataset", "method"], ignore_index=True)
    if sort is None:
        key = next(
            (full for full in metrics if split_name(full)[0] == "maxF"), metrics[0] if metrics else None
        )
    else:
        key = next((full for full in metrics if sort in (full, split_name(full)[0])), None)
        _check(
            "metric to sort by",
            None if key else [sort],
            {*metrics, *(split_name(m)[0] for m in metrics), "name"},
        )
    if key is None:
        return frame.sort_values(["dataset", "method"], ignore_index=True)
    ascending = label(key).better == "down"
    return frame.sort_values(["dataset", key, "method"], ascending=[True, ascending, True], ignore_index=True)


def marks(frame: "pd.DataFrame", precision: int) -> "pd.DataFrame":
    """Marks each metric among the comparable rows of a data set: "best", "second" or "" elsewhere.

    Values that print alike rank alike. A column is marked only where at least two rows are comparable;
    where rows fall into several groups of images, only the group with the most images is ranked.
    """
    import pandas as pd

    metrics = metric_columns(frame)
    found = pd.DataFrame("", index=frame.index, columns=metrics)
    for _, rows in frame.groupby("dataset", sort=False):
        group = ranked_rows(rows)
        for full in metrics:
            better = label(full).better
            values = group[full].dropna().round(precision)
            if better is None or len(values) < 2:
                continue
            distinct = sorted(values.unique(), reverse=better == "up")
            for name, value in zip(("best", "second"), distinct, strict=False):
                found.loc[values.index[values == value], full] = name
    return found


def ranked_rows(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Of one data set's rows those scored on the same images as the row with the most images."""
    most = rows[rows["scored"] == rows["scored"].max()]
    largest = most["comparable"].value_counts().index[0]
    chosen: pd.DataFrame = rows.loc[rows["comparable"] == largest]
    return chosen


def _check(kind: str, asked: Sequence[str] | None, known: set[str]) -> None:
    unknown = [name for name in asked or [] if name not in known]
    if unknown:
        raise unknown_names(kind, unknown, known)
