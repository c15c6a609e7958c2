"""Comparing methods image by image, and `sodbench compare`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from results.stand_in import StandInDataset, run, table
from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.results.new_run import new_run
from sodbench.results.paired_tests import correct, most_different, paired_tests
from sodbench.results.saving import save_run


def test_rows_hold_both_values_the_difference_and_the_tests() -> None:
    one, two = run("one", seed=1), run("two", seed=2)
    rows = {row.metric: row for row in paired_tests([one, two], "pysodmetrics", resamples=200)}
    a, b = (r.tables["pysodmetrics"].per_image["MAE"] for r in (one, two))
    row = rows["MAE"]
    assert row.values[0].value == pytest.approx(a.mean()) and row.images == 12
    assert row.difference.value == pytest.approx(a.mean() - b.mean())
    assert row.win_tie_loss == ((a < b).sum(), 0, (a > b).sum())
    assert 0 < row.p_value <= row.corrected <= 1
    assert rows["maxF"].win_tie_loss is None


def test_all_pairs_are_corrected_together() -> None:
    runs = [run(name, seed=seed) for seed, name in enumerate("abc")]
    rows = paired_tests(runs, "pysodmetrics", ["MAE", "S"], resamples=100)
    assert [(r.first, r.second) for r in rows[::2]] == [("a", "b"), ("a", "c"), ("b", "c")]
    smallest = min(rows, key=lambda r: r.p_value)
    assert smallest.corrected == pytest.approx(min(1, 6 * smallest.p_value))
    assert correct(rows) == rows


def test_images_are_paired_by_name() -> None:
    one, other = table(12, 1), table(8, 2)
    shuffled = np.random.default_rng(0).permutation(8)
    part = replace(
        other,
        per_image=other.per_image.iloc[shuffled],
        image_facts=other.image_facts.iloc[shuffled],
        image_curves={name: values[shuffled] for name, values in other.image_curves.items()},
    )
    runs = [
        new_run(name, StandInDataset(), {"pysodmetrics": t})
        for name, t in (("one", one), ("part", part), ("straight", other))
    ]
    rows = paired_tests(runs, "pysodmetrics", ["maxF", "MAE"], resamples=100)
    assert rows[0].images == 8
    for shuffled_row, straight in zip(rows[:2], rows[2:4], strict=True):
        assert shuffled_row.difference.value == pytest.approx(straight.difference.value, abs=1e-12)
        assert shuffled_row.p_value == straight.p_value


def test_the_images_that_differ_most_are_named() -> None:
    one, two = run("one", seed=1), run("two", seed=2)
    a, b = (r.tables["pysodmetrics"].per_image["S"] for r in (one, two))
    images = most_different(one, two, "pysodmetrics", "S", 3)
    expected = (a - b).abs().nlargest(3)
    assert [image.name for image in images] == list(expected.index)
    assert [abs(image.first - image.second) for image in images] == pytest.approx(list(expected))


def test_what_cannot_be_paired_is_refused() -> None:
    one = run("one")
    with pytest.raises(InputError, match="different masks"):
        paired_tests([one, replace(run("two"), dataset_digest="f" * 64)], "pysodmetrics")
    with pytest.raises(InputError, match="no scores under protocol 'raw'"):
        paired_tests([one, run("two")], "raw")
    with pytest.raises(InputError, match=r"unknown metric .*'maxf' .*'maxF'"):
        paired_tests([one, run("two")], "pysodmetrics", ["maxf"], resamples=100)


@pytest.fixture
def reports(tmp_path: Path) -> list[str]:
    for dataset in ("sod", "ecssd"):
        for seed, name in enumerate(("DSS", "Amulet", "PiCANet")):
            save_run(tmp_path, run(name, dataset, seed))
    return ["--reports", str(tmp_path), "--resamples", "100"]


def test_the_command_prints_tests_and_images(reports: list[str], capsys) -> None:
    assert main(["compare", "DSS", "Amulet", "--datasets", "sod", "--most-different", "2", *reports]) == 0
    printed = capsys.readouterr().out
    assert "DSS and Amulet on sod (12 images, protocol pysodmetrics, 95 % intervals)" in printed
    assert "win/tie/loss" in printed and "Holm's correction over 10 tests" in printed
    assert "images that differ most: DSS and Amulet on SOD, by S" in printed


def test_the_command_ranks_over_data_sets(reports: list[str], capsys) -> None:
    command = ["compare", "DSS", "Amulet", "PiCANet", "--datasets", "sod", "ecssd", "--metrics", "MAE"]
    assert main([*command, *reports]) == 0
    assert "average rank by MAE over 2 data sets" in capsys.readouterr().out
    assert main([*command, "--json", *reports]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["comparisons"]) == 6 and answer["ranks"]["MAE"]["datasets"] == 2
    assert set(answer["comparisons"][0]["difference"]) == {"value", "low", "high"}


def test_two_methods_are_ranked_without_a_test_that_needs_three(reports: list[str], capsys) -> None:
    command = ["compare", "DSS", "Amulet", "--datasets", "sod", "ecssd", "sod", "--metrics", "MAE"]
    assert main([*command, "--most-different", "0", *reports]) == 0
    printed = capsys.readouterr().out
    assert "over 2 data sets" in printed and "Friedman" not in printed and "over 2 tests" in printed
    assert "images that differ most" not in printed


def test_ranks_leave_out_data_sets_of_which_different_images_were_scored(reports: list[str], capsys) -> None:
    part = new_run("DSS", StandInDataset("third"), {"pysodmetrics": table(9)})
    for run_of_set in (part, run("Amulet", "third", 1)):
        save_run(Path(reports[1]), run_of_set)
    command = ["compare", "DSS", "Amulet", "--metrics", "MAE", *reports, "--datasets"]
    assert main([*command, "sod", "third", "ecssd"]) == 0
    captured = capsys.readouterr()
    assert "third is left out of the ranks" in captured.err and "over 2 data sets" in captured.out
    assert main([*command, "sod", "third"]) == 0
    assert "average rank" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["DSS", "DSS", "--datasets", "sod"], "nothing to compare"),
        (["DSS", "Amulett", "--datasets", "sod"], "did you mean 'Amulet'"),
        (["DSS", "Amulet", "--datasets", "sodd"], "did you mean 'sod'"),
        (["DSS", "Amulet", "--datasets", "sod", "--level", "95"], "--level is 95.0"),
        (["DSS", "Amulet", "--datasets", "sod", "--most-different", "-1"], "--most-different is -1"),
        (["DSS", "Amulet", "--datasets", "sod", "--by", "foo"], "unknown per-image metric 'foo'"),
    ],
)
def test_wrong_names_are_one_line(reports: list[str], capsys, arguments: list[str], message: str) -> None:
    assert main(["compare", *arguments, *reports]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
