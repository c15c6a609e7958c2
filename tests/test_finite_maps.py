"""A network whose map is not finite stops, and the image is named: in prediction, run, training and bench."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.training.job import train

pytestmark = pytest.mark.filterwarnings("ignore::sodbench.errors.Note")

NETWORK = '''
"""Divides by the contrast of the image, which is 0 in an image of one colour; the gain may be too large."""
import torch
from torch import nn


class Contrast(nn.Module):
    def __init__(self, kind, gain):
        super().__init__()
        self.kind = kind
        self.grey = nn.Conv2d(3, 1, 1, bias=False)
        nn.init.constant_(self.grey.weight, gain)

    def forward(self, x):
        grey = self.grey(x)
        contrast = grey.amax((2, 3), keepdim=True) - grey.amin((2, 3), keepdim=True)
        logits = (grey - grey.amin((2, 3), keepdim=True)) / contrast
        if self.kind == "infinite":
            logits = grey + 1 / contrast
        return logits if self.kind != "probability" else torch.sigmoid(logits)


def logits():
    return Contrast("logits", 1.0)


def infinite():
    return Contrast("infinite", 1.0)


def probability():
    return Contrast("probability", 1.0)


def large():
    return Contrast("infinite", 1e6)


INPUT = {"height": 32, "width": 32, "scaling": "255", "mean": [0, 0, 0], "std": [1, 1, 1]}
RECIPE = {"dataset": "ecssd", "iterations": 1, "batch": 2, "lr": 1e-9, "resize": 32}
for make in (logits, infinite, probability, large):
    kind = "probability" if make is probability else "logits"
    make.baseline = {"input": INPUT, "output": {"kind": kind}, "training": RECIPE}
'''


@pytest.fixture()
def nets(tmp_path: Path) -> Path:
    file = tmp_path / "nets.py"
    file.write_text(NETWORK)
    return file


def images(folder: Path) -> list[Path]:
    """Two photographs of noise with one of a single colour between them."""
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (40, 48, 3)).astype(np.uint8)
    paths = []
    for name, pixels in (("a", noise), ("b", np.full_like(noise, 70)), ("c", noise[::-1])):
        paths.append(folder / f"{name}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


@pytest.mark.parametrize("kind", ["logits", "infinite", "probability"])
def test_the_image_is_named_by_path_or_index(kind: str, nets: Path, tmp_path: Path) -> None:
    paths = images(tmp_path / "images")
    arrays = [np.asarray(Image.open(path)) for path in paths]
    network = f"{nets}:{kind}"
    assert len(sb.predict(network, [arrays[0], arrays[2]])) == 2
    with pytest.raises(InputError, match=r"^image 1: the network's map holds values that are not finite"):
        sb.predict(network, arrays)
    with pytest.raises(InputError) as caught:
        sb.predict(network, paths)
    assert str(caught.value).startswith(f"{paths[1]}: ")


def test_predict_and_run_end_in_one_line_and_write_no_map_of_that_image(
    nets: Path, root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images(here / "images")
    assert main(["predict", f"{nets}:logits", "--images", "images", "--out", "maps", "--quiet"]) == 2
    error = capsys.readouterr().err
    assert "sodbench: error: images/b.png: the network's map holds values that are not finite" in error
    assert not (here / "maps" / "b.png").exists()

    Image.fromarray(np.full((40, 48, 3), 9, np.uint8)).save(root / "SOD" / "images" / "8049.jpg")
    run = ["run", f"{nets}:probability", "--datasets", "sod", "--data-root", str(root), "--quiet"]
    assert main(run) == 2
    assert "8049.jpg: the network's map holds values" in capsys.readouterr().err
    assert not (here / "reports").exists()


@pytest.mark.parametrize(("precision", "fails"), [("fp32", False), ("bf16", False), ("fp16", True)])
def test_a_network_that_leaves_the_range_of_half_precision(precision: str, fails: bool, nets: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 48, 3)).astype(np.uint8)
    network = f"{nets}:large"
    if fails:
        with pytest.raises(InputError, match="not finite, in fp16; try fp32"):
            sb.predict(network, noise, precision=precision)
    else:
        assert sb.predict(network, noise, precision=precision).shape == (40, 48)


def test_the_validation_of_a_training_stops_too(nets: Path, root: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 48, 3), 9, np.uint8)).save(root / "SOD" / "images" / "8049.jpg")
    settings = {"validate_on": "sod", "validate_every": 1}
    options = {"data_root": root, "workers": 0, "device": "cpu", "out": tmp_path / "out"}
    with pytest.raises(InputError, match=r"8049\.jpg: the network's map holds values"):
        train(f"{nets}:logits", settings=settings, **options)


def test_bench_measures_no_network_whose_maps_are_not_finite(
    nets: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bench", f"{nets}:large", "--seconds", "0.01", "--forms", "fp32", "fp16"]
    assert main(command) == 0
    assert "fp16           not measured: its maps are not finite" in capsys.readouterr().out
    torch.save({"grey.weight": torch.zeros(1, 3, 1, 1)}, here / "zero.pth")
    assert main(["bench", f"{nets}:logits", "--weights", "zero.pth", "--seconds", "0.01"]) == 2
    assert "random image 0: the network's map holds values" in capsys.readouterr().err
