"""A suite of two small networks on a part of ECSSD, with maps beside them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TINY = """
title = "Own"
network = "unet"
options = { width = 16 }
[input]
height = 32
width = 32
[training]
dataset = "ecssd"
iterations = 3
batch = 2
lr = 1e-3
resize = 32
"""


@pytest.fixture()
def write(here: Path) -> Callable[[str, str], Path]:
    """Writes a file in the working directory."""

    def write(name: str, text: str) -> Path:
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture()
def maps(here: Path, root: Path) -> str:
    """`maps/ECSSD/Mine` and `maps/SOD/Mine`: the masks, some of their columns darker."""
    for name, masks in (("ECSSD", "ground_truth_mask"), ("SOD", "GT")):
        folder = here / "maps" / name / "Mine"
        folder.mkdir(parents=True)
        for path in (root / name / masks).iterdir():
            mask = np.asarray(Image.open(path)).copy()
            mask[:, :26] //= 3
            Image.fromarray(mask).save(folder / path.name)
    return "maps/{dataset}/Mine"
