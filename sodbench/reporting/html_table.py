"""The tables of a report as HTML: what the page's template shows, and the tables of notebooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.errors import InputError
from sodbench.reporting.cell_text import (
    REMARKS,
    Cell,
    count,
    score,
    spread,
    spread_explanations,
    without_runs,
)
from sodbench.reporting.comparable_protocols import Comparable
from sodbench.reporting.efficiency_columns import EFFICIENCY, efficiency_text
from sodbench.reporting.labels import arrow, label, protocols_of, split_name
from sodbench.reporting.selection import Selection
from sodbench.reporting.table import Row, Table, make_table, marks, published_only, ranked_rows
from sodbench.reporting.uncertainty import with_intervals
from sodbench.results.run import Run
from sodbench.text import visible

if TYPE_CHECKING:
    import pandas as pd
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Head:
    """The heading of one column; `name` is the metric's full name or that of an efficiency column."""

    name: str
    text: str
    title: str
    arrow: str = ""
    protocol: str = ""
    higher_is_better: bool = True


@dataclass(frozen=True)
class Line:
    """One row: its name (a method; in the table of one run a protocol), its count and its cells."""

    name: str
    count: str
    cells: Sequence[Cell]
    published: bool = False
    ranked: bool = True
    source: str = ""
    link: str = ""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """One data set's table with what stands above and below it.

    `folded` are the published rows of methods without a run, with the `folded_columns` that hold a value;
    `remarks` are those on published values.
    """

    dataset: str
    title: str
    names: str  # the heading of the rows' names
    columns: Sequence[Head]
    lines: Sequence[Line]
    folded_columns: Sequence[Head] = ()
    folded: Sequence[Line] = ()
    protocols: Sequence[str] = ()
    expected: int = 0
    most: int = 0  # the largest number of images scored
    notes: Sequence[str] = ()
    comparable: Sequence[Comparable] = ()
    remarks: Sequence[str] = ()

    @property
    def methods(self) -> int:
        """The number of measured methods."""
        return sum(not line.published for line in self.lines)

    @property
    def unranked(self) -> bool:
        """Whether a row was scored on a different set of images or masks than the ranked ones."""
        return any(not line.ranked for line in self.lines)

    @property
    def published(self) -> bool:
        """Whether a row holds published values."""
        return any(line.published for line in (*self.lines, *self.folded))

    @property
    def summary(self) -> str:
        """What the folded rows are."""
        return without_runs(len(self.folded))


def sections(table: Table) -> list[Section]:
    """The table of each data set."""
    marked = marks(table)
    return [_section(table, dataset, title, rows, marked) for dataset, title, rows in table.datasets()]


def leaderboard_html(table: Table) -> str:
    """The leaderboard for a notebook: plain HTML without scripts, one table per data set."""
    return _render(sections(table), spread_explanations(table))


def run_html(run: Run) -> str:
    """One run for a notebook: a row per protocol, values with 95 % bootstrap intervals and the count.

    Scores that need the images' curves have no interval where the record did not keep them.
    """
    protocols = list(run.tables)
    table = make_table([run], Selection(protocols=protocols))
    notes = []
    try:
        table = with_intervals(table, [run])
    except InputError as error:  # a value is worth showing even where its images cannot be read
        notes.append(f"without intervals: {error}")
    row = table.frame.iloc[0].to_dict()
    metrics = list(dict.fromkeys(split_name(full)[0] for full in table.metrics))
    lines = []
    for protocol in protocols:
        names = [f"{metric}@{protocol}" for metric in metrics]
        cells = [_cell(row, full, table.digits) if full in table.metrics else Cell("") for full in names]
        lines.append(Line(protocol, run.count, cells))
    columns = [Head(metric, metric, label(metric).text, arrow(metric)) for metric in metrics]
    section = Section(run.dataset, f"{run.name} on {run.title}", "Protocol", columns, lines, notes=notes)
    return _render([section], spread_explanations(table))


@cache
def environment() -> "Environment":
    """The templates' environment; every name in them is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        # marked-up text is a subclass, and stays as it is
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    made.globals["remarks_heading"] = REMARKS
    # metrics in their own order, not by the alphabet
    made.policies["json.dumps_kwargs"] = {"sort_keys": False}
    return made


def _render(parts: Sequence[Section], explanations: Sequence[str]) -> str:
    template = environment().get_template("notebook.html")
    return template.render(sections=parts, explanations=explanations)


def _section(table: Table, dataset: str, title: str, rows: "pd.DataFrame", marked: "pd.DataFrame") -> Section:
    metrics = table.metrics_of(rows)
    protocols = protocols_of(metrics)
    several = len(protocols) > 1
    columns = [_efficiency_head(name) for name in table.efficiency]
    columns += [metric_head(full, several_protocols=several) for full in metrics]
    alone = published_only(rows)
    theirs = table.metrics_of(rows[alone])
    return Section(
        dataset=dataset,
        title=title,
        names="Method",
        columns=columns,
        lines=_lines(table, rows[~alone], table.efficiency, metrics, marked),
        folded_columns=[metric_head(full, several_protocols=several) for full in theirs],
        folded=_lines(table, rows[alone], (), theirs, marked),
        protocols=protocols,
        expected=int(rows["expected"].iloc[0]),
        most=int(rows.loc[rows["kind"] == "measured", "scored"].max()),
        notes=table.notes.get(dataset, []),
        comparable=table.comparable.get(dataset, []),
        remarks=table.remarks.get(dataset, []),
    )


def _lines(
    table: Table,
    rows: "pd.DataFrame",
    efficiency: Sequence[str],
    metrics: Sequence[str],
    marked: "pd.DataFrame",
) -> list[Line]:
    ranked = set(ranked_rows(rows).index) if (rows["kind"] == "measured").any() else set()
    lines = []
    for index, series in rows.iterrows():
        row = series.to_dict()
        cells = [Cell(efficiency_text(name, row[name]), row[name]) for name in efficiency]
        cells += [_cell(row, full, table.digits, str(marked.at[index, full])) for full in metrics]
        published = row["kind"] == "published"
        lines.append(
            Line(
                name=str(row["method"]),
                count=count(row),
                cells=cells,
                published=published,
                ranked=published or index in ranked,
                source=str(row["source"]) if published else "",
                link=row["link"] if published and isinstance(row["link"], str) else "",
                note=row["note"] if published and isinstance(row["note"], str) else "",
            )
        )
    return lines


def _efficiency_head(name: str) -> Head:
    column = EFFICIENCY[name]
    return Head(name, column.text, column.text, higher_is_better=column.higher_is_better)


def metric_head(full: str, several_protocols: bool) -> Head:
    """The heading of a metric's column, with its protocol where the table has several."""
    metric, protocol = split_name(full)
    return Head(
        name=full,
        text=metric,
        title=f"{label(full).text}, protocol {protocol}",
        arrow=arrow(full),
        protocol=protocol if several_protocols else "",
        higher_is_better=label(full).higher_is_better is not False,
    )


def _cell(row: Row, full: str, digits: int, mark: str = "") -> Cell:
    text = score(row, full, digits)
    if row["kind"] == "published" and text == "–":
        text = ""
    return Cell(text, row[full], mark, spread(row, full, digits))
