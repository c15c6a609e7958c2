"""The leaderboard in markdown: one table per data set."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.files import write_text
from sodbench.reporting.cell_text import REMARKS, count, score, spread, spread_explanations, without_runs
from sodbench.reporting.efficiency_columns import EFFICIENCY, efficiency_text
from sodbench.reporting.labels import arrow, protocols_of, split_name
from sodbench.reporting.table import Row, Table, marks, published_only, ranked_rows
from sodbench.text import visible

if TYPE_CHECKING:
    import pandas as pd

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$])")


# what the figures under a table show, by their kind
_SHOWS = {"pr": "Precision-recall curves on", "reliability": "Reliability diagram on"}
SHOWN = tuple(_SHOWS)


def markdown(table: Table, figures: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """The whole leaderboard.

    `figures` names, by kind (`SHOWN`), the images to show under the table of each data set, under "" that of
    the ranks (`ranks`).
    """
    lines = ["# Leaderboard", ""]
    lines.append("Best **bold**, second best <u>underlined</u>; ↑ higher is better, ↓ lower is better.")
    if (table.frame["kind"] == "published").any():
        lines.append(
            "*Italic*: published values, not measured here; in parentheses: measured minus published."
        )
    lines += [*spread_explanations(table), ""]
    marked = marks(table)
    for dataset, title, rows in table.datasets():
        lines += [f"## {escape(title)}", "", *_table(table, rows, marked)]
        lines += _below(table, dataset)
        for kind, image in (figures or {}).get(dataset, {}).items():
            lines += ["", f"![{_SHOWS[kind]} {escape(title)}]({image})"]
        lines.append("")
    if figures and "" in figures:
        lines += ["## Average ranks", "", f"![Average ranks over the data sets]({figures['']['ranks']})", ""]
    return "\n".join(lines)


def write_markdown(
    folder: Path, table: Table, figures: Mapping[str, Mapping[str, str]] | None = None
) -> Path:
    """Writes `leaderboard.md` and returns its path."""
    path = folder / "leaderboard.md"
    write_text(path, markdown(table, figures))
    return path


def escape(text: str) -> str:
    """`text` as literal markdown, also inside a table cell.

    >>> escape("a|b_<i>")
    'a\\\\|b\\\\_&lt;i&gt;'
    """
    text = visible(" ".join(text.split()), line=True)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", text)


def _below(table: Table, dataset: str) -> list[str]:
    """What stands below a table: notes, commands, and the remarks on published values, folded."""
    notes = [escape(note) for note in table.notes.get(dataset, [])]
    for one in table.comparable.get(dataset, []):
        notes.append(f"{escape(one.text)}: `{one.portable_command}`")
    lines = ["", *(f"- {note}" for note in notes)] if notes else []
    remarks = table.remarks.get(dataset)
    return lines + (folded(REMARKS, [f"- {escape(note)}" for note in remarks]) if remarks else [])


def folded(summary: str, lines: Sequence[str]) -> list[str]:
    """Lines behind a summary that opens them."""
    return ["", f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"]


def _table(table: Table, rows: "pd.DataFrame", marked: "pd.DataFrame") -> list[str]:
    """The table of one data set as lines; names the protocols and what is not ranked.

    Published rows of methods without a run stand in a table of their own, folded.
    """
    metrics = table.metrics_of(rows)
    protocols = protocols_of(metrics)
    ranked = set(ranked_rows(rows).index)
    alone = published_only(rows)
    plural = "s" * (len(protocols) > 1)
    lines = [f"Protocol{plural}: {', '.join(f'`{protocol}`' for protocol in protocols)}", ""]
    lines += _head([EFFICIENCY[name].text for name in table.efficiency], metrics, len(protocols) > 1)
    unranked = False
    for index, series in rows[~alone].iterrows():
        row = series.to_dict()
        efficiency = [efficiency_text(column, row[column]) for column in table.efficiency]
        if row["kind"] == "published":
            lines.append(_published_row(row, efficiency, metrics, table.digits))
            continue
        dagger = "" if index in ranked else " †"
        unranked = unranked or bool(dagger)
        cells = [_measured(row, full, table.digits, str(marked.at[index, full])) for full in metrics]
        lines.append(_row([escape(str(row["method"])), count(row) + dagger, *efficiency, *cells]))
    if unranked:
        lines += ["", "† different set of images or masks, not ranked."]
    if not alone.any():
        return lines
    theirs = table.metrics_of(rows[alone])
    others = [_published_row(s.to_dict(), (), theirs, table.digits) for _, s in rows[alone].iterrows()]
    return lines + folded(without_runs(len(others)), [*_head((), theirs, len(protocols) > 1), *others])


def _head(efficiency: Sequence[str], metrics: Sequence[str], several_protocols: bool) -> list[str]:
    head = ["method", "images", *efficiency]
    for full in metrics:
        name = full if several_protocols else split_name(full)[0]
        head.append(f"{escape(name)} {arrow(full)}".strip())
    return [_row(head), f"|---|{'---:|' * (len(head) - 1)}"]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _published_row(row: Row, efficiency: Sequence[str], metrics: Sequence[str], digits: int) -> str:
    source = escape(str(row["source"]))
    if isinstance(row["link"], str):
        source = f"[{source}]({row['link']})"
    name = f"*{escape(str(row['method']))}* — {source}"
    return _row([name, count(row), *efficiency, *(_published(row, full, digits) for full in metrics)])


def _measured(row: Row, full: str, digits: int, mark: str) -> str:
    text = score(row, full, digits)
    text = {"best": f"**{text}**", "second": f"<u>{text}</u>"}.get(mark, text)
    after = spread(row, full, digits)
    return text + (f" <sub>{escape(after)}</sub>" if after else "")


def _published(row: Row, full: str, digits: int) -> str:
    text = score(row, full, digits)
    if text == "–":
        return ""
    after = spread(row, full, digits)
    return f"*{text}*" + (f" {after}" if after else "")
