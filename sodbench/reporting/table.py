"""The one table behind every format: one row per method and data set, one column per metric."""

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.reporting.comparable_protocols import Comparable
from sodbench.reporting.efficiency_columns import EFFICIENCY, efficiency_of
from sodbench.reporting.labels import label
from sodbench.reporting.selection import Selection, select_metrics, select_runs, sort_rows
from sodbench.results.published import method_of
from sodbench.results.run import Run
from sodbench.results.seeds import seed_of

if TYPE_CHECKING:
    import pandas as pd

# one row of the frame: text, numbers or None by column name
Row = Mapping[Hashable, Any]
# the columns that describe a row; the efficiency columns and the metrics (`maxF@pysodmetrics`) follow
FACTS = (
    "dataset",
    "title",
    "method",
    "literature",  # the method's name in the literature, where it has one
    "kind",  # "measured" or "published"
    "scored",
    "expected",
    "comparable",  # equal for rows that were scored on the same images and masks
    "cite",  # key in leaderboard.bib
    "source",  # paper and table of a published row
    "link",  # address of that paper
    "measured_as",  # the run that a published row is compared with; none: a method that has no run here
    "digits",  # digits after the point as printed there
    "note",
)
# columns that belong to a metric start with one of these: measured minus published, standard deviation over
# seeds, the bounds of the confidence interval
DIFFERENCE, DEVIATION, LOW, HIGH = "difference:", "deviation:", "low:", "high:"


@dataclass(frozen=True)
class Table:
    """The frame, the digits to print, and for each data set the notes that every format prints.

    `remarks` are those on published values and the reasons why others are not shown: long, so that pages fold
    them. `comparable` says under which protocols those become comparable. `left_out` names the runs that have
    no score in the chosen columns.
    """

    frame: "pd.DataFrame"
    digits: int = 3
    notes: Mapping[str, list[str]] = field(default_factory=dict)
    remarks: Mapping[str, list[str]] = field(default_factory=dict)
    comparable: Mapping[str, list[Comparable]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def metrics(self) -> list[str]:
        """Full names of the metrics, in the order of their columns."""
        names = [str(column) for column in self.frame.columns]
        return [name for name in names if "@" in name and ":" not in name.partition("@")[0]]

    def metrics_of(self, rows: "pd.DataFrame") -> list[str]:
        """Full names of the metrics for which the rows of a data set hold a value."""
        return [full for full in self.metrics if rows[full].notna().any()]

    @property
    def efficiency(self) -> list[str]:
        """The efficiency columns that hold a value."""
        return [name for name in EFFICIENCY if name in self.frame and self.frame[name].notna().any()]

    def notes_of(self, dataset: str) -> list[str]:
        """All notes on a data set as text, for formats that fold nothing."""
        commands = [str(one) for one in self.comparable.get(dataset, [])]
        return [*self.notes.get(dataset, []), *commands, *self.remarks.get(dataset, [])]

    def datasets(self) -> "Iterator[tuple[str, str, pd.DataFrame]]":
        """(name, title, rows) of each data set."""
        for name, rows in self.frame.groupby("dataset", sort=False):
            yield str(name), str(rows["title"].iloc[0]), rows


def make_table(runs: Sequence[Run], selection: Selection, reports: Path | None = None) -> Table:
    """One row per selected run: the columns of FACTS, efficiency, then the metrics (NaN where absent).

    `reports` is the folder with the efficiency that was measured; without it those columns are empty.
    Raises InputError for names that no run has.
    """
    import pandas as pd

    chosen = select_runs(runs, selection)
    metrics = select_metrics(chosen, selection)
    rows: list[dict[str, object]] = []
    left_out = []
    for run in chosen:
        values = run.values()
        if not set(values) & set(metrics):
            left_out.append(
                f"{run.name} on {run.title} has no score in these columns, only under protocol"
                f" {', '.join(run.tables)}; name that protocol to show it, or score its maps again with"
                " --rescore"
            )
            continue
        method = method_of(seeded[0] if (seeded := seed_of(run.name)) else run.name)
        facts: dict[str, object] = {
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
        scores = {full: values.get(full, math.nan) for full in metrics}
        rows.append(facts | efficiency_of(run, reports) | scores)
    frame = pd.DataFrame(rows, columns=[*FACTS, *EFFICIENCY, *metrics])
    ordered = sort_rows(frame, metrics, selection.sort)
    return Table(ordered, selection.digits, left_out=tuple(left_out))


def published_only(rows: "pd.DataFrame") -> "pd.Series[bool]":
    """Which rows of a data set hold published values of methods that have no run here."""
    return (rows["kind"] == "published") & rows["measured_as"].isna()


def marks(table: Table) -> "pd.DataFrame":
    """Marks each metric among the comparable measured rows of a data set: "best", "second" or "".

    Values that print alike share the mark. A column is marked only where at least two rows are comparable;
    where the rows fall into several groups of images, only the group with the most images is ranked.
    """
    import pandas as pd

    marked = pd.DataFrame("", index=table.frame.index, columns=table.metrics)
    for _, _, rows in table.datasets():
        group = ranked_rows(rows)
        for full in table.metrics:
            higher_is_better = label(full).higher_is_better
            if higher_is_better is not None:
                for index, mark in best_two(group[full], table.digits, higher_is_better).items():
                    marked.loc[index, full] = mark
    return marked


def best_two(values: "pd.Series[float]", digits: int, higher_is_better: bool) -> dict[Any, str]:
    """Marks the best and the second best value as printed with `digits`, by the index of the values.

    Values that print alike share the mark; fewer than two values have none.
    """
    printed = values.dropna().round(digits)
    if len(printed) < 2:
        return {}
    distinct = sorted(printed.unique(), reverse=higher_is_better)
    names = dict(zip(distinct, ("best", "second"), strict=False))
    return {index: names[value] for index, value in printed.items() if value in names}


def ranked_rows(rows: "pd.DataFrame") -> "pd.DataFrame":
    """The measured rows of one data set that were scored on the same images as the row with most images."""
    measured = rows.loc[rows["kind"] == "measured"]
    most = measured.loc[measured["scored"] == measured["scored"].max()]
    largest = most["comparable"].value_counts().index[0]
    chosen: pd.DataFrame = measured.loc[measured["comparable"] == largest]
    return chosen
