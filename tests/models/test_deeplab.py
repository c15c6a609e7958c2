"""DeepLabV3, ASPP and PAC: parameters, dilations, and the shared filter against separate convolutions."""

import pytest
import torch
from torch.nn import functional as F

from sodbench.errors import InputError
from sodbench.models import create
from sodbench.models.networks.deeplab import PyramidAtrousConv
from sodbench.models.networks.resnet import ResNet


def _count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("depth", [18, 34, 50, 101])
def test_encoder_has_torchvisions_names_and_features(depth):
    import torchvision

    torch.manual_seed(0)
    theirs = torchvision.models.get_model(f"resnet{depth}", weights=None).eval()
    ours = ResNet(depth, 64, output_stride=32, multi_grid=(1,)).eval()
    missing = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert missing.missing_keys == [] and missing.unexpected_keys == ["fc.weight", "fc.bias"]
    theirs.fc = torch.nn.Identity()
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(ours(x).mean((2, 3)), theirs(x))


@pytest.mark.parametrize(("stride", "rates"), [(16, (2, 4, 8)), (8, (4, 8, 16)), (32, (1, 2, 4))])
def test_output_stride_and_multi_grid(stride, rates):
    with torch.device("meta"):
        network = ResNet(50, 64, output_stride=stride, multi_grid=(1, 2, 4))
    assert tuple(block.conv2.dilation[0] for block in network.layer4) == rates
    assert {block.conv2.dilation[0] for block in network.layer3} == {2 if stride == 8 else 1}
    features = ResNet(18, 16, output_stride=stride).eval()(torch.randn(1, 3, 128, 64))
    assert features.shape[2:] == (128 // stride, 64 // stride)


def test_pac_is_one_filter_where_aspp_has_three():
    """PAC's filter has 2048 * 256 * 9 values; ASPP has that three times."""
    with torch.device("meta"):
        aspp, pac = create("deeplabv3", head="aspp"), create("deeplabv3", head="pac")
    filter_size = 2048 * 256 * 9
    assert _count(pac.head.pac[0]) == filter_size
    assert sum(_count(branch[0]) for branch in aspp.head.atrous) == 3 * filter_size
    # besides: two branches fewer to concatenate (256 * 256 each) and to normalise (512 each)
    assert _count(aspp) - _count(pac) == 2 * (filter_size + 256 * 256 + 512)


@pytest.mark.parametrize("rates", [(1, 3, 5, 7, 9), (6, 12, 18), (1,)])
@pytest.mark.parametrize("size", [(9, 13), (33, 20)])
def test_pac_is_the_sum_of_its_atrous_convolutions(rates, size):
    torch.manual_seed(0)
    pac = PyramidAtrousConv(8, 5, rates)
    x = torch.randn(2, 8, *size, requires_grad=True)
    expected = sum(F.conv2d(x, pac.filter.weight, padding=r, dilation=r) for r in rates)
    found = pac(x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    grad = torch.randn_like(expected)
    theirs = torch.autograd.grad(expected, (x, pac.filter.weight), grad)
    ours = torch.autograd.grad(found, (x, pac.filter.weight), grad)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_pac_by_concatenation():
    torch.manual_seed(0)
    pac = PyramidAtrousConv(8, 5, (1, 3), merge="concat")
    x = torch.randn(1, 8, 12, 12)
    parts = [F.conv2d(x, pac.filter.weight, padding=r, dilation=r) for r in (1, 3)]
    torch.testing.assert_close(pac(x), pac.merge(torch.cat(parts, 1)), rtol=1e-4, atol=1e-5)


def test_aspp_rates_double_at_stride_8():
    with torch.device("meta"):
        assert [b[0].dilation[0] for b in create("deeplabv3", output_stride=8).head.atrous] == [12, 24, 36]
        assert [b[0].dilation[0] for b in create("deeplabv3").head.atrous] == [6, 12, 18]


@pytest.mark.parametrize("head", ["aspp", "pac"])
def test_one_map_of_the_pictures_size_with_aligned_corners(head):
    network = create("deeplabv3", depth=18, width=16, head=head).eval()
    x = torch.randn(1, 3, 65, 97)
    with torch.inference_mode():
        (logits,) = network(x)
        small = network.classifier(network.head(network.backbone(x)))
    assert logits.shape == (1, 1, 65, 97)
    torch.testing.assert_close(
        logits[..., ::64, ::96], small[..., :: small.shape[2] - 1, :: small.shape[3] - 1]
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"depth": 42}, "depth: expected 18 or 34 or 50 or 101, found 42"),
        ({"output_stride": 4}, "output_stride: expected 8, 16 or 32, found 4"),
        ({"head": "ppm"}, "unknown head 'ppm'"),
        ({"head": "pac", "merge": "mean"}, "unknown merge 'mean'"),
        ({"head": "pac", "rates": [0]}, "whole numbers from 1 up"),
    ],
)
def test_wrong_options_are_said(options, said):
    with pytest.raises(InputError, match=said):
        create("deeplabv3", **options)


def test_unet_is_the_classic_one():
    with torch.device("meta"):
        network = create("unet")
    assert 31e6 < _count(network) < 35e6
    small = create("unet", width=8).eval()
    with torch.inference_mode():
        assert [o.shape for o in small(torch.randn(1, 3, 50, 37))] == [(1, 1, 50, 37)]
