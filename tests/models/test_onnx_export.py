"""`sodbench baselines export`: the written file gives torch's maps, and needs no TOML file."""

import dataclasses
import json
import warnings

import numpy as np
import pytest
from onnx_maker import conv_file
from PIL import Image

pytest.importorskip("onnxscript")

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError, Note
from sodbench.models import load_baseline, onnx_export
from sodbench.models.efficiency import measure
from sodbench.models.onnx_file import read_onnx_file

NETWORK = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.bn, self.last = nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.Conv2d(16, 1, 1)

    def forward(self, x):
        y = self.last(torch.relu(self.bn(self.conv(x))))
        side = nn.functional.interpolate(y, size=x.shape[2:], mode="bilinear")
        return [torch.sigmoid(side), torch.sigmoid(2 * side)]


def create():
    return Net()


create.baseline = {
    "input": {"height": 64, "width": 96, "scaling": "255", "mean": [0.4, 0.5, 0.6], "std": [0.3, 0.2, 0.1]},
    "output": {"kind": "probability", "stretch": False, "gain": 2.0},
    "inference": {"mirror": True},
}


def fixed():
    class Fixed(Net):
        def forward(self, x):
            return [torch.sigmoid(super(Fixed, self).forward(x)[0].reshape(1, 1, 64, 96))]

    return Fixed()


fixed.baseline = create.baseline
"""
IMAGES = [np.random.RandomState(i).randint(0, 256, (40, 50, 3)).astype(np.uint8) for i in range(2)]
pytestmark = pytest.mark.filterwarnings("ignore::sodbench.errors.Note")


@pytest.fixture
def net(user_folder):
    (user_folder / "nets.py").write_text(NETWORK)
    return user_folder


def test_the_file_needs_no_toml_file(net, capsys):
    assert main(["baselines", "export", "nets.py:create", "--to", "net.onnx"]) == 0
    printed = capsys.readouterr().out
    assert "input batch x 3 x 64 x 96" in printed and "largest difference from torch's" in printed
    assert sorted(path.name for path in net.iterdir() if path.is_file()) == ["net.onnx", "nets.py"]
    own = load_baseline("nets.py:create")
    with warnings.catch_warnings(action="error", category=Note):  # nothing is assumed
        loaded = load_baseline("net.onnx").load()
    spec = dataclasses.replace(loaded.baseline.input, fixed=False)
    assert spec == own.input and loaded.baseline.output == own.output
    assert loaded.baseline.inference.mirror and loaded.output_kind == "probability"
    for found, expected in zip(sb.predict(loaded, IMAGES), sb.predict(own, IMAGES), strict=True):
        assert np.abs(found.astype(int) - expected).max() <= 1
    file = read_onnx_file(net / "net.onnx")
    assert json.loads(file.metadata["sodbench"])["baseline"] == own.name

    assert main(["baselines", "export", "nets.py:create", "--to", "net.onnx"]) == 2
    assert "net.onnx: is there already; --force" in capsys.readouterr().err
    again = ["baselines", "export", "nets.py:create", "--to", "net.onnx", "--force", "--dynamic"]
    assert main([*again, "--size", "32", "64"]) == 0
    file = read_onnx_file(net / "net.onnx")
    assert file.inputs[0].shape == ("batch", 3, "height", "width")
    assert load_baseline("net.onnx").input.width == 64
    assert main(["baselines", "export", "net.onnx", "--to", "twice.onnx"]) == 2
    assert "is an ONNX file already" in capsys.readouterr().err


def test_a_network_of_one_size_and_one_image_at_a_time(net, capsys):
    job = ["baselines", "export", "nets.py:fixed", "--to", "net.onnx"]
    assert main([*job, "--dynamic"]) == 2
    assert "cannot export the network for any size; leave --dynamic out" in capsys.readouterr().err
    assert not (net / "net.onnx").exists()
    assert main(job) == 0
    assert "input 1 x 3 x 64 x 96" in capsys.readouterr().out


def test_a_file_with_other_maps_is_not_written(net, monkeypatch, capsys):
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    (net / "net.onnx").write_text("before")
    assert main(["baselines", "export", "nets.py:create", "--to", "net.onnx", "--force"]) == 2
    assert "differ from torch's by" in capsys.readouterr().err
    assert (net / "net.onnx").read_text() == "before"
    assert sorted(path.name for path in net.iterdir() if path.is_file()) == ["net.onnx", "nets.py"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--to", "net.pt"), "net.pt: expected a name that ends in .onnx"),
        (("--to", "gone/net.onnx"), "gone: no such folder"),
        (("--to", "net.onnx", "--opset", "3"), "--opset is 3, expected 7 or more"),
        (("--to", "net.onnx", "--weights", "gone.pth"), "gone.pth: no such weights file"),
    ],
)
def test_wrong_options_are_refused(net, capsys, options, message):
    assert main(["baselines", "export", "nets.py:create", *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("{", "its metadata 'sodbench' is no JSON"),
        ("[]", "its metadata 'sodbench': expected a JSON object"),
        ('{"input": {"height": 0}}', "metadata sodbench: input.height: expected 1 or more, found 0"),
        ('{"input": {"more": 0}}', "unknown key 'metadata sodbench: input.more'"),
        ('{"output": 3}', "metadata sodbench: output: expected a table, found 3"),
        ('{"input": {"height": 64}}', "takes images of height 48 only"),
    ],
)
def test_metadata_are_checked(tmp_path, metadata, message):
    from onnx_maker import onnx

    path = conv_file(tmp_path / "net.onnx", (1, 3, 48, 64))
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"sodbench": metadata})
    onnx.save(model, path)
    with pytest.raises(InputError) as caught:
        load_baseline(path)
    assert message in str(caught.value) and str(caught.value).startswith(str(path))


def test_bench_measures_the_onnx_form(net):
    loaded = load_baseline("nets.py:create").load()
    pictures = np.random.RandomState(0).standard_normal((2, 3, 32, 64)).astype(np.float32)
    _, onnx = measure(loaded.network, loaded.baseline, pictures, ("fp32", "onnx"), seconds=0.05)
    assert not onnx.remark and onnx.levels_apart < 0.1 and onnx.images_per_second > 0


@pytest.mark.slow
def test_basnet_tiny_keeps_its_views_in_a_file_of_any_size(tmp_path):
    loaded = load_baseline("basnet-tiny").load()
    done = onnx_export.export_onnx(loaded, tmp_path / "net.onnx", dynamic=True)
    assert done.difference < 1e-4 and done.size == (tmp_path / "net.onnx").stat().st_size
    images = [np.asarray(Image.fromarray(image).resize((200, 150))) for image in IMAGES]
    pairs = zip(sb.predict(tmp_path / "net.onnx", images), sb.predict("basnet-tiny", images), strict=True)
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in pairs)
