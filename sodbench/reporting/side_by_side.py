"""From the long table (one row per method and data set) to the wide one (`WideTable`)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sodbench.errors import unknown_names
from sodbench.reporting.cell_text import Cell, count, score, spread, spread_explanations
from sodbench.reporting.headline import headline
from sodbench.reporting.row_order import GROUPS, group_of, place, standing_of, without_seeds
from sodbench.reporting.set_means import set_means
from sodbench.reporting.table import Row, Table, marks, ranked_rows
from sodbench.reporting.wide_means import block_of_means
from sodbench.reporting.wide_table import Cells, Key, WideBlock, WideRow, WideTable
from sodbench.results.method_year import year_of
from sodbench.results.published import method_of

if TYPE_CHECKING:
    import pandas as pd

MARKS = "Best in bold, second best underlined."
PUBLISHED = "Italics: published values, not measured here."
DIFFERENCES = "In parentheses: measured minus published."
DAGGER = "† Different image set, not ranked."


def side_by_side(
    table: Table,
    *,
    title: str = "Leaderboard",
    metrics: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    datasets: Sequence[str] | None = None,
    sort: str | None = None,
    average: bool = False,
    group_by: str = "origin",
    ours: Sequence[str] = (),
) -> WideTable:
    """`table` with its data sets side by side.

    metrics: full names; None: MAE, max F and S, or all where the table has none of these.
    methods, datasets: their order; None: the best method first, the data set with most methods first.
    sort: the metric by which the best method is first (default: max F), or "name". Ignored where `methods`
    are named.
    average: adds the mean of every metric over the data sets on which all measured methods have comparable
    scores, and the average rank over these data sets and the metrics.
    group_by: "origin" (measured, published), "year" (of a method's paper) or "none"; in each, `ours` are the
    methods that stand last, under "Ours".

    Published rows follow the measured row of their method; those of other methods come last in their group.
    Raises InputError for unknown methods and groups.
    """
    if group_by not in GROUPS:
        raise unknown_names("grouping of rows", [str(group_by)], GROUPS)
    measured = table.frame.loc[table.frame["kind"] == "measured"]
    names = {name for method in measured["method"] for name in (str(method), without_seeds(str(method)))}
    unknown = [name for name in ours if name not in names]
    if unknown:
        raise unknown_names("method", unknown, names)
    shown = headline(table.metrics) if metrics is None else list(metrics)
    order = _in_order(table, measured, datasets)
    blocks, cells, notes, remarks = _of_datasets(table, order, shown)
    if average:
        averages = set_means(table.frame, shown)
        notes += [averages.problem] if averages.problem else []
        if averages.datasets:
            block, means = block_of_means(averages, shown, table.digits, blocks, cells)
            cells = {key: one | {len(blocks): means[key]} for key, one in cells.items()}
            blocks.append(block)
    standing = standing_of([rows for _, _, rows in order], shown, methods, sort)
    facts = _facts(table.frame)
    rows = [_row(key, one, blocks, facts[key], group_by, ours) for key, one in cells.items()]
    rows.sort(key=lambda row: place(row, standing))
    if len({row.group for row in rows}) == 1:
        rows = [replace(row, group="") for row in rows]
    return WideTable(
        title,
        tuple(blocks),
        tuple(rows),
        tuple(_explanations(table, blocks, rows)),
        tuple(dict.fromkeys(notes)),
        tuple(dict.fromkeys(remarks)),
    )


def _explanations(table: Table, blocks: Sequence[WideBlock], rows: Sequence[WideRow]) -> list[str]:
    """What the signs of the table mean, one sentence each."""
    cells = [cell for row in rows for cell in row.cells]
    sentences = [MARKS] if any(cell.mark for cell in cells) else []
    if any(row.published for row in rows):
        sentences.append(PUBLISHED)
        if any(cell.spread for row in rows if row.published for cell in row.cells):
            sentences.append(DIFFERENCES)
    if any(cell.dagger for cell in cells):
        sentences.append(DAGGER)
    for block in blocks:
        titles = [one.title for one in blocks if one.dataset in block.averaged]
        if block.averaged and len(titles) < len(blocks) - 1:
            sentences.append(f"Means are over {', '.join(titles)}, where all methods were scored.")
    return [*sentences, *spread_explanations(table)]


def _in_order(
    table: Table, measured: "pd.DataFrame", datasets: Sequence[str] | None
) -> list[tuple[str, str, "pd.DataFrame"]]:
    """(name, title, rows) of each data set: as named, else those with most methods first."""
    if datasets is not None:
        named = list(datasets)
        return sorted(
            (one for one in table.datasets() if one[0] in named), key=lambda one: named.index(one[0])
        )
    methods = measured["dataset"].value_counts()
    return sorted(table.datasets(), key=lambda one: (-int(methods[one[0]]), one[1].lower()))


def _of_datasets(
    table: Table, order: Sequence[tuple[str, str, "pd.DataFrame"]], shown: Sequence[str]
) -> tuple[list[WideBlock], Cells, list[str], list[str]]:
    """The blocks of the data sets, the cells in them, the notes and the remarks of the data sets."""
    marked = marks(table)
    blocks: list[WideBlock] = []
    cells: Cells = {}
    notes: list[str] = []
    remarks: list[str] = []
    for dataset, title, rows in order:
        ranked = ranked_rows(rows)
        here = rows.loc[rows["kind"] == "measured"]
        metrics = tuple(full for full in shown if here[full].notna().any())
        if not metrics:
            continue
        for index, series in rows.iterrows():
            row = series.to_dict()
            stranger = row["kind"] == "measured" and index not in ranked.index
            if stranger:
                notes.append(f"{row['method']} on {title}: different image set ({count(row)}), not ranked")
            made = tuple(
                _cell(row, full, table.digits, str(marked.at[index, full]), stranger) for full in metrics
            )
            if row["kind"] == "measured" or any(cell.text for cell in made):
                cells.setdefault(_key(row), {})[len(blocks)] = made
        blocks.append(WideBlock(title, metrics, dataset, count(ranked.iloc[0].to_dict())))
        notes += [f"{title}: {note}" for note in table.notes.get(dataset, [])]
        remarks += [f"{title}: {one}" for one in table.comparable.get(dataset, [])]
        remarks += [f"{title}: {one}" for one in table.remarks.get(dataset, [])]
    return blocks, cells, notes, remarks


def _key(row: Row) -> Key:
    return str(row["method"]), str(row["source"]) if row["kind"] == "published" else ""


def _cell(row: Row, full: str, digits: int, mark: str, stranger: bool) -> Cell:
    value = row[full]
    if value is None or math.isnan(value):
        return Cell("" if row["kind"] == "published" else "–")
    return Cell(score(row, full, digits), float(value), mark, spread(row, full, digits), stranger)


def _facts(frame: "pd.DataFrame") -> dict[Key, Row]:
    """By row its columns of `reporting.table.FACTS`; "owner" is the measured method of a published row."""
    facts: dict[Key, Row] = {}
    owners: dict[str, str] = {}
    for row in frame.to_dict("records"):
        facts.setdefault(_key(row), row)
        if row["kind"] == "measured" and isinstance(row["literature"], str):
            owners.setdefault(row["literature"], str(row["method"]))
    return {
        key: {**row, "owner": owners.get(row["literature"]) if key[1] else None} for key, row in facts.items()
    }


def _row(
    key: Key,
    cells: Mapping[int, tuple[Cell, ...]],
    blocks: Sequence[WideBlock],
    facts: Row,
    group_by: str,
    ours: Sequence[str],
) -> WideRow:
    """The row with its cells of all blocks, under the heading of its group."""
    method, source = key
    literature, owner, cite = (_text(facts[name]) for name in ("literature", "owner", "cite"))
    name = literature or without_seeds(owner or method)
    year, known = year_of(name), method_of(name)
    own_cite = known.cite if known else None
    absent = Cell("" if source else "–")
    parts = [cells.get(number, (absent,) * len(block.metrics)) for number, block in enumerate(blocks)]
    return WideRow(
        method=method,
        cells=tuple(cell for part in parts for cell in part),
        group=group_of(group_by, ours, method, owner, bool(source), year),
        year=year,
        cite=own_cite if source else cite,
        source=source,
        link=_text(facts["link"]) or "",
        source_cite=cite if source and cite != own_cite else None,
        owner=owner,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
