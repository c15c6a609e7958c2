"""What the commands work on: a small data set, two folders of maps, a network with weights, an archive."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

PAIRS = 8  # no more than the self-check draws, which draws others in every run
NETWORK = '''
"""A network as a user writes one: two layers with batch statistics."""
import torch
from torch import nn


class TwoLayers(nn.Module):
    encoder_names = ("features",)

    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, x):
        return torch.sigmoid(self.head(torch.relu(self.norm(self.features(x)))))


def create():
    return TwoLayers()


create.baseline = {
    "input": {"height": 32, "width": 32, "scaling": "255"},
    "output": {"kind": "probability", "stretch": False},
    "training": {
        "dataset": "ecssd", "iterations": 12, "batch": 2, "lr": 1e-2, "resize": 32, "ema": 0.9,
        "checkpoint_every": 3, "samples_every": 6, "validate_on": "ecssd", "validate_every": 6,
        "validate_limit": 4,
    },
}
'''
CARD = """
title = "T"
folders = ["T"]
[count]
pairs = {pairs}
[[mirrors]]
kind = "http"
archives = [{{ name = "t.zip", address = "{address}" }}]
"""


def make_world(folder: Path, commands: Iterable[str]) -> None:
    """Writes `data/ECSSD`, `maps`, `maps_before`, `t.zip`, `net.py`; for `run` and `stress` two weights."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:40, :48]
    for number in range(PAIRS):
        mask = ((y - 10 - number) / 9) ** 2 + ((x - 32 + number) / 13) ** 2 < 1
        picture = random.integers(0, 90, (40, 48, 3)) + mask[:, :, None] * 120
        name = f"{number + 1:04d}"
        _save(folder / "data" / "ECSSD" / "images" / f"{name}.jpg", picture)
        _save(folder / "data" / "ECSSD" / "ground_truth_mask" / f"{name}.png", mask * 255)
        for maps, noise in (("maps", 60), ("maps_before", 120)):
            _save(folder / maps / f"{name}.png", mask * 120 + random.integers(0, noise, mask.shape))
    (folder / "t.zip").write_bytes(_archive(folder / "data" / "ECSSD"))
    (folder / "net.py").write_text(NETWORK)
    if {"run", "stress"} & set(commands):
        _write_weights(folder)


def _write_weights(folder: Path) -> None:
    import torch

    scope: dict[str, object] = {}
    exec(NETWORK, scope)
    for seed, name in enumerate(("weights.pth", "weights_before.pth")):
        torch.manual_seed(seed)
        torch.save(scope["create"]().state_dict(), folder / name)  # type: ignore[operator]


def write_card(folder: Path, address: str) -> None:
    """Writes the card of the set `t`, of which `address` has the archive, as a user's own."""
    (folder / "datasets").mkdir(parents=True, exist_ok=True)
    (folder / "datasets" / "t.toml").write_text(CARD.format(pairs=PAIRS, address=address))


def _save(path: Path, pixels: "np.ndarray") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def _archive(data: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for path in sorted(data.rglob("*.*g")):
            kind = "Imgs" if path.parent.name == "images" else "GT"
            packed.writestr(f"top/T/{kind}/{path.name}", path.read_bytes())
    return out.getvalue()
