"""The predictor's forms give the plain network's maps; the network itself stays as it was."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from sodbench.errors import InputError
from sodbench.models import create, load_baseline
from sodbench.models.folding import fold_batch_norms
from sodbench.models.inference import Predictor
from sodbench.models.settings import Inference, Output


def _with_statistics(network: nn.Module) -> nn.Module:
    """Random BN statistics and scales, so that folding has something to get wrong."""
    torch.manual_seed(7)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    return network.eval()


NETWORKS = {
    "basnet": {"width": 16},
    "basnet-keras": {"width": 16},
    "unet": {"width": 16},
    "deeplabv3": {"depth": 18, "width": 16},
    "u2net": {"small": True},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_batch_norm_of_ours_folds_away(name):
    network = _with_statistics(create(name, **NETWORKS[name]))
    x = torch.randn(2, 3, 64, 96)
    folded = fold_batch_norms(network, x)
    left = [n for n, m in folded.named_modules() if isinstance(m, nn.BatchNorm2d)]
    assert left == []
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    with torch.inference_mode():
        for a, b in zip(network(x), folded(x), strict=True):
            torch.testing.assert_close(torch.sigmoid(a), torch.sigmoid(b), rtol=0, atol=1e-4)


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("channels_last", [True, False])
def test_forms_agree(fold, channels_last):
    baseline = _seen()
    network = _with_statistics(baseline.build())
    before = {n: t.clone() for n, t in network.state_dict().items()}
    batch = np.random.default_rng(0).standard_normal((3, 3, 64, 64)).astype(np.float32)
    found = Predictor(network, baseline, fold=fold, channels_last=channels_last)(batch)
    with torch.inference_mode():
        expected = torch.sigmoid(network(torch.from_numpy(batch))[0])[:, 0]
    assert found.shape == (3, 64, 64) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    after = network.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[n], t) for n, t in before.items())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_lower_precision_comes_close(precision):
    baseline = load_baseline("basnet-tiny")
    network = _with_statistics(baseline.build())
    batch = np.random.default_rng(0).standard_normal((1, 3, 64, 64)).astype(np.float32)
    full = Predictor(network, baseline, precision="fp32")(batch)
    lower = Predictor(network, baseline, precision=precision)(batch)
    assert lower.dtype == np.float32 and 0 < np.abs(full - lower).max() < 0.1


def test_the_baseline_chooses_the_precision():
    baseline = load_baseline("basnet-tiny")
    chosen = dataclasses.replace(baseline, inference=dataclasses.replace(baseline.inference, cpu="bf16"))
    assert Predictor(baseline.build(), chosen).precision == "bf16"


def _seen(**inference):
    """basnet-tiny that averages the given views, and nothing else."""
    baseline = load_baseline("basnet-tiny")
    return dataclasses.replace(baseline, inference=Inference(**inference), output=Output())


def _logit(p):
    p = p.astype(np.float64)
    return np.log(p / (1 - p))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_mirrored_prediction_is_the_mean_of_both_sides(precision):
    network = _with_statistics(_seen().build())
    batch = np.random.default_rng(0).standard_normal((2, 3, 64, 96)).astype(np.float32)
    turned = np.ascontiguousarray(batch[..., ::-1])
    one = Predictor(network, _seen(), precision=precision)
    both = Predictor(network, _seen(mirror=True), precision=precision)
    mean = (_logit(one(batch)) + _logit(one(turned)[..., ::-1])) / 2
    np.testing.assert_allclose(both(batch), 1 / (1 + np.exp(-mean)), rtol=0, atol=1e-4)
    # and so a picture and its mirror image have maps that mirror each other
    np.testing.assert_allclose(both(turned), both(batch)[..., ::-1], rtol=0, atol=1e-6)
    assert np.abs(one(turned) - one(batch)[..., ::-1]).max() > 1e-3


def _resized(maps, size):
    """Pillow's bilinear filter on every channel: ... x h x w float32 -> ... x size."""
    flat = maps.astype(np.float32).reshape(-1, *maps.shape[-2:])
    made = [np.asarray(Image.fromarray(m).resize(size[::-1], Image.Resampling.BILINEAR)) for m in flat]
    return np.stack(made).reshape(*maps.shape[:-2], *size)


@pytest.mark.parametrize(("precision", "apart"), [("fp32", 1e-4), ("bf16", 0.04)])
@pytest.mark.parametrize("mirror", [False, True])
def test_scales_are_averaged_at_the_size_of_the_input(precision, apart, mirror):
    network = _with_statistics(_seen().build())
    batch = np.random.default_rng(0).standard_normal((2, 3, 64, 96)).astype(np.float32)
    one = Predictor(network, _seen(mirror=mirror), precision=precision)
    both = Predictor(network, _seen(scales=(0.5, 1.0), mirror=mirror), precision=precision)
    coarse = _resized(_logit(one(_resized(batch, (32, 48)))), (64, 96))
    expected = 1 / (1 + np.exp(-(coarse + _logit(one(batch))) / 2))
    found = both(batch)
    np.testing.assert_allclose(found, expected, rtol=0, atol=apart)
    assert np.abs(found - one(batch)).max() > 2 * apart


def test_gain_multiplies_the_logits_of_the_mean():
    network = _with_statistics(_seen().build())
    batch = np.random.default_rng(0).standard_normal((2, 3, 64, 96)).astype(np.float32)
    plain = _seen(scales=(0.5, 1.0), mirror=True)
    sharp = dataclasses.replace(plain, output=Output(gain=3.0))
    mean = _logit(Predictor(network, plain)(batch))
    np.testing.assert_allclose(
        Predictor(network, sharp)(batch), 1 / (1 + np.exp(-3 * mean)), rtol=0, atol=1e-5
    )


def test_scales_round_to_whole_pixels_and_keep_the_size():
    network = _with_statistics(_seen().build())
    batch = np.random.default_rng(0).standard_normal((1, 3, 65, 47)).astype(np.float32)
    assert Predictor(network, _seen(scales=(0.7, 1.3)))(batch).shape == (1, 65, 47)


class Shared(nn.Module):
    """A convolution whose output is used both with and without its normalisation: folding would be wrong."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 3, padding=1)
        self.bn = nn.BatchNorm2d(1)

    def forward(self, x):
        y = self.conv(x)
        return (self.bn(y) + y,)


class ByHand(nn.Module):
    """Takes the convolution's weight without calling it, as some users' networks do."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 3)
        self.bn = nn.BatchNorm2d(1)

    def forward(self, x):
        return (self.bn(F.conv2d(x, self.conv.weight, self.conv.bias, padding=1)),)


@pytest.mark.parametrize("network", [Shared(), ByHand()])
def test_what_cannot_be_folded_stays(network):
    network = _with_statistics(network)
    x = torch.randn(1, 3, 8, 8)
    folded = fold_batch_norms(network, x)
    assert isinstance(folded.bn, nn.BatchNorm2d)
    assert torch.equal(folded(x)[0], network(x)[0])


def test_narrow_strided_points_keep_the_default_layout():
    class Narrow(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 1, 2)

        def forward(self, x):
            return (self.conv(x)[:, :1],)

    predictor = Predictor(Narrow(), load_baseline("basnet-tiny"))
    assert predictor.layout == torch.contiguous_format


def test_wrong_device_is_one_line():
    with pytest.raises(InputError, match="device tpu9: not a device; expected cpu, cuda or cuda:N"):
        Predictor(nn.Identity(), load_baseline("basnet-tiny"), device="tpu9")
