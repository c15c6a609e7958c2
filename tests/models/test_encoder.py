"""The encoder of a network, whatever the network is wrapped in."""

import pytest
import torch
from torch import nn

from sodbench.errors import InputError
from sodbench.models import create
from sodbench.models.outputs import Logits, encoder_parameters


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.backbone = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        return self.head(self.backbone(self.stem(x)))


class Named(Net):
    encoder_names = ("stem", "backbone")


def _ids(parameters):
    return [id(p) for p in parameters]


def _wrap(network, how):
    match how:
        case "logits":
            return Logits(network, "logits")
        case "compiled":
            return torch.compile(network)
        case "compiled logits":
            return torch.compile(Logits(network, "logits"))
    return network


@pytest.mark.parametrize("how", ["plain", "logits", "compiled", "compiled logits"])
@pytest.mark.parametrize("kind", [Net, Named])
def test_wrappers_are_looked_through(kind, how):
    network = kind()
    expected = list(network.backbone.parameters())
    if kind is Named:
        expected = [*network.stem.parameters(), *expected]
    assert _ids(encoder_parameters(_wrap(network, how))) == _ids(expected)


@pytest.mark.parametrize(
    ("name", "options", "prefixes"),
    [
        ("basnet", {"width": 16}, ("encoder",)),
        ("basnet-keras", {"width": 16}, ("encoder",)),
        ("unet", {"width": 16}, ("encoder.",)),
        ("deeplabv3", {"depth": 18, "width": 16}, ("backbone.",)),
    ],
)
def test_our_networks_have_one(name, options, prefixes):
    network = create(name, **options)
    expected = [p for n, p in network.named_parameters() if n.startswith(prefixes)]
    assert expected and _ids(encoder_parameters(network)) == _ids(expected)


def test_a_network_without_an_encoder_has_no_parameters_in_it():
    assert encoder_parameters(nn.Sequential(nn.Conv2d(3, 1, 1))) == []


def test_a_network_that_names_a_missing_part_is_an_error():
    network = Net()
    network.encoder_names = ("backbon",)
    with pytest.raises(InputError, match=r"Net\.encoder_names 'backbon' \(did you mean 'backbone'"):
        encoder_parameters(network)
