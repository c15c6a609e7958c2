"""A paper's main table as markdown, LaTeX and HTML."""

from pathlib import Path

from sodbench.files import write_text
from sodbench.reporting.html_table import environment
from sodbench.reporting.labels import arrow, label, split_name
from sodbench.reporting.latex import HEAD
from sodbench.reporting.latex import arrow as latex_arrow
from sodbench.reporting.latex import escape as latex_escape
from sodbench.reporting.markdown import escape as markdown_escape
from sodbench.reporting.paper_table import DataSetColumns, PaperCell, PaperRow, PaperTable

MARKS = "Best in bold, second best underlined."
PUBLISHED = "In italics: published values, not measured here; in parentheses: measured minus published."


def explanations(table: PaperTable) -> list[str]:
    """What stands below the table in every format."""
    marked = any(cell.mark for row in table.rows for cell in row.cells)
    return [*([MARKS] if marked else []), *([PUBLISHED] if table.published else []), *table.notes]


def write_paper_markdown(folder: Path, table: PaperTable) -> Path:
    """Writes `table.md` and returns its path."""
    heads = [
        f"{markdown_escape(_title(one))} {markdown_escape(table.head(full))} {arrow(full)}".strip()
        for one in table.columns
        for full in one.metrics
    ]
    lines = [f"# {markdown_escape(table.title)}", "", _protocols(table), ""]
    lines += [f"| method | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for row in table.rows:
        name = markdown_escape(row.name)
        if row.source:
            name = f"*{name}* — {markdown_escape(row.source)}"
        lines.append(f"| {name} | {' | '.join(_markdown_cell(row, cell) for cell in row.cells)} |")
    lines += ["", *(f"- {markdown_escape(text)}" for text in explanations(table)), ""]
    path = folder / "table.md"
    write_text(path, "\n".join(lines))
    return path


def write_paper_latex(folder: Path, table: PaperTable) -> Path:
    """Writes `table.tex`, a complete document with booktabs, and returns its path."""
    groups, rules, heads, at = [""], [], ["Method"], 2
    for one in table.columns:
        width = len(one.metrics)
        if width:
            groups.append(rf"\multicolumn{{{width}}}{{c}}{{{latex_escape(_title(one))}}}")
            rules.append(rf"\cmidrule(lr){{{at}-{at + width - 1}}}")
        heads += [_latex_head(table, full) for full in one.metrics]
        at += width
    body = []
    for row in table.rows:
        # in braces: LaTeX would read a name that starts with a bracket as an option of the line before
        name = f"{{{latex_escape(row.name)}}}"
        if row.source:
            name = rf"\quad\textit{{{name}, {latex_escape(row.source)}}}"
        body.append(" & ".join([name, *(_latex_cell(row, cell) for cell in row.cells)]) + r" \\")
    caption = " ".join([f"{latex_escape(table.title)}.", latex_escape(_plain_protocols(table))])
    notes = "".join(f"\n{latex_escape(text)}\\par" for text in explanations(table))
    text = (
        f"{HEAD}\\begin{{table}}[htp]\n\\centering\n\\caption{{{caption}}}\n\\begin{{lrbox}}{{\\sodbenchbox}}\n"
        f"\\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}\n\\toprule\n{' & '.join(groups)} \\\\\n"
        f"{' '.join(rules)}\n{' & '.join(heads)} \\\\\n\\midrule\n"
    )
    text += "\n".join(body)
    text += f"\n\\bottomrule\n\\end{{tabular}}\n\\end{{lrbox}}\n\\sodbenchfit\n\\end{{table}}\n{notes}\n"
    path = folder / "table.tex"
    write_text(path, text + "\\end{document}\n")
    return path


def write_paper_html(folder: Path, table: PaperTable) -> Path:
    """Writes `table.html`, one page without scripts, and returns its path."""
    columns = [
        {
            "title": _title(one),
            "heads": [
                {"text": table.head(full), "arrow": arrow(full), "title": label(full).text}
                for full in one.metrics
            ],
        }
        for one in table.columns
        if one.metrics
    ]
    template = environment().get_template("paper_table.html")
    text = template.render(
        table=table, columns=columns, protocols=_plain_protocols(table), explanations=explanations(table)
    )
    path = folder / "table.html"
    write_text(path, text)
    return path


def _title(one: DataSetColumns) -> str:
    """A data set's title, with the images scored where they are not all."""
    scored, _, expected = one.count.partition("/")
    return one.title if scored == expected else f"{one.title} ({one.count})"


def _protocols(table: PaperTable) -> str:
    names = ", ".join(f"`{name}`" for name in table.protocols)
    return f"Protocol{'s' * (len(table.protocols) != 1)}: {names}"


def _plain_protocols(table: PaperTable) -> str:
    return f"{_protocols(table).replace('`', '')}."


def _markdown_cell(row: PaperRow, cell: PaperCell) -> str:
    if row.source:
        after = f" {cell.after}" if cell.after else ""
        return f"*{cell.text}*{after}" if cell.text else ""
    text = {"best": f"**{cell.text}**", "second": f"<u>{cell.text}</u>"}.get(cell.mark, cell.text)
    return text + (f" <sub>{markdown_escape(cell.after)}</sub>" if cell.after else "")


def _latex_head(table: PaperTable, full: str) -> str:
    head = f"${label(full).latex}${latex_arrow(full)}"
    return (
        head if len(table.protocols) == 1 else f"{head} {{\\scriptsize {latex_escape(split_name(full)[1])}}}"
    )


def _latex_cell(row: PaperRow, cell: PaperCell) -> str:
    text, after = latex_escape(cell.text), latex_escape(cell.after)
    if row.source:
        return (rf"\textit{{{text}}}" + (f" {after}" if after else "")) if text else ""
    text = {"best": rf"\textbf{{{text}}}", "second": rf"\underline{{{text}}}"}.get(cell.mark, text)
    return text + (rf" {{\scriptsize {after}}}" if after else "")
