"""The wide table in LaTeX (booktabs), sized for a two-column paper, as a complete document."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sodbench.files import write_text
from sodbench.reporting.cell_text import REMARKS, Cell
from sodbench.reporting.labels import label, split_name
from sodbench.reporting.latex import escape
from sodbench.reporting.latex_widths import (
    BOLD,
    HANGING,
    ITALIC,
    broken,
    math_width,
    superscript_width,
    text_width,
)
from sodbench.reporting.side_by_side import DIFFERENCES
from sodbench.reporting.wide_layout import Layout, Size, Widths, block_width, lay_out
from sodbench.reporting.wide_table import RANK, WideBlock, WideRow, WideTable, grouped
from sodbench.results.published import bibliography

_HEAD = r"""% Written by sodbench; compile with pdflatex, bibtex, pdflatex, pdflatex.
% The lines between "% table" and "% end" go into your paper. They need \usepackage{booktabs}.
\documentclass[10pt,twocolumn]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage{textcomp}
\usepackage[textwidth=6.875in,textheight=8.875in,columnsep=0.3125in]{geometry}
\usepackage{booktabs}
\setlength{\belowcaptionskip}{5pt}
\setlength{\emergencystretch}{2em}
\makeatletter\setlength{\@fptop}{0pt}\setlength{\@dblfptop}{0pt}\makeatother
\begin{document}
"""
_SPREAD_SIZE = 5  # points of what follows a value, \tiny
_UNBROKEN = 12  # letters of a word; longer words may be broken anywhere


def write_wide_latex(folder: Path, table: WideTable, span: int | None = None) -> list[Path]:
    """Writes `table.tex` and its bibliography, `table.bib`; returns their paths.

    span: the columns of the paper that a table spans, 1 or 2; None: 1 where all fits, else 2.
    """
    document, references = folder / "table.tex", folder / "table.bib"
    write_text(references, "\n\n".join(bibliography()[key] for key in _cited(table)) + "\n")
    write_text(document, wide_latex(table, span))
    return [document, references]


def wide_latex(table: WideTable, span: int | None = None) -> str:
    """The document; the tables stand between the lines `% table` and `% end`."""
    sources = _letters_of_sources(table)
    joined = [row.published and row.owner is not None for row in table.rows]
    layout = lay_out(partial(_measure, table, sources), joined, span)
    places = [(part, rows) for part in range(len(layout.parts)) for rows in layout.rows]
    floats = "\n".join(
        _float(table, layout, part, table.rows[start:end], sources, (number, len(places)))
        for number, (part, (start, end)) in enumerate(places, start=1)
    )
    notes = "".join(f"{_paragraph(note)}.\\par\n" for note in table.notes)
    if notes:
        notes = f"\n\\section*{{Notes}}\n{{\\footnotesize\\raggedright\n{notes}}}\n"
    cited = "\n\\bibliographystyle{plain}\n\\bibliography{table}\n" if _cited(table) else ""
    # nothing after the end of the document is printed
    remarks = "".join(f"% {line}\n" for line in (REMARKS, *table.remarks)) if table.remarks else ""
    return f"{_HEAD}% table\n{floats}% end\n{notes}{cited}\\end{{document}}\n{remarks}"


def _cited(table: WideTable) -> list[str]:
    """The keys that the table cites and that have an entry in the bibliography."""
    keys = {key for row in table.rows for key in (row.cite, row.source_cite) if key}
    return sorted(keys & set(bibliography()))


def _letters_of_sources(table: WideTable) -> dict[str, str]:
    """A letter for each source of published rows, in the order of the rows."""
    sources = dict.fromkeys(row.source for row in table.rows if row.published)
    return {
        source: ("" if at < 26 else chr(96 + at // 26)) + chr(97 + at % 26)
        for at, source in enumerate(sources)
    }


def _measure(table: WideTable, sources: dict[str, str], size: Size, most: float) -> Widths:
    """The widths of the table's columns at a size; names take `most`."""
    points = size.points
    names = [_name_parts(row, sources, size, most) for row in table.rows]
    first = {id(rows[0]) for name, rows in grouped(table.rows) if name}
    columns, at = [], 0
    for block in table.blocks:
        of_block = []
        for full in block.metrics:
            cells = [_cell_width(row, row.cells[at], points) for row in table.rows]
            of_block.append(max(_head_width(table, full, size), *cells))
            at += 1
        columns.append(of_block)
    return Widths(
        name=max(text_width("Method", points), *(width for _, width in names)),
        headings=[text_width(block.title, points) for block in table.blocks],
        columns=columns,
        # the heading of a group takes a line and the space around its rule
        lines=[
            len(lines) + 1.8 * (id(row) in first) for row, (lines, _) in zip(table.rows, names, strict=True)
        ],
    )


def _cell_width(row: WideRow, cell: Cell, points: int) -> float:
    weight = ITALIC if row.published else BOLD if cell.mark == "best" else 1.0
    after = 0.0 if row.published or not cell.spread else text_width(" " + cell.spread, _SPREAD_SIZE)
    return text_width(cell.text, points, weight) + after


def _head_width(table: WideTable, full: str, size: Size) -> float:
    arrow = 0.51 * size.points * size.arrows
    if full == RANK:
        return text_width("Rank", size.points) + arrow
    below = text_width(split_name(full)[1], _SPREAD_SIZE) if len(table.protocols) > 1 else 0.0
    return max(math_width(label(full).latex, size.points) + arrow, below)


def _name_parts(row: WideRow, sources: dict[str, str], size: Size, most: float) -> tuple[list[str], float]:
    """The lines of a row's name as plain text, and the width of the widest with all that stands beside it."""
    beside = 0.0
    if row.published:
        beside += superscript_width(sources[row.source], size.points)
    if _key(row):
        beside += text_width("~[99]", size.points)
    weight = ITALIC if row.published else 1.0
    indent = size.points if row.owner is not None else 0.0

    def width(line: str) -> float:
        return indent + text_width(line, size.points, weight)

    lines = broken(row.method, lambda line: width(line) + beside <= most)
    return lines, max(width(one) + beside * (one is lines[-1]) for one in lines)


def _key(row: WideRow) -> str | None:
    """What a row cites; the published row of a measured method leaves that to the method's row."""
    return row.cite if row.cite in bibliography() and row.owner is None else None


def _float(
    table: WideTable,
    layout: Layout,
    part: int,
    rows: Sequence[WideRow],
    sources: dict[str, str],
    number: tuple[int, int],
) -> str:
    """One `table` or `table*`: the columns of a part with some of the rows."""
    size, name = layout.size, "table*" if layout.span == 2 else "table"
    blocks = [(table.blocks[block], columns) for block, columns in layout.parts[part]]
    at = [table.starts[block] + column for block, columns in layout.parts[part] for column in columns]
    # a published row is shown where it has a value
    rows = [row for row in rows if not row.published or any(row.cells[place].text for place in at)]
    alignment = "".join(_alignment(table, place) for place in at)
    body: list[str] = []
    for group, of_group in grouped(rows):
        if group:
            body += [r"\midrule"] if body else []
            body.append(rf"\multicolumn{{{len(at) + 1}}}{{@{{}}l}}{{\textbf{{{escape(group)}}}}} \\")
        for row in of_group:
            cells = [_cell(row, row.cells[place]) for place in at]
            body.append(" & ".join([_name(row, sources, layout), *cells]) + r" \\")
    return "\n".join(
        [
            rf"\begin{{{name}}}[tp]",
            rf"\centering{size.command}",
            rf"\setlength{{\tabcolsep}}{{{size.separation:g}pt}}",
            rf"\caption{{{_caption(table, size, number)}}}",
            rf"\label{{tab:sodbench{'' if number[0] == 1 else f'-{number[0]}'}}}",
            rf"\begin{{tabular}}{{@{{}}l{alignment}@{{}}}}",
            r"\toprule",
            *_heads(table, layout, part),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            *_below(blocks, rows, sources, layout.widths[part]),
            rf"\end{{{name}}}",
            "",
        ]
    )


def _alignment(table: WideTable, at: int) -> str:
    """Centred where all values print alike long, as scores do; else right-aligned."""
    printed = {len(row.cells[at].text) for row in table.rows if row.cells[at].text not in ("", "–")}
    return "c" if len(printed) < 2 else "r"


def _heads(table: WideTable, layout: Layout, part: int) -> list[str]:
    """The two lines of the heading with the rules between them."""
    size = layout.size
    above, rules, heads, at = [""], [], ["Method"], 2
    for number, columns in layout.parts[part]:
        block = table.blocks[number]
        room = block_width(layout.measured, number, columns, size)
        lines = broken(block.title, lambda line: text_width(line, size.points) <= room)  # noqa: B023
        title = _stacked([escape(line) for line in lines], "[b]{@{}c@{}}")
        above.append(rf"\multicolumn{{{len(columns)}}}{{c}}{{{title}}}")
        rules.append(rf"\cmidrule(lr){{{at}-{at + len(columns) - 1}}}")
        at += len(columns)
        heads += [rf"\multicolumn{{1}}{{c}}{{{_head(table, block.metrics[one], size)}}}" for one in columns]
    return [" & ".join(above) + r" \\", "".join(rules), " & ".join(heads) + r" \\"]


def _stacked(lines: Sequence[str], how: str) -> str:
    """LaTeX lines above each other; one line stays as it is."""
    return (
        lines[0] if len(lines) == 1 else rf"\begin{{tabular}}{how}" + r" \\ ".join(lines) + r"\end{tabular}"
    )


def _head(table: WideTable, full: str, size: Size) -> str:
    if full == RANK:
        return r"Rank$\downarrow$" if size.arrows else "Rank"
    arrow = {True: r"{\uparrow}", False: r"{\downarrow}", None: ""}[label(full).higher_is_better]
    metric = f"${label(full).latex}{arrow if size.arrows else ''}$"
    if len(table.protocols) == 1:
        return metric
    return rf"\shortstack{{{metric}\\{{\tiny {escape(split_name(full)[1])}}}}}"


def _name(row: WideRow, sources: dict[str, str], layout: Layout) -> str:
    lines, _ = _name_parts(row, sources, layout.size, layout.names)
    written = []
    for line in lines:
        # in braces: LaTeX would read a name that starts with a bracket as an option of the line before
        text = rf"\textit{{{escape(line)}}}" if row.published else f"{{{escape(line)}}}"
        indented = (row.owner is not None) + line.startswith(HANGING)
        written.append(r"\quad " * indented + text)
    if row.published:
        written[-1] += rf"\textsuperscript{{{sources[row.source]}}}"
    if _key(row):
        written[-1] += rf"~\cite{{{_key(row)}}}"
    return _stacked(written, "[t]{@{}l@{}}")


def _cell(row: WideRow, cell: Cell) -> str:
    text = escape(cell.text)
    if row.published:
        return rf"\textit{{{text}}}" if text else ""
    text = {"best": rf"\textbf{{{text}}}", "second": rf"\underline{{{text}}}"}.get(cell.mark, text)
    dagger = r"\rlap{\textsuperscript{\textdagger}}" if cell.dagger else ""
    return text + dagger + (rf" {{\tiny {escape(cell.spread)}}}" if cell.spread else "")


def _caption(table: WideTable, size: Size, number: tuple[int, int]) -> str:
    """Title, protocols and what the signs mean."""
    plural = "s" * (len(table.protocols) > 1)
    texts = [f"{table.title}.", f"Protocol{plural}: {', '.join(table.protocols)}."]
    if number[1] > 1:
        texts.append(f"Part {number[0]} of {number[1]}.")
    if not size.arrows:
        columns = dict.fromkeys(full for _, full in table.columns)
        lower = [full for full in columns if full == RANK or label(full).higher_is_better is False]
        names = dict.fromkeys("rank" if full == RANK else split_name(full)[0] for full in lower)
        texts += [f"Lower is better for {' and '.join(names)}."] if names else []
    texts += [text for text in table.explanations if text != DIFFERENCES]
    return " ".join(map(_paragraph, texts))


def _below(
    blocks: Sequence[tuple[WideBlock, Sequence[int]]],
    rows: Sequence[WideRow],
    sources: dict[str, str],
    width: float,
) -> list[str]:
    """The notes below a table, `width` points wide: data sets scored in part, sources of published rows."""
    texts = []
    partly = [
        f"{block.title} {block.count.replace('/', ' of ')}"
        for block, _ in blocks
        if block.heading != block.title
    ]
    if partly:
        texts.append(f"Images scored: {_paragraph(', '.join(partly))}.")
    for source, cite in {row.source: row.source_cite for row in rows if row.published}.items():
        cited = rf"~\cite{{{cite}}}" if cite in bibliography() else ""
        texts.append(rf"\textsuperscript{{{sources[source]}}}{_paragraph(source)}{cited}.")
    if not texts:
        return []
    return [r"\par\smallskip", rf"\parbox{{{width:.0f}pt}}{{\scriptsize\raggedright {' '.join(texts)}}}"]


def _paragraph(text: str) -> str:
    """`text` as literal LaTeX; words longer than a line's end may be broken."""
    words = []
    for word in text.split():
        pieces = [word[at : at + _UNBROKEN] for at in range(0, len(word), _UNBROKEN)]
        words.append(r"\allowbreak{}".join(map(escape, pieces)))
    return " ".join(words)
