"""What is called fp32 computes without TF32, on every path; checked by the settings that a network sees."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from sodbench.models import load_baseline
from sodbench.models.folding import fold_batch_norms
from sodbench.models.inference import Predictor
from sodbench.models.tf32 import without_tf32


class Watching(nn.Module):
    """A convolution with its normalisation that notes torch's setting at every call."""

    seen: ClassVar[list[bool]] = []  # of all copies

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 1, 3, padding=1), nn.BatchNorm2d(1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        self.seen.append(allowed())
        return (self.norm(self.conv(x)),)


def allowed() -> bool:
    return str(torch.backends.cudnn.conv.fp32_precision) == "tf32"


@pytest.fixture(autouse=True)
def newer_torch() -> Iterator[None]:
    if not hasattr(torch.backends.cudnn, "conv"):
        pytest.skip("this torch does not tell its precision per operation")
    before = torch.backends.cudnn.conv.fp32_precision
    Watching.seen.clear()
    yield
    torch.backends.cudnn.conv.fp32_precision = before


def test_folding_and_prediction_switch_it_off_and_restore_it() -> None:
    """Compared under TF32, the folded network would seem to differ, and a GPU would never get it."""
    assert allowed()
    fold_batch_norms(Watching(), torch.rand(1, 3, 8, 8))
    predictor = Predictor(Watching(), load_baseline("basnet-tiny"), fold=False)
    predictor(np.zeros((1, 3, 8, 8), np.float32))
    assert len(Watching.seen) >= 4 and not any(Watching.seen)
    assert allowed() and torch.backends.cudnn.allow_tf32


def test_only_tf32_is_switched() -> None:
    """A caller's other settings of cuDNN hold inside."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=True, deterministic=True):
        with without_tf32():
            assert torch.backends.cudnn.benchmark and torch.backends.cudnn.deterministic
            assert not allowed()
        assert allowed()


@pytest.mark.parametrize("precision", ["ieee", "tf32"])
def test_torchs_newer_setting_is_no_error(precision: str) -> None:
    """torch refuses to read `allow_tf32` once `fp32_precision` is set; prediction failed, on a CPU, too."""
    torch.backends.cudnn.conv.fp32_precision = precision
    predictor = Predictor(Watching(), load_baseline("basnet-tiny"), fold=False)
    predictor(np.zeros((1, 3, 8, 8), np.float32))
    assert Watching.seen and not any(Watching.seen)
    assert torch.backends.cudnn.conv.fp32_precision == precision
