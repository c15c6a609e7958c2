"""The page's first table: all methods on all data sets, average rank and means before the data sets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sodbench.reporting.cell_text import Cell
from sodbench.reporting.html_table import Head, metric_head
from sodbench.reporting.side_by_side import side_by_side
from sodbench.reporting.table import Table
from sodbench.reporting.wide_table import RANK, WideBlock, WideTable

RANK_HEAD = Head(RANK, "Rank", "average rank over these data sets and metrics, 1 is best", "↓", "", False)


@dataclass(frozen=True)
class Group:
    """The columns under one heading: those of a data set, or rank and means (no `dataset`).

    `number` is the place of the data set's own section on the page; `count` says how many images were scored
    where they are not all.
    """

    title: str
    dataset: str
    number: int | None
    count: str
    columns: Sequence[Head]


@dataclass(frozen=True)
class Line:
    """A method with a cell for every column."""

    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Overview:
    """The table; `averaged` are the titles of the data sets that rank and means are over."""

    groups: Sequence[Group]
    lines: Sequence[Line]
    notes: Sequence[str]
    averaged: Sequence[str]

    @property
    def starts(self) -> list[int]:
        """The columns that begin a group."""
        return [sum(len(group.columns) for group in self.groups[:place]) for place in range(len(self.groups))]


def make_overview(
    table: Table, datasets: Sequence[str], metrics: Sequence[str] | None = None, sort: str | None = None
) -> Overview | None:
    """The measured rows of `table` over `datasets`, in their order; None for fewer than two.

    `metrics` are full names (None: MAE, max F and S). The method with the best average rank comes first
    unless `sort` names a metric or "name".
    """
    if len(datasets) < 2:
        return None
    rows = table.frame.loc[table.frame["kind"] == "measured"]
    measured = replace(table, frame=rows, notes={}, remarks={}, comparable={})
    wide = side_by_side(
        measured, metrics=metrics, datasets=datasets, sort=sort, average=True, group_by="none"
    )
    places = [place for _, place in sorted((bool(block.dataset), at) for at, block in enumerate(wide.blocks))]
    columns = [column for place in places for column in _columns(wide, place)]
    lines = [Line(row.method, [row.cells[column] for column in columns]) for row in wide.rows]
    if sort is None and wide.columns[columns[0]][1] == RANK:
        lines.sort(key=lambda line: line.cells[0].value if not math.isnan(line.cells[0].value) else math.inf)
    averaged = {name for block in wide.blocks for name in block.averaged}
    return Overview(
        [_group(wide, wide.blocks[place], datasets) for place in places],
        lines,
        wide.notes,
        [block.title for block in wide.blocks if block.dataset in averaged],
    )


def _columns(wide: WideTable, place: int) -> list[int]:
    """The columns of a block, the average rank before the means."""
    start, metrics = wide.starts[place], wide.blocks[place].metrics
    return sorted(range(start, start + len(metrics)), key=lambda column: metrics[column - start] != RANK)


def _group(wide: WideTable, block: WideBlock, datasets: Sequence[str]) -> Group:
    several = len(wide.protocols) > 1
    heads = [
        RANK_HEAD if full == RANK else metric_head(full, several_protocols=several) for full in block.metrics
    ]
    scored, _, expected = block.count.partition("/")
    return Group(
        title=block.title,
        dataset=block.dataset,
        number=datasets.index(block.dataset) if block.dataset else None,
        count="" if scored == expected else block.count,
        columns=sorted(heads, key=lambda head: head.name != RANK),
    )
