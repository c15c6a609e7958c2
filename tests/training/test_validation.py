"""Validation: by all processes, however long it takes, and with the scores of the main job."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sodbench.errors import Note
from sodbench.metrics.aggregate import ScoreTable
from sodbench.training import validation
from sodbench.training.job import train

SETTINGS = {"validate_on": "ecssd", "validate_every": 1}


def without_scores(*args: Any, **options: Any) -> dict[str, ScoreTable]:
    """What `score_samples` gives, with no MAE."""
    tables = score_samples(*args, **options)
    for table in tables.values():
        table.scores["MAE"] = math.nan
    return tables


score_samples = validation.score_samples


def test_without_a_finite_score_the_last_weights_are_the_best(
    network: str,
    pairs_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validation, "score_samples", without_scores)
    options: dict[str, Any] = {"data_root": pairs_root, "workers": 0, "device": "cpu", "progress": False}
    note = "no validation gave a finite MAE: best.pt holds the last weights, those of step 3"
    with pytest.warns(Note, match=note):
        training = train(network, settings=SETTINGS, out=tmp_path / "nan", **options)
    assert training.record["best"] == {"iteration": 3}
    assert training.record["notes"] == [note]
    logged = [json.loads(line) for line in (tmp_path / "nan" / "metrics.jsonl").read_text().splitlines()]
    assert [line["scores"]["MAE"] for line in logged if "scores" in line] == [None, None, None]
    # they are the weights of a training without validation
    plain = train(network, out=tmp_path / "plain", **options)
    assert plain.record["weights"] == training.record["weights"]
    assert plain.record["notes"] == []


@pytest.mark.parametrize(("metric", "sign"), [("MAE", 1), ("maxF", -1)])
def test_the_best_weights_are_those_of_the_best_score(
    metric: str, sign: int, network: str, pairs_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([0.4, math.nan, 0.2, 0.3] if sign > 0 else [0.2, math.nan, 0.4, 0.3])

    def scripted(*args: Any, **options: Any) -> dict[str, ScoreTable]:
        tables = score_samples(*args, **options)
        tables["pysodmetrics"].scores[metric] = next(values)
        return tables

    monkeypatch.setattr(validation, "score_samples", scripted)
    settings = {**SETTINGS, "iterations": 4, "validate_metric": metric}
    training = train(
        network,
        settings=settings,
        data_root=pairs_root,
        out=tmp_path / "out",
        workers=0,
        device="cpu",
        progress=False,
    )
    assert training.record["best"] == {"iteration": 3, "value": sign * (0.2 if sign > 0 else 0.4)}


@pytest.mark.slow
def test_processes_share_a_validation_that_takes_longer_than_the_time_out(
    network: str, pairs_root: Path, tmp_path: Path
) -> None:
    script = Path(__file__).with_name("slow_validation.py")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    job = ["train", network, "--data-root", str(pairs_root), "--out", str(tmp_path / "out"), "--quiet"]
    settings = [f"--set=training.{key}={value}" for key, value in SETTINGS.items()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*torchrun, str(script), *job, "--device=cpu", "--workers=0", *settings],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # 10 images in batches of 4, shared out in turn, three times
    assert done.stderr.count("process 0 predicts 6 images") == 3
    assert done.stderr.count("process 1 predicts 4 images") == 3

    # the scores are bit-identical to those of one process
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    best = record["best"]["iteration"]
    logged = [json.loads(line) for line in (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()]
    scores = next(line["scores"] for line in logged if "scores" in line and line["iteration"] == best)
    run = ["run", network, "--datasets", "ecssd", "--weights", str(tmp_path / "out" / "best.pt"), "--quiet"]
    where = ["--data-root", str(pairs_root), "--reports", str(tmp_path / "reports"), "--device=cpu"]
    alone = subprocess.run(
        [sys.executable, "-m", "sodbench", *run, *where, "--json", "--name", "alone"],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        cwd=tmp_path,
    )
    assert alone.returncode == 0, alone.stderr
    stored = json.loads((tmp_path / "reports" / "runs" / "alone" / "ecssd" / "run.json").read_text())
    assert stored["protocols"]["pysodmetrics"]["scores"] == scores
