"""LaTeX, CSV, JSON and published rows: one table, every format, every name harmless."""

import csv
import json
import math
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results.stand_in import StandInDataset, run
from results.stand_in import table as score_table

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.reporting.cell_text import number, spread
from sodbench.reporting.csv_json import write_csv, write_json
from sodbench.reporting.efficiency_columns import efficiency_of, efficiency_text
from sodbench.reporting.latex import escape, latex, write_latex
from sodbench.reporting.markdown import markdown
from sodbench.reporting.published_rows import with_published
from sodbench.reporting.selection import Selection
from sodbench.reporting.table import make_table
from sodbench.reporting.uncertainty import with_intervals, with_seeds_joined
from sodbench.results.new_run import new_run
from sodbench.results.resampling import bootstrap, scores_of
from sodbench.results.saving import save_run

NASTY = [
    r"a_b%c & 50$ #1 ~^\{x}",
    "[bracket]",
    "-- --",
    "Ünïcödé ß ø",
    "漢字 α→β",
    "<script>",
    "a\nb\tc",
    "*_`|",
]


def made(name: str, dataset: str = "sod", images: int = 300, protocols=("pysodmetrics",), **scores: float):
    """A run with chosen data-set values under the given protocols."""
    tables = {}
    for protocol in protocols:
        levels = 255 if protocol in ("basnet2019", "salod") else 256
        tables[protocol] = score_table(images, protocol=protocol, levels=levels)
        tables[protocol].scores.update(scores)
    return new_run(name, StandInDataset(dataset, dataset.upper(), 300), tables)


def test_latex_has_booktabs_arrows_marks_counts_and_citations() -> None:
    runs = [made("DSS", maxF=0.9, MAE=0.1), made("mine", maxF=0.8, MAE=0.05)]
    text = latex(make_table(runs, Selection(metrics=["MAE", "maxF"])))
    assert r"\toprule" in text and r"\midrule" in text and r"\bottomrule" in text
    assert r"Method & $n$ & $\mathrm{MAE}$$\downarrow$ & $F_{\beta}^{\max}$$\uparrow$ \\" in text
    assert r"{DSS}~\cite{hou2017dss} & 300/300 & \underline{.100} & \textbf{.900} \\" in text
    assert r"{mine} & 300/300 & \textbf{.050} & \underline{.800} \\" in text
    assert "Protocol: pysodmetrics." in text and r"\bibliography{leaderboard}" in text


def test_latex_groups_a_metrics_protocols_under_one_heading() -> None:
    runs = [made("a", protocols=("pysodmetrics", "basnet2019"))]
    table = make_table(runs, Selection(metrics=["MAE", "maxF"], protocols=["pysodmetrics", "basnet2019"]))
    text = latex(table)
    assert r"\multicolumn{2}{c}{$\mathrm{MAE}$$\downarrow$}" in text
    assert r"\cmidrule(lr){3-4} \cmidrule(lr){5-6}" in text


def test_the_bibliography_holds_what_is_cited_and_nothing_else(tmp_path: Path) -> None:
    document, references = write_latex(tmp_path, make_table([made("DSS"), made("mine")], Selection()))
    assert references.read_text().count("@") == 1 and "hou2017dss" in references.read_text()
    assert "\\bibliography" in document.read_text()
    document, references = write_latex(tmp_path, make_table([made("mine")], Selection()))
    assert references.read_text().strip() == "" and "\\bibliography" not in document.read_text()


@given(st.text(max_size=30))
def test_escaped_latex_holds_no_character_that_acts(text: str) -> None:
    escaped = escape(text)
    for command in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textquotedbl{}"):
        escaped = escaped.replace(command, "")
    bare = escaped.replace(r"\{", "").replace(r"\}", "")
    for special in "&%$#_":
        bare = bare.replace(f"\\{special}", "")
    assert not set(bare) & set("&%#_~^\n") or "$" in bare
    assert bare.count("{") == bare.count("}")


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("pdflatex"), reason="needs pdflatex and booktabs (Debian: texlive-latex-recommended)"
)
def test_the_document_compiles_whatever_names_hold(tmp_path: Path) -> None:
    runs = [made(name, protocols=("pysodmetrics", "basnet2019")) for name in [*NASTY, "DSS"]]
    runs += [made(name, dataset="a_b & c%") for name in NASTY]
    table = make_table(runs, Selection(protocols=["pysodmetrics", "basnet2019"]))
    write_latex(tmp_path, with_published(table, runs))
    for command in (["pdflatex"], ["bibtex"], ["pdflatex"], ["pdflatex"]):
        options = ["-interaction=nonstopmode", "-halt-on-error"] if command == ["pdflatex"] else []
        done = subprocess.run(
            [*command, *options, "leaderboard"], cwd=tmp_path, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-1500:]
    log = (tmp_path / "leaderboard.log").read_text(errors="replace")
    assert (tmp_path / "leaderboard.pdf").stat().st_size > 10_000
    assert "undefined" not in log.lower() and "Overfull \\hbox" not in log


def test_csv_and_json_hold_every_digit(tmp_path: Path) -> None:
    runs = [made("a", maxF=0.123456789012345, S=math.nan), made("=cmd()", maxF=0.5)]
    table = make_table(runs, Selection(metrics=["maxF", "S"]))
    with write_csv(tmp_path, table).open(newline="", encoding="utf-8") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert rows["a"]["maxF@pysodmetrics"] == "0.123456789012345" and rows["a"]["S@pysodmetrics"] == ""
    assert set(rows) == {"a", "'=cmd()"} and rows["a"]["scored"] == "300" and rows["a"]["expected"] == "300"
    content = json.loads(write_json(tmp_path, table).read_text())
    assert content["metrics"] == ["maxF@pysodmetrics", "S@pysodmetrics"]
    by_name = {row["method"]: row for row in content["rows"]}
    assert by_name["a"]["maxF@pysodmetrics"] == 0.123456789012345 and by_name["a"]["S@pysodmetrics"] is None
    assert by_name["=cmd()"]["marks"] == {"maxF@pysodmetrics": "best"}


def test_published_rows_stand_below_the_measured_method_with_the_difference() -> None:
    runs = [made("DSS", protocols=("basnet2019",), maxF=0.8439, MAE=0.1213)]
    table = with_published(make_table(runs, Selection(metrics=["MAE", "maxF"])), runs, ["basnet2019"])
    rows = table.frame.to_dict("records")
    assert [row["method"] for row in rows[:2]] == ["DSS", "DSS+"]
    assert rows[1]["kind"] == "published" and rows[1]["maxF@basnet2019"] == 0.846
    assert rows[1]["difference:maxF@basnet2019"] == pytest.approx(0.8439 - 0.846)
    assert all(row["kind"] == "published" for row in rows[1:]) and len(rows) == 9
    text = markdown(table)
    assert "| *DSS+* — [BASNet paper, Table 2](https://doi.org/10.1109/CVPR.2019.00766) |" in text
    assert "| *.124* (−.003) | *.846* (−.002) |" in text
    assert "published values, not measured here" in text


def test_published_rows_are_never_ranked_and_what_is_left_out_is_counted() -> None:
    runs = [made("DSS", maxF=0.1), made("mine", maxF=0.2)]
    table = with_published(make_table(runs, Selection(metrics=["maxF", "MAE", "S"])), runs)
    text = markdown(table)
    assert "**.200**" in text and "<u>.100</u>" in text
    reason = (
        "whose F curve is F of mean precision and mean recall; that of pysodmetrics is the mean over images"
    )
    assert reason in text
    assert "the source does not state its toolkit" in text
    with pytest.raises(InputError, match="did you mean 'sodsurvey'"):
        with_published(table, runs, ["sodsurvy"])


def test_a_partial_measurement_is_compared_with_nothing() -> None:
    runs = [made("DSS", images=120, protocols=("basnet2019",))]
    table = with_published(make_table(runs, Selection()), runs)
    assert set(table.frame["kind"]) == {"measured"}
    assert any("only 120 of 300 images are scored here" in note for note in table.remarks["sod"])


def test_published_values_keep_their_printed_digits() -> None:
    runs = [made("DSS", protocols=("basnet2019",))]
    table = with_published(make_table(runs, Selection(digits=5)), runs, ["basnet2019"])
    assert "*.846*" in markdown(table) and ".84600" not in markdown(table)


def test_intervals_stand_behind_the_values() -> None:
    one = score_table(40)
    one = replace(one, image_curves=None)  # so that max F has no interval
    runs = [new_run("a", StandInDataset(expected=40), {"pysodmetrics": one})]
    table = with_intervals(make_table(runs, Selection(metrics=["MAE", "maxF"])), runs, resamples=200)
    row = table.frame.iloc[0].to_dict()
    expected = bootstrap(scores_of(runs[0].tables["pysodmetrics"]), 40, 200)["MAE"]
    assert (row["low:MAE@pysodmetrics"], row["high:MAE@pysodmetrics"]) == (expected.low, expected.high)
    assert spread(row, "MAE@pysodmetrics", 3) == f"[{number(expected.low)}, {number(expected.high)}]"
    assert spread(row, "maxF@pysodmetrics", 3) == ""
    assert "<sub>" in markdown(table) and r"\scriptsize" in latex(table)
    message = "In brackets after measured values: 95"
    assert message in markdown(table) and message in latex(table)
    assert message not in markdown(make_table(runs, Selection()))


def test_seeds_become_one_row_with_mean_and_deviation() -> None:
    runs = [made(f"net-seed{k}", maxF=0.8 + 0.01 * k) for k in range(3)] + [made("other", maxF=0.7)]
    table = with_seeds_joined(make_table(runs, Selection(metrics=["maxF"])), runs)
    assert list(table.frame["method"]) == ["net (3 seeds)", "other"]
    assert "| net (3 seeds) | 300/300 | **.810** <sub>±.010</sub> |" in markdown(table)
    assert "After ±: standard deviation over seeds." in markdown(table)
    alone = make_table([made("other")], Selection())
    assert with_seeds_joined(alone, [made("other")]) is alone


def test_joined_seeds_carry_no_interval_of_one_of_them() -> None:
    runs = [run(f"net-seed{k}", seed=k) for k in range(2)]
    table = with_intervals(make_table(runs, Selection(metrics=["MAE"])), runs, resamples=100)
    joined = with_seeds_joined(table, runs).frame
    assert table.frame["low:MAE@pysodmetrics"].notna().all() and len(joined) == 1
    assert joined[["low:MAE@pysodmetrics", "high:MAE@pysodmetrics"]].isna().all(axis=None)


def test_the_page_shows_joined_seeds_one_by_one(tmp_path: Path) -> None:
    for k in range(2):
        save_run(tmp_path, run(f"net-seed{k}", seed=k))
    options = ["--reports", str(tmp_path), "--figures", "--gallery", "0"]
    assert main(["report", "--seeds", "--format", "html", *options]) == 0
    html = (tmp_path / "index.html").read_text()
    (dataset,) = json.loads(html.partition('id="data">')[2].partition("</script>")[0])["datasets"]
    assert dataset["methods"] == ["net-seed0", "net-seed1"] and dataset["count"] == 12
    assert dataset["provenance"]["net (2 seeds)"] == [["runs", "net-seed0, net-seed1"]]


def test_published_rows_stand_below_the_seeds_of_their_method() -> None:
    runs = [made(f"dss-seed{k}", protocols=("basnet2019",), maxF=0.84 + 0.01 * k) for k in range(2)]
    table = with_seeds_joined(make_table(runs, Selection(metrics=["maxF"])), runs)
    rows = with_published(table, runs, ["basnet2019"]).frame.to_dict("records")
    assert [row["method"] for row in rows[:2]] == ["dss (2 seeds)", "DSS+"]
    assert rows[0]["cite"] == "hou2017dss"
    assert rows[1]["difference:maxF@basnet2019"] == pytest.approx(0.845 - 0.846)


def test_remarks_on_published_values_are_shown() -> None:
    runs = [made("DSS", protocols=("basnet2019",))]
    text = markdown(with_published(make_table(runs, Selection(metrics=["maxF", "MAE"])), runs))
    assert "- BASNet paper, Table 2: BASNet is trained on DUTS-TR; backbones" in text
    assert "- U²-Net paper, Tables 3 and 4, MAE of BASNet: the BASNet paper prints .114" in text
    assert "- sal\\_eval toolbox, README: sal-eval and basnet2019 agree on maxF up to rounding" in text


def test_efficiency_columns_appear_where_measured(tmp_path: Path) -> None:
    (tmp_path / "efficiency").mkdir()
    measured = {"parameters": 87_060_360, "flops": 254.7e9, "images_per_second": 3.21}
    (tmp_path / "efficiency" / "net.json").write_text(json.dumps(measured))
    table = make_table([made("net"), made("other")], Selection(metrics=["maxF"]), tmp_path)
    assert table.efficiency == ["parameters", "flops", "images_per_second"]
    text = markdown(table)
    assert "params (M) | FLOPs (G) | images/s |" in text and "87.06 | 254.70 | 3.2 |" in text
    assert "| other | 300/300 | – | – | – |" in text
    assert "Params (M)" in latex(table)
    assert make_table([made("net")], Selection()).efficiency == []


def test_a_broken_efficiency_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "efficiency").mkdir()
    for content in ("{", "[1]"):
        (tmp_path / "efficiency" / "net.json").write_text(content)
        with pytest.raises(InputError, match=r"net\.json.*sodbench bench"):
            efficiency_of(made("net"), tmp_path)
    assert efficiency_text("parameters", math.nan) == "–"


def test_the_command_writes_all_formats_with_the_same_rows(tmp_path: Path, capsys) -> None:
    for name in NASTY:
        save_run(tmp_path, run(name))
    formats = ["markdown", "latex", "csv", "json", "html"]
    options = [
        "--reports",
        str(tmp_path),
        "--figures",
        "--gallery",
        "0",
        "--precision",
        "2",
        "--sort",
        "name",
    ]
    assert main(["report", "--format", *formats, *options]) == 0
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.name for path in printed] == [
        "leaderboard.md",
        "leaderboard.tex",
        "leaderboard.bib",
        "leaderboard.csv",
        "leaderboard.json",
        "index.html",
    ]
    assert len(pd.read_csv(tmp_path / "leaderboard.csv")) == len(NASTY)
    assert len(json.loads((tmp_path / "leaderboard.json").read_text())["rows"]) == len(NASTY)
    html = (tmp_path / "index.html").read_text()
    assert (
        "&lt;script&gt;" in html
        and html.count("<script>") == 1
        and html.count('class="measured"') == len(NASTY)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--digits", "0"], "--digits is 0"),
        (["--gallery", "-1"], "--gallery is -1"),
        (["--published", "nothing"], "unknown published source 'nothing'"),
        (["--metrics", "maxG"], "did you mean"),
    ],
)
def test_wrong_options_are_one_line(tmp_path: Path, capsys, options: list[str], message: str) -> None:
    save_run(tmp_path, made("a"))
    assert main(["report", "--reports", str(tmp_path), *options]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "leaderboard.md").exists()


def test_damaged_records_are_noted_and_the_rest_is_reported(tmp_path: Path, capsys) -> None:
    save_run(tmp_path, made("good"))
    (save_run(tmp_path, made("bad")) / "scores.parquet").unlink()
    assert main(["report", "--reports", str(tmp_path), "--figures"]) == 0
    assert "note:" in capsys.readouterr().err
    assert "good" in (tmp_path / "leaderboard.md").read_text()


def test_no_format_holds_control_characters(tmp_path: Path) -> None:
    from sodbench.reporting.html_table import leaderboard_html

    evil = "a\x1b[31mb\x9b2J\x07\u202ec"
    table = make_table([made(evil, maxF=0.9)], Selection(metrics=["maxF"]))
    write_csv(tmp_path, table)
    csv_text = (tmp_path / "leaderboard.csv").read_text(encoding="utf-8")
    for text in (markdown(table), latex(table), leaderboard_html(table), csv_text):
        assert not set("\x1b\x9b\x07\u202e") & set(text)
    assert "u001b" in markdown(table) and "\\u001b[31m" in leaderboard_html(table)
