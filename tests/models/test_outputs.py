"""What networks return becomes one form, and whether it is logits is decided once."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sodbench.errors import InputError
from sodbench.models.outputs import Logits, map_kind, probe


@pytest.mark.parametrize("kind", ["list", "dict", "nested", "flat"])
def test_any_form_of_output_becomes_a_tuple_of_logits(kind):
    class Net(nn.Module):
        def forward(self, x):
            full, half = x[:, :1], x[:, :1, ::2, ::2]
            return {"list": [full, half], "dict": {"out": full, "aux": half},
                    "nested": (full, [half]), "flat": full[:, 0]}[kind]  # fmt: skip

    x = torch.rand(2, 3, 8, 6)
    outputs = Logits(Net(), "logits")(x)
    assert len(outputs) == (1 if kind == "flat" else 2)
    assert all(o.shape == (2, 1, 8, 6) for o in outputs)
    assert torch.equal(outputs[0], x[:, :1])


def test_maps_of_several_channels_are_refused():
    with pytest.raises(InputError, match=r"\(1, 3, 4, 4\); expected N x 1 x H x W"):
        Logits(nn.Identity(), "logits")(torch.rand(1, 3, 4, 4))


def test_no_maps_are_refused():
    class Nothing(nn.Module):
        def forward(self, x):
            return []

    for kind in ("logits", "auto"):
        with pytest.raises(InputError, match="Nothing returned no maps"):
            Logits(Nothing(), kind)(torch.rand(1, 3, 8, 8))


def _body(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 1, 1),
    )


class Head(nn.Module):
    def __init__(self, head, seed=0):
        super().__init__()
        self.body, self.head = _body(seed), head

    def forward(self, x):
        return self.head(self.body(x))


def _stretch(y):
    low, high = y.amin((1, 2, 3), keepdim=True), y.amax((1, 2, 3), keepdim=True)
    return (y - low) / (high - low + 1e-8)


PROBABILITIES = {
    "sigmoid": torch.sigmoid,
    "in place": lambda y: y.sigmoid_(),
    "softmax": lambda y: torch.cat([y, -y], 1).softmax(1)[:, :1],
    "mean of two": lambda y: torch.stack([torch.sigmoid(y), torch.sigmoid(2 * y)]).mean(0),
    "complement": lambda y: 1 - torch.sigmoid(y),
    "half": lambda y: torch.sigmoid(y.half()).float(),
    "up": lambda y: F.interpolate(torch.sigmoid(50 * y), scale_factor=2, mode="bicubic"),
    "masked": lambda y: torch.where(y > 0, torch.sigmoid(y), torch.zeros_like(y)),
    "clamp": lambda y: y.clamp(0, 1),
    "tanh": lambda y: (torch.tanh(y) + 1) / 2,
    "log softmax": lambda y: F.log_softmax(torch.cat([y, -y], 1), 1).exp()[:, :1],
    "stretched": _stretch,
    "list": lambda y: [torch.sigmoid(y), y],
}


@pytest.mark.parametrize("head", PROBABILITIES)
def test_probabilities_are_recognised(head):
    assert map_kind(Head(PROBABILITIES[head]), (32, 48)) == "probability"


LOGITS = {
    "plain": lambda y: y,
    "residual": lambda y: y + torch.sigmoid(y),
    "gated": lambda y: y * torch.sigmoid(y),
    "doubled": lambda y: 4 * torch.sigmoid(y) - 2,
    "list": lambda y: [y, torch.sigmoid(y)],
}


@pytest.mark.parametrize("head", LOGITS)
def test_logits_are_recognised(head):
    assert map_kind(Head(LOGITS[head]), (32, 48)) == "logits"


def test_logits_that_happen_to_lie_within_0_and_1_are_no_probabilities():
    inside = 0
    for seed in range(40):
        network = Head(lambda y: 0.2 * y + 0.5, seed).eval()
        with torch.inference_mode():
            maps = network(probe(2, (16, 16)))
        inside += bool(maps.min() >= 0 and maps.max() <= 1)
        assert map_kind(network, (16, 16)) == "logits"
    assert inside > 20


def test_the_kind_is_decided_once_and_not_by_the_batch():
    """The same network says the same of a batch within 0..1 and of one that is not."""
    network = Logits(Head(lambda y: y), "auto").eval()
    with torch.inference_mode():
        small = torch.full((1, 3, 16, 16), 1e-6)
        shift = network.network(small).mean()
        network.network.body[-1].bias += 0.5 - shift
        inside = network.network(small)
        assert inside.min() >= 0 and inside.max() <= 1
        outside = 100 * torch.randn(1, 3, 16, 16)
        assert network.network(outside).abs().max() > 1
        assert torch.equal(network(small)[0], inside)
        assert network.kind == "logits"
        assert torch.equal(network(outside)[0], network.network(outside))


def test_a_users_own_wrapper_belongs_to_the_network():
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = Head(lambda y: y)

        def forward(self, x):
            return torch.sigmoid(self.network(x))

    assert map_kind(Wrapped(), (16, 16)) == "probability"


def test_the_network_stays_as_it_was():
    network = Head(torch.sigmoid).train()
    network.body[0].eval()
    before = {n: t.clone() for n, t in network.state_dict().items()}
    with torch.autocast("cpu", torch.bfloat16):
        assert map_kind(Logits(network, "auto"), (16, 16)) == "probability"
    assert network.training and network.body[1].training and not network.body[0].training
    assert all(torch.equal(t, before[n]) for n, t in network.state_dict().items())
