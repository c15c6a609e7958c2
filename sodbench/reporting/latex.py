"""The leaderboard in LaTeX (booktabs) as a complete document, and its bibliography.

Method names may hold any character: LaTeX's special characters are escaped, and letters that its fonts lack
are written in ASCII.
"""

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.files import write_text
from sodbench.reporting.cell_text import count, score, spread, spread_explanations
from sodbench.reporting.efficiency_columns import EFFICIENCY, efficiency_text
from sodbench.reporting.labels import label, protocols_of, split_name
from sodbench.reporting.table import Row, Table, marks, ranked_rows
from sodbench.results.published import bibliography

if TYPE_CHECKING:
    import pandas as pd

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"{-}",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    "–": "--",
    "—": "---",
    "−": r"$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "…": r"\ldots{}",
}
HEAD = r"""% Written by sodbench; compile with pdflatex, bibtex, pdflatex, pdflatex.
\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage{textcomp}
\usepackage[margin=2cm]{geometry}
\usepackage{amsmath}
\usepackage{booktabs}
\usepackage{graphicx}
\setlength{\belowcaptionskip}{6pt}
% a table that is wider than the page is scaled down to it
\newsavebox{\sodbenchbox}
\newcommand{\sodbenchfit}{\ifdim\wd\sodbenchbox>\linewidth
  \resizebox{\linewidth}{!}{\usebox{\sodbenchbox}}\else\usebox{\sodbenchbox}\fi}
\begin{document}
"""


def escape(text: str) -> str:
    """`text` as literal LaTeX for a paragraph or a table cell.

    >>> print(escape("50% of $x_1$ & {y}"))
    50\\% of \\$x\\_1\\$ \\& \\{y\\}
    """
    return "".join(_letter(letter) for letter in " ".join(text.split()))


def _letter(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isascii():
        return letter if letter.isprintable() else "?"
    # the T1 fonts have all letters of Latin-1
    if "À" <= letter <= "ÿ" and letter not in "×÷":
        return letter
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return "".join(_ESCAPES.get(part, part) for part in plain) or f"[U+{ord(letter):04X}]"


def latex(table: Table) -> str:
    """The whole document; the tables stand between the lines `% table` and `% end`."""
    marked = marks(table)
    parts = [HEAD]
    parts += [_table(table, dataset, title, rows, marked) for dataset, title, rows in table.datasets()]
    if cited(table):
        parts.append("\\bibliographystyle{plain}\n\\bibliography{leaderboard}\n")
    return "\n".join([*parts, "\\end{document}\n"])


def cited(table: Table) -> list[str]:
    """The citation keys of the table that have an entry in the bibliography."""
    keys = [str(key) for key in table.frame["cite"].dropna()]
    return sorted(set(keys) & set(bibliography()))


def write_latex(folder: Path, table: Table) -> list[Path]:
    """Writes `leaderboard.tex` and `leaderboard.bib`; returns their paths."""
    document, references = folder / "leaderboard.tex", folder / "leaderboard.bib"
    write_text(references, "\n\n".join(bibliography()[key] for key in cited(table)) + "\n")
    write_text(document, latex(table))
    return [document, references]


def _table(table: Table, dataset: str, title: str, rows: "pd.DataFrame", marked: "pd.DataFrame") -> str:
    metrics = table.metrics_of(rows)
    protocols = protocols_of(metrics)
    ranked = set(ranked_rows(rows).index)
    # the protocols of a metric stand under one heading, in whatever order they were asked for
    firsts = list(dict.fromkeys(split_name(full)[0] for full in metrics))
    metrics.sort(key=lambda full: firsts.index(split_name(full)[0]))
    head = ["Method", "$n$", *(EFFICIENCY[name].latex for name in table.efficiency)]
    lines = []
    for index, series in rows.iterrows():
        row = series.to_dict()
        cite = row["cite"] if row["cite"] in bibliography() else None
        # in braces: LaTeX would read a name that starts with a bracket as an option of the line before
        name = f"{{{escape(str(row['method']))}}}" + (f"~\\cite{{{cite}}}" if cite else "")
        images = escape(count(row)) + ("" if index in ranked else r"\textsuperscript{\textdagger}")
        cells = [escape(efficiency_text(column, row[column])) for column in table.efficiency]
        if row["kind"] == "published":
            name = rf"\quad\textit{{{name}, {escape(str(row['source']))}}}"
            images = escape(count(row))
            cells += [_published(row, full, table.digits) for full in metrics]
        else:
            cells += [_measured(row, full, table.digits, str(marked.at[index, full])) for full in metrics]
        lines.append(" & ".join([name, images, *cells]) + r" \\")
    plural = "s" * (len(protocols) > 1)
    caption = f"{escape(title)}. Protocol{plural}: {', '.join(escape(protocol) for protocol in protocols)}."
    caption += r" Best in bold, second best underlined; $n$: images scored of images expected."
    if len(ranked) < int((rows["kind"] == "measured").sum()):
        caption += r" \textsuperscript{\textdagger}Different set of images or masks, not ranked."
    if (rows["kind"] == "published").any():
        caption += r" Italic: published values; in parentheses: measured minus published."
    caption += "".join(f" {escape(text)}" for text in spread_explanations(table))
    notes = "".join(f"\n{escape(note)}.\\par" for note in table.notes_of(dataset))
    alignment = f"l{'r' * (len(head) + len(metrics) - 1)}"
    heads, body = _heads(metrics, protocols, head), "\n".join(lines)
    return fitted_table(dataset, caption, alignment, heads, body, notes)


def fitted_table(name: str, caption: str, alignment: str, heads: str, body: str, notes: str = "") -> str:
    """A floating table no wider than the page, between the lines `% table` and `% end`; all is LaTeX."""
    return (
        f"% table {escape(name)}\n\\begin{{table}}[htp]\n\\centering\n\\caption{{{caption}}}\n"
        f"\\begin{{lrbox}}{{\\sodbenchbox}}\n\\begin{{tabular}}{{{alignment}}}\n"
        f"\\toprule\n{heads}\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}\n"
        f"\\end{{lrbox}}\n\\sodbenchfit\n\\end{{table}}\n{notes}\n% end\n"
    )


def _heads(metrics: list[str], protocols: list[str], facts: list[str]) -> str:
    """The heading: the metrics, and below each its protocols where there are several."""
    if len(protocols) == 1:
        return " & ".join([*facts, *(f"${label(full).latex}${arrow(full)}" for full in metrics)]) + r" \\"
    groups: dict[str, list[str]] = {}
    for full in metrics:
        groups.setdefault(split_name(full)[0], []).append(escape(split_name(full)[1]))
    above, rules, at = [], [], len(facts) + 1
    for metric, names in groups.items():
        above.append(rf"\multicolumn{{{len(names)}}}{{c}}{{${label(metric).latex}${arrow(metric)}}}")
        rules.append(rf"\cmidrule(lr){{{at}-{at + len(names) - 1}}}")
        at += len(names)
    below = [name for names in groups.values() for name in names]
    first = " & " * len(facts) + " & ".join(above)
    return f"{first} \\\\\n{' '.join(rules)}\n{' & '.join([*facts, *below])} \\\\"


def arrow(full: str) -> str:
    """The arrow that says which way is better, as mathematics."""
    return {True: r"$\uparrow$", False: r"$\downarrow$", None: ""}[label(full).higher_is_better]


def _measured(row: Row, full: str, digits: int, mark: str) -> str:
    text = escape(score(row, full, digits))
    text = {"best": rf"\textbf{{{text}}}", "second": rf"\underline{{{text}}}"}.get(mark, text)
    after = spread(row, full, digits)
    return text + (rf" {{\scriptsize {escape(after)}}}" if after else "")


def _published(row: Row, full: str, digits: int) -> str:
    text = score(row, full, digits)
    if text == "–":
        return ""
    after = spread(row, full, digits)
    return rf"\textit{{{escape(text)}}}" + (f" {escape(after)}" if after else "")
