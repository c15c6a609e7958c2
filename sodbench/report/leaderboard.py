"""The leaderboard in markdown: a table a data set."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.files import write_text
from sodbench.report.cells import aside, count, explained, score
from sodbench.report.efficiency import EFFICIENCY, cell
from sodbench.report.frame import Table, marks, ranked_rows
from sodbench.report.labels import arrow, protocols_of, split_name
from sodbench.report.markdown import escape, marked

if TYPE_CHECKING:
    import pandas as pd


def markdown(table: Table, figures: Mapping[str, str] | None = None) -> str:
    """The whole leaderboard; `figures` names a picture a data set to show under its table, "" the ranks'."""
    lines = ["# Leaderboard", ""]
    lines.append("Best **bold**, second best <u>underlined</u>; ↑ higher is better, ↓ lower is better.")
    if (table.frame["kind"] == "published").any():
        lines.append(
            "*Italic*: published, not measured here; behind it measured minus published for the same method."
        )
    lines += [*explained(table), ""]
    found = marks(table)
    for dataset, title, rows in table.datasets():
        lines += [f"## {escape(title)}", "", *_table(table, rows, found)]
        if notes := table.notes.get(dataset):
            lines += ["", *(f"- {escape(note)}" for note in notes)]
        if figures and dataset in figures:
            lines += ["", f"![Precision-recall curves on {escape(title)}]({figures[dataset]})"]
        lines.append("")
    if figures and "" in figures:
        lines += ["## Average ranks", "", f"![Average ranks over the data sets]({figures['']})", ""]
    return "\n".join(lines)


def write_markdown(reports: Path, table: Table, figures: Mapping[str, str] | None = None) -> Path:
    """Writes `leaderboard.md` and returns its path."""
    path = reports / "leaderboard.md"
    write_text(path, markdown(table, figures))
    return path


def _table(table: Table, rows: "pd.DataFrame", found: "pd.DataFrame") -> list[str]:
    """One data set's table as lines; says the protocols and what is not ranked."""
    metrics = table.metrics_of(rows)
    protocols = protocols_of(metrics)
    ranked = set(ranked_rows(rows).index)
    head = ["method", "scored", *(EFFICIENCY[name].text for name in table.efficiency)]
    for full in metrics:
        metric, protocol = split_name(full)
        name = metric if len(protocols) == 1 else f"{metric}@{protocol}"
        head.append(f"{escape(name)} {arrow(full)}".strip())
    lines = [f"Protocol: {', '.join(f'`{protocol}`' for protocol in protocols)}", ""]
    lines += [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    outsiders = False
    for index, row in rows.iterrows():
        facts = row.to_dict()
        name, images = escape(str(facts["method"])), count(facts)
        efficiency = [cell(column, facts[column]) for column in table.efficiency]
        if facts["kind"] == "published":
            name = f"*{name}* — {escape(str(facts['source']))}"
            cells = [_published(facts, full, table.precision) for full in metrics]
        else:
            if index not in ranked:
                outsiders, images = True, f"{images} †"
            cells = [_measured(facts, full, table.precision, str(found.at[index, full])) for full in metrics]
        lines.append(f"| {' | '.join([name, images, *efficiency, *cells])} |")
    if outsiders:
        lines += ["", "† scored on other images or masks than the rest: not ranked."]
    return lines


def _measured(facts: dict[Hashable, Any], full: str, precision: int, mark: str) -> str:
    behind = aside(facts, full, precision)
    return marked(score(facts, full, precision), mark) + (f" <sub>{escape(behind)}</sub>" if behind else "")


def _published(facts: dict[Hashable, Any], full: str, precision: int) -> str:
    text = score(facts, full, precision)
    if text == "–":
        return ""
    behind = aside(facts, full, precision)
    return f"*{text}*" + (f" {behind}" if behind else "")
