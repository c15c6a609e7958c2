"""The boundary-aware loss against a slow transcription of both published forms with scipy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate
from torch.nn import functional as F

from sodbench.errors import InputError
from sodbench.losses import BoundaryAwareLoss, boundary_weight


def edges(mask: np.ndarray) -> np.ndarray:
    """Sum over object and background of the non-zero answers of [[1, -.5], [-.5, 0]]."""
    total = np.zeros(mask.shape)
    for own in (mask, 1 - mask):
        padded = np.pad(own, ((0, 1), (0, 1)), mode="symmetric")
        answer = padded[:-1, :-1] - 0.5 * padded[1:, :-1] - 0.5 * padded[:-1, 1:]
        total += answer != 0
    return total


def gaussian(size: int, n: float, sigma: float) -> np.ndarray:
    offset = np.arange(size) - size // 2
    return np.exp(-(offset[:, None] ** 2 + offset**2) / (n * sigma))


def upsample(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    tensor = torch.from_numpy(image)[None, None]
    return F.interpolate(tensor, size=shape, mode="bilinear", align_corners=True)[0, 0].numpy()


def blobs(height: int, width: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    mask = np.zeros((height, width))
    for _ in range(3):
        y, x = random.integers(0, height), random.integers(0, width)
        mask[y : y + random.integers(1, height + 1), x : x + random.integers(1, width + 1)] = 1
    return mask


@settings(max_examples=25, deadline=None)
@given(height=st.integers(8, 70), width=st.integers(8, 70), seed=st.integers(0, 999))
def test_the_papers_form(height: int, width: int, seed: int) -> None:
    mask = blobs(height, width, seed)
    small = upsample(edges(mask), (-(-height // 4), -(-width // 4)))
    blurred = correlate(small, gaussian(35, 35, 3), mode="constant")
    expected = upsample(blurred, (height, width)) + 0.5
    weight = boundary_weight(torch.from_numpy(mask), "paper")
    assert np.allclose(weight.numpy(), expected, rtol=1e-4, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(8, 70), width=st.integers(8, 70), seed=st.integers(0, 999))
def test_the_codes_form(height: int, width: int, seed: int) -> None:
    mask = blobs(height, width, seed)
    small = edges(mask)
    for _ in range(2):
        padded = np.pad(small, ((0, small.shape[0] % 2), (0, small.shape[1] % 2)))
        small = sum(padded[y::2, x::2] for y in (0, 1) for x in (0, 1))
    kernel = gaussian(35, 17, 3)
    blurred = correlate(small, kernel / kernel.sum(), mode="constant")
    expected = np.clip(upsample(blurred, (height, width)) * 1.5 + 0.5, 0, 4)
    weight = boundary_weight(torch.from_numpy(mask), "code")
    assert np.allclose(weight.numpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", ["paper", "code"])
def test_far_from_edges_the_weight_is_beta(form: str) -> None:
    for level in (0.0, 1.0):
        weight = boundary_weight(torch.full((40, 50), level), form, beta=0.3)  # type: ignore[arg-type]
        assert torch.allclose(weight, torch.full((40, 50), 0.3))


def test_arguments_and_shapes() -> None:
    mask = torch.zeros(2, 1, 48, 40)
    mask[0, :, 10:30, 12:30] = 1
    weight = boundary_weight(mask, "paper", size=15, sigma=1.0, beta=0.1, downsampling=2)
    assert weight.shape == mask.shape
    assert weight.dtype == torch.float32
    assert float(weight[0].max()) > float(weight[1].max()) == pytest.approx(0.1)
    full = boundary_weight(mask[0, 0], "paper", downsampling=1)
    assert full.shape == (48, 40)
    ignore = torch.zeros(48, 40)
    ignore[:5] = 1
    assert float(boundary_weight(mask[0, 0], "code", ignore=ignore)[:5].abs().max()) == 0


def test_loss_is_the_weighted_mean_of_cross_entropy() -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 1, 33, 41, generator=random, requires_grad=True)
    target = torch.zeros(2, 1, 33, 41)
    target[:, :, 8:20, 5:30] = 1
    weight = boundary_weight(target, "code")
    expected = (weight * F.binary_cross_entropy_with_logits(logits, target, reduction="none")).mean()
    total, parts = BoundaryAwareLoss("code").detailed((logits,), target)
    assert total.item() == pytest.approx(expected.item())
    assert parts.shape == (1, 1)
    total.backward()
    assert logits.grad is not None
    assert torch.isfinite(BoundaryAwareLoss()(logits.detach().half() * 1000, target))


def test_wrong_use_is_explained() -> None:
    with pytest.raises(InputError, match="'paper' or 'code'"):
        boundary_weight(torch.zeros(4, 4), "tensorflow")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="odd"):
        BoundaryAwareLoss(size=34)
    with pytest.raises(InputError, match="power of two"):
        boundary_weight(torch.zeros(4, 4), downsampling=3)
    with pytest.raises(ValueError, match="expected H x W"):
        boundary_weight(torch.zeros(1, 2, 4, 4))
