"""Pictures to maps: sizes, order, atomic writing, errors."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from sodbench.data.images import read_image, read_map
from sodbench.data.preprocessing import finish, prepare
from sodbench.errors import InputError
from sodbench.models import load_baseline
from sodbench.models.settings import Inference, Output
from sodbench.prediction import predict_array, predict_files


@pytest.fixture(scope="module")
def baseline():
    """One pass a picture, so that what the network is asked can be counted and compared."""
    return dataclasses.replace(load_baseline("basnet-tiny"), inference=Inference(), output=Output())


@pytest.fixture(scope="module")
def network(baseline):
    torch.manual_seed(0)
    return baseline.build().eval()


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(1)
    made = []
    for i, size in enumerate([(40, 60), (71, 33), (128, 128), (20, 20), (90, 64)]):
        path = tmp_path / f"{i}.png"
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
        made.append((path, tmp_path / "maps" / f"{i}.png"))
    return made


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_maps_are_those_of_the_plain_network(network, baseline, pictures, batch):
    assert predict_files(network, baseline, pictures, batch=batch, precision="fp32") == len(pictures)
    for picture, out in pictures:
        image = read_image(picture)
        with torch.inference_mode():
            logits = network(torch.from_numpy(prepare(image, baseline.input))[None])[0]
        expected = finish(torch.sigmoid(logits)[0, 0].numpy(), image.shape[:2], True)
        found = read_map(out)
        assert found.shape == image.shape[:2]
        assert np.abs(found.astype(int) - expected).max() <= 1
        once = predict_array(network, baseline, image, precision="fp32")
        assert np.abs(once.astype(int) - expected).max() <= 1


def test_no_pictures_no_maps(network, baseline):
    assert predict_files(network, baseline, []) == 0


def test_a_broken_picture_stops_and_leaves_whole_maps_only(network, baseline, pictures):
    pictures[3][0].write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"3\.png"):
        predict_files(network, baseline, pictures, batch=1)
    folder = pictures[0][1].parent
    left = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    assert all(name.endswith(".png") and not name.startswith(".") for name in left)
    assert "3.png" not in left
    for name in left:
        read_map(folder / name)


def test_interruption_leaves_the_finished_maps(network, baseline, pictures):
    class Interrupted(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            if self.calls == 5:  # the first call looks for layers to fold, the next three are pictures
                raise KeyboardInterrupt
            return network(x)

    with pytest.raises(KeyboardInterrupt):
        predict_files(Interrupted(), baseline, pictures, batch=1)
    names = sorted(p.name for p in pictures[0][1].parent.iterdir())
    assert names == ["0.png", "1.png", "2.png"]


def test_unknown_precision_is_said(network, baseline, pictures):
    with pytest.raises(InputError, match="did you mean 'bf16'"):
        predict_files(network, baseline, pictures, precision="bf6")


def test_absent_gpu_is_said(network, baseline, pictures):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(InputError, match="no CUDA device"):
        predict_files(network, baseline, pictures, device="cuda")


def test_unstretched_output_is_kept(baseline, pictures):
    class Half(torch.nn.Module):
        def forward(self, x):
            return (torch.zeros_like(x[:, :1]),)

    plain = dataclasses.replace(baseline, output=dataclasses.replace(baseline.output, stretch=False))
    predict_files(Half(), plain, pictures)
    assert all((read_map(out) == 128).all() for _, out in pictures)
