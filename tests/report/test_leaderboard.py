"""The markdown leaderboard: selection, ranking, escaping, counts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from results.stand_in import StandInDataset, run
from results.stand_in import table as score_table

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.reporting.cell_text import number
from sodbench.reporting.markdown import markdown
from sodbench.reporting.selection import Selection
from sodbench.reporting.table import make_table, marks
from sodbench.results.new_run import new_run
from sodbench.results.saving import save_run


def made(name: str, dataset: str = "sod", **scores: float):
    """A run with chosen data-set values."""
    one = score_table()
    one.scores.update(scores)
    return new_run(name, StandInDataset(dataset, dataset.upper()), {"pysodmetrics": one})


def test_best_is_bold_and_second_underlined_by_direction() -> None:
    runs = [made("a", maxF=0.9, MAE=0.1), made("b", maxF=0.8, MAE=0.05), made("c", maxF=0.7, MAE=0.2)]
    text = markdown(make_table(runs, Selection(metrics=["MAE", "maxF"])))
    assert "| method | images | MAE ↓ | maxF ↑ |" in text
    assert "| a | 12/12 | <u>.100</u> | **.900** |" in text
    assert "| b | 12/12 | **.050** | <u>.800</u> |" in text
    assert "| c | 12/12 | .200 | .700 |" in text
    assert "Protocol: `pysodmetrics`" in text


def test_values_that_print_alike_share_the_mark() -> None:
    runs = [made("a", maxF=0.9001), made("b", maxF=0.9004), made("c", maxF=0.7)]
    table = make_table(runs, Selection(metrics=["maxF"]))
    assert list(marks(table)["maxF@pysodmetrics"]) == ["best", "best", "second"]
    table = make_table(runs, Selection(metrics=["maxF"], digits=4))
    assert list(marks(table)["maxF@pysodmetrics"]) == ["best", "second", ""]


def test_a_row_alone_and_a_value_that_is_no_number_are_not_ranked() -> None:
    alone = make_table([made("a", maxF=0.9)], Selection(metrics=["maxF"]))
    assert list(marks(alone)["maxF@pysodmetrics"]) == [""]
    table = make_table([made("a", S=np.nan), made("b", S=0.5)], Selection(metrics=["S"]))
    assert set(marks(table)["S@pysodmetrics"]) == {""}
    assert "| a | 12/12 | – |" in markdown(table)


def test_rows_of_other_images_are_shown_but_not_ranked() -> None:
    part = new_run("part", StandInDataset(), {"pysodmetrics": score_table(5)})
    runs = [made("a", maxF=0.6), made("b", maxF=0.5), part]
    text = markdown(make_table(runs, Selection(metrics=["maxF"])))
    assert "| part | 5/12 † |" in text and "not ranked" in text
    assert "| a | 12/12 | **.600** |" in text


def test_other_masks_are_another_comparison() -> None:
    other = replace(made("other", maxF=0.99), dataset_digest="f" * 64)
    table = make_table([made("a", maxF=0.6), made("b", maxF=0.5), other], Selection(metrics=["maxF"]))
    assert dict(zip(table.frame["method"], marks(table)["maxF@pysodmetrics"], strict=True)) == {
        "a": "best",
        "b": "second",
        "other": "",
    }


def test_protocols_side_by_side() -> None:
    tables = {"pysodmetrics": score_table(seed=1), "basnet2019": score_table(seed=2, protocol="basnet2019")}
    runs = [new_run("a", StandInDataset(), tables)]
    assert make_table(runs, Selection(metrics=["maxF"])).metrics == ["maxF@pysodmetrics"]
    both = make_table(runs, Selection(metrics=["maxF"], protocols=["basnet2019", "pysodmetrics"]))
    assert both.metrics == ["maxF@basnet2019", "maxF@pysodmetrics"]
    assert "maxF@basnet2019 ↑ | maxF@pysodmetrics ↑" in markdown(both)
    assert make_table(runs, Selection(metrics=["S@basnet2019"])).metrics == ["S@basnet2019"]


def test_rows_are_sorted_best_first_or_as_asked() -> None:
    runs = [made("a", maxF=0.7, MAE=0.1), made("b", maxF=0.9, MAE=0.3), made("c", maxF=0.8, MAE=0.2)]
    assert list(make_table(runs, Selection()).frame["method"]) == ["b", "c", "a"]
    assert list(make_table(runs, Selection(sort="MAE")).frame["method"]) == ["a", "c", "b"]
    assert list(make_table(runs, Selection(sort="name")).frame["method"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"methods": ["aa"]}, "unknown method 'aa' .*did you mean 'a'"),
        ({"datasets": ["sodd", "x"]}, "unknown data set 'sodd' .*'sod'.*'x'"),
        ({"metrics": ["maxf"]}, "unknown metric 'maxf'"),
        ({"protocols": ["basnet"]}, "unknown protocol 'basnet'"),
        ({"sort": "nam"}, "unknown metric to sort by 'nam'"),  # codespell:ignore
    ],
)
def test_unknown_names_are_reported_with_the_nearest(choice, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_table([made("a")], Selection(**choice))


def test_names_are_literal_text_in_markdown() -> None:
    text = markdown(make_table([made("a|b <script> *x* _y_ $z$ `q`\nnew")], Selection()))
    assert r"a\|b &lt;script&gt; \*x\* \_y\_ \$z\$ \`q\` new" in text


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, ".500"), (1.0, "1.000"), (1.00015, "1.000"), (-1e-9, ".000"), (-0.25, "−.250")]
)
def test_numbers_print_as_papers_do(value: float, text: str) -> None:
    assert number(value) == text


def test_report_writes_the_leaderboard_and_a_figure_per_data_set(tmp_path: Path, capsys) -> None:
    for dataset in ("sod", "ecssd"):
        for seed, name in enumerate(["DSS", "$a_b"]):
            save_run(tmp_path, run(name, dataset, seed))
    command = ["report", "--format", "markdown", "--figures", "pr", "--reports", str(tmp_path)]
    assert main(command) == 0
    printed = capsys.readouterr().out.splitlines()
    assert str(tmp_path / "leaderboard.md") in printed
    text = (tmp_path / "leaderboard.md").read_text()
    assert "ranks.svg" not in text
    assert "## SOD" in text and "## ECSSD" in text and "figures/pr-sod.svg" in text
    assert (tmp_path / "figures/pr-ecssd.png").read_bytes()[:4] == b"\x89PNG"
    svg = (tmp_path / "figures/pr-sod.svg").read_bytes()
    main([*command, "--datasets", "sod"])
    assert (tmp_path / "figures/pr-sod.svg").read_bytes() == svg


def test_the_ranks_are_shown_where_data_sets_allow_them(tmp_path: Path) -> None:
    for dataset in ("sod", "ecssd"):
        for seed, name in enumerate("ab"):
            save_run(tmp_path, run(name, dataset, seed))
    options = ["--figures", "ranks", "--gallery", "0", "--reports", str(tmp_path)]
    assert main(["report", "--format", "markdown", "html", *options]) == 0
    assert (
        "![Average ranks over the data sets](figures/ranks.svg)" in (tmp_path / "leaderboard.md").read_text()
    )
    assert '<img src="figures/ranks.svg"' in (tmp_path / "index.html").read_text()
    assert (tmp_path / "figures/ranks.svg").is_file()


def test_no_runs_is_one_line_and_exit_2(tmp_path: Path, capsys) -> None:
    assert main(["report", "--reports", str(tmp_path)]) == 2
    assert "no runs in" in capsys.readouterr().err


def test_runs_of_another_protocol_are_named_and_not_shown_empty(tmp_path: Path, capsys) -> None:
    save_run(tmp_path, run("a"))
    for name, dataset in (("b", "sod"), ("c", "other")):
        tables = {"basnet2019": score_table(protocol="basnet2019", levels=255)}
        save_run(tmp_path, new_run(name, StandInDataset(dataset, dataset.upper()), tables))
    command = ["report", "--reports", str(tmp_path), "--format", "markdown", "html", "--gallery", "0"]
    assert main([*command, "--figures", "pr"]) == 0
    errors = capsys.readouterr().err
    assert "b on SOD has no score in these columns, only under protocol basnet2019" in errors
    text = (tmp_path / "leaderboard.md").read_text()
    assert "| a |" in text and "| b |" not in text and "OTHER" not in text
    assert main([*command, "--figures", "--protocols", "pysodmetrics", "basnet2019"]) == 0
    text = (tmp_path / "leaderboard.md").read_text()
    assert "| b |" in text and "## OTHER" in text
