"""The table of a paper: data sets side by side, in every format, compiled where LaTeX is here."""

import csv
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from results.stand_in import StandInDataset
from results.stand_in import table as score_table

import sodbench as sb
from report.test_tables import NASTY
from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.reporting.latex import escape
from sodbench.reporting.latex_widths import text_width
from sodbench.reporting.published_rows import with_published
from sodbench.reporting.selection import Selection
from sodbench.reporting.side_by_side import side_by_side
from sodbench.reporting.table import make_table
from sodbench.reporting.wide_latex import wide_latex
from sodbench.reporting.wide_table import RANK, WideTable, grouped
from sodbench.results.method_year import year_of
from sodbench.results.new_run import new_run
from sodbench.results.run import Run
from sodbench.results.saving import save_run

SETS = {"ecssd": 1000, "pascal-s": 850, "hku-is": 1447, "dut-omron": 5168, "duts-te": 5019, "sod": 300}
START = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{textcomp}\begin{document}"
SIZES = {r"\small": 9, r"\footnotesize": 8, r"\scriptsize": 7}
METHODS = [
    *(
        "DSS",
        "Amulet",
        "PiCANet",
        "BASNet",
        "U2-Net",
        "SRM",
        "RAS",
        "DGRL",
        "BMPM",
        "CPD",
        "PoolNet",
        "EGNet",
    ),
    *("SCRN", "F3Net", "MINet", "LDF", "ITSD", "GateNet", "isnet", "rembg-birefnet-general-lite"),
    *(f"variant-{number}" for number in range(20)),
]


@cache
def base(dataset: str, protocol: str, scored: int) -> Run:
    """A run on a data set; those of one data set and count were scored on the same images."""
    table = score_table(scored, protocol=protocol, levels=255 if protocol == "basnet2019" else 256)
    return new_run("base", StandInDataset(dataset, dataset.upper(), 12), {protocol: table})


def made(
    method: str, dataset: str, protocol: str = "pysodmetrics", scored: int | None = None, **scores: float
) -> Run:
    """A run with chosen scores."""
    run = base(dataset, protocol, scored or 12)
    tables = {name: replace(table, scores=table.scores | scores) for name, table in run.tables.items()}
    return replace(run, name=method, tables=tables, expected=SETS[dataset], scored=scored or SETS[dataset])


def many(methods: Sequence[str], datasets: Sequence[str], protocol: str = "pysodmetrics") -> list[Run]:
    """Records with varied scores."""
    draw = np.random.default_rng(0)
    runs = []
    for dataset in datasets:
        for method in methods:
            error = float(draw.uniform(0.03, 0.1))
            runs.append(made(method, dataset, protocol, MAE=error, maxF=1 - 2 * error, S=0.99 - 1.5 * error))
    return runs


def wide(runs: Sequence[Run], metrics: Sequence[str] = ("MAE", "maxF"), **options: object) -> WideTable:
    return side_by_side(make_table(runs, Selection(metrics=metrics)), **options)  # type: ignore[arg-type]


@pytest.fixture
def three() -> list[Run]:
    """Three methods on two data sets, and one of them on a third."""
    values = {
        "a": ((0.10, 0.80), (0.20, 0.70)),
        "b": ((0.05, 0.81), (0.30, 0.9001)),
        "c": ((0.20, 0.60), (0.10, 0.9004)),
    }
    runs = [
        made(method, dataset, MAE=error, maxF=score)
        for method, pairs in values.items()
        for dataset, (error, score) in zip(("ecssd", "sod"), pairs, strict=True)
    ]
    return [*runs, made("b", "hku-is", MAE=0.4, maxF=0.5)]


def texts(table: WideTable, method: str) -> list[str]:
    row = next(row for row in table.rows if row.method == method)
    return [cell.text + {"best": "*", "second": "_", "": ""}[cell.mark] for cell in row.cells]


def test_means_and_ranks_are_over_the_sets_where_all_are_scored(three: list[Run]) -> None:
    table = wide(three, average=True)
    assert [block.title for block in table.blocks] == ["ECSSD", "SOD", "HKU-IS", "Mean of 2 sets"]
    assert table.blocks[-1].metrics == ("MAE@pysodmetrics", "maxF@pysodmetrics", RANK)
    assert table.blocks[-1].averaged == ("ecssd", "sod")
    # b is on most data sets and stands first; a dash where a method was not scored; values that print alike
    # share the mark, and one row alone has none
    assert [row.method for row in table.rows] == ["b", "c", "a"]
    assert texts(table, "b") == [".050*", ".810*", ".300", ".900*", ".400", ".500", ".175_", ".855*", "1.8*"]
    assert texts(table, "c") == [".200", ".600", ".100*", ".900*", "–", "–", ".150*", ".750_", "2.0_"]
    # the ranks are of all digits: a is 2nd, 2nd, 2nd and 3rd
    assert texts(table, "a")[-3:] == [".150*", ".750_", "2.2"]
    assert "Means are over ECSSD, SOD, where all methods were scored." in table.explanations


def test_without_two_common_sets_there_are_no_means_and_a_note_says_why(three: list[Run]) -> None:
    table = wide([run for run in three if run.dataset != "ecssd"], average=True)
    assert [block.title for block in table.blocks] == ["SOD", "HKU-IS"]
    assert table.notes == (
        "no means: fewer than two data sets on which all methods have comparable scores;"
        " not HKU-IS (no scores of a, c)",
    )


def test_a_row_on_other_images_has_a_dagger_and_no_mark(three: list[Run]) -> None:
    table = wide([*three, made("mine", "ecssd", scored=7, MAE=0.001, maxF=0.999)], average=True)
    row = next(row for row in table.rows if row.method == "mine")
    assert [(cell.mark, cell.dagger) for cell in row.cells[:2]] == [("", True), ("", True)]
    assert texts(table, "b")[0] == ".050*"
    assert "† Different image set, not ranked." in table.explanations
    assert "mine on ECSSD: different image set (7/1000), not ranked" in table.notes
    assert r".001\rlap{\textsuperscript{\textdagger}}" in wide_latex(table)


def test_rows_stand_under_years_and_ours_last() -> None:
    runs = many(["mine", "DSS", "BASNet", "u2netp", "rembg-birefnet-general", "own"], ["sod"])
    table = wide(runs, group_by="year", ours=["mine"])
    assert [(name, [row.method for row in rows]) for name, rows in grouped(table.rows)] == [
        ("2017", ["DSS"]),
        ("2019", ["BASNet"]),
        ("2020", ["u2netp"]),
        ("2024", ["rembg-birefnet-general"]),
        ("Year not known", ["own"]),
        ("Ours", ["mine"]),
    ]
    assert year_of("own") is None and year_of("isnet") == 2022
    assert {row.group for row in wide(runs, group_by="origin").rows} == {""}
    with pytest.raises(InputError, match="did you mean 'year'"):
        wide(runs, group_by="yaer")  # codespell:ignore
    with pytest.raises(InputError, match=r"'mien'.*did you mean 'mine'"):
        wide(runs, ours=["mien"])


def test_published_rows_follow_their_method_and_have_means_where_they_have_all_values() -> None:
    runs = many(["DSS", "mine"], ["sod", "ecssd"], "basnet2019")
    table = with_published(make_table(runs, Selection(metrics=["MAE", "maxF"])), runs, ["basnet2019"])
    shown = side_by_side(table, average=True, ours=["mine"])
    assert [name for name, _ in grouped(shown.rows)] == ["Measured here", "Published", "Ours"]
    assert [row.method for row in shown.rows[:2]] == ["DSS", "DSS+"]
    published = shown.rows[1]
    assert (published.owner, published.year) == ("DSS", 2017)
    assert [cell.text for cell in published.cells[-3:]] == [".088", ".883", ""]  # (.052 + .124) / 2
    assert not any(cell.mark for row in shown.rows if row.published for cell in row.cells)
    text = wide_latex(shown)
    assert r"\quad \textit{DSS+}\textsuperscript{a} & \textit{.052} & \textit{.921}" in text
    assert (
        r"{DSS}~\cite{hou2017dss} &" in text and r"\textit{SRM}\textsuperscript{a}~\cite{wang2017srm}" in text
    )
    assert r"\textsuperscript{a}BASNet paper, Table 2~\cite{qin2019basnet}." in text
    assert "measured minus published" not in text


def test_the_command_writes_every_format_of_the_chosen_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for dataset in ("sod", "ecssd"):
        for seed, name in enumerate(("mine", "BASNet", "DSS")):
            tables = {"pysodmetrics": score_table(seed=seed)}
            save_run("reports", new_run(name, StandInDataset(dataset, dataset.upper()), tables))
    options = ["--formats", "markdown", "html", "latex", "csv", "json", "--methods", "mine", "DSS", "BASNet"]
    options += ["--datasets", "sod", "ecssd", "--metrics", "S", "MAE", "--average", "--ours", "mine"]
    assert main(["report", "--layout", "wide", *options]) == 0
    written = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert written == ["table.md", "table.html", "table.tex", "table.bib", "table.csv", "leaderboard.json"]
    assert {path.name for path in Path("reports").iterdir()} == {*written, "runs"}
    lines = Path("reports/table.md").read_text().splitlines()
    head = [cell.strip() for cell in lines[4].strip("| ").split("|")]
    assert head[:5] == ["method", "SOD S ↑", "SOD MAE ↓", "ECSSD S ↑", "ECSSD MAE ↓"]
    assert head[5:] == ["Mean of 2 sets S ↑", "Mean of 2 sets MAE ↓", "Mean of 2 sets Rank ↓"]
    assert [line.split("|")[1].strip() for line in lines[6:11]] == [
        *("**Measured here**", "DSS", "BASNet", "**Ours**", "mine")
    ]
    with Path("reports/table.csv").open(newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    values = {run.name: run.values() for run in sb.load_runs("reports") if run.dataset == "sod"}
    for name, row in rows.items():
        assert float(row["sod S@pysodmetrics"]) == values[name]["S@pysodmetrics"]
    assert rows["mine"]["group"] == "Ours" and rows["DSS"]["year"] == "2017"
    page = Path("reports/table.html").read_text()
    assert '<th scope="colgroup" colspan="3">Mean of 2 sets</th>' in page and "<script" not in page
    assert '<th class="group" scope="rowgroup">Ours</th>' in page
    assert len(json.loads(Path("reports/leaderboard.json").read_text())["rows"]) == 6
    # the long table is as it was, with every metric
    sb.report("reports", figures=[])
    assert "## ECSSD" in Path("reports/leaderboard.md").read_text()
    with pytest.raises(InputError, match="average: only the wide layout"):
        sb.report("reports", average=True)
    with pytest.raises(InputError, match="span is 3, expected at most 2"):
        sb.report("reports", layout="wide", span=3)
    with pytest.raises(InputError, match="attributes: only the long layout"):
        sb.report("reports", layout="wide", attributes=True)


def test_one_column_is_split_between_data_sets() -> None:
    table = side_by_side(make_table(many(METHODS[:4], list(SETS)), Selection(metrics=["MAE", "maxF", "S"])))
    text = wide_latex(table, 1)
    assert text.count(r"\begin{table}[tp]") == text.count("Part") > 1
    assert "resizebox" not in text and text.count(r"\multicolumn{3}{c}{DUTS{-}TE}") == 1
    assert wide_latex(table, 2).count(r"\begin{table*}[tp]") == 1 and "Part" not in wide_latex(table, 2)
    # a small table takes one column by itself, a wide one the page
    assert wide_latex(table) == wide_latex(table, 2)
    small = side_by_side(make_table(many(METHODS[:4], ["sod"]), Selection(metrics=["MAE", "maxF", "S"])))
    assert wide_latex(small) == wide_latex(small, 1) and r"\small" in wide_latex(small)


needs_latex = pytest.mark.skipif(
    not shutil.which("pdflatex"), reason="needs pdflatex and booktabs (Debian: texlive-latex-recommended)"
)


@needs_latex
@pytest.mark.parametrize(
    ("methods", "datasets", "span"), [(4, 6, 1), (16, 3, 1), (16, 3, 2), (40, 6, 1), (40, 6, 2)]
)
def test_the_compiled_table_is_no_wider_than_the_paper(
    methods: int, datasets: int, span: int, tmp_path: Path
) -> None:
    runs = many(METHODS[:methods], list(SETS)[:datasets], "basnet2019")
    table = make_table(runs, Selection(metrics=["MAE", "maxF", "S"]))
    if methods == 16:
        table = with_published(table, runs, ["basnet2019", "u2net2020"])
    shown = side_by_side(table, average=span == 2, group_by="year", ours=METHODS[:1])
    assert compiled(wide_latex(shown, span), tmp_path) == []


@needs_latex
def test_whatever_names_hold_compiles_and_fits(tmp_path: Path) -> None:
    names = [*NASTY, "W" * 80, "name-" * 12, "under_score " * 5]
    runs = [
        replace(made(name, dataset), title=title)
        for dataset, title in zip(SETS, ["a_b & c%", "A long title of photographs", "M" * 60], strict=False)
        for name in names
    ]
    shown = side_by_side(
        make_table(runs, Selection(digits=5)), metrics=["S@pysodmetrics", "adpE@pysodmetrics"]
    )
    assert compiled(wide_latex(shown, 1), tmp_path) == []


def compiled(text: str, folder: Path) -> list[str]:
    """Compiles a document and returns what LaTeX says about boxes that do not fit."""
    (folder / "table.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "table"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-1500:]
    log = (folder / "table.log").read_text(errors="replace").splitlines()
    return [line for line in log if "Overfull" in line or "Float too large" in line]


@needs_latex
def test_text_is_no_wider_than_computed(tmp_path: Path) -> None:
    words = [
        "BASNet (ResNet-34)",
        "rembg-birefnet-general-lite",
        "U²-Net",
        "a_b ~^%",
        ".0123456789",
        "DUT-OMRON",
    ]
    boxes = "".join(
        rf"\setbox0=\hbox{{{size} {escape(word)}}}\typeout{{WIDTH \the\wd0}}"
        for size in SIZES
        for word in words
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-draftmode", f"{START}{boxes}\\end{{document}}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    real = [float(line[6:-2]) for line in done.stdout.splitlines() if line.startswith("WIDTH")]
    computed = [text_width(word, points) for points in SIZES.values() for word in words]
    assert len(real) == len(computed)
    for found, most in zip(real, computed, strict=True):
        assert 0.85 * most < found <= most
