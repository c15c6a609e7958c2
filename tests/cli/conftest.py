"""A small data root and a small network of a user's own, so that whole commands run in a second."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

NETWORK = '''
"""A network as a user writes one: brightness against the picture's mean."""
import torch
from torch import nn


class Brightness(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        grey = x.mean(1, keepdim=True)
        return torch.sigmoid(self.gain * (grey - grey.mean((2, 3), keepdim=True)))


def create():
    return Brightness()


create.baseline = {
    "input": {"height": 32, "width": 32, "scaling": "255"},
    "output": {"kind": "probability", "stretch": False},
}
'''


@pytest.fixture()
def root(tmp_path: Path) -> Path:
    """A data root with parts of ECSSD (6 pairs) and SOD (3 pairs) in their official layouts."""
    folder = tmp_path / "data"
    random = np.random.default_rng(0)
    y, x = np.mgrid[:40, :48]
    for name, images, masks, stems in (
        ("ECSSD", "images", "ground_truth_mask", [f"{n:04d}" for n in range(1, 7)]),
        ("SOD", "images", "GT", ["3096", "8049", "8143"]),
    ):
        (folder / name / images).mkdir(parents=True)
        (folder / name / masks).mkdir(parents=True)
        for number, stem in enumerate(stems):
            mask = ((y - 12 - 2 * number) / 9) ** 2 + ((x - 30 + 2 * number) / 13) ** 2 < 1
            picture = random.integers(0, 90, (40, 48, 3)) + mask[:, :, None] * 120
            Image.fromarray(picture.astype(np.uint8)).save(folder / name / images / f"{stem}.jpg", quality=95)
            Image.fromarray((mask * 255).astype(np.uint8)).save(folder / name / masks / f"{stem}.png")
    return folder


@pytest.fixture()
def network(tmp_path: Path) -> tuple[str, Path]:
    """The user's network as `file.py:create`, and its weights file."""
    file, weights = tmp_path / "mynet.py", tmp_path / "mynet.pth"
    file.write_text(NETWORK)
    torch.save({"gain": torch.tensor(4.0)}, weights)
    return f"{file}:create", weights
