"""`sodbench bench sweep`: one network at several input sizes."""

import dataclasses
import json
import math
import re
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.evaluation import evaluate
from sodbench.models import load_baseline
from sodbench.reporting.sweep_figure import sweep_figure
from sodbench.size_sweep import Seconds, SizePoint, Sweep, sweep_sizes

Network = tuple[str, Path]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, which holds none of sodbench's after any test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.glob("sodbench-*")) == []


def command(root: Path, network: Network, *more: str) -> list[str]:
    spec, weights = network
    words = ["bench", "sweep", spec, "--weights", str(weights), "--data-root", str(root), "--device", "cpu"]
    return [*words, "--rounds", "1", "--quiet", *more]


def test_scores_are_those_of_a_run_at_each_size(root: Path, network: Network, here: Path) -> None:
    spec, weights = network
    loaded = load_baseline(spec).load(weights)
    sweep = sweep_sizes(
        loaded, ["sod", "ecssd"], [64, 32, 64], limit=2, data_root=root, rounds=2, device="cpu"
    )
    assert [point.height for point in sweep.points] == [point.width for point in sweep.points] == [32, 64]
    assert sweep.images == {"sod": 2, "ecssd": 2} and sweep.timed == 4 and sweep.input == (32, 32)
    for point in sweep.points:
        size = dataclasses.replace(loaded.baseline.input, height=point.height, width=point.height)
        same = dataclasses.replace(loaded, baseline=dataclasses.replace(loaded.baseline, input=size))
        for name in ("sod", "ecssd"):
            run = evaluate(same, name, limit=2, data_root=root, reports=None, maps="maps", device="cpu")
            assert dict(point.scores[name]) == dict(run.tables["pysodmetrics"].scores)
        assert 0 < point.network.best <= point.network.median < point.total.median
        assert point.total.best <= point.total.median
        assert point.peak_memory_bytes is None or point.peak_memory_bytes > 0
    assert sweep.points[0].scores != sweep.points[1].scores


def test_the_command_prints_a_table_and_writes_figure_and_record(
    root: Path, network: Network, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(root, network, "--datasets", "sod", "--sizes", "64", "32")) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert "sod (3 images), protocol pysodmetrics" in lines[0]
    (head,) = (number for number, line in enumerate(lines) if line.split()[:2] == ["size", "MAE"])
    assert lines[head].split()[1:5] == ["MAE", "maxF", "S", "wF"]
    assert [line.split()[0] for line in lines[head + 1 : head + 3]] == ["32", "64"]
    folder = Path("reports/efficiency/sweep")
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".pdf", ".png", ".svg"]
    assert f"figure: {folder / 'mynet.create.svg'}" in out
    with Image.open(folder / "mynet.create.png") as figure:
        assert figure.width == 1380
    record = json.loads((folder / "mynet.create.json").read_text())
    assert record["weights_sha256"] == load_baseline(network[0]).load(network[1]).weights_sha256
    assert record["rounds"] == 1 and record["precision"] == "fp32" and record["schema"] == 1
    first = record["points"][0]
    printed = lines[head + 1].split()
    assert printed[1] == f"{first['scores']['sod']['MAE']:.4f}"
    assert printed[5:9] == [
        f"{1000 * first[part][which]:.1f}" for part in ("network", "total") for which in ("median", "best")
    ]


def test_json_is_the_record(
    root: Path, network: Network, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ("--datasets", "sod", "ecssd", "--limit", "1", "--sizes", "32")
    assert main(command(root, network, *sets, "--protocol", "raw", "--metrics", "MAE", "--json")) == 0
    printed = json.loads(capsys.readouterr().out)["sweep"]
    assert printed == json.loads(Path("reports/efficiency/sweep/mynet.create.json").read_text())
    (point,) = printed["points"]
    assert set(point["scores"]) == {"sod", "ecssd"} and set(point["scores"]["sod"]) == {"MAE"}


def test_the_input_keeps_its_policy(root: Path, network: Network, here: Path) -> None:
    spec, weights = network
    baseline = load_baseline(spec)
    for fit in ("pad", "long-side"):
        fitted = dataclasses.replace(baseline, input=dataclasses.replace(baseline.input, fit=fit))
        (point,) = sweep_sizes(
            fitted, "sod", [64], weights=weights, data_root=root, rounds=1, device="cpu"
        ).points
        assert 0 < point.scores["sod"]["MAE"] < 1


FAILING = """
from mynet import Brightness


class Picky(Brightness):
    def forward(self, x):
        if x.shape[2] != 32:
            raise RuntimeError("32 it must be")
        return super().forward(x)


def create():
    return Picky()


create.baseline = {"input": {"height": 32, "width": 32}}
"""


def test_a_size_that_the_network_does_not_take_is_one_line(
    root: Path,
    network: Network,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(network[1].parent))
    Path("picky.py").write_text(FAILING)
    words = command(root, ("picky.py:create", network[1]), "--datasets", "sod", "--sizes", "32", "64")
    assert main(words) == 2
    error = capsys.readouterr().err
    assert (
        "fails on an input of 64 x 64 (RuntimeError: 32 it must be); leave out this size" in error
        and error.count("\n") == 1
    )
    assert not Path("reports").exists()


def test_a_network_of_fixed_size_is_refused(
    root: Path, network: Network, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("baselines").mkdir()
    Path("baselines/own.toml").write_text(
        'title = "Own"\nnetwork = "unet"\n[input]\nheight = 96\nwidth = 64\nfixed = true\n'
    )
    words = ["bench", "sweep", "own", "--sizes", "32", "--datasets", "sod", "--data-root", str(root)]
    assert main(words) == 2
    assert "own: takes inputs of 96 x 64 only (input.fixed)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("--sizes", "31"), "--sizes is 31, expected 32 or more"),
        (("--sizes", "64", "big"), "--sizes"),
        (("--sizes", "64", "--datasets", "sodd"), "unknown data set 'sodd'"),
        (("--sizes", "64", "--protocol", "pysod"), "unknown protocol 'pysod'"),
        (("--sizes", "64", "--metrics", "maxQ"), "unknown metric 'maxQ'"),
        (("--sizes", "64", "--rounds", "0"), "--rounds is '?0'?, expected 1 or more"),
    ],
)
def test_wrong_options_stop_before_any_work(
    root: Path,
    network: Network,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    wrong: tuple[str, ...],
    says: str,
) -> None:
    assert main(command(root, network, "--datasets", "sod", *wrong)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(says, line)
    assert not Path("reports").exists()


def test_wrong_arguments_are_said(root: Path, network: Network, here: Path) -> None:
    with pytest.raises(InputError, match="no input size"):
        sweep_sizes(network[0], "sod", [], data_root=root)
    with pytest.raises(InputError, match="size is 16, expected 32 or more"):
        sweep_sizes(network[0], "sod", [16], data_root=root)


def test_a_baseline_called_sweep_is_reached_by_its_file(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("baselines").mkdir()
    Path("baselines/sweep.toml").write_text(
        'title = "Own"\nnetwork = "unet"\n[options]\nwidth = 16\n[input]\nheight = 32\nwidth = 32\n'
    )
    measured = ("--seconds", "0.01", "--forms", "fp32", "--device", "cpu")
    assert main(["bench", "baselines/sweep.toml", *measured]) == 0
    assert capsys.readouterr().out.startswith("sweep: ")
    assert Path("reports/efficiency/sweep.json").is_file()


def made(memory: int | None, scores: dict[str, dict[str, float]]) -> Sweep:
    seconds = [Seconds(0.01 * n, 0.012 * n) for n in (1, 4)]
    points = [SizePoint(32 * n, 32 * n, s, s, memory, 5, scores) for n, s in enumerate(seconds, 1)]
    return Sweep("a$b", (32, 32), "raw", {"sod": 2, "ecssd": 1}, points, "cpu", "fp32", 2, 3, "0" * 64, 5)


@pytest.mark.parametrize("memory", [None, 10**9])
@pytest.mark.parametrize("value", [math.nan, 0.5])
def test_the_figure_takes_what_is_not_known(tmp_path: Path, memory: int | None, value: float) -> None:
    scores = {"sod": {"MAE": 0.1, "S": value}, "ecssd": {"MAE": 0.2, "S": math.nan}}
    written = sweep_figure(made(memory, scores), ["S", "MAE"], "CPU", tmp_path / "f", formats=("png",))
    assert [path.name for path in written] == ["f.png"]


def test_the_same_sweep_is_drawn_to_the_same_bytes(tmp_path: Path) -> None:
    scores = {"sod": {"MAE": 0.1, "maxF": 0.9}, "ecssd": {"MAE": 0.2, "maxF": 0.8}}
    for name in ("a", "b"):
        sweep_figure(made(10**9, scores), ["MAE", "maxF"], "CPU", tmp_path / name)
    for ending in ("svg", "png", "pdf"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
