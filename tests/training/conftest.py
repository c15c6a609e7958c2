"""A data root with a few small pairs, laid out like a part of ECSSD, and a user's network."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NETWORK = '''
"""A network as a user writes one: probabilities, and an encoder under a name of its own."""
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
    "training": {"dataset": "ecssd", "iterations": 3, "batch": 4, "lr": 1e-2, "resize": 32},
}
'''


@pytest.fixture()
def network(tmp_path: Path) -> str:
    """The user's network as `file.py:create`."""
    file = tmp_path / "two_layers.py"
    file.write_text(NETWORK)
    return f"{file}:create"


@pytest.fixture()
def pairs_root(tmp_path: Path) -> Path:
    """`ECSSD/` with 10 pairs of 48 x 40: a bright ellipse on noise, each at another place."""
    root = tmp_path / "data"
    images, masks = root / "ECSSD" / "images", root / "ECSSD" / "ground_truth_mask"
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    random = np.random.default_rng(0)
    y, x = np.mgrid[:40, :48]
    for number in range(10):
        mask = ((y - 10 - 2 * number) / 9) ** 2 + ((x - 30 + 2 * number) / 13) ** 2 < 1
        picture = random.integers(0, 90, (40, 48, 3)) + mask[:, :, None] * 120
        Image.fromarray(picture.astype(np.uint8)).save(images / f"{number + 1:04d}.jpg", quality=95)
        Image.fromarray((mask * 255).astype(np.uint8)).save(masks / f"{number + 1:04d}.png")
    return root
