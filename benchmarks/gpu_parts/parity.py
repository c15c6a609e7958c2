"""Whether the GPU computes the maps and scores that the CPU does, in each precision."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from gpu_parts.part import Cells, Part
from gpu_parts.setting import Setting
from sodbench import parity
from sodbench.losses import HybridLoss
from sodbench.models import load_baseline
from sodbench.models.inference import Predictor
from sodbench.prediction import predict_samples

PRECISIONS = ("fp32", "bf16", "fp16")
BASELINES = ("basnet-tiny", "basnet", "u2netp", "deeplabv3-pac-bal")
LEVELS, SCORE = 1, 1e-4  # what fp32 must keep
_FOLDED, _LOSS = "basnet: batch normalisations folded", "hybrid loss and its gradient"
_MEMORY = {"basnet": 6.0, "deeplabv3-pac-bal": 6.0}  # GB of the GPU's, with the pictures of a batch


def measure(setting: Setting, row: str, done: Mapping[str, Cells]) -> Cells:
    if row == _FOLDED:
        return _folded(setting)
    if row == _LOSS:
        return _loss(setting)
    name, precision = row.split()
    if row not in ("basnet-tiny fp32", "basnet-tiny bf16", "u2netp fp32"):
        setting.not_tiny()
    baseline = load_baseline(name)
    setting.need_memory(_MEMORY.get(name, 2.0))
    weights = setting.weights(baseline)
    limit = 1 if setting.tiny else 8 if name == "basnet-tiny" else 4
    reference = _of_the_cpu(setting, name, weights, limit)
    found = parity(
        reference,
        f"{name}@{precision}@{setting.device}",
        setting.test_set,
        limit=limit,
        levels=LEVELS,
        score=SCORE,
        weights=weights,
    )
    return {
        "weights": "its own" if weights.parent != setting.scratch / "weights" else "random",
        "pictures": found.images,
        "largest difference, levels": found.largest_levels,
        "pixels more than 1 level apart, %": 100 * sum(found.shares[apart] for apart in ("2-3", "4-7", "8+")),
        "largest difference of a score": f"{found.largest_score.metric} {found.largest_score.difference:.1e}",
        "equal": ("yes" if found.holds else "NO") if precision == "fp32" else "not expected",
    }


def _of_the_cpu(setting: Setting, name: str, weights: Path, limit: int) -> Path:
    """The folder of the CPU's maps in fp32, made once for all precisions."""
    folder = setting.scratch / "maps-of-the-cpu" / name
    if name not in setting.kept:
        loaded = load_baseline(name).load(weights)
        samples = setting.test_set.samples[:limit]
        predict_samples(loaded.network, loaded.baseline, samples, folder, device="cpu", precision="fp32")
        setting.kept[name] = True
    return folder


def _folded(setting: Setting) -> Cells:
    """Folding is given up silently where it would change the maps: TF32 alone must not do that."""
    baseline = setting.main_baseline
    network = baseline.load(setting.weights(baseline)).network
    left = [
        module
        for module in Predictor(network, baseline, setting.device, "fp32").network.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    return {"equal": "yes" if not left else f"NO: {len(left)} are left"}


def _loss(setting: Setting) -> Cells:
    """The hybrid loss of random maps, as the trainer computes it, on both devices."""
    side = 48 if setting.tiny else 224
    random = torch.Generator().manual_seed(0)
    maps = torch.randn(8, 4, 1, side, side, generator=random)
    target = (torch.rand(4, 1, side, side, generator=random) > 0.5).float()
    results = []
    for device in ("cpu", setting.device):
        x = maps.detach().to(device).requires_grad_()
        loss = HybridLoss()(list(x), target.to(device))
        loss.backward()
        assert x.grad is not None
        results.append((loss.item(), x.grad.cpu()))
    (one, gradient), (two, other) = results
    apart = max(abs(one - two) / one, float((gradient - other).abs().max() / gradient.abs().max()))
    return {"largest difference of a score": f"{apart:.1e} of it", "equal": "yes" if apart < 1e-4 else "NO"}


PART = Part(
    name="parity",
    title="CUDA equals CPU: maps and scores against the CPU's in fp32",
    columns=(
        "weights",
        "pictures",
        "largest difference, levels",
        "pixels more than 1 level apart, %",
        "largest difference of a score",
        "equal",
    ),
    rows=(
        *(f"{name} {precision}" for name in BASELINES for precision in PRECISIONS),
        _FOLDED,
        _LOSS,
    ),
    share=0.2,
    measure=measure,
)
