"""The leaderboard in LaTeX (booktabs), a document that compiles as it is, and its bibliography.

Method names may hold any character: what LaTeX would act on is escaped, what its fonts lack is written
in ASCII.
"""

import unicodedata
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.files import write_text
from sodbench.report.cells import aside, count, explained, score
from sodbench.report.efficiency import EFFICIENCY, cell
from sodbench.report.frame import Table, marks, ranked_rows
from sodbench.report.labels import label, protocols_of, split_name
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
_HEAD = r"""% Written by sodbench; compile with pdflatex, bibtex, pdflatex, pdflatex.
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
    found = marks(table)
    parts = [_HEAD]
    parts += [_table(table, dataset, title, rows, found) for dataset, title, rows in table.datasets()]
    if cited(table):
        parts.append("\\bibliographystyle{plain}\n\\bibliography{leaderboard}\n")
    return "\n".join([*parts, "\\end{document}\n"])


def cited(table: Table) -> list[str]:
    """The keys of all citations in the table, those that have an entry."""
    keys = [str(key) for key in table.frame["cite"].dropna()]
    return sorted(set(keys) & set(bibliography()))


def write_latex(reports: Path, table: Table) -> list[Path]:
    """Writes `leaderboard.tex` and `leaderboard.bib`; returns their paths."""
    document, references = reports / "leaderboard.tex", reports / "leaderboard.bib"
    write_text(references, "\n\n".join(bibliography()[key] for key in cited(table)) + "\n")
    write_text(document, latex(table))
    return [document, references]


def _table(table: Table, dataset: str, title: str, rows: "pd.DataFrame", found: "pd.DataFrame") -> str:
    metrics = table.metrics_of(rows)
    protocols = protocols_of(metrics)
    ranked = set(ranked_rows(rows).index)
    # a metric's protocols under one heading, whatever order was asked for
    firsts = list(dict.fromkeys(split_name(full)[0] for full in metrics))
    metrics.sort(key=lambda full: firsts.index(split_name(full)[0]))
    head = ["Method", "$n$", *(EFFICIENCY[name].latex for name in table.efficiency)]
    lines = []
    for index, row in rows.iterrows():
        facts = row.to_dict()
        cite = facts["cite"] if facts["cite"] in bibliography() else None
        # in braces: a name that starts with a bracket would be read as an option of the line before
        name = f"{{{escape(str(facts['method']))}}}" + (f"~\\cite{{{cite}}}" if cite else "")
        images = escape(count(facts)) + ("" if index in ranked else r"\textsuperscript{\textdagger}")
        cells = [escape(cell(column, facts[column])) for column in table.efficiency]
        if facts["kind"] == "published":
            name = rf"\quad\textit{{{name}, {escape(str(facts['source']))}}}"
            images = escape(count(facts))
            cells += [_published(facts, full, table.precision) for full in metrics]
        else:
            cells += [_measured(facts, full, table.precision, str(found.at[index, full])) for full in metrics]
        lines.append(" & ".join([name, images, *cells]) + r" \\")
    caption = f"{escape(title)}. Protocol: {', '.join(escape(protocol) for protocol in protocols)}."
    caption += r" Best in bold, second best underlined; $n$: images scored of images expected."
    if len(ranked) < int((rows["kind"] == "measured").sum()):
        caption += r" \textsuperscript{\textdagger}Other images or masks, not ranked."
    if (rows["kind"] == "published").any():
        caption += r" Italic: published values, in brackets measured minus published."
    caption += "".join(f" {escape(text)}" for text in explained(table))
    notes = "".join(f"\n{escape(note)}.\\par" for note in table.notes.get(dataset, []))
    body = "\n".join(lines)
    return (
        f"% table {escape(dataset)}\n\\begin{{table}}[htp]\n\\centering\n\\caption{{{caption}}}\n"
        f"\\begin{{lrbox}}{{\\sodbenchbox}}\n\\begin{{tabular}}{{l{'r' * (len(head) + len(metrics) - 1)}}}\n"
        f"\\toprule\n{_heads(metrics, protocols, head)}\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}\n"
        f"\\end{{lrbox}}\n\\sodbenchfit\n\\end{{table}}\n{notes}\n% end\n"
    )


def _heads(metrics: list[str], protocols: list[str], facts: list[str]) -> str:
    """The heading: metric names, and below them the protocols where there are several."""
    if len(protocols) == 1:
        return " & ".join([*facts, *(f"${label(full).latex}${_arrow(full)}" for full in metrics)]) + r" \\"
    groups: dict[str, list[str]] = {}
    for full in metrics:
        groups.setdefault(split_name(full)[0], []).append(escape(split_name(full)[1]))
    above, rules, at = [], [], len(facts) + 1
    for metric, names in groups.items():
        above.append(rf"\multicolumn{{{len(names)}}}{{c}}{{${label(metric).latex}${_arrow(metric)}}}")
        rules.append(rf"\cmidrule(lr){{{at}-{at + len(names) - 1}}}")
        at += len(names)
    below = [name for names in groups.values() for name in names]
    first = " & " * len(facts) + " & ".join(above)
    return f"{first} \\\\\n{' '.join(rules)}\n{' & '.join([*facts, *below])} \\\\"


def _arrow(full: str) -> str:
    return {"up": r"$\uparrow$", "down": r"$\downarrow$", None: ""}[label(full).better]


def _measured(facts: dict[Hashable, Any], full: str, precision: int, mark: str) -> str:
    text = escape(score(facts, full, precision))
    text = {"best": rf"\textbf{{{text}}}", "second": rf"\underline{{{text}}}"}.get(mark, text)
    behind = aside(facts, full, precision)
    return text + (rf" {{\scriptsize {escape(behind)}}}" if behind else "")


def _published(facts: dict[Hashable, Any], full: str, precision: int) -> str:
    text = score(facts, full, precision)
    if text == "–":
        return ""
    behind = aside(facts, full, precision)
    return rf"\textit{{{escape(text)}}}" + (f" {escape(behind)}" if behind else "")
