"""The weights that ship: the main job on the sample works out of the box, and far better than a rule."""

import json
from pathlib import Path

import pytest

from sodbench.cli.main import main
from sodbench.files import sha256_of
from sodbench.models import load_baseline

TOP = Path(__file__).resolve().parents[2]
RUNS = TOP / "reports" / "runs" / "basnet-tiny"


def test_the_main_job_on_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "basnet-tiny", "--datasets", "sample", "--device", "cpu", "--quiet", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["results"][0]
    assert (result["scored"], result["expected"]) == (60, 60)
    # brightness, darkness and distance from the mean colour reach .33, .39 and .53 (test_synthetic.py)
    assert result["scores"]["maxF"] > 0.8
    assert result["scores"]["MAE"] < 0.1
    # the committed reference holds on this machine, up to another processor's rounding
    reference = str(TOP / "reports" / "reference.json")
    assert main(["check", "--against", reference]) == 0
    assert main(["report", "--format", "markdown"]) == 0
    assert "| basnet-tiny | 60/60 |" in (tmp_path / "reports" / "leaderboard.md").read_text()


def test_the_card_of_the_weights_is_of_these_weights() -> None:
    path = load_baseline("basnet-tiny").weights_path()
    assert path.stat().st_size <= 12_000_000
    digest = sha256_of(path)
    card = (path.parent / "README.md").read_text()
    record = json.loads((path.parent / "basnet-tiny.training.json").read_text())
    assert digest in card
    assert record["weights"]["sha256"] == digest
    weights = load_baseline("basnet-tiny").weights
    assert weights is not None
    assert weights.sha256 == digest
    # the committed runs are of these weights, and the card has their numbers
    records = [json.loads(path.read_text()) for path in RUNS.glob("*/run.json")]
    assert {found["dataset"] for found in records} == {"ecssd", "duts-te", "sod"}
    for found in records:
        assert found["weights_sha256"] == digest
        scores = found["protocols"]["pysodmetrics"]["scores"]
        row = f"| {found['dataset']} | {found['scored']}/{found['expected']} | {scores['MAE']:.3f} |"
        assert f"{row} {scores['maxF']:.3f} |" in card


@pytest.mark.slow
def test_photographs(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the available ECSSD images the shipped network finds the object, not a bright spot."""
    monkeypatch.chdir(tmp_path)
    job = ["run", "basnet-tiny", "--datasets", "ecssd", "--device", "cpu", "--quiet", "--json"]
    assert main([*job, "--data-root", str(shared_data)]) == 0
    result = json.loads(capsys.readouterr().out)["results"][0]
    assert (result["scored"], result["expected"]) == (201, 1000)
    assert result["scores"]["maxF"] > 0.8
    # and scores what the committed run says, up to another processor's rounding
    recorded = json.loads((RUNS / "ecssd" / "run.json").read_text())["protocols"]["pysodmetrics"]["scores"]
    assert result["scores"] == pytest.approx(recorded, abs=2e-3)
