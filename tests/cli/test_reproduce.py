"""`sodbench reproduce`: runs and trainings are repeated, and what does not agree is named."""

import json
from pathlib import Path

import pytest

from sodbench.cli.main import main


def test_a_run_agrees_to_the_bit(
    root: Path, network: tuple[str, Path], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = ["run", network[0], "--weights", str(network[1]), "--data-root", str(root), "--device", "cpu"]
    assert main([*job, "--name", "mine", "--datasets", "sod", "--protocols", "raw", "salod", "--quiet"]) == 0
    capsys.readouterr()
    again = ["reproduce", "reports/runs/mine/sod", "--data-root", str(root), "--trust", "--json"]
    assert main(again) == 0
    numbers = json.loads(capsys.readouterr().out)["numbers"]
    assert {"maxF@raw", "MAE@salod", "data set digest"} <= {row["name"] for row in numbers}
    assert {row["agrees"] for row in numbers} == {"to the bit"}

    # a mask that changed is seen, and so is a score that moved
    mask = root / "SOD" / "GT" / "3096.png"
    mask.write_bytes((root / "SOD" / "GT" / "8049.png").read_bytes())
    assert main(again) == 1
    numbers = {row["name"]: row for row in json.loads(capsys.readouterr().out)["numbers"]}
    assert numbers["data set digest"]["agrees"] == "no"
    assert numbers["MAE@raw"]["agrees"] == "no"

    network[1].write_bytes(network[1].read_bytes() + b"changed")
    assert main(again) == 2
    assert "name the right file with --weights" in capsys.readouterr().err


def test_third_party_maps_are_scored_again(
    root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = root / "SOD" / "GT"
    assert main(["score", str(maps), "--dataset", "sod", "--name", "perfect", "--data-root", str(root)]) == 0
    assert main(["reproduce", "reports/runs/perfect/sod/run.json", "--data-root", str(root)]) == 0
    assert "numbers agree" in capsys.readouterr().out


def test_a_training_agrees_to_the_bit(root: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["iterations=2", "batch=2", "resize=[36,36]", "crop=[32,32]", "precision=fp32"]
    settings += ["scale_jitter=none", "aspect_jitter=1", "validate_every=0", "samples_every=0", "warmup=0"]
    job = [
        "train",
        "basnet-tiny",
        "--datasets",
        "ecssd",
        "--data-root",
        str(root),
        "--out",
        "first",
        "--quiet",
    ]
    assert main([*job, "--workers=0", "--device=cpu", *(f"--set=training.{s}" for s in settings)]) == 0
    capsys.readouterr()
    again = ["reproduce", "first", "--data-root", str(root), "--device=cpu", "--out", "second", "--json"]
    assert main(again) == 0
    numbers = {row["name"]: row["agrees"] for row in json.loads(capsys.readouterr().out)["numbers"]}
    assert numbers["weights sha256"] == numbers["last loss"] == numbers["last ssim"] == "to the bit"
    record = json.loads((here / "first" / "training.json").read_text())
    record["recipe"]["seed"] = 5
    (here / "first" / "training.json").write_text(json.dumps(record))
    assert main([*again[:-3], "--out", "third"]) == 1
    said = capsys.readouterr().out
    lines = [line.split(maxsplit=1) for line in said.splitlines()]
    failed = " ".join(rest for word, rest in lines if word == "no")
    assert "weights sha256" in failed and "last loss" in failed


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recipe": {}}'])
def test_what_is_no_record_is_said(text: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "run.json").write_text(text)
    assert main(["reproduce", "run.json"]) == 2
    assert "run.json" in capsys.readouterr().err
    assert main(["reproduce", "."]) == 2
    (here / "run.json").unlink()
    assert main(["reproduce", "."]) == 2
    assert "holds neither run.json nor training.json" in capsys.readouterr().err
