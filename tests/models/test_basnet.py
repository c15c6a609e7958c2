"""BASNet against the original implementation's names, outputs, loss and gradients."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sodbench.errors import InputError
from sodbench.models import create

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def test_names_and_shapes_are_those_of_the_official_checkpoint(golden_basnet):
    official = [
        (entry["name"], entry["shape"])
        for entry in json.loads((GOLDEN / "basnet_state_dict.json").read_text())
    ]
    assert len(official) == 517
    assert [(n, list(t.shape)) for n, t in golden_basnet.state_dict().items()] == official


@pytest.mark.parametrize(("name", "count"), [("basnet", 87_060_360), ("basnet-tiny", 5_455_080)])
def test_parameter_counts(name, count):
    with torch.device("meta"):
        network = create(name)
    assert sum(p.numel() for p in network.parameters()) == count


def test_outputs_are_the_original_ones(golden_basnet, golden_input, golden_numbers):
    with torch.inference_mode():
        outputs = golden_basnet(golden_input)
        final = golden_basnet.final(golden_input)
    assert len(outputs) == 8
    for i, logits in enumerate(outputs):
        assert logits.shape == (2, 1, 96, 64)
        np.testing.assert_allclose(torch.sigmoid(logits), golden_numbers[f"d{i}"], rtol=0, atol=1e-5)
    torch.testing.assert_close(final, outputs[0])


def test_training_loss_and_gradients_are_the_original_ones(golden_basnet, golden_input, golden_numbers):
    from sodbench.losses import HybridLoss

    target = torch.tensor(np.random.RandomState(1).rand(2, 1, 96, 64) > 0.5, dtype=torch.float32)
    state = {name: tensor.clone() for name, tensor in golden_basnet.state_dict().items()}
    golden_basnet.train()
    try:
        loss, parts = HybridLoss().detailed(golden_basnet(golden_input), target)
        loss.backward()
        np.testing.assert_allclose(parts.numpy(), golden_numbers["train_loss_parts"], rtol=0, atol=1e-5)
        assert float(loss.detach()) == pytest.approx(float(golden_numbers["train_loss"]), rel=1e-4)
        parameters = dict(golden_basnet.named_parameters())
        names = golden_numbers["grad_norm_names"]
        norms = [float(parameters[str(name)].grad.norm()) for name in names]
        np.testing.assert_allclose(norms, golden_numbers["grad_norms"], rtol=1e-4)
    finally:
        golden_basnet.zero_grad(set_to_none=True)
        golden_basnet.load_state_dict(state)
        golden_basnet.eval()


@pytest.mark.parametrize("refinement", ["none", "lc", "ms", "ours"])
@pytest.mark.parametrize("supervision", [True, False])
def test_ablation_rows(refinement, supervision):
    network = create("basnet", width=16, supervision=supervision, refinement=refinement).eval()
    x = torch.randn(1, 3, 64, 32)
    with torch.inference_mode():
        outputs = network(x)
        torch.testing.assert_close(network.final(x), outputs[0])
    assert len(outputs) == (7 if supervision else 1) + (refinement != "none")
    assert all(o.shape == (1, 1, 64, 32) for o in outputs)


def test_refinement_heads_stay_heads():
    """Each head is a small part of the network: under 1% of its values."""
    with torch.device("meta"):
        plain = sum(p.numel() for p in create("basnet", refinement="none").parameters())
        for refinement in ("lc", "ms", "ours"):
            more = sum(p.numel() for p in create("basnet", refinement=refinement).parameters()) - plain
            assert 0 < more < 0.01 * plain


@pytest.mark.parametrize("size", [(33, 47), (97, 64), (50, 101)])
def test_any_size_keeps_its_size(size):
    with torch.inference_mode():
        outputs = create("basnet-tiny").eval()(torch.randn(1, 3, *size))
    assert all(o.shape == (1, 1, *size) for o in outputs)


def test_unknown_refinement_offers_the_known():
    with pytest.raises(InputError, match="did you mean 'ours'"):
        create("basnet", refinement="our")


@pytest.mark.parametrize("drop", [1, -0.1, 3])
def test_a_drop_that_is_no_probability_is_refused(drop):
    with pytest.raises(InputError, match=f"drop is {drop}, expected a probability from 0"):
        create("basnet", width=16, drop=drop)


def test_stochastic_depth_leaves_out_residuals_in_training_alone():
    from sodbench.models.networks.layers import ResidualBlock

    torch.manual_seed(0)
    block = ResidualBlock(4, 4, drop=0.25)
    x = torch.rand(4000, 4, 3, 3)
    with torch.no_grad():
        block.eval()
        plain = ResidualBlock(4, 4)
        plain.load_state_dict(block.state_dict())
        assert torch.equal(block(x), plain.eval()(x))
        block.train()
        skipped = (block(x) == x).flatten(1).all(1).float().mean()
        # far above zero the last ReLU changes nothing, so that output - input is the residual
        torch.manual_seed(1)
        kept = block(x + 100)
        residual = kept - (x + 100)
    assert float(skipped) == pytest.approx(0.25, abs=0.03)
    whole = plain.train()(x + 100).detach() - (x + 100)
    same = residual.flatten(1).abs().amax(1) > 0
    torch.testing.assert_close(residual[same], whole[same] / 0.75, rtol=1e-3, atol=1e-3)
