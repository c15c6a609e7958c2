"""The full-size BASNet with golden weights: made once, because filling 87 million values takes seconds."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

from golden_rule import fill

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture(scope="session")
def golden_basnet() -> nn.Module:
    from sodbench.models import create

    return fill(create("basnet")).eval()


@pytest.fixture(scope="session")
def golden_input() -> torch.Tensor:
    return torch.tensor(np.random.RandomState(0).standard_normal((2, 3, 96, 64)), dtype=torch.float32)


@pytest.fixture(scope="session")
def golden_numbers() -> dict[str, np.ndarray]:
    return dict(np.load(GOLDEN / "basnet_forward.npz"))


@pytest.fixture
def user_folder(tmp_path, monkeypatch) -> Path:
    """An empty working directory with a `baselines` folder, and an empty folder for weights."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SODBENCH_WEIGHTS", str(tmp_path / "data"))
    (tmp_path / "baselines").mkdir()
    return tmp_path
