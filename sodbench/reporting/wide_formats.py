"""The wide table as markdown, CSV and HTML."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from sodbench.files import write_text
from sodbench.reporting.cell_text import REMARKS, Cell
from sodbench.reporting.csv_json import no_formula
from sodbench.reporting.html_table import environment
from sodbench.reporting.labels import arrow, label
from sodbench.reporting.markdown import escape, folded
from sodbench.reporting.wide_latex import write_wide_latex
from sodbench.reporting.wide_table import RANK, WideRow, WideTable, grouped


def write_wide(folder: Path, table: WideTable, formats: Sequence[str], span: int | None = None) -> list[Path]:
    """Writes `table.md`, `.html`, `.tex` with `.bib`, and `.csv`, as `formats` ask; returns their paths.

    span: the columns of a two-column paper that a LaTeX table spans (`wide_layout.lay_out`).
    """
    paths = []
    if "markdown" in formats:
        paths.append(write_wide_markdown(folder, table))
    if "html" in formats:
        paths.append(write_wide_html(folder, table))
    if "latex" in formats:
        paths += write_wide_latex(folder, table, span)
    if "csv" in formats:
        paths.append(write_wide_csv(folder, table))
    return paths


def write_wide_markdown(folder: Path, table: WideTable) -> Path:
    """Writes `table.md` and returns its path."""
    heads = [
        f"{escape(block.heading)} {escape(table.head(full))} {_arrow(full)}" for block, full in table.columns
    ]
    lines = [f"# {escape(table.title)}", "", _protocols(table, "`"), ""]
    lines += [f"| method | {' | '.join(map(str.strip, heads))} |", f"|---|{'---:|' * len(heads)}"]
    for group, rows in grouped(table.rows):
        if group:
            lines.append(f"| **{escape(group)}** |{' |' * len(heads)}")
        for row in rows:
            name = escape(row.method)
            if row.published:
                source = escape(row.source)
                name = f"*{name}* — {f'[{source}]({row.link})' if row.link else source}"
            lines.append(f"| {name} | {' | '.join(_markdown_cell(row, cell) for cell in row.cells)} |")
    below = [*table.explanations, *table.notes]
    lines += ["", *(f"- {escape(text)}" for text in below)]
    if table.remarks:
        lines += folded(REMARKS, [f"- {escape(text)}" for text in table.remarks])
    lines.append("")
    path = folder / "table.md"
    write_text(path, "\n".join(lines))
    return path


def write_wide_csv(folder: Path, table: WideTable) -> Path:
    """Writes `table.csv` with all digits: one line per method, columns such as `sod MAE@pysodmetrics`."""
    heads = [f"{block.dataset or 'mean'} {full}" for block, full in table.columns]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["method", "group", "year", "source", *heads])
    for row in table.rows:
        facts = [row.method, row.group, row.year or "", row.source]
        values = ["" if math.isnan(cell.value) else repr(cell.value) for cell in row.cells]
        writer.writerow([*map(no_formula, facts), *values])
    path = folder / "table.csv"
    write_text(path, text.getvalue())
    return path


def write_wide_html(folder: Path, table: WideTable) -> Path:
    """Writes `table.html`, one page without scripts, and returns its path."""
    blocks = [
        {
            "heading": block.heading,
            "heads": [
                {"text": table.head(full), "arrow": _arrow(full), "title": _title(full)}
                for full in block.metrics
            ],
        }
        for block in table.blocks
    ]
    text = (
        environment()
        .get_template("wide_table.html")
        .render(
            table=table,
            blocks=blocks,
            groups=list(grouped(table.rows)),
            protocols=_protocols(table),
        )
    )
    path = folder / "table.html"
    write_text(path, text)
    return path


def _arrow(full: str) -> str:
    return "↓" if full == RANK else arrow(full)


def _title(full: str) -> str:
    return "average rank" if full == RANK else label(full).text


def _protocols(table: WideTable, quote: str = "") -> str:
    names = ", ".join(f"{quote}{name}{quote}" for name in table.protocols)
    return f"Protocol{'s' * (len(table.protocols) != 1)}: {names}{'' if quote else '.'}"


def _markdown_cell(row: WideRow, cell: Cell) -> str:
    if row.published:
        after = f" {cell.spread}" if cell.spread else ""
        return f"*{cell.text}*{after}" if cell.text else ""
    text = {"best": f"**{cell.text}**", "second": f"<u>{cell.text}</u>"}.get(cell.mark, cell.text)
    text += " †" if cell.dagger else ""
    return text + (f" <sub>{escape(cell.spread)}</sub>" if cell.spread else "")
