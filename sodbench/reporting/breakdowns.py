"""The breakdowns of a report: which runs and metrics they hold, and the tables that all formats print."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sodbench.errors import InputError
from sodbench.reporting.cell_text import number
from sodbench.reporting.headline import headline
from sodbench.reporting.labels import arrow, label, split_name
from sodbench.reporting.table import Table, ranked_rows
from sodbench.results.breakdown import FEWEST, Breakdown, break_down
from sodbench.results.run import Run
from sodbench.run_attributes import AbsentAttributesError, attributes_of

MARK = "▼"
TITLE = "Scores by attribute"
EXPLANATIONS = (
    f"In brackets: 95 % bootstrap confidence intervals over the images of the group; groups of fewer than"
    f" {FEWEST} images have none.",
    f"{MARK} marks each method's largest fall against the whole set, over groups of {FEWEST} images or more.",
)


@dataclass(frozen=True)
class GroupCell:
    """One method's score on one group as text, its interval ("" for none), and whether it is marked."""

    text: str
    interval: str = ""
    largest: bool = False


@dataclass(frozen=True)
class GroupLine:
    """One group; `first` where it is the first one of its attribute. A group without images has no cells."""

    attribute: str
    name: str
    definition: str
    images: int
    first: bool
    cells: Sequence[GroupCell]


@dataclass(frozen=True)
class MetricTable:
    """The scores of all groups by one metric, one column per method."""

    metric: str
    protocol: str
    title: str
    arrow: str
    methods: Sequence[str]
    lines: Sequence[GroupLine]

    @property
    def heading(self) -> str:
        """`MAE ↓ (protocol pysodmetrics)`."""
        return f"{self.title} {self.arrow}".strip() + f" (protocol {self.protocol})"


def make_breakdowns(
    runs: Sequence[Run], table: Table, every_metric: bool
) -> tuple[list[Breakdown], list[str]]:
    """The breakdown of each data set of a table, and notes on the data sets and methods left out.

    Scores are those of the table: MAE, max F and S, or with `every_metric` all. Methods are those that were
    scored on the same images. Raises InputError where no data set has attributes, and for a wrong list.
    """
    metrics = headline(table.metrics, every_metric)
    breakdowns, notes, absent = [], [], []
    for dataset, title, rows in table.datasets():
        methods = list(ranked_rows(rows)["method"])
        of_set = {run.name: run for run in runs if run.dataset == dataset}
        left_out = [str(name) for name in rows["method"] if name in of_set and name not in methods]
        if left_out:
            notes.append(
                f"{', '.join(left_out)} on {title}: left out of the scores by attribute, because of a"
                " different set of images or masks"
            )
        shown = [of_set[name] for name in methods]
        try:
            attributes = attributes_of(shown[0])
        except AbsentAttributesError as error:
            absent.append(error)
            continue
        recorded = {full for run in shown for full in run.values()}
        breakdowns.append(break_down(shown, attributes, [full for full in metrics if full in recorded]))
    if absent and not breakdowns:
        raise InputError(str(absent[0]))
    return breakdowns, [*notes, *map(str, absent)]


def metric_tables(breakdown: Breakdown, digits: int) -> list[MetricTable]:
    """One table per metric."""
    tables = []
    for full in breakdown.metrics:
        metric, protocol = split_name(full)
        lines = []
        for place, group in enumerate(breakdown.groups):
            before = breakdown.groups[place - 1].attribute if place else ""
            cells = [_cell(breakdown, method, full, place, digits) for method in breakdown.methods]
            lines.append(
                GroupLine(
                    group.attribute,
                    group.name,
                    group.definition,
                    len(group.images),
                    first=group.attribute != before,
                    cells=cells if group.images else [],
                )
            )
        tables.append(MetricTable(metric, protocol, label(full).text, arrow(full), breakdown.methods, lines))
    return tables


def _cell(breakdown: Breakdown, method: str, full: str, place: int, digits: int) -> GroupCell:
    score = breakdown.scores[method, full, place]
    interval = ""
    if not math.isnan(score.low) and not math.isnan(score.value):
        interval = f"[{number(score.low, digits)}, {number(score.high, digits)}]"
    return GroupCell(number(score.value, digits), interval, score.largest)
