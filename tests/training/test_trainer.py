"""The trainer: learns, resumes bit-identically after kill -9, and is the same in one process and in two."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.training.checkpoint import load_checkpoint

SMALL = [
    "basnet-tiny",
    "--datasets",
    "ecssd",
    "--quiet",
    "--set=training.resize=[36, 36]",
    "--set=training.crop=[32, 32]",
    "--set=training.batch=4",
    "--set=training.precision=fp32",
    "--set=training.scale_jitter=none",
    "--set=training.aspect_jitter=1",
    "--set=training.warmup=0",
    "--set=training.validate_every=0",
    "--set=training.samples_every=0",
    "--set=training.initialisation=default",
    "--device=cpu",
]


def command(root: Path, out: Path, *more: str) -> list[str]:
    return ["train", *SMALL, "--data-root", str(root), "--out", str(out), *more]


def launch(arguments: list[str], *, processes: int = 0) -> "subprocess.Popen[str]":
    runner = [sys.executable, "-m"]
    if processes:
        # --standalone finds a free port by itself
        runner += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*runner, "sodbench", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def weights(out: Path) -> dict[str, torch.Tensor]:
    state = load_checkpoint(out / "last.pt")["model"]
    assert isinstance(state, dict)
    return state


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_it_learns_and_leaves_everything_behind(pairs_root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    steps = ["--set=training.iterations=60", "--set=training.samples_every=60", "--set=training.ema=0.9"]
    check = ["--set=training.validate_on=ecssd", "--set=training.validate_every=60"]
    assert main(command(pairs_root, out, *steps, *check, "--workers=0")) == 0
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    losses = [line for line in lines if "loss" in line]
    assert losses[-1]["loss"] == pytest.approx(sum(losses[-1][t] for t in ("bce", "ssim", "iou")), rel=1e-5)
    assert losses[-1]["loss"] < 0.9 * losses[0]["loss"]
    scores = next(line["scores"] for line in lines if "scores" in line)
    record = json.loads((out / "training.json").read_text())
    assert record["best"] == {"value": scores["MAE"], "iteration": 60}
    assert record["datasets"]["ecssd"]["samples"] == 10
    for name in ("last.pt", "best.pt", "weights.pth", "loss.svg", "loss.png", "samples/0000060.png"):
        assert (out / name).stat().st_size > 0
    # the numbers of validation are those of the main job with the weights that were written
    reports = tmp_path / "reports"
    job = [
        "run",
        "basnet-tiny",
        "--datasets",
        "ecssd",
        "--weights",
        str(out / "best.pt"),
        "--quiet",
        "--device=cpu",
    ]
    where = ["--data-root", str(pairs_root), "--reports", str(reports), "--maps", str(tmp_path / "maps")]
    assert main([*job, *where]) == 0
    stored = json.loads((reports / "runs" / "basnet-tiny" / "ecssd" / "run.json").read_text())
    assert stored["protocols"]["pysodmetrics"]["scores"] == scores


@pytest.mark.slow
def test_killed_at_any_moment_it_resumes_to_the_same_bits(pairs_root: Path, tmp_path: Path) -> None:
    steps = ["--set=training.iterations=14", "--set=training.checkpoint_every=2", "--set=training.ema=0.9"]
    whole = launch(command(pairs_root, tmp_path / "whole", *steps))
    assert whole.wait(300) == 0, whole.stderr
    broken = tmp_path / "broken"
    kills = 0
    for wait in (0.0, 0.35):
        process = launch(command(pairs_root, broken, *steps, "--resume"))
        deadline = time.monotonic() + 120
        before = (broken / "last.pt").stat().st_mtime_ns if (broken / "last.pt").exists() else 0
        # at some moment after a first checkpoint of its own: in a step, or while the next one is written
        while time.monotonic() < deadline and process.poll() is None:
            if (broken / "last.pt").exists() and (broken / "last.pt").stat().st_mtime_ns > before:
                break
            time.sleep(0.005)
        time.sleep(wait)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills >= 1
    # in a process like the first: another number of threads sums in another order
    rest = launch(command(pairs_root, broken, *steps, "--resume", "--workers=0"))
    output = rest.communicate(timeout=300)
    assert rest.returncode == 0, output[1]
    assert same(weights(broken), weights(tmp_path / "whole"))
    one, two = (load_checkpoint(p / "last.pt") for p in (broken, tmp_path / "whole"))
    assert same(one["average"], two["average"])
    logged = [json.loads(line)["iteration"] for line in (broken / "metrics.jsonl").read_text().splitlines()]
    assert logged == sorted(set(logged))


def test_two_processes_agree_with_one(
    pairs_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One step with one process and batch 8, and with two and batch 4 each, end in the same weights.

    Further steps drift apart as any change of rounding makes them: a fresh deep network amplifies it.
    """
    # what a network itself draws, a process draws for its own samples: here it draws nothing
    (tmp_path / "baselines").mkdir()
    still = 'extends = "basnet-tiny"\ntitle = "Without stochastic depth"\noptions.drop = 0\n'
    (tmp_path / "baselines" / "still.toml").write_text(still)
    monkeypatch.chdir(tmp_path)
    # SGD: its update is linear in the gradient, so that rounding stays rounding (Adam divides by it)
    steps = ["--set=training.iterations=1", "--set=training.optimiser=sgd", "--set=training.lr=0.0001"]
    steps += ["--set=training.batch=8", "--set=training.resize=[72, 72]", "--set=training.crop=[64, 64]"]
    jobs = {out: command(pairs_root, tmp_path / out, *steps, "--workers=0") for out in ("one", "two")}
    for job in jobs.values():
        job[job.index("basnet-tiny")] = "still"
    assert main(jobs["one"]) == 0
    two = launch(jobs["two"], processes=2)
    output = two.communicate(timeout=300)
    assert two.returncode == 0, output[1][-2000:]
    one, both = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, value in one.items():
        assert torch.allclose(value.double(), both[name].double(), rtol=1e-4, atol=1e-4), name
    assert float((one["bnbg_1.running_var"] - 1).abs().max()) > 0.05  # the statistics did move
    assert json.loads((tmp_path / "two" / "training.json").read_text())["processes"] == 2


def test_gradients_of_two_processes_are_those_of_one(tmp_path: Path) -> None:
    """In double precision, where rounding hides nothing."""
    script = Path(__file__).with_name("gradients.py")
    for processes in (1, 2):
        runner = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        where = ["--nproc-per-node", str(processes), str(script), str(tmp_path / f"{processes}.pt")]
        done = subprocess.run([*runner, *where], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    one, two = (torch.load(tmp_path / f"{n}.pt", weights_only=True) for n in (1, 2))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert float(value.abs().max()) > 0
        assert torch.allclose(value, two[name], rtol=1e-10, atol=1e-12), name


def test_another_recipe_is_refused_on_resume(
    pairs_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(command(pairs_root, out, "--set=training.iterations=1", "--workers=0")) == 0
    again = command(pairs_root, out, "--set=training.iterations=2", "--workers=0")
    assert main(again) == 2
    assert "continue with --resume" in capsys.readouterr().err
    assert main([*again, "--resume"]) == 2
    assert "iterations: 1 -> 2" in capsys.readouterr().err


def test_an_unknown_validation_metric_is_refused_at_once(
    pairs_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(pairs_root, tmp_path / "out", "--set=training.validate_metric=maxFF")) == 2
    assert "'maxFF' (did you mean 'maxF'" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_stops_with_the_images_named(
    pairs_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    steps = ["--set=training.iterations=40", "--set=training.lr=1e30", "--set=training.checkpoint_every=1"]
    assert main(command(pairs_root, out, *steps, "--workers=0")) == 2
    message = capsys.readouterr().err
    assert "the loss is nan at step" in message or "the loss is inf at step" in message
    assert "images 00" in message
    assert "last.pt is kept" in message
    assert load_checkpoint(out / "last.pt")["iteration"] >= 1


def test_unreadable_images_are_named_or_tolerated(
    pairs_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = pairs_root / "ECSSD" / "images" / "0004.jpg"
    picture.write_bytes(picture.read_bytes()[:300])
    steps = ["--set=training.iterations=4"]
    assert main(command(pairs_root, tmp_path / "out", *steps, "--workers=1")) == 2
    assert str(picture) in capsys.readouterr().err
    assert main(command(pairs_root, tmp_path / "out", *steps, "--workers=1", "--skip-bad=1")) == 0
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert len(record["skipped"]) == 1
    assert str(picture) in record["skipped"][0]


def test_a_file_that_is_no_checkpoint_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="not a readable checkpoint"):
        load_checkpoint(path)
    torch.save({"model": {}}, path)
    with pytest.raises(InputError, match="version None, expected 1"):
        load_checkpoint(path)


def test_a_full_memory_is_explained(
    pairs_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import sodbench.training.trainer as trainer

    def nothing_left(*_: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "_step", nothing_left)
        assert main(command(pairs_root, tmp_path / "out", "--set=training.iterations=1", "--workers=0")) == 2
    message = capsys.readouterr().err
    assert "out of memory at training.batch=4 of (32, 32) pixels" in message
    assert "training.batch=2" in message
    assert "training.accumulate=2" in message
