"""The page's overview: which data sets, columns and methods it shows, and in which order."""

from pathlib import Path

import pytest
from results.stand_in import run

from sodbench.cli.main import main
from sodbench.reporting.overview import Overview, make_overview
from sodbench.reporting.selection import Selection
from sodbench.reporting.table import make_table
from sodbench.results.saving import save_run


def overview(datasets: dict[str, str], **options) -> Overview | None:
    """The overview of random runs; `datasets`: the methods (one letter each) by data set."""
    runs = [
        run(name, dataset, seed=ord(name)) for dataset, names in datasets.items() for name in names
    ]  # fmt: skip
    return make_overview(make_table(runs, Selection()), list(datasets), **options)


def test_one_data_set_has_no_overview() -> None:
    assert overview({"sod": "ABC"}) is None


def test_rank_and_means_stand_before_the_data_sets_and_order_the_methods() -> None:
    shown = overview({"sod": "ABC", "ecssd": "ABC", "pascal-s": "AB"})
    assert shown is not None
    assert [group.dataset for group in shown.groups] == ["", "sod", "ecssd", "pascal-s"]
    assert [head.text for head in shown.groups[0].columns] == ["Rank", "MAE", "maxF", "S"]
    assert shown.averaged == ["SOD", "ECSSD"] and shown.starts == [0, 4, 7, 10]
    ranks = [line.cells[0].value for line in shown.lines]
    assert ranks == sorted(ranks) and sum(ranks) == pytest.approx(6)
    (last,) = [line for line in shown.lines if line.name == "C"]
    assert [cell.text for cell in last.cells[10:]] == ["–"] * 3


def test_without_two_complete_data_sets_there_are_no_means_and_a_note_says_so() -> None:
    shown = overview({"sod": "AB", "ecssd": "BC"})
    assert shown is not None and not shown.averaged
    assert [group.dataset for group in shown.groups] == ["sod", "ecssd"]
    assert any("no means" in note for note in shown.notes)


def test_the_columns_are_those_asked_for_and_sorting_is_kept() -> None:
    shown = overview(
        {"sod": "ABC", "ecssd": "ABC"}, metrics=["wF@pysodmetrics", "MAE@pysodmetrics"], sort="name"
    )
    assert shown is not None
    assert [head.text for head in shown.groups[1].columns] == ["wF", "MAE"]
    assert [line.name for line in shown.lines] == ["A", "B", "C"]


def test_the_page_lists_data_sets_with_many_methods_first(tmp_path: Path) -> None:
    for dataset, names in {"a-small": "A", "big": "ABC", "medium": "BC"}.items():
        for name in names:
            save_run(tmp_path, run(name, dataset, seed=ord(name)))
    options = ["--format", "html", "--figures", "--gallery", "0", "--metrics", "adpE"]
    assert main(["report", "--reports", str(tmp_path), *options]) == 0
    html = (tmp_path / "index.html").read_text()
    places = [html.index(f'class="panel {part}') for part in ("overview",)]
    places += [html.index(f'tabindex="-1" data-dataset="{name}"') for name in ("big", "medium", "a-small")]
    assert places == sorted(places)
    table = html[places[0] : places[1]]
    assert "adpE@pysodmetrics" in table and "maxF@pysodmetrics" not in table
