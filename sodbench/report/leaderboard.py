"""The leaderboard in markdown: a table a data set."""

from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.files import write_text
from sodbench.report.frame import marks, metric_columns, ranked_rows
from sodbench.report.labels import arrow, label, split_name
from sodbench.report.markdown import escape, marked, number

if TYPE_CHECKING:
    import pandas as pd


def markdown(frame: "pd.DataFrame", precision: int = 3, figures: dict[str, str] | None = None) -> str:
    """The whole leaderboard; `figures` names a picture to show under a data set's table."""
    lines = ["# Leaderboard", ""]
    lines += ["Best **bold**, second best <u>underlined</u>; ↑ higher is better, ↓ lower is better.", ""]
    for dataset, rows in frame.groupby("dataset", sort=False):
        lines += [f"## {escape(str(rows['title'].iloc[0]))}", ""]
        lines += table(rows, precision)
        if figures and dataset in figures:
            title = escape(str(rows["title"].iloc[0]))
            lines += ["", f"![Precision-recall curves on {title}]({figures[str(dataset)]})"]
        lines.append("")
    return "\n".join(lines)


def table(rows: "pd.DataFrame", precision: int) -> list[str]:
    """One data set's table as markdown lines; says the protocols and what is not ranked."""
    metrics = [full for full in metric_columns(rows) if rows[full].notna().any()]
    protocols = list(dict.fromkeys(split_name(full)[1] for full in metrics))
    found = marks(rows, precision)
    ranked = set(ranked_rows(rows).index)
    head = ["method", "scored"]
    for full in metrics:
        metric, protocol = split_name(full)
        name = metric if len(protocols) == 1 else f"{metric}@{protocol}"
        head.append(f"{escape(name)} {arrow(full)}".strip())
    lines = [f"Protocol: {', '.join(f'`{protocol}`' for protocol in protocols)}", ""]
    lines += [f"| {' | '.join(head)} |", f"|{'---|' + '---:|' * (len(head) - 1)}"]
    for index, row in rows.iterrows():
        cells = [marked(number(row[full], precision), str(found.at[index, full])) for full in metrics]
        note = "" if index in ranked else " †"
        count = f"{row['scored']}/{row['expected']}{note}"
        lines.append(f"| {' | '.join([escape(str(row['method'])), count, *cells])} |")
    if len(ranked) < len(rows):
        lines += ["", "† scored on other images or masks than the rest: not ranked."]
    return lines


def legend(metrics: list[str]) -> str:
    """What the metric names stand for."""
    return ", ".join(f"{split_name(full)[0]}: {label(full).text}" for full in metrics)


def write_markdown(
    reports: Path, frame: "pd.DataFrame", precision: int = 3, figures: dict[str, str] | None = None
) -> Path:
    """Writes `leaderboard.md` and returns its path."""
    path = reports / "leaderboard.md"
    write_text(path, markdown(frame, precision, figures))
    return path
