"""A network file as a user would bring it, with its trained weights, on real pictures."""

import numpy as np
import PIL
import pytest

from sodbench.cli.main import main
from sodbench.data.images import read_map, read_mask
from sodbench.errors import InputError
from sodbench.models import load_baseline
from sodbench.models.contract import check_baseline
from sodbench.prediction import predict_files

# mean absolute error of map / 255, measured when all 300 pictures gave its .2035
MAE = {"100075": 0.13378, "15004": 0.24678, "20008": 0.084, "277095": 0.52786, "41033": 0.17115}


@pytest.fixture
def baseline(user_folder, examples, shared_data):
    (user_folder / "u2net_small.py").write_text((examples / "u2net_small.py").read_text())
    (user_folder / "baselines" / "u2net-small.toml").write_text(
        'title = "U2-Net, small"\nnetwork = "u2net_small.py:create"\n'
        '[input]\nheight = 320\nwidth = 320\nscaling = "255"\n'
        "mean = [0, 0, 0]\nstd = [1, 1, 1]\nantialias = true\n"
        '[output]\nkind = "probability"\nstretch = false\n'
        f'[weights]\nfile = "{shared_data / "weights" / "Vrushank264_U2net_small.pth"}"\n'
    )
    return load_baseline("u2net-small")


def test_it_keeps_the_contract(baseline):
    outcomes = check_baseline(baseline, size=(64, 96))
    assert all(o.passed for o in outcomes), outcomes


@pytest.mark.skipif(
    int(PIL.__version__.partition(".")[0]) < 13, reason="older Pillow resizes with other rounding"
)
def test_its_maps_score_as_published(baseline, shared_data, tmp_path):
    folder = shared_data / "SOD"
    pairs = [(folder / "images" / f"{name}.jpg", tmp_path / f"{name}.png") for name in MAE]
    assert predict_files(baseline.load().network, baseline, pairs, batch=1) == len(MAE)
    for name, expected in MAE.items():
        mask = read_mask(folder / "GT" / f"{name}.png") > 127
        error = np.abs(read_map(tmp_path / f"{name}.png") / 255 - mask).mean()
        assert error == pytest.approx(expected, abs=1e-4)


def test_weights_of_another_network_are_explained(baseline, shared_data):
    with pytest.raises(InputError, match=r"not weights of this network: .* missing .* unexpected"):
        baseline.load(shared_data / "weights" / "csnet-L-x1.pth.tar")


def test_the_bare_callable_keeps_the_contract_too(baseline, shared_data, capsys):
    weights = shared_data / "weights" / "Vrushank264_U2net_small.pth"
    command = ["baselines", "check", "u2net_small.py:create", "--weights", str(weights), "--size", "64", "64"]
    assert main(command) == 0
    assert "u2net_small.create: state-dict round trip" in capsys.readouterr().out
