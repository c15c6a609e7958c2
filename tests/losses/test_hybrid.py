"""The hybrid loss against the textbook, scikit-image's SSIM, finite differences and the original network."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity
from torch import Tensor
from torch.nn import functional as F

from sodbench.errors import InputError
from sodbench.losses import HybridLoss, bce_loss, iou_loss, ssim_loss


def textbook(outputs: list[Tensor], target: Tensor) -> Tensor:
    """BCE, 1 - SSIM and IoU loss of every output, written as the paper has them, in double precision."""
    offset = torch.arange(11, dtype=torch.float64) - 5
    line = torch.exp(-offset.square() / (2 * 1.5**2))
    window = (line[:, None] * line / line.sum() ** 2)[None, None]
    t = target.double()
    rows = []
    for output in outputs:
        p = torch.sigmoid(output.double())
        bce = F.binary_cross_entropy_with_logits(output.double(), t)
        mu_p, mu_t, pp, tt, pt = (F.conv2d(v, window, padding=5) for v in (p, t, p * p, t * t, p * t))
        numerator = (2 * mu_p * mu_t + 0.01**2) * (2 * (pt - mu_p * mu_t) + 0.03**2)
        denominator = (mu_p**2 + mu_t**2 + 0.01**2) * (pp - mu_p**2 + tt - mu_t**2 + 0.03**2)
        overlap = (p * t).sum((1, 2, 3))
        union = p.sum((1, 2, 3)) + t.sum((1, 2, 3)) - overlap
        rows.append(torch.stack([bce, 1 - (numerator / denominator).mean(), (1 - overlap / union).mean()]))
    return torch.stack(rows)


@settings(max_examples=40, deadline=None)
@given(
    outputs=st.integers(1, 9),
    count=st.integers(1, 4),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    spread=st.sampled_from([0.1, 1.0, 8.0]),
    seed=st.integers(0, 2**16),
)
def test_equals_the_textbook_in_value_and_gradient(
    outputs: int, count: int, height: int, width: int, spread: float, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    maps = [
        (torch.randn(count, 1, height, width, generator=random) * spread).requires_grad_()
        for _ in range(outputs)
    ]
    target = (torch.rand(count, 1, height, width, generator=random) > 0.5).float()
    expected = textbook(maps, target)
    expected.sum().backward()
    gradients = [m.grad.clone() for m in maps if m.grad is not None]
    for m in maps:
        m.grad = None
    total, parts = HybridLoss().detailed(maps, target)
    total.backward()
    assert parts.shape == (outputs, 3)
    assert torch.allclose(parts.double(), expected.detach(), rtol=2e-5, atol=1e-5)
    assert total.item() == pytest.approx(expected.sum().item(), rel=1e-5, abs=1e-6)
    largest = max(float(g.abs().max()) for g in gradients)
    for m, gradient in zip(maps, gradients, strict=True):
        assert m.grad is not None
        assert torch.allclose(m.grad, gradient, rtol=1e-3, atol=1e-4 * largest + 1e-9)


def test_large_batches_are_taken_in_pieces_with_the_same_result() -> None:
    random = torch.Generator().manual_seed(1)
    maps = [torch.randn(8, 1, 256, 256, generator=random) for _ in range(3)]
    target = (torch.rand(8, 1, 256, 256, generator=random) > 0.5).float()
    _, parts = HybridLoss().detailed(maps, target)
    assert torch.allclose(parts.double(), textbook(maps, target), rtol=1e-5, atol=1e-6)


def test_terms_can_be_chosen_and_stand_alone() -> None:
    random = torch.Generator().manual_seed(2)
    logits = torch.randn(3, 1, 30, 20, generator=random)
    target = (torch.rand(3, 1, 30, 20, generator=random) > 0.7).float()
    bce, ssim, iou = textbook([logits], target)[0].tolist()
    assert bce_loss(logits, target).item() == pytest.approx(bce, rel=1e-5)
    assert ssim_loss(logits, target).item() == pytest.approx(ssim, rel=1e-5)
    assert iou_loss(logits, target).item() == pytest.approx(iou, rel=1e-5)
    both = HybridLoss(["iou", "bce"])
    assert both.terms == ("bce", "iou")
    assert both([logits, logits], target).item() == pytest.approx(2 * (bce + iou), rel=1e-5)


def test_valid_padding_is_the_ssim_of_scikit_image() -> None:
    random = np.random.default_rng(3)
    p, t = random.random((2, 40, 33))
    expected = structural_similarity(
        p, t, gaussian_weights=True, sigma=1.5, truncate=5 / 1.5, use_sample_covariance=False, data_range=1
    )
    logits = torch.logit(torch.from_numpy(p))[None, None]
    loss = ssim_loss(logits, torch.from_numpy(t)[None, None], padding="valid")
    assert 1 - loss.item() == pytest.approx(expected, abs=1e-6)


def test_valid_padding_has_the_right_gradient() -> None:
    random = torch.Generator().manual_seed(4)
    logits = torch.randn(1, 1, 14, 15, generator=random)
    target = torch.rand(1, 1, 14, 15, generator=random)
    x = logits.clone().requires_grad_()
    ssim_loss(x, target, padding="valid").backward()
    assert x.grad is not None
    direction = torch.randn(logits.shape, generator=random)
    step = 1e-2
    up, down = (ssim_loss(logits + s * step * direction, target, padding="valid").item() for s in (1, -1))
    assert float((x.grad * direction).sum()) == pytest.approx((up - down) / (2 * step), rel=2e-2)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_outputs_are_safe(kind: torch.dtype) -> None:
    logits = torch.tensor([-60000.0, -88.0, 0.0, 88.0, 60000.0] * 25, dtype=torch.float32)
    x = logits.clamp(-6e4, 6e4).to(kind).reshape(1, 1, 5, 25).requires_grad_()
    target = torch.zeros(1, 1, 5, 25)
    target[..., 10:] = 1
    loss = HybridLoss()(x, target)
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    assert x.grad is not None
    assert x.grad.dtype == kind
    assert torch.isfinite(x.grad.float()).all()


def test_works_under_autocast_in_float32() -> None:
    random = torch.Generator().manual_seed(5)
    logits = torch.randn(2, 1, 32, 32, generator=random)
    target = (torch.rand(2, 1, 32, 32, generator=random) > 0.5).float()
    plain = HybridLoss()(logits, target)
    with torch.autocast("cpu", torch.bfloat16):
        assert HybridLoss()(logits, target).item() == plain.item()


@pytest.mark.parametrize("level", [-50.0, 0.0, 50.0])
def test_empty_targets_give_finite_losses_and_gradients(level: float) -> None:
    x = torch.full((2, 1, 16, 16), level, requires_grad=True)
    loss = HybridLoss()([x], torch.zeros(2, 1, 16, 16))
    loss.backward()
    assert torch.isfinite(loss)
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


def test_a_perfect_map_costs_nothing() -> None:
    target = torch.zeros(1, 1, 24, 24)
    target[..., 6:18, 4:20] = 1
    assert HybridLoss()([(target * 2 - 1) * 100], target).item() == pytest.approx(0, abs=1e-5)


def test_on_the_maps_of_the_original_network(golden: object) -> None:
    from pathlib import Path

    stored = np.load(Path(str(golden)) / "basnet_forward.npz")
    target = torch.from_numpy((np.random.RandomState(1).rand(2, 1, 96, 64) > 0.5).astype(np.float32))
    # real maps, saturated in places, as logits of the stored probabilities; tests/models has the golden loss
    outputs = [torch.logit(torch.from_numpy(stored[f"d{i}"]).double()) for i in range(8)]
    _, parts = HybridLoss().detailed([o.float() for o in outputs], target)
    assert torch.allclose(parts.double(), textbook(outputs, target), rtol=1e-5, atol=1e-5)


def test_wrong_use_is_explained() -> None:
    with pytest.raises(InputError, match="did you mean 'ssim'"):
        HybridLoss(["sim"])
    with pytest.raises(InputError, match="at least one term"):
        HybridLoss([])
    with pytest.raises(InputError, match="ssim_padding"):
        HybridLoss(ssim_padding="full")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"output 1 has the shape \(1, 1, 8, 9\)"):
        HybridLoss()([torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 9)], torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match="smaller than SSIM's"):
        ssim_loss(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8), padding="valid")
