"""`run`, `score`, `predict`: the public JSON, records, exit codes, and one clear line for bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.cli.main import main

SLOW = """
import time
import torch
from torch import nn


class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(()))

    calls = 0

    def forward(self, x):
        Slow.calls += 1
        # in small steps: a signal just before a long sleep would wait for the end of it
        while Slow.calls > 4:
            time.sleep(0.05)
        return x[:, :1] + self.w
"""

SCORES = ["MAE", "maxF", "meanF", "adpF", "wF", "S", "maxE", "meanE", "adpE", "relaxF"]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr that an error is."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("sodbench:")]
    assert len(lines) == 1
    return lines[0]


def test_run_predicts_scores_and_records(
    root: Path, network: tuple[str, Path], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = ["run", network[0], "--weights", str(network[1]), "--data-root", str(root), "--device", "cpu"]
    assert main([*job, "--name", "mine", "--datasets", "ecssd", "sod", "--quiet", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)["results"]
    assert [(r["name"], r["dataset"], r["protocol"], r["scored"], r["expected"]) for r in results] == [
        ("mine", "ecssd", "pysodmetrics", 6, 1000),
        ("mine", "sod", "pysodmetrics", 3, 300),
    ]
    for result in results:
        assert list(result["scores"]) == SCORES
        assert result["scores"]["maxF"] > 0.8
    for stem in ("0001", "0006"):
        saved = Image.open(here / "maps" / "mine" / "ecssd" / f"{stem}.png")
        assert saved.mode == "L"
        assert saved.size == (48, 40)
    record = json.loads((here / "reports" / "runs" / "mine" / "ecssd" / "run.json").read_text())
    assert record["scored"] == 6
    assert len(record["weights_sha256"]) == 64
    # the same maps, scored as third-party maps, give the same numbers; the record is replaced
    maps = str(here / "maps" / "mine" / "ecssd")
    again = [
        "score",
        maps,
        "--dataset",
        "ecssd",
        "--name",
        "mine",
        "--data-root",
        str(root),
        "--quiet",
        "--json",
    ]
    assert main(again) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["scores"] == results[0]["scores"]
    assert main(["report", "--format", "markdown"]) == 0
    board = (here / "reports" / "leaderboard.md").read_text()
    assert "6/1000" in board
    assert "3/300" in board
    assert "pysodmetrics" in board


def test_several_protocols_in_one_record(
    root: Path, network: tuple[str, Path], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = [
        "run",
        network[0],
        "--weights",
        str(network[1]),
        "--data-root",
        str(root),
        "--device",
        "cpu",
        "--quiet",
    ]
    assert main([*job, "--datasets", "sod", "--protocols", "pysodmetrics", "sal-eval", "--limit", "2"]) == 0
    out = capsys.readouterr().out
    assert out.count("2/300") == 2
    assert "sal-eval" in out


def test_score_an_ad_hoc_data_set(root: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masks = root / "SOD" / "GT"
    assert main(["score", str(masks), "--masks", str(masks), "--name", "perfect", "--quiet", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["results"][0]
    assert (result["scored"], result["expected"]) == (3, 3)
    assert result["scores"]["MAE"] == 0
    assert result["scores"]["maxF"] == pytest.approx(1)


def test_predict_any_pictures(
    root: Path, network: tuple[str, Path], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = ["predict", network[0], "--weights", str(network[1]), "--device", "cpu", "--quiet"]
    assert main([*job, "--images", str(root / "ECSSD" / "images"), "--out", "out"]) == 0
    assert "6 maps in out" in capsys.readouterr().out
    assert main([*job, "--images", str(root / "ECSSD" / "images" / "0002.jpg"), "--out", "one"]) == 0
    one, all_ = (np.asarray(Image.open(here / d / "0002.png")) for d in ("one", "out"))
    assert np.array_equal(one, all_)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "basnet-tinny", "--datasets", "ecssd"],
            "unknown baseline 'basnet-tinny' (did you mean 'basnet-tiny'",
        ),
        (["run", "basnet-tiny", "--datasets", "ecsd", "dutste"], "'ecsd' (did you mean 'ecssd'"),
        (["run", "basnet-tiny", "--datasets", "ecssd", "--protocols", "salval"], "did you mean 'sal-eval'"),
        (["run", "basnet-tiny", "--datasets", "ecssd", "--metrics", "Fmeasur"], "Fmeasur"),
        (
            ["run", "basnet-tiny", "--datasets", "ecssd", "--weights", "no.pth"],
            "no.pth: no such weights file",
        ),
        (
            ["run", "basnet-tiny", "--datasets", "ecssd", "--limit", "0"],
            "--limit is 0, expected 1 or more",
        ),
        (["run", "basnet-tiny", "--datasets", "ecssd", "--device", "gpu"], "device gpu: not a device"),
        (["run", "basnet-tiny", "--datasets", "duts-te"], "no folder DUTS-TE/ in the data root"),
        (["score", "nowhere", "--dataset", "ecssd"], "nowhere: expected a folder of saliency maps"),
        (["score", "."], "name a data set with --dataset, or a folder with --masks"),
        (["score", ".", "--dataset", "ecssd"], "no saliency maps"),
        (["predict", "basnet-tiny", "--images", "no", "--out", "o"], "no such folder or image"),
        (["report"], "no runs in"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    message: str,
    root: Path,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SODBENCH_DATA", str(root))
    assert main(arguments) == 2
    line = said(capsys)
    assert line.startswith("sodbench: error:")
    assert message in line
    assert list(here.iterdir()) == []


def test_all_wrong_names_are_reported_together(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "basnet-tiny", "--datasets", "ecsd", "sample", "dutste"]) == 2
    line = said(capsys)
    assert "'ecsd'" in line
    assert "'dutste'" in line


def test_a_missing_data_root(
    here: Path, network: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    job = ["run", network[0], "--weights", str(network[1]), "--datasets", "ecssd", "--data-root", "none"]
    assert main(job) == 2
    assert "none" in said(capsys)


def test_missing_maps_are_refused_or_stamped(
    root: Path, here: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for path in sorted((root / "ECSSD" / "ground_truth_mask").iterdir())[:4]:
        (maps / path.name).write_bytes(path.read_bytes())
    job = ["score", str(maps), "--dataset", "ecssd", "--data-root", str(root), "--quiet"]
    assert main(job) == 2
    assert "2 of 6 maps of ecssd are missing: 0005, 0006" in said(capsys)
    assert not (here / "reports").exists()
    assert main([*job, "--allow-missing"]) == 0
    assert "4/1000" in capsys.readouterr().out


@pytest.mark.parametrize("harm", ["corrupt", "size", "sixteen", "colour"])
def test_maps_that_cannot_be_scored_are_named(
    harm: str, root: Path, here: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for path in (root / "ECSSD" / "ground_truth_mask").iterdir():
        (maps / path.name).write_bytes(path.read_bytes())
    victim = maps / "0003.png"
    if harm == "corrupt":
        victim.write_bytes(victim.read_bytes()[:60])
    elif harm == "size":
        Image.new("L", (47, 40)).save(victim)
    elif harm == "sixteen":
        Image.fromarray(np.full((40, 48), 40000, np.uint16)).save(victim)
    else:
        Image.fromarray(np.dstack([np.full((40, 48), v, np.uint8) for v in (255, 0, 90)])).save(victim)
    assert main(["score", str(maps), "--dataset", "ecssd", "--data-root", str(root), "--quiet"]) == 2
    assert "0003" in said(capsys)
    assert not (here / "reports").exists()


def test_unpaired_files_are_named(
    root: Path, here: Path, network: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "ECSSD" / "ground_truth_mask" / "0002.png").unlink()
    job = ["run", network[0], "--weights", str(network[1]), "--data-root", str(root)]
    assert main([*job, "--datasets", "ecssd"]) == 2
    assert "without a mask (0002)" in said(capsys)
    assert list(here.iterdir()) == []


def test_a_corrupt_picture_stops_the_run_without_a_record(
    root: Path, here: Path, network: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    picture = root / "ECSSD" / "images" / "0004.jpg"
    picture.write_bytes(picture.read_bytes()[:200])
    job = ["run", network[0], "--weights", str(network[1]), "--data-root", str(root), "--quiet"]
    assert main([*job, "--datasets", "ecssd"]) == 2
    assert str(picture) in said(capsys)
    assert not (here / "reports").exists()


def test_interrupted_it_leaves_finished_maps_and_no_record(root: Path, here: Path, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW)
    import torch

    torch.save({"w": torch.zeros(())}, tmp_path / "w.pth")
    job = ["run", f"{slow}:Slow", "--weights", str(tmp_path / "w.pth"), "--name", "slow", "--batch", "1"]
    where = ["--data-root", str(root), "--datasets", "ecssd", "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sodbench", *job, *where],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
        # a shell's background jobs ignore SIGINT, and their children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    # the network stops after a few pictures, so that the interruption finds it at work however slow all is
    maps = here / "maps" / "slow" / "ecssd"
    deadline = time.monotonic() + 300
    while not (maps / "0001.png").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert error.rstrip().endswith("sodbench: interrupted")
    assert "Traceback" not in error
    finished = sorted(maps.glob("*.png"))
    assert 1 <= len(finished) < 6
    for path in finished:
        Image.open(path).verify()
    # which maps are finished, for the next run
    (hidden,) = maps.glob(".*")
    assert hidden.name.startswith(".unfinished-")
    assert not (here / "reports").exists()


@pytest.mark.parametrize("method", ["Amulet", "DSS", "PiCANet"])
def test_published_maps_give_the_published_numbers(
    method: str, shared_data: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = shared_data / "SOD" / "maps" / method
    job = [
        "score",
        str(maps),
        "--dataset",
        "sod",
        "--name",
        method,
        "--data-root",
        str(shared_data),
        "--quiet",
    ]
    assert main([*job, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["results"][0]
    assert (result["scored"], result["expected"]) == (300, 300)
    scores = result["scores"]
    published = shared_data / "SOD" / "published"
    reference = json.loads((published / "pysodmetrics_1.6.2_results.json").read_text())[method]
    names = {"MAE": "MAE", "S": "Sm", "wF": "wFm", "maxE": "Em_max", "meanE": "Em_mean", "adpE": "Em_adp"}
    names |= {"maxF": "maxF_avgcurve", "meanF": "meanF_avgcurve", "adpF": "adpF"}
    for ours, theirs in names.items():
        assert scores[ours] == pytest.approx(reference[theirs], abs=1e-9), ours
    matlab = next(np.load(p, allow_pickle=False) for p in published.glob("*.npz") if method in p.name)
    assert scores["MAE"] == pytest.approx(float(np.mean(matlab["MAE_image"])), abs=1e-6)
    assert scores["S"] == pytest.approx(float(np.mean(matlab["S_measure_image"])), abs=1e-6)


def test_a_folder_that_cannot_be_written_is_one_line(
    root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "reports").write_text("a file where the folder should be")
    masks = str(root / "SOD" / "GT")
    assert main(["score", masks, "--masks", masks, "--name", "perfect", "--quiet"]) == 2
    assert "reports" in said(capsys)
    assert (here / "reports").read_text() == "a file where the folder should be"
