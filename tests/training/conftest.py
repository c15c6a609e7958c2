"""A data root with a few small pairs, laid out like a part of ECSSD."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


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
