"""Suites as files: what is read, what is refused, and that those that ship name what exists."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.models import load_baseline
from sodbench.suites import torchrun
from sodbench.suites.suite import load_suite
from sodbench.suites.trainings import recipe_of

Write = Callable[[str, str], Path]
HEAD = 'title = "Own"\ndatasets = ["ecssd", "sod"]\n'
METHOD = '[[methods]]\nbaseline = "basnet-tiny"\n'


def test_every_shipped_suite_names_what_exists() -> None:
    names = {"quick", "basnet-table2", "basnet-ablation", "pac-bal", "qin", "tiny-ablation"}
    assert names <= set(sb.suite_names())
    for name in names:
        suite = load_suite(name)
        assert suite.title and suite.description
    table2 = load_suite("basnet-table2")
    assert table2.datasets == ("sod", "ecssd", "dut-omron", "pascal-s", "hku-is", "duts-te")
    assert table2.protocols == ("basnet2019",)


def test_the_tiny_ablation_compares_nothing_but_head_and_loss() -> None:
    suite = load_suite("tiny-ablation")
    rows = list(suite.rows())
    assert len(rows) == 30 and rows[0].name == "deeplabv3-seed0" and rows[-1].name == "bce-ssim-iou-seed2"
    losses = [row for row in rows if row.method.baseline == "basnet-tiny-64" and row.seed == 1]
    recipes = [recipe_of(suite, row, load_baseline("basnet-tiny-64")).as_dict() for row in losses]
    terms = [recipe.pop("loss_terms") for recipe in recipes]
    assert terms[0] == ["bce"] and terms[-1] == ["bce", "ssim", "iou"]
    assert all(recipe == recipes[0] for recipe in recipes)
    assert recipes[0]["crop"] == [64, 64] and recipes[0]["iterations"] == 800 and recipes[0]["seed"] == 1
    for row in rows[:12]:
        assert row.method.baseline is not None
        head = recipe_of(suite, row, load_baseline(row.method.baseline))
        assert head.crop == (96, 96) and head.dataset == ("duts-tr-256",)


def test_own_suites_are_listed_and_shipped_names_are_reserved(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write("suites/mine.toml", HEAD + METHOD)
    write("suites/broken.toml", "title = 1\n")
    write("suites/quick.toml", HEAD + METHOD)
    assert main(["suite", "list"]) == 0
    out, err = capsys.readouterr()
    assert "mine" in out and "quick" in out and "broken" not in out
    assert "broken.toml" in err and "has the name of the shipped suite 'quick'" in err
    with pytest.raises(InputError, match="has the name of the shipped suite 'quick'"):
        load_suite("quick")
    with pytest.raises(InputError, match=r"unknown suite 'min' \(did you mean 'mine'"):
        load_suite("min")


def test_all_unknown_names_are_told_at_once(write: Write) -> None:
    path = write(
        "own.toml",
        'title = "Own"\ndatasets = ["ecsd"]\nprotocols = ["pysod"]\npublished = ["basnet"]\n'
        '[train]\ndatasets = ["duts-trr"]\n'
        '[[methods]]\nbaseline = "basnett"\n[[methods]]\nbaseline = "u2nett"\ntrain = true\n'
        '[[methods]]\nbaseline = "absent.toml"\n',
    )
    with pytest.raises(InputError) as error:
        load_suite(str(path))
    message = str(error.value)
    for words in (
        "own.toml",
        "'ecsd' (did you mean 'ecssd'",
        "'duts-trr' (did you mean",
        "'basnett' (did you mean 'basnet'",
        "'u2nett'",
        "'pysod'",
        "unknown published source 'basnet' (did you mean 'basnet2019'",
        "absent.toml: no such baseline file",
    ):
        assert words in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD, "methods: missing; expected a list of tables"),
        (HEAD + "methods = []\n", "methods: expected at least one"),
        (HEAD + METHOD + METHOD, "two cells of one name: method basnet-tiny is there twice"),
        (
            HEAD + METHOD + '[[methods]]\nname = "BASNET-tiny"\nbaseline = "basnet"\n',
            "two cells of one name: method basnet-tiny",
        ),
        (
            HEAD + METHOD + 'train = true\n[[methods]]\nname = "basnet-tiny-seed0"\nbaseline = "basnet"\n',
            "two cells of one name: method basnet-tiny-seed0",
        ),
        (
            'title = "Own"\ndatasets = ["ecssd", "ECSSD"]\n' + METHOD,
            "two cells of one name: data set ecssd",
        ),
        (HEAD + METHOD + "epochs = 3\n", "unknown key 'methods[0].epochs'"),
        (
            HEAD + "[[methods]]\nname = 'x'\n",
            "methods[0]: expected either baseline or maps, neither is there",
        ),
        (HEAD + METHOD + "maps = 'maps/{dataset}'\n", "either baseline or maps, both are there"),
        (HEAD + "[[methods]]\nmaps = 'maps/DSS'\n", "methods[0].maps: expected a path with {dataset}"),
        (HEAD + "[[methods]]\nmaps = '{dataset}/a'\ntrain = true\n", "train: maps are scored as they are"),
        (HEAD + METHOD + "weights = 'w.pth'\ntrain = true\n", "methods[0].weights: the method is trained"),
        (HEAD + METHOD + "train = { epochs = 3 }\n", "unknown key 'methods[0].train.epochs'"),
        (HEAD + METHOD + "train = { seeds = [-1] }\n", "methods[0].train.seeds[0]: expected 0 or more"),
        (HEAD + METHOD + "train.settings.seed = 1\n", "name it in methods[0].train.seeds"),
        (
            HEAD + METHOD + "train.settings.lr = -1\n",
            "train.settings: training.lr: expected a number above 0",
        ),
        (HEAD + METHOD + "train.settings.lrr = 1\n", "unknown key 'training.lrr'"),
        (HEAD + METHOD + "precision = 'fp8'\n", "methods[0].precision: expected 'fp32' or 'bf16' or 'fp16'"),
        (HEAD + METHOD + "name = ''\nseeds = 1\n", "unknown key 'methods[0].seeds'"),
        (HEAD + "[[methods]]\nbaseline = 'm.onnx'\ntrain = true\n", "an ONNX file can be run, not trained"),
        (HEAD + "metrics = ['maxFF']\n" + METHOD, "unknown metric 'maxFF' (did you mean 'maxF'"),
    ],
)
def test_what_does_not_fit_is_one_line_with_file_and_key(write: Write, text: str, words: str) -> None:
    path = write("own.toml", text)
    with pytest.raises(InputError) as error:
        load_suite(path)
    message = str(error.value)
    assert "own.toml" in message and words.casefold() in message.casefold(), message
    assert "\n" not in message


def test_of_what_processes_print_only_the_end_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    progress = b"step 1: 0.5\r" * 2000
    for cut in range(1, len(torchrun.ERROR)):  # a chunk ends within the mark
        start = progress[: 2 * 8192 - cut - 1] + b"\n"
        printed = start + b"sodbench: error: no images\nTraceback of torchrun\n" + progress
        messages: list[bytes] = []
        torchrun._read(SimpleNamespace(stderr=io.BytesIO(printed)), messages, True)  # type: ignore[arg-type]
        assert torchrun._message(messages) == "no images"
        assert len(b"".join(messages)) < len(printed) - 8192
        shown = capsys.readouterr().err
        assert shown == printed.decode()[: len(shown)] and len(shown) >= 8192


def test_torchrun_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="a suite under torchrun: start `sodbench suite run` several times"):
        sb.run_suite("quick")
