"""Scores by attribute in markdown, LaTeX, CSV and JSON: `attributes.md` and so on."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sodbench.data.attributes import DEFINITIONS, LISTED
from sodbench.files import atomic_path, write_text
from sodbench.json_text import to_json
from sodbench.reporting import latex
from sodbench.reporting.breakdowns import (
    EXPLANATIONS,
    MARK,
    TITLE,
    GroupCell,
    GroupLine,
    MetricTable,
    metric_tables,
)
from sodbench.reporting.csv_json import no_formula
from sodbench.reporting.labels import label, split_name
from sodbench.reporting.markdown import escape
from sodbench.results.breakdown import Breakdown

NO_IMAGES = "no images"


def markdown(breakdowns: Sequence[Breakdown], digits: int, figures: Mapping[str, str] | None = None) -> str:
    """All breakdowns; `figures` names the image to show for each data set."""
    lines = [f"# {TITLE}", "", *EXPLANATIONS, ""]
    for breakdown in breakdowns:
        lines += [f"## {escape(breakdown.title)}", ""]
        for table in metric_tables(breakdown, digits):
            lines += [f"### {escape(table.heading)}", "", *_markdown_table(table), ""]
        if figures and breakdown.dataset in figures:
            lines += [f"![{TITLE} on {escape(breakdown.title)}]({figures[breakdown.dataset]})", ""]
        lines += [f"- {escape(text)}" for text in [*_definitions(breakdown), *breakdown.notes]]
        lines.append("")
    return "\n".join(lines)


def _markdown_table(table: MetricTable) -> list[str]:
    heads = ["attribute", "group", "images", *map(escape, table.methods)]
    lines = [f"| {' | '.join(heads)} |", f"|---|---|{'---:|' * (len(heads) - 2)}"]
    for line in table.lines:
        cells = [_markdown_cell(cell) for cell in line.cells]
        if not line.images:
            cells = [NO_IMAGES, *[""] * (len(table.methods) - 1)]
        attribute = escape(line.attribute) if line.first else ""
        lines.append(f"| {' | '.join([attribute, escape(line.name), str(line.images), *cells])} |")
    return lines


def _markdown_cell(cell: GroupCell) -> str:
    interval = f" <sub>{escape(cell.interval)}</sub>" if cell.interval else ""
    return f"{cell.text}{interval}{f' {MARK}' if cell.largest else ''}"


def _definitions(breakdown: Breakdown) -> list[str]:
    """What the groups are, one line per attribute."""
    by_attribute: dict[str, dict[str, str]] = {}
    for group in breakdown.groups[1:]:
        by_attribute.setdefault(group.attribute, {})[group.name] = group.definition
    lines = []
    for attribute, groups in by_attribute.items():
        if attribute == LISTED:  # all are defined alike
            lines.append(f"{attribute}. {next(iter(groups.values()))}: {', '.join(groups)}")
        else:
            texts = (f"{name}: {definition}" for name, definition in groups.items())
            lines.append(f"{attribute}. {'; '.join(texts)}")
    return lines


def latex_document(breakdowns: Sequence[Breakdown], digits: int) -> str:
    """A complete document; the tables stand between the lines `% table` and `% end`."""
    head = latex.HEAD.replace("\\begin{document}\n", "\\usepackage{amssymb}\n\\begin{document}\n")
    parts = [head]
    for breakdown in breakdowns:
        for table in metric_tables(breakdown, digits):
            parts.append(_latex_table(breakdown, table))
        texts = [*_definitions(breakdown), *breakdown.notes]
        parts += [f"\\noindent {latex.escape(text)}.\\par" for text in texts]
    return "\n".join([*parts, "\\end{document}\n"])


def _latex_table(breakdown: Breakdown, table: MetricTable) -> str:
    lines = [_latex_line(line, len(table.methods)) for line in table.lines]
    heads = ["Attribute", "Group", "$n$", *(f"{{{latex.escape(name)}}}" for name in table.methods)]
    symbol = f"${label(table.metric).latex}${latex.arrow(table.metric)}"
    texts = [latex.escape(text) for text in EXPLANATIONS]
    texts = [text.replace(latex.escape(MARK), r"$\blacktriangledown$") for text in texts]
    caption = (
        f"{latex.escape(breakdown.title)}, {symbol} by attribute."
        f" Protocol: {latex.escape(table.protocol)}. {' '.join(texts)}"
    )
    body = "\n".join(lines)
    return latex.fitted_table(
        f"{breakdown.dataset} {table.metric}",
        caption,
        f"ll{'r' * (len(heads) - 2)}",
        f"{' & '.join(heads)} \\\\",
        body,
    )


def _latex_line(line: GroupLine, methods: int) -> str:
    attribute = latex.escape(line.attribute) if line.first else ""
    cells = [_latex_cell(cell) for cell in line.cells]
    if not line.images:
        cells = [rf"\multicolumn{{{methods}}}{{l}}{{{NO_IMAGES}}}"]
    above = "\\midrule\n" if line.first and line.attribute != "all" else ""
    return (
        above + " & ".join([attribute, f"{{{latex.escape(line.name)}}}", str(line.images), *cells]) + r" \\"
    )


def _latex_cell(cell: GroupCell) -> str:
    interval = rf" {{\scriptsize {latex.escape(cell.interval)}}}" if cell.interval else ""
    return latex.escape(cell.text) + interval + (r" $\blacktriangledown$" if cell.largest else "")


def rows(breakdowns: Sequence[Breakdown]) -> list[dict[str, object]]:
    """One row per data set, group, method and metric, with every digit."""
    return [
        {
            "dataset": breakdown.dataset,
            "title": breakdown.title,
            "attribute": group.attribute,
            "group": group.name,
            "definition": group.definition,
            "images": len(group.images),
            "method": method,
            "metric": split_name(full)[0],
            "protocol": split_name(full)[1],
            "better": "higher" if label(full).higher_is_better else "lower",
            "score": score.value,
            "low": score.low,
            "high": score.high,
            "fall": score.fall,
            "largest_fall": score.largest,
        }
        for breakdown in breakdowns
        for place, group in enumerate(breakdown.groups)
        for full in breakdown.metrics
        for method in breakdown.methods
        for score in [breakdown.scores[method, full, place]]
    ]


def write_breakdowns(
    folder: Path,
    breakdowns: Sequence[Breakdown],
    formats: Sequence[str],
    digits: int,
    figures: Mapping[str, str],
) -> list[Path]:
    """Writes `attributes.md`, `.tex`, `.csv` and `.json`, as far as asked for; returns their paths.

    The page has a section instead.
    """
    texts: dict[str, tuple[str, Callable[[], str]]] = {
        "markdown": ("md", lambda: markdown(breakdowns, digits, figures)),
        "latex": ("tex", lambda: latex_document(breakdowns, digits)),
        "json": ("json", lambda: _json(breakdowns)),
    }
    written = []
    for name in formats:
        if name in texts:
            ending, text = texts[name]
            path = folder / f"attributes.{ending}"
            write_text(path, text())
            written.append(path)
        elif name == "csv":
            written.append(_write_csv(folder / "attributes.csv", breakdowns))
    return written


def _json(breakdowns: Sequence[Breakdown]) -> str:
    notes = {one.dataset: one.notes for one in breakdowns if one.notes}
    content = {"definitions": DEFINITIONS, "notes": notes, "rows": rows(breakdowns)}
    return to_json(content, indent=1) + "\n"


def _write_csv(path: Path, breakdowns: Sequence[Breakdown]) -> Path:
    import pandas as pd

    frame = pd.DataFrame(rows(breakdowns))
    for column in ("dataset", "title", "group", "method"):
        frame[column] = frame[column].map(no_formula)
    with atomic_path(path) as part:
        frame.to_csv(part, index=False)
    return path
