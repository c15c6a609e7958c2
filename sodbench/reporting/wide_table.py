"""The table of a paper: methods as rows, the data sets and their metrics side by side, means over data sets.

`side_by_side` makes it; the page's overview, `report --layout wide` and the report of a suite print it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sodbench.reporting.cell_text import Cell
from sodbench.reporting.labels import protocols_of, split_name

RANK = "rank"  # the column of average ranks, the last of the block of means
# a row by its method and its source ("" for a measured one); its cells by the number of their block
Key = tuple[str, str]
Cells = dict[Key, dict[int, tuple[Cell, ...]]]


@dataclass(frozen=True)
class WideRow:
    """A method with one cell per column.

    `group` is the heading that it stands under ("" where all rows stand under one), `year` that of the
    method's paper, `cite` its key in the bibliography. A published row has its paper and table as `source`,
    the paper's address as `link`, and as `owner` the measured method that it follows; `source_cite` is set
    where that paper is another than the method's own.
    """

    method: str
    cells: tuple[Cell, ...]
    group: str = ""
    year: int | None = None
    cite: str | None = None
    source: str = ""
    link: str = ""
    source_cite: str | None = None
    owner: str | None = None

    @property
    def published(self) -> bool:
        """Whether its values are published ones."""
        return bool(self.source)


@dataclass(frozen=True)
class WideBlock:
    """The columns under one heading: the metrics (full names) of a data set, or the means over `averaged`.

    The block of means has no `dataset` and no `count`; its last column is the average rank (RANK).
    """

    title: str
    metrics: tuple[str, ...]
    dataset: str = ""
    count: str = ""
    averaged: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The title, with the images scored where they are not all."""
        scored, _, expected = self.count.partition("/")
        return self.title if scored == expected else f"{self.title} ({self.count})"


@dataclass(frozen=True)
class WideTable:
    """The table.

    `explanations` say what its signs mean, `notes` what is to know about single values, `remarks` what is to
    know about published values, and why others are not shown.
    """

    title: str
    blocks: tuple[WideBlock, ...]
    rows: tuple[WideRow, ...]
    explanations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def columns(self) -> list[tuple[WideBlock, str]]:
        """The block and the metric of every column, in the order of the cells of a row."""
        return [(block, full) for block in self.blocks for full in block.metrics]

    @property
    def starts(self) -> list[int]:
        """The column with which each block begins."""
        return [sum(len(block.metrics) for block in self.blocks[:place]) for place in range(len(self.blocks))]

    @property
    def protocols(self) -> list[str]:
        """The protocols of its metrics."""
        return protocols_of(full for _, full in self.columns if full != RANK)

    def head(self, full: str) -> str:
        """The heading of a metric: with its protocol where the table has several."""
        if full == RANK:
            return "Rank"
        return split_name(full)[0] if len(self.protocols) == 1 else full


def grouped(rows: Sequence[WideRow]) -> Iterator[tuple[str, list[WideRow]]]:
    """(heading, rows) of each group, in order."""
    for name in dict.fromkeys(row.group for row in rows):
        yield name, [row for row in rows if row.group == name]
