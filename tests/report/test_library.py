"""The report from Python: `leaderboard`, `report`, `compare`, and what notebooks show."""

import json
import math
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from results.stand_in import StandInDataset, run, table

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.metrics.registry import all_metrics
from sodbench.reporting.comparison import compare
from sodbench.reporting.html_table import run_html
from sodbench.reporting.leaderboard import Leaderboard, leaderboard
from sodbench.reporting.write import report
from sodbench.results.new_run import new_run
from sodbench.results.saving import save_run

METRICS = ["MAE", "maxF"]


def made(name: str, dataset: str = "sod", protocol: str = "pysodmetrics", **scores: float):
    """A run with chosen data-set values."""
    one = table(300, protocol=protocol, levels=255 if protocol == "basnet2019" else 256)
    one.scores.update(scores)
    return new_run(name, StandInDataset(dataset, dataset.upper(), 300), {protocol: one})


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Three methods on two data sets, and the efficiency of one of them."""
    for dataset in ("sod", "ecssd"):
        for seed, name in enumerate(["DSS", "net-seed1", "net-seed2"]):
            save_run(tmp_path, run(name, dataset, seed, 30))
    (tmp_path / "efficiency").mkdir()
    (tmp_path / "efficiency" / "DSS.json").write_text('{"parameters": 5e6}')
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"metrics": METRICS, "methods": ["DSS"], "sort": "name"},
        {"seeds": True, "intervals": True, "metrics": METRICS},
        {"published": True},
    ],
)
def test_the_frame_holds_what_the_json_holds(reports: Path, options) -> None:
    board = leaderboard(reports, **options)
    written = report(reports, formats=["json"], figures=[], **options)
    content = json.loads(written.documents[0].read_text())
    assert [(row["dataset"], row["method"]) for row in content["rows"]] == list(board.index)
    for column in board.columns:
        for value, row in zip(board[column], content["rows"], strict=True):
            assert row[column] == (None if pd.isna(value) else value)
    assert [name for name in board.columns if "@" in name and ":" not in name] == content["metrics"]
    left_out = {"title", "literature", "comparable", "cite", "digits", "note", "dataset", "method", "marks"}
    left_out |= {"link", "measured_as"}
    empty = {"source", "flops", "images_per_second", "parameters"} - set(board.columns)
    assert set(content["rows"][0]) - set(board.columns) == left_out | empty
    assert all(row[name] is None for row in content["rows"] for name in empty)


def test_a_leaderboard_is_a_data_frame_by_data_set_and_method(reports: Path) -> None:
    board = leaderboard(reports, metrics=METRICS)
    assert (
        board.loc[("sod", "DSS"), "maxF@pysodmetrics"]
        == run("DSS", "sod", 0, 30).values()["maxF@pysodmetrics"]
    )
    assert board.loc[("sod", "DSS"), "parameters"] == 5e6
    assert math.isnan(board.loc[("sod", "net-seed1"), "parameters"])
    assert type(board) is Leaderboard and type(board[board["scored"] > 0]) is pd.DataFrame
    same = pickle.loads(pickle.dumps(board))
    assert same.equals(board) and same._repr_html_() == board._repr_html_()


def test_a_notebook_shows_the_leaderboard_as_the_page_does() -> None:
    runs = [made("a", maxF=0.9, MAE=0.1), made("b", maxF=0.8, MAE=0.05), made("<i>", maxF=0.7, MAE=0.2)]
    runs.append(new_run("part", StandInDataset("sod", "SOD", 300), {"pysodmetrics": table(5)}))
    html = leaderboard([*runs, made("a", "ecssd")], metrics=METRICS, digits=2)._repr_html_()
    assert html.count("<table") == 2 and "<strong>SOD</strong> · protocol pysodmetrics" in html
    row = next(
        line for line in html.splitlines() if ">a</th>" in line and "300/300" in line and ".90" in line
    )
    assert "<strong>.90</strong>" in row and "<u>.10</u>" in row
    assert re.search(r"<strong>\.05</strong>.*<u>\.80</u>", html)
    assert "MAE ↓" in html and "maxF ↑" in html and "&lt;i&gt;" in html and "<i>" not in html
    assert "5/300 †" in html and "not ranked" in html and "<script" not in html


def test_a_notebook_shows_published_rows_and_what_is_not_shown() -> None:
    runs = [made("DSS", protocol="basnet2019", maxF=0.8439, MAE=0.1213)]
    html = leaderboard(runs, metrics=METRICS, published=["basnet2019"])._repr_html_()
    assert (
        "<em>DSS+</em> <small><a href=" in html
        and ">BASNet paper, Table 2</a></small>" in html
        and "(−.002)" in html
    )
    assert "<em>DSS+</em>" not in leaderboard(runs, metrics=METRICS)._repr_html_()
    assert "not shown" in leaderboard([made("DSS")], published=True)._repr_html_()


def test_a_changed_leaderboard_prints_as_pandas_prints_it(reports: Path) -> None:
    board = leaderboard(reports, metrics=["MAE"])
    board["mine"] = 0.125
    html = board._repr_html_()
    assert "0.125" in html and "mine" in html and "<strong>" not in html


def test_report_writes_the_same_bytes_as_the_command(reports: Path, tmp_path: Path, capsys) -> None:
    formats = ["markdown", "html", "latex", "csv", "json"]
    options = ["--metrics", *METRICS, "--digits", "2", "--intervals", "--published", "--figures", "ranks"]
    assert main(["report", "--format", *formats, *options, "--reports", str(reports)]) == 0
    printed = capsys.readouterr().out
    files = [path for path in reports.rglob("*") if path.is_file() and "runs" not in path.parts]
    by_command = {path: path.read_bytes() for path in files}
    for path in files:
        if path.parent.name != "efficiency":
            path.unlink()
    written = report(
        reports, formats=formats, metrics=METRICS, digits=2, intervals=True, published=True, figures=["ranks"]
    )
    assert {path: path.read_bytes() for path in by_command} == by_command
    assert set(written.documents) | set(written.figures) <= set(by_command)
    assert f"{written}\n" == printed


def test_report_takes_runs_and_another_folder(tmp_path: Path) -> None:
    written = report([made("a"), made("b")], tmp_path / "there", figures=[])
    assert written.documents == (tmp_path / "there" / "leaderboard.md",) and written.figures == ()
    notes = report([made("a"), made("b", protocol="basnet2019")], tmp_path, seeds=True, figures=[]).notes
    assert "b on SOD has no score in these columns" in notes[0] and "to join" in notes[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": ["markdwon"]}, "unknown format 'markdwon' .*did you mean 'markdown'"),
        ({"figures": ["prr"]}, "unknown figure 'prr' .*did you mean 'pr'"),
        ({"digits": 0}, "digits is 0, expected 1 or more"),
        ({"gallery": -1}, "gallery is -1"),
        ({"methods": ["aa"]}, "unknown method 'aa'"),
    ],
)
def test_wrong_options_are_named_before_anything_is_written(tmp_path: Path, options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        report([made("a")], tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_one_run_or_a_generator_of_runs_will_do(tmp_path: Path) -> None:
    made = run("A")
    several = leaderboard([made], intervals=True)
    pd.testing.assert_frame_equal(leaderboard(made, intervals=True), several)
    pd.testing.assert_frame_equal(leaderboard((one for one in [made]), intervals=True), several)
    with pytest.raises(InputError, match="no runs given"):
        leaderboard(iter([]))


def test_one_name_will_do_for_a_list(tmp_path: Path) -> None:
    runs = [run("A"), run("B", seed=1)]
    board = leaderboard(runs, methods="A", metrics="MAE", protocols="pysodmetrics", datasets="sod")
    assert len(board) == 1 and "MAE@pysodmetrics" in board and "S@pysodmetrics" not in board
    written = report(runs, tmp_path, formats="csv", figures="speed")
    assert [path.name for path in written.documents] == ["leaderboard.csv"]


def test_no_runs_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no runs in"):
        leaderboard(tmp_path)
    with pytest.raises(InputError, match="no runs given"):
        report([], tmp_path)


def test_a_run_shows_itself_with_intervals() -> None:
    one, other = table(30, seed=1), table(30, seed=2, protocol="basnet2019", levels=255)
    html = run_html(
        new_run("<net>", StandInDataset("sod", "SOD", 30), {"pysodmetrics": one, "basnet2019": other})
    )
    assert "&lt;net&gt; on SOD" in html and html.count("30/30") == 2
    assert len(re.findall(r"\[\.\d+, \.\d+\]", html)) >= 2 * 4
    assert ">pysodmetrics<" in html and ">basnet2019<" in html and "95 % bootstrap" in html


def test_scores_without_image_curves_have_no_interval() -> None:
    whole = run("net", images=30)
    without = replace(whole.tables["pysodmetrics"], image_curves=None)
    for one, expected in ((whole, True), (replace(whole, tables={"pysodmetrics": without}), False)):
        lines = run_html(one).splitlines()
        head, body = (next(line for line in lines if text in line) for text in ("<thead>", "30/30"))
        names, cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in (head, body))
        interval = {name.split()[0]: "[" in cell for name, cell in zip(names, cells, strict=True)}
        assert interval["MAE"] and interval["S"]
        assert interval["maxF"] is expected


def test_compare_takes_two_runs_and_shows_itself(reports: Path) -> None:
    one, two = run("<a>", seed=1), run("b", seed=2)
    comparison = compare(one, two, metrics=METRICS, resamples=200, images=2)
    assert [test.metric for test in comparison.tests] == METRICS
    text, html = str(comparison), comparison._repr_html_()
    assert "<a> and b on sod (12 images, protocol pysodmetrics, 95 % intervals)" in text
    assert (
        "images that differ most: <a> and b on SOD, by S" in text and "Holm's correction over 2 tests" in text
    )
    assert "&lt;a&gt;" in html and "<a>" not in html and html.count("<table>") == 2
    assert f"{comparison.tests[0].difference.value:+.4f}" in text
    assert f"{comparison.tests[0].difference.value:+.4f}" in html


def test_compare_says_which_way_is_better_in_json_only() -> None:
    content = compare(run("a", seed=1), run("b", seed=2), resamples=100).as_json()
    for test in content["comparisons"]:
        better = "higher" if all_metrics()[test["metric"]].higher_is_better else "lower"
        assert test["better"] == better and list(test).index("better") == list(test).index("metric") + 1


def test_compare_ranks_over_data_sets_with_the_same_methods() -> None:
    runs = [run(name, dataset, seed) for dataset in ("sod", "ecssd") for seed, name in enumerate("ab")]
    assert compare(*runs, resamples=100, metrics=["MAE"]).ranks["MAE"].datasets == 2
    more = [*runs, run("a", "third"), run("c", "third", 2)]
    comparison = compare(*more, resamples=100, metrics=["MAE"])
    assert comparison.ranks["MAE"].datasets == 2
    assert comparison.notes == [
        "third is left out of the ranks: its methods are not those of the first data set"
    ]


def test_runs_of_different_data_sets_cannot_be_compared() -> None:
    with pytest.raises(InputError, match="nothing to compare 'a' on sod with"):
        compare(run("a"), run("b", "ecssd"), resamples=100)
    for wrong, message in (({"resamples": 9}, "resamples is 9"), ({"level": 95}, "level is 95")):
        with pytest.raises(InputError, match=message):
            compare(run("a"), run("b"), **wrong)
