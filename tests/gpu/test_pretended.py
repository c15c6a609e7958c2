"""What only a GPU runs, on a pretended one: results are the CPU's, and a tensor left behind is an error."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import sodbench as sb
from sodbench.cli.main import main
from sodbench.losses import BoundaryAwareLoss, HybridLoss
from sodbench.models import Baseline, create, load_baseline
from sodbench.models.inference import Predictor
from sodbench.training import trainer
from sodbench.training.checkpoint import load_checkpoint, save_checkpoint

sys.path.insert(0, str(Path(__file__).parent))
from pretend_cuda import NAME, PretendTensor, pretended

WEIGHTS = load_baseline("basnet-tiny").weights_path()
# `basnet-tiny` on small inputs, whose layers are wide enough for channels-last on a CPU
SMALL = """extends = "basnet-tiny"
[input]
height = 32
width = 32
[inference]
scales = [1.0, 1.5]
mirror = false
"""
SHORT = {
    "iterations": 3,
    "batch": 4,
    "lr": 1e-2,
    "accumulate": 2,
    "resize": [40, 40],
    "crop": [32, 32],
    "scale_jitter": None,
    "aspect_jitter": 1.0,
    "warmup": 0,
    "checkpoint_every": 2,
    "clip": 1.0,
}


NETWORK = """
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        layers = nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Dropout(0.1)
        self.encoder = nn.Sequential(*layers)
        self.side, self.head = nn.Conv2d(16, 1, 3, padding=1), nn.Conv2d(16, 1, 3, padding=1)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")

    def forward(self, x):
        features = self.encoder(x)
        return self.up(self.head(features)), self.up(self.side(features))


create = Small
create.baseline = {"input": {"height": 32, "width": 32}, "output": {"kind": "logits"}}
"""


@pytest.fixture()
def small(tmp_path: Path) -> Baseline:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return load_baseline(path)


@cache
def trained_network() -> nn.Module:
    return load_baseline("basnet-tiny").load().network


def test_the_pretender_fails_where_cuda_does() -> None:
    with pretended():
        here, there = torch.ones(3, device="cuda"), torch.ones(3)
        with pytest.raises(RuntimeError, match="found cuda:0 and cpu in add"):
            here + there
        with pytest.raises(RuntimeError, match="found cuda:1 and cuda:0"):
            torch.stack([here, there.to("cuda:1")])
        with pytest.raises(RuntimeError, match="found cuda:0 and cpu in conv2d"):
            nn.Conv2d(3, 1, 1)(torch.ones(1, 3, 4, 4).cuda())
        with pytest.raises(TypeError, match="numpy"):
            here.numpy()
        with pytest.raises(RuntimeError, match="invalid device ordinal"):
            there.to("cuda:7")
        torch.use_deterministic_algorithms(True)
        try:
            with pytest.raises(RuntimeError, match="deterministic"):
                here.histc(2)
        finally:
            torch.use_deterministic_algorithms(False)
        assert (here * torch.tensor(2.0)).device == torch.device("cuda", 0)
        assert isinstance(here, PretendTensor) and type(here.cpu()) is torch.Tensor
        assert here.cpu().add(there).tolist() == [2, 2, 2]
    assert not torch.cuda.is_available()


def test_a_network_that_leaves_a_tensor_on_the_cpu_is_noticed(small: Baseline) -> None:
    class Left(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return ((x * torch.linspace(0, 1, x.shape[3])).mean(1, keepdim=True),)

    x = np.ones((1, 3, 8, 8), np.float32)
    Predictor(Left(), small, "cpu", fold=False)(x)
    with pretended(), pytest.raises(RuntimeError, match="same device"):
        Predictor(Left(), small, "cuda", fold=False)(x)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_maps_are_those_of_the_cpu(small: Baseline, precision: str) -> None:
    """In every precision and layout, folded, at several scales; on the first device and on the second."""
    network = trained_network()
    pictures = np.random.default_rng(0).standard_normal((2, 3, 32, 32)).astype(np.float32)
    forms: list[dict[str, Any]] = [{}]
    if precision == "fp32":
        forms.append({"fold": False, "channels_last": False})
    for form in forms:
        expected = Predictor(network, small, "cpu", precision, **form)(pictures)
        with pretended():
            predictor = Predictor(network, small, "cuda:1", precision, **form)
            assert {p.device.index for p in predictor.network.parameters()} == {1}
            found = predictor(pictures)
        assert np.array_equal(found, expected)


def test_a_run_on_the_device_has_the_scores_of_the_cpu(
    small: Baseline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    records = []
    for device in ("cpu", "cuda"):
        words = ["run", str(small.path), f"--weights={WEIGHTS}", "--datasets=sample", "--limit=3", "--quiet"]
        words += ["--no-maps", "--allow-constant", f"--device={device}", f"--reports={device}"]
        with pretended():
            assert main(words) == 0
        (run,) = sb.load_runs(tmp_path / device)
        records.append(run)
    cpu, cuda = records
    assert cuda.tables["pysodmetrics"].scores == cpu.tables["pysodmetrics"].scores
    assert (cpu.provenance.inference_device, cuda.provenance.inference_device) == ("cpu", "cuda")
    assert cuda.provenance.device["gpu"] == NAME


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("basnet", {"width": 4}),
        ("basnet-keras", {"width": 4}),
        ("u2netp", {}),
        ("deeplabv3", {"depth": 50, "width": 8, "head": "pac"}),
        ("deeplabv3", {"depth": 50, "width": 8}),
    ],
)
def test_every_loss_of_every_network(name: str, options: dict[str, Any]) -> None:
    """Forward and backward in training mode: the losses and gradients of the CPU."""
    torch.manual_seed(0)
    network = create(name, **options).train()
    x, target = torch.randn(2, 3, 32, 32), (torch.rand(2, 1, 32, 32) > 0.5).float()
    losses = [HybridLoss(), HybridLoss(("ssim", "iou"), ssim_padding="valid", smooth=1e-9)]
    losses += [BoundaryAwareLoss(form) for form in ("paper", "code")]

    def computed(device: str) -> tuple[list[float], list[torch.Tensor]]:
        torch.manual_seed(1)
        outputs = network(x.to(device))
        values = [loss(outputs, target.to(device)) for loss in losses]
        sum(values).backward()
        gradients = [p.grad.cpu() for p in network.parameters() if p.grad is not None]
        network.zero_grad(set_to_none=True)
        return [value.item() for value in values], gradients

    state = {key: value.clone() for key, value in network.state_dict().items()}
    expected = computed("cpu")
    network.load_state_dict(state)
    with pretended():
        network.to("cuda")
        found = computed("cuda")
    assert found[0] == expected[0]
    assert all(map(torch.equal, found[1], expected[1]))


def stopping_after(step: int) -> Callable[..., None]:
    """`save_checkpoint`, and then Ctrl-C."""

    def save(path: Path, content: Any) -> None:
        save_checkpoint(path, content)
        if content.get("iteration") == step:
            raise KeyboardInterrupt

    return save


@pytest.mark.parametrize(
    "settings",
    [
        {"precision": "fp32", "validate_on": ["sample"], "validate_every": 3, "validate_limit": 2},
        {"precision": "bf16", "ema": 0.5, "samples_every": 3},
        {"precision": "fp16", "optimiser": "sgd", "channels_last": False, "loss": "boundary-aware"},
    ],
    ids=lambda settings: settings["precision"],
)
def test_training_gives_the_weights_of_the_cpu(
    tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some steps with clipping and accumulation, `--deterministic`, cut and resumed from a checkpoint."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

    (tmp_path / "small.py").write_text(NETWORK)

    def trained(out: str, device: str, **options: Any) -> dict[str, torch.Tensor]:
        common = {"datasets": ["sample-train"], "settings": SHORT | settings, "workers": 0}
        sb.train(f"{tmp_path / 'small.py'}:create", out=tmp_path / out, device=device, **common, **options)
        return load_checkpoint(tmp_path / out / "last.pt")["model"]

    with pretended(), monkeypatch.context() as cut:
        cut.setattr(trainer, "save_checkpoint", stopping_after(2))
        with pytest.raises(KeyboardInterrupt):
            trained("cuda", "cuda", deterministic=True)
    with pretended():
        found = trained("cuda", "cuda", deterministic=True, resume=True)
    expected = trained("cpu", "cpu")
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert all(type(value) is torch.Tensor for value in found.values())


def test_metrics_of_a_loop_on_the_device() -> None:
    """The scores are those of the CPU, on the metric's device; states of both devices merge."""
    metrics = sb.SaliencyMetrics(metrics=["MAE", "F", "S"])
    masks = torch.zeros(3, 1, 16, 16)
    masks[..., 4:12, 3:10] = 1
    maps = 0.5 * torch.rand(3, 1, 16, 16) + 0.5 * masks
    metrics.update(maps, masks, names=["a", "b", "c"])
    expected = metrics.compute()
    with pretended():
        first = sb.SaliencyMetrics(metrics=["MAE", "F", "S"]).to("cuda")
        second = sb.SaliencyMetrics(metrics=["MAE", "F", "S"])
        first.update(maps[:2].to("cuda"), masks[:2].to("cuda").bool(), names=["a", "b"])
        second.update(maps[2:].to("cuda"), masks[2:], names=["c"])
        first.merge_state(second)
        found = first.compute()
        assert {name: value.item() for name, value in found.items()} == {
            name: value.item() for name, value in expected.items()
        }
        first.sync(should_sync=False)
        assert first.compute() == found


def test_rows_of_the_gpu_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that a call with --tiny does not reach as a GPU does: each compares two devices."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    from gpu_parts.parity import _FOLDED, _LOSS, measure
    from gpu_parts.setting import Setting

    with pretended():
        setting = Setting("cuda", tmp_path, tmp_path / "scratch", None, True, 1)
        assert measure(setting, _LOSS, {})["equal"] == "yes"
        assert measure(setting, _FOLDED, {})["equal"] == "yes"
