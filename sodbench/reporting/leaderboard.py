"""`leaderboard`: the table of recorded runs as a pandas DataFrame that prints in notebooks as on the page."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from sodbench.reporting.html_table import leaderboard_html
from sodbench.reporting.report_arguments import report_arguments
from sodbench.reporting.report_table import report_table
from sodbench.reporting.selection import Selection
from sodbench.reporting.table import DEVIATION, DIFFERENCE, HIGH, LOW, Table
from sodbench.results.run import Run


class Leaderboard(pd.DataFrame):
    """One row per data set and method (the index), one column per metric by its full name.

    Before the metrics stand `kind` ("measured" or "published"), `source` (of published rows), `scored` and
    `expected` images, and measured efficiency. After them stand, where asked for, the bounds of intervals
    (`low:maxF@...`, `high:...`), `deviation:...` and `difference:...`. A notebook shows it as the page does.
    A frame derived from it (a selection, a sorted copy) is a plain DataFrame.
    """

    _table: Table
    _frame: pd.DataFrame
    # pandas' list of the attributes that are no columns
    _metadata = ["_table", "_frame"]  # noqa: RUF012

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def _repr_html_(self) -> str:
        """The table of the page; that of pandas after the frame was changed in place."""
        if pd.DataFrame(self).equals(self._frame):
            return leaderboard_html(self._table)
        return pd.DataFrame(self).to_html()


def leaderboard(
    runs: Run | Iterable[Run] | Path | str,
    *,
    methods: Sequence[str] | None = None,
    datasets: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    protocols: Sequence[str | Path] | None = None,
    digits: int = 3,
    sort: str | None = None,
    published: bool | Sequence[str] = False,
    intervals: bool = False,
    seeds: bool = False,
) -> Leaderboard:
    """The leaderboard of `runs` (one, several, or a reports folder that holds them) as a DataFrame.

    The options are those of `report`; the frame holds all digits, `digits` are those that a notebook shows.
    Measured efficiency (`sodbench bench`) is included if `runs` is a folder. Raises InputError as `report`.
    """
    efficiency = Path(runs) if isinstance(runs, Path | str) else None
    selection = Selection(methods, datasets, metrics, protocols, digits, sort)
    shown = report_table(
        runs,
        selection,
        efficiency=efficiency,
        published=published,
        intervals=intervals,
        seeds=seeds,
        arguments=report_arguments(selection, intervals=intervals, seeds=seeds),
    )
    return _of_table(shown.table)


def _of_table(table: Table) -> Leaderboard:
    frame = table.frame.set_index(["dataset", "method"])
    facts = ["kind", "source", "scored", "expected", *table.efficiency]
    if not (frame["kind"] == "published").any():
        facts.remove("source")
    spreads = [str(name) for name in frame if str(name).startswith((LOW, HIGH, DEVIATION, DIFFERENCE))]
    frame = frame[[*facts, *table.metrics, *spreads]]
    board = Leaderboard(frame)
    board._table, board._frame = table, frame
    return board
