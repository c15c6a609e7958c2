"""The one table behind every format: a row a method and data set, a column a metric by its full name."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.errors import unknown_names
from sodbench.report.efficiency import EFFICIENCY, efficiency_of
from sodbench.report.labels import DEFAULT_PROTOCOL, label, order, split_name
from sodbench.results.published import method_of
from sodbench.results.run import Run
from sodbench.results.seeds import seed_of

if TYPE_CHECKING:
    import pandas as pd

# columns that describe a row; then come the efficiency columns, the metrics (`maxF@pysodmetrics`) and, where
# published rows stand beside measured ones, measured minus published (`difference:maxF@pysodmetrics`)
FACTS = (
    "dataset",
    "title",
    "method",
    "literature",  # the name of the same method in the literature, where it has one
    "kind",  # measured or published
    "scored",
    "expected",
    "comparable",
    "cite",  # key in leaderboard.bib
    "source",  # paper and table of a published row
    "digits",  # digits after the point as printed there
    "note",
)
DIFFERENCE = "difference:"
# standard deviation over seeds, bounds of the confidence interval
DEVIATION, LOW, HIGH = "deviation:", "low:", "high:"


@dataclass(frozen=True)
class Selection:
    """What a report shows: names of methods, data sets, metrics, protocols (None: all), digits, order."""

    methods: Sequence[str] | None = None
    datasets: Sequence[str] | None = None
    metrics: Sequence[str] | None = None
    protocols: Sequence[str] | None = None
    precision: int = 3
    sort: str | None = None


@dataclass(frozen=True)
class Table:
    """The frame, the digits to print, and a list of notes a data set that every format shows.

    `left_out` says which runs have nothing to show in the chosen columns.
    """

    frame: "pd.DataFrame"
    precision: int = 3
    notes: Mapping[str, list[str]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def metrics(self) -> list[str]:
        """Full names of the metrics, in their order."""
        return metric_columns(self.frame)

    def metrics_of(self, rows: "pd.DataFrame") -> list[str]:
        """Full names of the metrics of which one data set's rows hold a value."""
        return [full for full in self.metrics if rows[full].notna().any()]

    @property
    def efficiency(self) -> list[str]:
        """The efficiency columns that hold a number."""
        return [name for name in EFFICIENCY if name in self.frame and self.frame[name].notna().any()]

    def datasets(self) -> "Iterable[tuple[str, str, pd.DataFrame]]":
        """(name, title, rows) of each data set."""
        for name, rows in self.frame.groupby("dataset", sort=False):
            yield str(name), str(rows["title"].iloc[0]), rows


def build(runs: Sequence[Run], selection: Selection, reports: Path | None = None) -> Table:
    """One row a selected run: the columns of FACTS, efficiency, then the metrics (NaN where absent).

    Rows of one data set whose `comparable` is equal were scored on the same images and masks. `reports` is
    where measured efficiencies are looked up.
    """
    import pandas as pd

    chosen = select(runs, selection)
    metrics = columns_of(chosen, selection)
    rows: list[dict[str, Any]] = []
    left_out = []
    for run in chosen:
        values = run.values()
        if not set(values) & set(metrics):
            left_out.append(
                f"{run.name} on {run.title} has no score in these columns, only under protocol"
                f" {', '.join(run.tables)}; choose with --protocols"
            )
            continue
        method = method_of(seeded[0] if (seeded := seed_of(run.name)) else run.name)
        facts = {
            "dataset": run.dataset,
            "title": run.title,
            "method": run.name,
            "literature": method.name if method else None,
            "kind": "measured",
            "scored": run.scored,
            "expected": run.expected,
            "comparable": run.scored_on,
            "cite": method.cite if method else None,
        }
        rows.append(
            facts | efficiency_of(run, reports) | {full: values.get(full, math.nan) for full in metrics}
        )
    frame = pd.DataFrame(rows, columns=[*FACTS, *EFFICIENCY, *metrics])
    ordered = sort_rows(frame, metrics, selection.sort)
    return Table(ordered, selection.precision, left_out=tuple(left_out))


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
    """Full names of the metrics to show, in the field's order, a metric's protocols side by side.

    Without a choice of protocols: the default one if any run has it, else all there are.
    """
    recorded = {full for run in runs for full in run.values()}
    protocols = list(selection.protocols or [])
    if not protocols:
        found = sorted({split_name(full)[1] for full in recorded})
        protocols = [DEFAULT_PROTOCOL] if DEFAULT_PROTOCOL in found else found
    if selection.metrics is None:
        shown = [full for full in recorded if split_name(full)[1] in protocols]
        return sorted(
            shown,
            key=lambda full: (order(full)[0], split_name(full)[0], protocols.index(split_name(full)[1])),
        )
    known = recorded | {split_name(full)[0] for full in recorded}
    _check("metric", selection.metrics, known)
    asked = [
        full
        for metric in selection.metrics
        for full in ([metric] if "@" in metric else [f"{metric}@{protocol}" for protocol in protocols])
    ]
    return list(dict.fromkeys(full for full in asked if full in recorded))


def metric_columns(frame: "pd.DataFrame") -> list[str]:
    """The metrics of a frame, in their order."""
    names = [str(column) for column in frame.columns]
    return [name for name in names if "@" in name and ":" not in name.partition("@")[0]]


def sort_rows(frame: "pd.DataFrame", metrics: Sequence[str], sort: str | None) -> "pd.DataFrame":
    """Data sets by name; in each the best first by `sort` (default max F, else the first metric)."""
    if sort == "name":
        return frame.sort_values(["dataset", "method"], ignore_index=True)
    if sort is None:
        first = metrics[0] if metrics else None
        key = next((full for full in metrics if split_name(full)[0] == "maxF"), first)
    else:
        key = next((full for full in metrics if sort in (full, split_name(full)[0])), None)
        known = {*metrics, *(split_name(full)[0] for full in metrics), "name"}
        _check("metric to sort by", None if key else [sort], known)
    if key is None:
        return frame.sort_values(["dataset", "method"], ignore_index=True)
    ascending = label(key).better == "down"
    return frame.sort_values(["dataset", key, "method"], ascending=[True, ascending, True], ignore_index=True)


def marks(table: Table) -> "pd.DataFrame":
    """Marks each metric among the comparable measured rows of a data set: "best", "second" or "".

    Values that print alike rank alike. A column is marked only where at least two rows are comparable;
    where rows fall into several groups of images, only the group with the most images is ranked.
    """
    import pandas as pd

    found = pd.DataFrame("", index=table.frame.index, columns=table.metrics)
    for _, _, rows in table.datasets():
        group = ranked_rows(rows)
        for full in table.metrics:
            better = label(full).better
            values = group[full].dropna().round(table.precision)
            if better is None or len(values) < 2:
                continue
            distinct = sorted(values.unique(), reverse=better == "up")
            for name, value in zip(("best", "second"), distinct, strict=False):
                found.loc[values.index[values == value], full] = name
    return found


def ranked_rows(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Of one data set's measured rows those scored on the same images as the row with the most images."""
    measured = rows.loc[rows["kind"] == "measured"]
    most = measured.loc[measured["scored"] == measured["scored"].max()]
    largest = most["comparable"].value_counts().index[0]
    chosen: pd.DataFrame = measured.loc[measured["comparable"] == largest]
    return chosen


def _check(kind: str, asked: Sequence[str] | None, known: set[str]) -> None:
    unknown = [name for name in asked or [] if name not in known]
    if unknown:
        raise unknown_names(kind, unknown, known)
