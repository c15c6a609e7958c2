"""A training from Python: the same work, files and record as `sodbench train`, without a word on stdout."""

import dataclasses
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.models import load_baseline
from sodbench.training.job import Training, train
from sodbench.training.log import TrainingLog, last_losses
from sodbench.training.recipe import load_recipe

QUICK: dict[str, Any] = {"workers": 0, "device": "cpu"}


@pytest.fixture()
def training(network: str, pairs_root: Path, tmp_path: Path) -> Training:
    return train(network, data_root=pairs_root, out=tmp_path / "out", progress=False, **QUICK)


def test_it_does_what_the_command_does(
    training: Training, network: str, pairs_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert training.weights == tmp_path / "out" / "weights.pth"
    assert training.record == json.loads((training.folder / "training.json").read_text())
    out = tmp_path / "command"
    job = ["train", network, "--data-root", str(pairs_root), "--out", str(out), "--workers=0"]
    assert main([*job, "--device=cpu", "--quiet", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "training.json").read_text())
    assert printed.keys() == training.record.keys()
    for key in ("baseline", "recipe", "datasets", "initialisation", "best", "losses", "weights"):
        assert printed[key] == training.record[key], key
    assert {p.name for p in out.iterdir()} == {p.name for p in training.folder.iterdir()}


def test_nothing_is_printed_to_stdout(
    network: str, pairs_root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = {"validate_on": "ecssd", "validate_every": 3, "samples_every": 3}
    train(network, data_root=pairs_root, settings=settings, out=tmp_path, progress=True, **QUICK)
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "step 3 ecssd: MAE" in printed.err


def test_a_baseline_may_be_a_name_a_callable_or_an_object(
    training: Training, network: str, pairs_root: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {**QUICK, "data_root": str(pairs_root), "progress": False}
    again = train(load_baseline(network), out=str(tmp_path / "object"), **options)
    assert again.record["baseline"] == network
    assert again.record["weights"] == training.record["weights"]
    small = {"iterations": 1, "batch": 2, "resize": 36, "crop": 32, "scale_jitter": None}
    small |= {"aspect_jitter": 1, "precision": "fp32"}
    tiny = load_baseline("basnet-tiny")
    named = train(tiny, datasets=["ecssd"], settings=small, out=tmp_path / "tiny", **options)
    assert named.record["baseline"] == "basnet-tiny"
    assert named.record["recipe"]["dataset"] == ["ecssd"]
    file = tmp_path / "own.toml"
    file.write_text('extends = "basnet-tiny"\ntitle = "Own"\n', encoding="utf-8")
    named = train(file, datasets="ecssd", settings=small, out=tmp_path / "own", **options)
    assert named.record["baseline"] == str(file)
    elsewhere = dataclasses.replace(tiny, path=tmp_path / "mine.toml", name="mine")
    named = train(elsewhere, datasets="ecssd", settings=small, out=tmp_path / "mine", **options)
    assert named.record["baseline"] == str(tmp_path / "mine.toml")


def test_files_go_to_a_folder_named_after_the_baseline(
    network: str, pairs_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    training = train(network, data_root=pairs_root, progress=False, **QUICK)
    assert training.folder == Path("training") / "two_layers.create"
    assert training.weights.is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": {"bach": 4}}, r"unknown key 'training\.bach' \(did you mean 'training\.batch'"),
        ({"datasets": "ecsd"}, r"unknown data set 'ecsd' \(did you mean 'ecssd'"),
        ({"workers": -1}, "workers is -1, expected 0 or more"),
        ({"device": "cuba"}, "device cuba: not a device; expected cpu, cuda or cuda:N"),
        ({"device": "cuda:99"}, "device cuda:99: torch finds"),
        ({"settings": {"validate_metric": "maxFF"}}, "'maxFF' .did you mean 'maxF'"),
    ],
)
def test_mistakes_are_input_errors(
    options: dict[str, Any], message: str, network: str, pairs_root: Path, tmp_path: Path
) -> None:
    given: dict[str, Any] = {**QUICK, "data_root": pairs_root, "out": tmp_path / "out", **options}
    with pytest.raises(InputError, match=message):
        train(network, progress=False, **given)


def test_torch_is_left_as_it_was(network: str, pairs_root: Path, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    train(network, data_root=pairs_root, out=tmp_path, deterministic=True, progress=False, **QUICK)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_notebook_shows_record_and_curves(training: Training) -> None:
    page = training._repr_html_()
    assert training.record["weights"]["sha256"][:16] in page
    assert f"loss {training.record['losses']['loss']:.4g}" in page
    assert "ecssd (10)" in page
    assert 'src="data:image/png;base64,' in page
    (training.folder / "loss.png").unlink()
    record = {**training.record, "notes": ["a < b"], "best": {"iteration": 2, "value": -0.5}}
    page = Training(record, training.folder, training.weights)._repr_html_()
    assert "a &lt; b" in page
    assert "2, MAE 0.5000" in page
    assert "<img" not in page


def test_it_runs_as_a_script_whose_workers_are_spawned(
    network: str, pairs_root: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing\n"
        "from sodbench.training.job import train\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        f"    train({network!r}, data_root={str(pairs_root)!r}, out='out', device='cpu', cache=True)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert record["iterations"] == 3


def test_two_trainings_of_one_torchrun(network: str, pairs_root: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "from sodbench.training.job import train\n"
        "for out in ('one', 'two'):\n"
        f"    training = train({network!r}, data_root={str(pairs_root)!r}, out=out, device='cpu')\n"
        "    with open(os.environ['RANK'], 'a') as file:\n"
        "        print(training.record['weights']['sha256'], file=file)\n"
    )
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*torchrun, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    # every process has the record, twice the same
    digest = json.loads((tmp_path / "one" / "training.json").read_text())["weights"]["sha256"]
    for rank in ("0", "1"):
        assert (tmp_path / rank).read_text().split() == [digest, digest]


def test_the_log_averages_steps_and_drops_what_came_after_a_checkpoint(tmp_path: Path) -> None:
    def run(log: TrainingLog, start: int, stop: int) -> None:
        log.start(start)
        for step in range(start + 1, stop + 1):
            terms = {"bce": step / 4, "iou": step / 2}
            log.step(step, loss=step * 0.75, terms=terms, rate=0.1, images=4, seconds=0.5)
        log.close()

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]

    log = TrainingLog(tmp_path, "name", 130, progress=False)
    run(log, 0, 120)
    assert [line["iteration"] for line in lines()] == [50, 100]
    assert lines()[1] == {
        "iteration": 100,
        "loss": pytest.approx(75.5 * 0.75),
        "bce": pytest.approx(75.5 / 4),
        "iou": pytest.approx(75.5 / 2),
        "lr": 0.1,
        "images_per_second": 8.0,
    }
    log.scores(120, {"sod": {"MAE": math.nan, "maxF": 0.5}})
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 12')
    again = TrainingLog(tmp_path, "name", 130, progress=False)
    run(again, 60, 130)
    assert [line["iteration"] for line in lines()] == [50, 110, 130]
    assert last_losses(tmp_path) == pytest.approx({"loss": 120.5 * 0.75, "bce": 120.5 / 4, "iou": 120.5 / 2})
    assert last_losses(tmp_path / "nowhere") == {}
    assert (tmp_path / "loss.svg").read_text().startswith("<?xml")


def test_a_resumed_training_logs_what_an_uninterrupted_one_does(
    network: str, pairs_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 50 steps of a line may have begun before the interruption."""

    def logged(folder: Path) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        return [{key: value for key, value in line.items() if key != "images_per_second"} for line in lines]

    options: dict[str, Any] = {
        "data_root": pairs_root,
        "settings": {"iterations": 60, "checkpoint_every": 20},
        "device": "cpu",
        "workers": 0,
        "resume": True,
    }
    whole = train(network, out=tmp_path / "whole", **options)
    step = TrainingLog.step

    def stopped(log: TrainingLog, iteration: int, **values: Any) -> None:
        if iteration == 30:
            raise KeyboardInterrupt
        step(log, iteration, **values)

    monkeypatch.setattr(TrainingLog, "step", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(network, out=tmp_path / "resumed", **options)
    monkeypatch.setattr(TrainingLog, "step", step)
    resumed = train(network, out=tmp_path / "resumed", **options)
    assert logged(tmp_path / "resumed") == logged(tmp_path / "whole")
    assert resumed.record["losses"] == whole.record["losses"]
    assert resumed.record["weights"] == whole.record["weights"]
    curves = [(tmp_path / name / "loss.svg").read_bytes() for name in ("resumed", "whole")]
    assert curves[0] == curves[1]


def test_loss_curves_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    log = TrainingLog(tmp_path, "name", 1, progress=False)
    log.start(0)
    log.step(1, loss=1.0, terms={"bce": 1.0}, rate=0.1, images=4, seconds=0.5)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(figure: Figure, path: Path, **_: Any) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(OSError, match="No space"):
        log.draw()
    log.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_current_gpu_needs_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.cuda.set_device takes "cuda:0" and refuses "cuda": no training on one GPU got past it."""
    from sodbench.training.distributed import _device

    chosen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert _device(None) == _device("cuda") == torch.device("cuda")  # by the real set_device
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert _device("cuda:1") == torch.device("cuda:1")
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert _device(None) == torch.device("cuda:0")
    assert chosen == [torch.device("cuda:1"), torch.device("cuda:0")]


def test_training_computes_in_full_precision_and_deterministically(monkeypatch: pytest.MonkeyPatch) -> None:
    from sodbench.training.job import _torch_state

    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with _torch_state(torch.device("cpu"), deterministic=True):
            assert torch.are_deterministic_algorithms_enabled()
            assert not torch.is_deterministic_algorithms_warn_only_enabled()
            assert not torch.backends.cudnn.allow_tf32
            assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert torch.backends.cudnn.allow_tf32
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_a_full_gpu_names_the_batch_to_try(error: RuntimeError) -> None:
    from sodbench.training.job import _explained

    recipe = dataclasses.replace(load_recipe(load_baseline("basnet").training), batch=8)
    expected = r"training.batch=8 of .* on cuda; try --set training.batch=4"
    with pytest.raises(InputError, match=expected), _explained(recipe, torch.device("cuda")):
        raise error


def test_a_function_without_a_deterministic_form_is_one_line() -> None:
    from sodbench.training.job import _explained

    message = (
        "grid_sampler_2d_backward_cuda does not have a deterministic implementation, but you set ... . More"
    )
    recipe = load_recipe(load_baseline("basnet").training)
    torch.use_deterministic_algorithms(True)
    try:
        expected = "deterministic: grid_sampler_2d"
        with pytest.raises(InputError, match=expected), _explained(recipe, torch.device("cuda")):
            raise RuntimeError(message)
    finally:
        torch.use_deterministic_algorithms(False)
    with pytest.raises(RuntimeError, match="grid_sampler"), _explained(recipe, torch.device("cuda")):
        raise RuntimeError(message)
