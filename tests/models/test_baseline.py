"""Baselines from TOML and from a user's own module: what is understood and what is refused."""

import dataclasses
import subprocess
import sys

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
    if baseline.is_onnx:  # its file holds the network
        return
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
    without = ("basnet-keras", "isnet")  # the one quotes no figure, of the other's paper no table was read
    assert row.get("scores") or row.get("voc2012") or name in without
    if "of" in row:
        assert row["note"] and row["source"] == load_baseline(row["of"]).published["source"]


def test_a_published_row_of_another_baseline_must_exist(tmp_path):
    for of, message in (
        ("basnett", "did you mean 'basnet"),
        ("basnet-tiny", "no published numbers of its own"),
    ):
        path = tmp_path / "mine.toml"
        path.write_text(f'{GOOD}[published]\nof = "{of}"\n')
        with pytest.raises(InputError, match=message):
            load_baseline(str(path))


def test_unknown_names_offer_the_nearest(user_folder):
    with pytest.raises(InputError, match="did you mean 'basnet"):
        load_baseline("basnett")
    with pytest.raises(InputError, match="did you mean 'basnet"):
        create("basnett")


GOOD = 'title = "Mine"\nnetwork = "basnet"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('network = "basnet"', "title: missing"),
        ('title = "x"', "network: missing"),
        ('title = "x"\nnetwork = 3', "network: expected text, found 3"),
        ('title = "x"\nnetwork = "basnett"', "did you mean 'basnet'"),
        (GOOD + "[inptu]\nheight = 3", r"unknown key 'inptu' \(did you mean 'input'\?\)"),
        (GOOD + "[input]\nheight = 0", "input.height: expected 1 or more, found 0"),
        (GOOD + "[input]\nheight = true", "input.height: expected a whole number, found True"),
        (GOOD + '[input]\nscaling = "min"', "input.scaling: expected 'max' or '255', found 'min'"),
        (GOOD + "[input]\nmean = [1, 2]", "input.mean: expected a list of 3 values, each a number"),
        (GOOD + "[input]\nstd = [1, 0, 1]", "input.std: expected three numbers above 0"),
        (GOOD + "[input]\nhieght = 3", r"'input.hieght' \(did you mean 'input.height'"),
        (GOOD + '[output]\nkind = "prob"', "output.kind: expected 'logits' or 'probability' or 'auto'"),
        (GOOD + "[output]\nstretch = 1", "output.stretch: expected true or false"),
        (GOOD + '[weights]\nsha256 = "abc"', "weights.sha256: expected 64 hexadecimal digits"),
        (GOOD + f'[weights]\nfile = "{"x" * 256}"', r"weights\.file: expected a path .* 255 bytes"),
        (GOOD + f'[weights]\nfile = "{"x/" * 600}"', r"weights\.file: expected a path of at most 1000 bytes"),
        (
            GOOD + '[weights]\nfile = "~no-such-user/x"',
            r"weights\.file: expected a path .* of no unknown user",
        ),
        (GOOD + "weights = 3", "weights: expected a table"),
        (GOOD + "training = 3", "training: expected a table"),
        (GOOD + '[inference]\ncpu = "int8"', "inference.cpu: expected 'fp32' or"),
        (GOOD + "[output]\ngain = 0", "output.gain: expected a number above 0, found 0"),
        (GOOD + "[inference]\nscales = [1, 0]", r"inference.scales\[1\]: expected a number above 0, found 0"),
        (GOOD + "[inference]\nscales = []", r"inference.scales: expected at least one, found \[\]"),
        (
            GOOD + "[input]\nfixed = true\n[inference]\nscales = [0.5]",
            r"inference.scales: expected \[1.0\], because",
        ),
        (GOOD + "[inference]\nscales = 2", "inference.scales: expected a list of a number, found 2"),
        (GOOD + "[inference]\nmirror = 2", "inference.mirror: expected true or false, found 2"),
        ("title = ", "not valid TOML"),
    ],
)
def test_a_wrong_toml_names_the_file_and_the_key(user_folder, text, message):
    (user_folder / "baselines" / "mine.toml").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
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
    ("text", "message"),
    [
        ('extends = "basnett"', "did you mean 'basnet"),
        ("extends = 3", "extends: expected text, found 3"),
        ('extends = "mine"', "'mine' leads back to this file"),
        ('extends = "other"', "leads back to this file"),
        ('extends = "basnet"\ntitle = "x"\nlr = 3', r"mine\.toml: unknown key 'lr'"),
    ],
)
def test_wrong_extends_is_said(user_folder, text, message):
    (user_folder / "baselines" / "mine.toml").write_text(text)
    (user_folder / "baselines" / "other.toml").write_text('extends = "mine"')
    with pytest.raises(InputError, match=message):
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
    ("spec", "message"),
    [
        ("nowhere_at_all:create", "cannot import 'nowhere_at_all'"),
        ("gone.py:create", "no such Python file"),
        ("mynets.py:creat", "did you mean 'create'"),
        ("mynets.py:broken", "returned str; expected a torch.nn.Module"),
    ],
)
def test_a_wrong_callable_is_one_line(user_folder, spec, message):
    (user_folder / "mynets.py").write_text(MODULE)
    with pytest.raises(InputError, match=message):
        load_baseline(spec).build()


def test_wrong_options_are_named(user_folder):
    with pytest.raises(InputError, match=r"does not take these options.*'widht'"):
        create("basnet", widht=3)  # codespell:ignore


def test_another_network_does_not_inherit_options(user_folder):
    (user_folder / "baselines" / "mine.toml").write_text(
        'extends = "basnet-tiny"\ntitle = "Mine"\nnetwork = "unet"\n[options]\nwidth = 8\n'
    )
    (user_folder / "baselines" / "same.toml").write_text('extends = "mine"\nnetwork = "unet"\n')
    assert load_baseline("mine").options == {"width": 8}
    assert load_baseline("mine").input == load_baseline("basnet-tiny").input
    load_baseline("mine").build()
    assert load_baseline("same").options == {"width": 8}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def create(:", "cannot be imported (SyntaxError: "),
        ("raise RuntimeError('no driver\\nsecond line')", "cannot be imported (RuntimeError: no driver)"),
        ("def create():\n    raise KeyError('w')", "broken.py:create failed: KeyError: 'w'"),
        ("def create():\n    return len(3)", "failed: TypeError: object of type 'int' has no len()"),
    ],
)
def test_code_that_fails_is_one_line(user_folder, text, message):
    (user_folder / "broken.py").write_text(text)
    with pytest.raises(InputError) as caught:
        load_baseline("broken.py:create").build()
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_baselines_show_themselves_in_a_notebook():
    baseline = load_baseline("basnet")
    assert repr(baseline) == "<Baseline basnet: BASNet (official); 256 x 256>"
    page = baseline._repr_html_()
    assert "87,060,360" in page and "256 x 256" in page and "maxF 0.942" in page and "Table 2" in page
    loaded = load_baseline("basnet-tiny").load()
    assert "5,455,080 parameters" in repr(loaded) and "b2c33d08a6cf" in repr(loaded)
    page = loaded._repr_html_()
    assert "160 x 160" in page and "logits" in page and "5,455,080" in page
    odd = dataclasses.replace(baseline, name="<b>", title="a & b")
    assert "&lt;b&gt;" in odd._repr_html_() and "a &amp; b" in odd._repr_html_()


def test_public_names_are_listed_and_found():
    import sodbench.models

    assert set(sodbench.models.__all__) <= set(dir(sodbench.models))
    assert all(callable(getattr(sodbench.models, name)) for name in sodbench.models.__all__)
    with pytest.raises(AttributeError, match="no attribute 'loadbaseline'"):
        _ = sodbench.models.loadbaseline


def test_listing_baselines_imports_no_torch():
    code = (
        "import sys; from sodbench.cli.main import main; "
        "main(['baselines', 'list']); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
