"""A paper's main table: methods by data sets and metrics, each method's published rows below its own."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sodbench.reporting.cell_text import count, score, spread, spread_explanations
from sodbench.reporting.labels import protocols_of, split_name
from sodbench.reporting.table import Row, Table, marks, ranked_rows
from sodbench.results.seeds import seed_of


@dataclass(frozen=True)
class PaperCell:
    """One value as printed, its mark ("best", "second" or ""), and what follows it (`cell_text.spread`)."""

    text: str
    mark: str = ""
    after: str = ""


@dataclass(frozen=True)
class PaperRow:
    """A method with one cell per column; `source` is the paper and table of a published row."""

    name: str
    cells: tuple[PaperCell, ...]
    source: str = ""


@dataclass(frozen=True)
class DataSetColumns:
    """The columns of one data set: its title, how many images were scored, the metrics by full name."""

    title: str
    count: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class PaperTable:
    """The table; `notes` say what its numbers are."""

    title: str
    columns: tuple[DataSetColumns, ...]
    rows: tuple[PaperRow, ...]
    notes: tuple[str, ...]

    @property
    def protocols(self) -> list[str]:
        """The protocols of its metrics."""
        return protocols_of(full for one in self.columns for full in one.metrics)

    @property
    def published(self) -> bool:
        """Whether a row holds published values."""
        return any(row.source for row in self.rows)

    def head(self, full: str) -> str:
        """The heading of a metric: with its protocol where the table has several."""
        return split_name(full)[0] if len(self.protocols) == 1 else full


def paper_table(table: Table, title: str, methods: Sequence[str], datasets: Sequence[str]) -> PaperTable:
    """The table of `table`, with methods and data sets in the order in which they are named.

    Published rows of methods that were not measured come last. A value that was not measured has a dash.
    """
    marked = marks(table)
    columns: list[DataSetColumns] = []
    cells: dict[tuple[str, str], dict[tuple[int, str], PaperCell]] = {}
    owners: dict[tuple[str, str], str | None] = {}
    notes: list[str] = []
    ordered = sorted(table.datasets(), key=lambda one: datasets.index(one[0]))
    for number, (dataset, name, rows) in enumerate(ordered):
        measured = rows.loc[rows["kind"] == "measured"]
        ranked = ranked_rows(rows)
        metrics = tuple(table.metrics_of(measured))
        columns.append(DataSetColumns(name, count(ranked.iloc[0].to_dict()), metrics))
        in_literature = measured.loc[measured["literature"].notna()]
        by_literature = dict(zip(in_literature["literature"], in_literature["method"], strict=True))
        for index, series in rows.iterrows():
            row = series.to_dict()
            owner = by_literature.get(row["literature"])
            published = row["kind"] == "published"
            if not published and index not in ranked.index:
                images = count(row)
                notes.append(
                    f"{row['method']} on {name}: different set of images or masks ({images}), not ranked"
                )
            key = (str(row["method"]), str(row["source"]) if published else "")
            owners.setdefault(key, owner if published else key[0])
            for full in metrics:
                mark = str(marked.at[index, full]) if not published else ""
                cells.setdefault(key, {})[number, full] = _cell(row, full, table.digits, mark)
        notes += [f"{name}: {note}" for note in table.notes_of(dataset)]
    order = sorted(cells, key=lambda key: _place(key, owners[key], methods))
    return PaperTable(
        title,
        tuple(columns),
        tuple(_row(key, cells[key], columns) for key in order),
        (*spread_explanations(table), *dict.fromkeys(notes)),
    )


def _cell(row: Row, full: str, digits: int, mark: str) -> PaperCell:
    value = row[full]
    if value is None or math.isnan(value):
        return PaperCell("" if row["kind"] == "published" else "–")
    return PaperCell(score(row, full, digits), mark, spread(row, full, digits))


def _row(
    key: tuple[str, str], cells: dict[tuple[int, str], PaperCell], columns: Sequence[DataSetColumns]
) -> PaperRow:
    name, source = key
    absent = PaperCell("" if source else "–")
    places = [(number, full) for number, one in enumerate(columns) for full in one.metrics]
    return PaperRow(name, tuple(cells.get(place, absent) for place in places), source)


def _place(key: tuple[str, str], owner: str | None, methods: Sequence[str]) -> tuple[int, bool, str, str]:
    """Where a row stands: the methods in their order, each before its published rows, the others last."""
    name, source = key
    if owner is None:
        return len(methods), True, name.lower(), source
    seeded = seed_of(owner)
    base = seeded[0] if seeded else owner.rpartition(" (")[0] or owner
    names = [one for one in (owner, base) if one in methods]
    return (methods.index(names[0]) if names else len(methods)), bool(source), name.lower(), source
