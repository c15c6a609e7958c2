"""Pictures to maps: sizes, order, atomic writing, errors."""

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from sodbench.data.images import read_image, read_map
from sodbench.data.preprocessing import finish, prepare
from sodbench.errors import InputError
from sodbench.models import LoadedNetwork, load_baseline
from sodbench.models.settings import Inference, Output
from sodbench.prediction import predict, predict_files


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
        saved = read_map(out)
        assert saved.shape == image.shape[:2]
        assert np.abs(saved.astype(int) - expected).max() <= 1


def test_no_pictures_no_maps(network, baseline):
    assert predict_files(network, baseline, []) == 0


def test_a_broken_picture_stops_and_leaves_whole_maps_only(network, baseline, pictures):
    pictures[3][0].write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"3\.png"):
        predict_files(network, baseline, pictures, batch=1)
    # the maps before it are whole, and nothing else is in the folder
    folder = pictures[0][1].parent
    assert sorted(path.name for path in folder.iterdir()) == ["0.png", "1.png", "2.png"]
    for picture, out in pictures[:3]:
        assert read_map(out).shape == read_image(picture).shape[:2]


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
    with pytest.raises(InputError, match="device cuda: torch finds no CUDA device; use cpu"):
        predict_files(network, baseline, pictures, device="cuda")


def test_unstretched_output_is_kept(baseline, pictures):
    class Half(torch.nn.Module):
        def forward(self, x):
            return (torch.zeros_like(x[:, :1]),)

    plain = dataclasses.replace(baseline, output=dataclasses.replace(baseline.output, stretch=False))
    predict_files(Half(), plain, pictures)
    assert all((read_map(out) == 128).all() for _, out in pictures)


@pytest.fixture(scope="module")
def loaded(baseline, network):
    return LoadedNetwork(network, None, "0" * 64, baseline)


def _saved(loaded, pictures):
    predict_files(loaded.network, loaded.baseline, pictures)
    return [read_map(out) for _, out in pictures]


def _same(maps, expected):
    return len(maps) == len(expected) and all(map(np.array_equal, maps, expected))


FORMS = {
    "paths": lambda paths: paths,
    "text": lambda paths: [str(path) for path in paths],
    "arrays": lambda paths: [read_image(path) for path in paths],
    "pillow": lambda paths: [Image.open(path) for path in paths],
    "tuple": tuple,
    "generator": lambda paths: (read_image(path) for path in paths),
    "mixed": lambda paths: [paths[0], Image.open(paths[1]), read_image(paths[2]), *paths[3:]],
    "transparent": lambda paths: [Image.open(path).convert("RGBA") for path in paths],
    "four channels": lambda paths: [np.asarray(Image.open(path).convert("RGBA")) for path in paths],
}


@pytest.mark.parametrize("form", FORMS)
def test_predict_gives_the_maps_that_are_written(loaded, pictures, form):
    maps = predict(loaded, FORMS[form]([path for path, _ in pictures]), device="cpu")
    assert all(m.dtype == np.uint8 for m in maps)
    assert _same(maps, _saved(loaded, pictures))


@pytest.mark.parametrize("batch", [1, 3])
def test_predict_takes_a_batch_of_arrays(loaded, batch):
    images = np.random.default_rng(2).integers(0, 256, (4, 30, 41, 3), dtype=np.uint8)
    maps = predict(loaded, images, batch=batch, device="cpu")
    assert [m.shape for m in maps] == [(30, 41)] * 4
    for saliency, image in zip(maps, images, strict=True):
        assert np.abs(saliency.astype(int) - predict(loaded, image, device="cpu")).max() <= 1


@pytest.mark.parametrize("form", [f for f in FORMS if f not in ("tuple", "generator", "mixed")])
def test_predict_of_one_picture_is_one_map(loaded, pictures, form):
    (picture,) = FORMS[form]([pictures[0][0]])
    saved = _saved(loaded, pictures[:1])[0]
    single = predict(loaded, picture, device="cpu")
    assert isinstance(single, np.ndarray) and np.array_equal(single, saved)


def test_grey_pictures_are_read_as_their_files(loaded, tmp_path):
    grey = np.random.default_rng(3).integers(0, 256, (40, 50), dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / "g.png")
    expected = predict(loaded, tmp_path / "g.png", device="cpu")
    for picture in (grey, grey[:, :, None], Image.fromarray(grey), np.repeat(grey[:, :, None], 3, 2)):
        assert np.array_equal(predict(loaded, picture, device="cpu"), expected)


def test_turned_pictures_are_predicted_upright(loaded, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.random.default_rng(4).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "t.jpg", exif=exif)
    by_path = predict(loaded, tmp_path / "t.jpg", device="cpu")
    assert by_path.shape == (60, 40)
    with Image.open(tmp_path / "t.jpg") as opened:
        assert np.array_equal(predict(loaded, opened, device="cpu"), by_path)


def test_no_pictures_give_no_maps(loaded):
    assert predict(loaded, [], device="cpu") == []


def test_a_generator_is_read_only_a_little_ahead(baseline):
    """Pictures in memory are bounded by the batch size, however many come."""
    given, ahead = [0], []

    class Watching(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.images = 0

        def forward(self, x):
            ahead.append(given[0] - self.images)
            self.images += len(x)
            return (x[:, :1],)

    def pictures():
        for _ in range(40):
            given[0] += 1
            yield np.zeros((8, 8, 3), np.uint8)

    network = Watching()
    network.baseline = baseline
    assert len(predict(network, pictures(), batch=2, device="cpu")) == 40
    assert max(ahead) <= 7  # two batches ahead of the one in work, and one that the first pass counts


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (
            np.zeros((4, 4, 3), np.float32),
            r"image 1: expected uint8 of .*, found float32 of shape \(4, 4, 3\)",
        ),
        (np.zeros((4, 4, 5), np.uint8), r"image 1: expected .*, found uint8 of shape \(4, 4, 5\)"),
        (np.zeros((0, 4, 3), np.uint8), r"image 1: expected .*shape \(0, 4, 3\)"),
        (None, "image 1: expected .*, found NoneType"),
        (Image.new("F", (4, 4)), "image 1: an image of floating-point numbers"),
        (Image.new("RGB", (70_000, 1)), "image 1: 70000 x 1 pixels; images over"),
        (np.ma.masked_equal(np.eye(4, dtype=np.uint8), 1), "image 1: a masked array with masked values"),
        ("gone.png", "gone.png: no such file"),
    ],
)
def test_a_wrong_picture_is_named(loaded, picture, message):
    with pytest.raises(InputError, match=message):
        predict(loaded, [np.zeros((4, 4, 3), np.uint8), picture], device="cpu")


def test_wrong_arguments_of_predict_are_said(loaded, network):
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(InputError, match="batch is 0, expected 1 or more"):
        predict(loaded, image, batch=0)
    with pytest.raises(InputError, match="the network is already loaded"):
        predict(loaded, image, weights="w.pth")
    with pytest.raises(InputError, match="Identity: a network needs an attribute `baseline`"):
        predict(torch.nn.Identity(), image)
    for nothing in (None, 3, b"a.png"):
        with pytest.raises(InputError, match=r"pictures: expected .*, found "):
            predict(loaded, nothing)


@pytest.mark.parametrize("shape", [(1, 1), (1, 60_000), (60_000, 1)])
def test_extreme_pictures_are_predicted(loaded, tmp_path, shape):
    Image.fromarray(np.full(shape, 9, np.uint8)).save(tmp_path / "a.png")
    assert predict(loaded, tmp_path / "a.png", device="cpu").shape == shape
    assert predict(loaded, np.full((*shape, 3), 9, np.uint8), device="cpu").shape == shape


def test_no_memory_for_a_picture_is_one_line(loaded, monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr("sodbench.data.images.load_upright", exhausted)
    with pytest.raises(InputError, match="image 1: not enough memory to read it"):
        predict(loaded, [np.zeros((4, 4, 3), np.uint8), Image.new("RGB", (4, 4))], device="cpu")


def test_predict_finds_the_network(loaded, pictures, tmp_path):
    """By name, by a `Baseline`, and by a network that carries its table."""
    path = pictures[0][0]
    by_name = predict("basnet-tiny", path, device="cpu")
    assert np.array_equal(by_name, predict(load_baseline("basnet-tiny"), path, device="cpu"))
    torch.save(loaded.network.state_dict(), tmp_path / "w.pth")
    assert not np.array_equal(by_name, predict("basnet-tiny", path, weights=tmp_path / "w.pth", device="cpu"))

    class Bright(torch.nn.Module):
        baseline: ClassVar = {"input": {"height": 16, "width": 16, "scaling": "255"}}

        def forward(self, x):
            return torch.sigmoid(8 * x.mean(1, keepdim=True))

    bright = predict(Bright(), path, device="cpu")
    assert bright.shape == by_name.shape and bright.max() > 200 and bright.min() < 50
