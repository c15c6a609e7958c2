"""U²-Net, U²-Net† and IS-Net against the original implementations' names and outputs, and at work."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_rule import fill
from PIL import Image
from torch import nn

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.models import create, initialise, load_baseline
from sodbench.models.networks.layers import conv3x3, thin_conv
from sodbench.models.networks.rsu import ResidualUBlock
from sodbench.training.recipe import load_recipe

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
PARAMETERS = {"u2net": 44_009_869, "u2netp": 1_131_181, "isnet": 44_046_790}


@pytest.fixture(scope="module", params=PARAMETERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def network(name: str) -> nn.Module:
    return fill(create(name)).eval()


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A data root with four pairs as a part of ECSSD."""
    images, masks = tmp_path / "data/ECSSD/images", tmp_path / "data/ECSSD/ground_truth_mask"
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(4):
        mask = np.zeros((60, 80), np.uint8)
        mask[10 + number : 40, 20 : 60 - number] = 255
        picture = random.integers(0, 90, (60, 80, 3), np.uint8) + (mask // 3)[:, :, None]
        Image.fromarray(picture).save(images / f"{number + 1:04d}.jpg")
        Image.fromarray(mask).save(masks / f"{number + 1:04d}.png")
    return tmp_path / "data"


def test_names_and_shapes_are_those_of_the_official_checkpoint(name, network):
    official = json.loads((GOLDEN / f"{name}_state_dict.json").read_text())
    assert len(official) == 798
    own = [(n, list(t.shape)) for n, t in network.state_dict().items()]
    assert own == [(entry["name"], entry["shape"]) for entry in official]
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[name]


def test_outputs_are_the_original_ones(name, network, golden_input):
    """The golden file holds every second row and column of the logits."""
    numbers = np.load(GOLDEN / f"{name}_forward.npz")
    with torch.inference_mode():
        outputs = network(golden_input)
        final = network.final(golden_input)
    assert [f"d{i}" for i in range(len(outputs))] == numbers.files
    for i, logits in enumerate(outputs):
        assert logits.shape == (2, 1, 96, 64)
        np.testing.assert_allclose(logits[:, :, ::2, ::2], numbers[f"d{i}"], rtol=0, atol=1e-5)
    torch.testing.assert_close(final, outputs[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(33, 47), (97, 64), (50, 101)])
def test_any_size_keeps_its_size(name, network, size):
    x = torch.randn(1, 3, *size)
    with torch.inference_mode():
        outputs = network(x)
        torch.testing.assert_close(network.final(x), outputs[0], rtol=0, atol=1e-5)
    assert all(o.shape == (1, 1, *size) for o in outputs)


def test_the_default_form_gives_the_plain_networks_probability(name, network, golden_input):
    from sodbench.models.efficiency import make_form

    pictures = golden_input.numpy()
    baseline = load_baseline(name)
    plain = make_form(network, baseline, "fp32", "cpu")(pictures)
    assert np.ptp(plain) > 0.05
    np.testing.assert_allclose(
        make_form(network, baseline, "default", "cpu")(pictures), plain, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("small", ["no", 1, None])
def test_a_size_that_is_no_truth_value_is_refused(small):
    with pytest.raises(InputError, match="small: expected true or false, found"):
        create("u2net", small=small)


def test_a_block_changes_nothing_that_autograd_needs():
    """In training, the sum with the residual is a tensor of its own."""
    block = ResidualUBlock(5, 4, 8, 6)
    x = torch.randn(2, 4, 20, 24, requires_grad=True)
    with torch.no_grad():
        expected = block(x)
    y = block(x)
    torch.testing.assert_close(y, expected)
    y.square().sum().backward()
    assert torch.isfinite(x.grad).all() and x.grad.abs().sum() > 0


@pytest.mark.parametrize("bias", [True, False])
def test_a_convolution_to_one_channel_as_nine_products(bias):
    torch.manual_seed(0)
    conv = conv3x3(24, 1, bias=bias)
    for size in ((7, 11), (1, 3), (1, 1)):
        x = torch.randn(2, 24, *size)
        torch.testing.assert_close(thin_conv(conv, x), conv(x), rtol=1e-5, atol=1e-5)


def test_recipes_are_the_published_ones():
    for name in ("u2net", "u2netp"):
        baseline = load_baseline(name)
        assert (baseline.input.height, baseline.input.width, baseline.input.scaling) == (320, 320, "max")
        recipe = load_recipe(baseline.training, source=name)
        assert (recipe.resize, recipe.crop, recipe.batch) == ((320, 320), (288, 288), 12)
        assert (recipe.loss_terms, recipe.iterations, recipe.lr) == (("bce",), 600_000, 1e-3)
    newer = load_baseline("basnet-2021")
    recipe = load_recipe(newer.training, source="basnet-2021")
    assert (newer.input.height, recipe.resize, recipe.crop) == (320, (320, 320), (288, 288))
    assert recipe.loss_terms == ("bce", "ssim", "iou") and newer.weights is None


def test_two_steps_of_training(pairs, tmp_path, capsys):
    """`sodbench train` at a small size: all seven maps are supervised, and all weights change."""
    out = tmp_path / "out"
    job = ["train", "u2netp", "--data-root", str(pairs), "--datasets", "ecssd", "--out", str(out)]
    for setting in ("iterations=2", "batch=2", "resize=72", "crop=64"):
        job += ["--workers=0", "--set", f"training.{setting}"]
    assert main([*job, "--device=cpu", "--quiet", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["baseline"] == "u2netp"
    assert record["initialisation"] == "random weights (default, seed 0)"
    # untrained, each of the maps has about the BCE of a coin
    assert record["losses"]["bce"] == record["losses"]["loss"]
    assert 0.3 * 7 < record["losses"]["loss"] < 3 * 7
    trained = load_baseline("u2netp").load(out / "weights.pth").network
    fresh = create("u2netp")
    initialise(fresh, "default", seed=0)
    weights = {n: p for n, p in fresh.named_parameters() if p.dim() == 4}
    assert not [n for n, p in weights.items() if torch.equal(p, trained.get_parameter(n))]


def test_published_rows_are_those_of_the_paper():
    from sodbench.results.published import method_of, published_values

    for name in ("u2net", "u2netp"):
        method = method_of(name)
        printed = {
            (v.dataset, v.metric): v.value
            for v in published_values()
            if v.source == "u2net2020" and v.method == method.name
        }
        row = load_baseline(name).published["scores"]
        assert len(row) == 6
        assert {(d, m): v for d, scores in row.items() for m, v in scores.items()}.items() <= printed.items()
