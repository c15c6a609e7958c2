"""How sure a table's values are: bootstrap intervals over images, mean and deviation over seeds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sodbench.report.frame import DEVIATION, HIGH, LOW, Table, sort_rows
from sodbench.report.labels import protocols_of
from sodbench.results.run import Run
from sodbench.results.seeds import Seeds, over_seeds
from sodbench.results.statistics import bootstrap, scores_of


def with_intervals(table: Table, runs: Sequence[Run], level: float = 0.95, resamples: int = 1000) -> Table:
    """Adds the bounds of a bootstrap interval to every measured value (`low:maxF@...`, `high:maxF@...`).

    Scores whose images' curves were not kept get none.
    """
    frame = table.frame.copy()
    for full in table.metrics:
        frame[f"{LOW}{full}"] = float("nan")
        frame[f"{HIGH}{full}"] = float("nan")
    for run in runs:
        rows = frame.index[
            (frame["method"] == run.name) & (frame["dataset"] == run.dataset) & (frame["kind"] == "measured")
        ]
        for protocol in protocols_of(table.metrics):
            if protocol not in run.tables or not len(rows):
                continue
            found = bootstrap(scores_of(run.tables[protocol]), run.scored, resamples, level)
            for metric, interval in found.items():
                if f"{metric}@{protocol}" in table.metrics:
                    frame.loc[rows, f"{LOW}{metric}@{protocol}"] = interval.low
                    frame.loc[rows, f"{HIGH}{metric}@{protocol}"] = interval.high
    return replace(table, frame=frame)


def over_seeds_table(table: Table, runs: Sequence[Run], sort: str | None = None) -> Table:
    """Joins the rows of runs that differ in their seed (`<method>-seed<k>`) to one: mean and deviation."""
    import pandas as pd

    frame = table.frame
    joined: list[dict[str, Any]] = []
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


def _joined(rows: Any, group: Seeds, metrics: Sequence[str]) -> dict[str, Any]:
    """One row for all seeds; it is comparable with others only if all seeds saw the same images."""
    row = {str(key): value for key, value in rows.iloc[0].items()}
    row["method"] = group.name
    # an interval of one seed says nothing about their mean
    row |= dict.fromkeys([name for name in row if name.startswith((LOW, HIGH))], float("nan"))
    if rows["comparable"].nunique() > 1:
        row["comparable"] = f"seeds of {group.method}"
        row["scored"] = int(rows["scored"].min())
    for full in metrics:
        spread = group.scores.get(full)
        row[full] = spread.mean if spread else float("nan")
        row[f"{DEVIATION}{full}"] = spread.deviation if spread else float("nan")
    return row
