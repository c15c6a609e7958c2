"""The uncertainty of a table's values: bootstrap intervals over images, deviations over seeds."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sodbench.reporting.labels import protocols_of
from sodbench.reporting.selection import sort_rows
from sodbench.reporting.table import DEVIATION, HIGH, LOW, Table
from sodbench.results.resampling import bootstrap, scores_of
from sodbench.results.run import Run
from sodbench.results.seeds import Seeds, over_seeds

if TYPE_CHECKING:
    import pandas as pd


def with_intervals(table: Table, runs: Sequence[Run], level: float = 0.95, resamples: int = 1000) -> Table:
    """Adds the bounds of a bootstrap interval to every measured value (`low:maxF@...`, `high:maxF@...`).

    A score that is computed from the images' curves gets none where these were not kept.
    """
    frame = table.frame.copy()
    for full in table.metrics:
        frame[f"{LOW}{full}"] = math.nan
        frame[f"{HIGH}{full}"] = math.nan
    for run in runs:
        rows = frame.index[
            (frame["method"] == run.name) & (frame["dataset"] == run.dataset) & (frame["kind"] == "measured")
        ]
        for protocol in protocols_of(table.metrics):
            if protocol not in run.tables or not len(rows):
                continue
            intervals = bootstrap(scores_of(run.tables[protocol]), run.scored, resamples, level)
            for metric, interval in intervals.items():
                if f"{metric}@{protocol}" in table.metrics:
                    frame.loc[rows, f"{LOW}{metric}@{protocol}"] = interval.low
                    frame.loc[rows, f"{HIGH}{metric}@{protocol}"] = interval.high
    return replace(table, frame=frame)


def with_seeds_joined(table: Table, runs: Sequence[Run], sort: str | None = None) -> Table:
    """Joins the rows of runs that differ only in their seed (`<method>-seed<k>`): mean and deviation.

    Returns the same table where there is nothing to join.
    """
    import pandas as pd

    frame = table.frame
    joined: list[dict[str, object]] = []
    for group in over_seeds(runs):
        names = {run.name for run in group.runs}
        rows = frame[frame["method"].isin(names) & (frame["dataset"] == group.dataset)]
        if len(rows):
            joined.append(_joined(rows, group, table.metrics))
            frame = frame.drop(rows.index)
    if not joined:
        return table
    columns = [*table.frame.columns, *(f"{DEVIATION}{full}" for full in table.metrics)]
    whole = pd.concat([frame, pd.DataFrame(joined)], ignore_index=True).reindex(columns=columns)
    return replace(table, frame=sort_rows(whole, table.metrics, sort))


def _joined(rows: "pd.DataFrame", group: Seeds, metrics: Sequence[str]) -> dict[str, object]:
    """One row for all seeds; comparable with others only if all seeds were scored on the same images."""
    row: dict[str, object] = {str(key): value for key, value in rows.iloc[0].items()}
    row["method"] = group.name
    # the interval of one seed says nothing about the mean of all
    row |= dict.fromkeys([name for name in row if name.startswith((LOW, HIGH))], math.nan)
    if rows["comparable"].nunique() > 1:
        row["comparable"] = f"seeds of {group.method}"
        row["scored"] = int(rows["scored"].min())
    for full in metrics:
        spread = group.scores.get(full)
        row[full] = spread.mean if spread else math.nan
        row[f"{DEVIATION}{full}"] = spread.deviation if spread else math.nan
    return row
