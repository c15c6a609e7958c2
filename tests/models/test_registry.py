"""Baselines from TOML and from a user's own module: what is understood and what is refused."""

import pytest
import torch

from sodbench.data.preprocessing import InputSpec
from sodbench.errors import InputError
from sodbench.models import baseline_names, create, load_baseline

MODULE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, channels=4):
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.out = nn.Conv2d(channels, 1, 1)

    def forward(self, x):
        return torch.sigmoid(self.out(self.conv(x)))

def create(channels=4):
    return Net(channels)

create.baseline = {"input": {"height": 64, "width": 48}, "output": {"kind": "probability"}}

def broken():
    return "nothing"
"""


@pytest.mark.parametrize("name", baseline_names())
def test_every_shipped_baseline_reads_and_builds(name):
    baseline = load_baseline(name)
    assert baseline.name == name and baseline.title and baseline.path is not None
    with torch.device("meta"):
        assert sum(p.numel() for p in baseline.build().parameters()) > 0


def test_basnet_recipe_is_the_published_one():
    baseline = load_baseline("basnet")
    assert baseline.input == InputSpec(256, 256, "max", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert baseline.output.stretch and baseline.training["iterations"] == 400_000
    assert baseline.published["scores"]["ecssd"]["maxF"] == 0.942


@pytest.mark.parametrize("name", [n for n in baseline_names() if load_baseline(n).training])
def test_every_recipe_has_a_row_to_be_judged_against(name):
    row = load_baseline(name).published
    assert row["source"]
    assert row.get("scores") or row.get("voc2012") or name == "basnet-keras"  # that one quotes no figure
    if "of" in row:
        assert row["note"] and row["source"] == load_baseline(row["of"]).published["source"]


def test_a_published_row_of_another_baseline_must_exist(tmp_path):
    for of, said in (("basnett", "did you mean 'basnet"), ("basnet-tiny", "no published numbers of its own")):
        path = tmp_path / "mine.toml"
        path.write_text(f'{GOOD}[published]\nof = "{of}"\n')
        with pytest.raises(InputError, match=said):
            load_baseline(str(path))


def test_unknown_names_offer_the_nearest(user_folder):
    with pytest.raises(InputError, match="did you mean 'basnet"):
        load_baseline("basnett")
    with pytest.raises(InputError, match="did you mean 'basnet"):
        create("basnett")


GOOD = 'title = "Mine"\nnetwork = "basnet"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('network = "basnet"', "title: missing"),
        ('title = "x"', "network: missing"),
        ('title = "x"\nnetwork = 3', "network: expected a string, found 3"),
        ('title = "x"\nnetwork = "basnett"', "did you mean 'basnet'"),
        (GOOD + "[inptu]\nheight = 3", r"unknown key inptu \(did you mean input\?\)"),
        (GOOD + "[input]\nheight = 0", "input.height: expected a positive whole number, found 0"),
        (GOOD + "[input]\nheight = true", "input.height: expected a positive whole number"),
        (GOOD + '[input]\nscaling = "min"', "input.scaling: expected 'max' or '255', found 'min'"),
        (GOOD + "[input]\nmean = [1, 2]", "input.mean: expected three numbers"),
        (GOOD + "[input]\nstd = [1, 0, 1]", "input.std: expected three numbers above 0"),
        (GOOD + "[input]\nhieght = 3", r"input.hieght \(did you mean input.height\?\)"),
        (GOOD + '[output]\nkind = "prob"', "output.kind: expected 'logits' or 'probability' or 'auto'"),
        (GOOD + "[output]\nstretch = 1", "output.stretch: expected true or false"),
        (GOOD + '[weights]\nsha256 = "abc"', "weights.sha256: expected 64 hexadecimal digits"),
        (GOOD + "weights = 3", "weights: expected a table"),
        (GOOD + "training = 3", "training: expected a table"),
        (GOOD + '[inference]\ncpu = "int8"', "inference.cpu: expected 'fp32' or"),
        (GOOD + "[output]\ngain = 0", "output.gain: expected a number above 0, found 0"),
        (GOOD + "[inference]\nscales = [1, 0]", "inference.scales: expected a list of numbers above 0"),
        (GOOD + "[inference]\nscales = 2", "inference.scales: expected a list of numbers above 0, found 2"),
        (GOOD + "[inference]\nmirror = 2", "inference.mirror: expected true or false, found 2"),
        ("title = ", "not valid TOML"),
    ],
)
def test_a_wrong_toml_names_the_file_and_the_key(user_folder, text, said):
    (user_folder / "baselines" / "mine.toml").write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        load_baseline("mine")
    assert "mine.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_extends_lays_one_file_over_another(user_folder):
    (user_folder / "baselines" / "mine.toml").write_text(
        'extends = "basnet"\ntitle = "Mine"\n[training]\nlr = 2e-3\n[options]\nwidth = 16\n'
    )
    mine, parent = load_baseline("mine"), load_baseline("basnet")
    assert mine.title == "Mine" and mine.network == "basnet" and mine.input == parent.input
    assert mine.training == {**parent.training, "lr": 2e-3} and mine.options == {"width": 16}
    assert mine.weights is None and mine.published == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('extends = "basnett"', "did you mean 'basnet"),
        ("extends = 3", "extends: expected a string, found 3"),
        ('extends = "mine"', "'mine' leads back to this file"),
        ('extends = "other"', "leads back to this file"),
        ('extends = "basnet"\ntitle = "x"\nlr = 3', r"mine\.toml: unknown key lr"),
    ],
)
def test_wrong_extends_is_said(user_folder, text, said):
    (user_folder / "baselines" / "mine.toml").write_text(text)
    (user_folder / "baselines" / "other.toml").write_text('extends = "mine"')
    with pytest.raises(InputError, match=said):
        load_baseline("mine")


def test_the_ablation_varies_one_thing_at_a_time():
    parent = load_baseline("basnet")
    for name in baseline_names():
        if name.startswith("ablation-"):
            row = load_baseline(name)
            changed = {key for key in row.training if row.training[key] != parent.training[key]}
            assert changed <= {"loss_terms", "initialisation"}
            assert row.input == parent.input and "ecssd" in row.published["scores"]


def test_own_baseline_from_toml_and_module(user_folder):
    (user_folder / "mynets.py").write_text(MODULE)
    (user_folder / "baselines" / "mine.toml").write_text(
        'title = "Mine"\nnetwork = "mynets:create"\n[options]\nchannels = 5\n'
        '[input]\nheight = 32\nwidth = 32\nscaling = "255"\nmean = [0, 0, 0]\nstd = [1, 1, 1]\n'
        '[output]\nkind = "probability"\nstretch = false\n[weights]\nfile = "mine.pth"\n'
    )
    assert "mine" in baseline_names()
    baseline = load_baseline("mine")
    network = baseline.build()
    assert list(network.state_dict()) == ["conv.weight", "conv.bias", "out.weight", "out.bias"]
    assert network.state_dict()["conv.weight"].shape == (5, 3, 3, 3)
    torch.save(network.state_dict(), user_folder / "baselines" / "mine.pth")
    loaded = baseline.load().network
    x = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        (logits,) = loaded(x)
        torch.testing.assert_close(torch.sigmoid(logits), network.network(x))


@pytest.mark.parametrize("spec", ["mynets:create", "mynets.py:create", "./mynets.py:create"])
def test_own_network_by_its_callable(user_folder, spec):
    (user_folder / "mynets.py").write_text(MODULE)
    baseline = load_baseline(spec)
    assert baseline.name == "mynets.create" and baseline.input.height == 64
    assert create(spec, channels=2).state_dict()["conv.weight"].shape[0] == 2


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("nowhere_at_all:create", "cannot import 'nowhere_at_all'"),
        ("gone.py:create", "no such Python file"),
        ("mynets.py:creat", "did you mean 'create'"),
        ("mynets.py:broken", "returned str; expected a torch.nn.Module"),
    ],
)
def test_a_wrong_callable_is_one_line(user_folder, spec, said):
    (user_folder / "mynets.py").write_text(MODULE)
    with pytest.raises(InputError, match=said):
        load_baseline(spec).build()


def test_wrong_options_are_named(user_folder):
    with pytest.raises(InputError, match=r"does not take these options.*'widht'"):
        create("basnet", widht=3)


@pytest.mark.parametrize("kind", ["list", "dict", "nested", "flat"])
def test_any_form_of_output_becomes_a_tuple_of_logits(kind):
    from sodbench.models.outputs import Logits

    class Net(torch.nn.Module):
        def forward(self, x):
            full, half = x[:, :1], x[:, :1, ::2, ::2]
            return {"list": [full, half], "dict": {"out": full, "aux": half},
                    "nested": (full, [half]), "flat": full[:, 0]}[kind]  # fmt: skip

    x = torch.rand(2, 3, 8, 6)
    outputs = Logits(Net(), "logits")(x)
    assert len(outputs) == (1 if kind == "flat" else 2)
    assert all(o.shape == (2, 1, 8, 6) for o in outputs)
    assert torch.equal(outputs[0], x[:, :1])


@pytest.mark.parametrize(("low", "high", "taken"), [(0, 1, True), (-8, 8, False), (0, 1.5, False)])
def test_auto_takes_maps_within_0_and_1_for_probabilities(low, high, taken):
    from sodbench.models.outputs import Logits

    x = torch.linspace(low, high, 64).reshape(1, 1, 8, 8)
    (found,) = Logits(torch.nn.Identity(), "auto")(x)
    torch.testing.assert_close(found, torch.logit(x, eps=1e-7) if taken else x)


def test_maps_of_several_channels_are_refused():
    from sodbench.models.outputs import Logits

    with pytest.raises(InputError, match=r"\(1, 3, 4, 4\); expected N x 1 x H x W"):
        Logits(torch.nn.Identity(), "logits")(torch.rand(1, 3, 4, 4))
