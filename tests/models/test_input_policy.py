"""How pictures reach the input's size and maps the picture's, against formulas written out with Pillow."""

import math
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sodbench.cli.main import main
from sodbench.data.folder import Sample
from sodbench.data.images import read_map
from sodbench.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, InputSpec, finish, fitted_size, prepare
from sodbench.data.resizing import resize_bilinear
from sodbench.errors import InputError, Note
from sodbench.models import load_baseline
from sodbench.models.baseline import Baseline
from sodbench.models.outputs import Logits
from sodbench.models.settings import Output
from sodbench.prediction import predict, predict_files
from sodbench.training.sample_grid import SampleGrid

PILLOW = {
    "bilinear-antialias": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
BACK = {"bilinear": Image.Resampling.BILINEAR, **{n: PILLOW[n] for n in ("bicubic", "lanczos")}}
RAW = {"scaling": "255", "mean": (0, 0, 0), "std": (1, 1, 1)}

sides = st.integers(1, 90)
seeds = st.integers(0, 2**32 - 1)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def levels(prepared: np.ndarray) -> np.ndarray:
    """The 8-bit picture that a prepared one (RAW) was made of."""
    exact = prepared.transpose(1, 2, 0) * 255
    assert np.abs(exact - np.rint(exact)).max() < 1e-4
    return np.rint(exact).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(sides, sides, sides, sides, st.sampled_from(sorted(PILLOW)), seeds)
def test_stretched_pictures_are_pillows(height, width, new_height, new_width, name, seed):
    image = picture(height, width, seed)
    expected = Image.fromarray(image).resize((new_width, new_height), PILLOW[name])
    spec = InputSpec(new_height, new_width, **RAW, resample=name)
    np.testing.assert_array_equal(levels(prepare(image, spec)), expected)


@settings(max_examples=60, deadline=None)
@given(sides, sides, sides, sides, st.sampled_from(sorted(PILLOW)), seeds)
def test_padded_pictures_are_pillows_at_the_top_left(height, width, new_height, new_width, name, seed):
    image = picture(height, width, seed)
    scale = min(new_height / height, new_width / width)
    # 1e-9: the quotient of whole numbers, whose halves floating point may miss
    h, w = (max(1, math.floor(side * scale + 0.5 + 1e-9)) for side in (height, width))
    mean, std = np.float32(IMAGENET_MEAN), np.float32(IMAGENET_STD)
    small = np.asarray(Image.fromarray(image).resize((w, h), PILLOW[name]), np.float32)
    expected = np.zeros((new_height, new_width, 3), np.float32)
    expected[:h, :w] = (small / max(small.max(), 1) - mean) / std
    prepared = prepare(image, InputSpec(new_height, new_width, resample=name, fit="pad"))
    np.testing.assert_allclose(prepared.transpose(1, 2, 0), expected, atol=3e-6)
    assert (prepared[:, h:] == 0).all() and (prepared[:, :, w:] == 0).all()


@settings(max_examples=60, deadline=None)
@given(sides, sides, st.integers(1, 150), st.sampled_from(sorted(PILLOW)), seeds)
def test_long_side_pictures_are_pillows_in_multiples_of_32(height, width, long, name, seed):
    image = picture(height, width, seed)
    h, w = (
        max(32, 32 * math.floor(side * long / max(height, width) / 32 + 0.5 + 1e-9))
        for side in (height, width)
    )
    expected = Image.fromarray(image).resize((w, h), PILLOW[name])
    spec = InputSpec(max(1, long // 2), long, **RAW, resample=name, fit="long-side")
    np.testing.assert_array_equal(levels(prepare(image, spec)), expected)


@settings(max_examples=60, deadline=None)
@given(sides, sides, sides, sides, st.sampled_from(sorted(BACK)), st.booleans(), st.booleans(), seeds)
def test_maps_go_back_as_pillow_takes_them(height, width, h, w, name, stretch, pad, seed):
    """Cut, stretched, truncated (or rounded) to 8 bits, resized: in this order."""
    p = np.random.default_rng(seed).random((h, w), dtype=np.float32)
    shown = p
    if pad:
        scale = min(h / height, w / width)
        rows, columns = (max(1, math.floor(side * scale + 0.5 + 1e-9)) for side in (height, width))
        shown = p[:rows, :columns]
    if stretch and shown.min() < shown.max():
        eight_bits = ((shown - shown.min()) / (shown.max() - shown.min()) * np.float32(255)).astype(np.uint8)
    else:
        eight_bits = (shown * np.float32(255)).astype(np.uint8)
        if not stretch:
            eight_bits = np.rint(shown * np.float32(255)).astype(np.uint8)
    expected = Image.fromarray(eight_bits).resize((width, height), BACK[name])
    actual = finish(p, (height, width), stretch, name, "pad" if pad else "stretch")
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(
    ("size", "fit", "expected"),
    [
        ((300, 400), "stretch", (256, 192)),
        ((300, 400), "pad", (144, 192)),
        ((400, 300), "pad", (256, 192)),
        ((1, 60_000), "pad", (1, 192)),
        ((256, 192), "pad", (256, 192)),
        ((2, 384), "pad", (1, 192)),
        ((300, 400), "long-side", (192, 256)),
        ((400, 250), "long-side", (256, 160)),
        ((400, 275), "long-side", (256, 192)),  # 5.5 steps of 32: halves go up
        ((60_000, 1), "long-side", (256, 32)),
        ((8, 8), "long-side", (256, 256)),
    ],
)
def test_the_size_is_that_of_the_rule(size, fit, expected):
    assert fitted_size(size, (256, 192), fit) == expected


def test_the_default_is_interpolation_stretched_to_the_input():
    assert (InputSpec().resample, InputSpec().fit, Output().resample) == ("bilinear", "stretch", "bilinear")
    image = picture(90, 120)
    spec = InputSpec(48, 64, **RAW)
    np.testing.assert_array_equal(
        prepare(image, spec), (resize_bilinear(image, 48, 64) * np.float32(1 / 255)).transpose(2, 0, 1)
    )


@pytest.mark.parametrize("fit", ["stretch", "pad", "long-side"])
def test_a_map_lies_over_its_picture(fit):
    """A network that returns the picture's own red gives back the picture, whatever its shape."""
    for height, width in ((120, 90), (60, 200), (96, 96)):
        ramp = np.linspace(0, 255, width)[None] + np.zeros((height, 1))
        image = np.repeat(ramp.astype(np.uint8)[:, :, None], 3, axis=2)
        spec = InputSpec(96, 96, **RAW, resample="bilinear-antialias", fit=fit)
        saliency = finish(prepare(image, spec)[0], (height, width), False, "bilinear", fit)
        assert np.abs(saliency.astype(int) - image[:, :, 0]).max() <= 4


class Red(torch.nn.Module):
    """Returns the red of the picture; `shapes` are those that its copies were given, too."""

    shapes: ClassVar[list[tuple[int, ...]]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.shapes.append(tuple(x.shape))
        return x[:, :1]


def red(**keys: object) -> Baseline:
    return Baseline(
        name="red",
        title="Red",
        network="red.py:create",
        input=InputSpec(64, 64, **RAW, **keys),  # type: ignore[arg-type]
        output=Output("probability", stretch=False),
    )


@pytest.fixture
def photos(tmp_path) -> list[Path]:
    """Ten pictures of five shapes, in mixed order."""
    shapes = [
        (90, 50),
        (60, 80),
        (90, 50),
        (20, 90),
        (60, 80),
        (64, 64),
        (90, 50),
        (20, 90),
        (60, 80),
        (7, 9),
    ]
    paths = []
    for number, shape in enumerate(shapes):
        pixels = np.full((*shape, 3), 20 * number, np.uint8)
        pixels[: shape[0] // 2] += 30
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


@pytest.mark.parametrize("batch", [1, 4, 16])
def test_pictures_of_different_shapes_keep_their_order(photos, tmp_path, batch):
    network = Logits(Red(), "probability")
    Red.shapes.clear()
    baseline = red(fit="long-side", resample="lanczos")
    predict_files(network, baseline, [(path, tmp_path / "maps" / path.name) for path in photos], batch=batch)
    for number, path in enumerate(photos):
        saliency = read_map(tmp_path / "maps" / path.name)
        with Image.open(path) as opened:
            assert saliency.shape == (opened.height, opened.width)
        assert abs(int(saliency[0, 0]) - (20 * number + 30)) <= 1
        assert abs(int(saliency[-1, -1]) - 20 * number) <= 3  # lanczos overshoots a little
    calls = Red.shapes[1:]  # the first looks for layers to fold
    assert sum(shape[0] for shape in calls) == len(photos) and max(shape[0] for shape in calls) <= batch
    assert {shape[2:] for shape in calls} == {(64, 32), (32, 64), (64, 64)}
    if batch == 16:
        assert len(calls) == 3


@pytest.mark.parametrize("fit", ["stretch", "pad", "long-side"])
@pytest.mark.parametrize("resample", ["bilinear", "lanczos"])
def test_a_picture_has_one_map_in_any_company(photos, fit, resample):
    network = Red()
    network.baseline = red(fit=fit, resample=resample)
    together = predict(network, photos, batch=8, device="cpu")
    for path, saliency in zip(photos, together, strict=True):
        assert np.array_equal(saliency, predict(network, path, device="cpu"))


def test_baselines_say_it_in_toml(user_folder, capsys):
    Image.fromarray(picture(50, 70)).save("a.png")
    for number, keys in enumerate(('resample = "lanczos"', 'fit = "pad"', 'fit = "long-side"')):
        Path(f"baselines/own{number}.toml").write_text(f'extends = "basnet-tiny"\n[input]\n{keys}\n')
        weights = load_baseline("basnet-tiny").weights_path()
        command = ["predict", f"own{number}", "--images", ".", "--weights", str(weights), "--device", "cpu"]
        assert main([*command, "--out", f"maps{number}", "--quiet"]) == 0
    assert "note" not in capsys.readouterr().err
    maps = [read_map(Path(f"maps{number}/a.png")) for number in range(3)]
    assert all(m.shape == (50, 70) for m in maps)
    assert len({m.tobytes() for m in maps}) == 3


@pytest.mark.parametrize(("old", "new"), [("true", "bilinear-antialias"), ("false", "bilinear")])
def test_the_former_key_works_with_a_note(user_folder, old, new):
    own = Path("baselines/own.toml")
    own.write_text(f'title = "Own"\nnetwork = "unet"\n[input]\nantialias = {old}\n')
    with pytest.warns(
        Note, match=rf'own.toml: input.antialias is now called input.resample = "{new}"'
    ) as notes:
        assert load_baseline("own").input.resample == new
    assert len(notes) == 1
    # over a parent that has the new key, and under a child
    own.write_text(f'extends = "basnet-tiny"\n[input]\nantialias = {old}\n')
    Path("baselines/child.toml").write_text('extends = "own"\n[input]\nresample = "bicubic"\n')
    with pytest.warns(Note):
        assert load_baseline("own").input.resample == new
    with pytest.warns(Note):
        assert load_baseline("child").input.resample == "bicubic"


def test_a_network_that_carries_the_former_key_is_used(user_folder):
    network = Red()
    network.baseline = {"input": {"height": 16, "width": 16, "antialias": True}}
    with pytest.warns(Note, match="antialias"):
        assert predict(network, picture(9, 9), device="cpu").shape == (9, 9)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('resample = "nearest"', "input.resample: expected 'bilinear' or 'bilinear-antialias' or 'bicubic'"),
        ('fit = "crop"', "input.fit: expected 'stretch' or 'pad' or 'long-side', found 'crop'"),
        (
            'fixed = true\nfit = "long-side"',
            "input.fit: expected 'stretch' or 'pad', because input.fixed is true",
        ),
        ('antialias = "yes"', "input.antialias: expected true or false, found 'yes'"),
        ('antialias = true\nresample = "lanczos"', "input.antialias is the former name of input.resample"),
        ('[output]\nresample = "bilinear-antialias"', "output.resample: expected 'bilinear' or 'bicubic'"),
    ],
)
def test_wrong_keys_are_named(user_folder, keys, message):
    Path("baselines/own.toml").write_text(f'title = "Own"\nnetwork = "unet"\n[input]\n{keys}\n')
    with pytest.raises(InputError, match=message):
        load_baseline("own")


def test_a_fixed_network_may_be_padded(user_folder):
    Path("baselines/own.toml").write_text(
        'title = "Own"\nnetwork = "unet"\n[input]\nfixed = true\nfit = "pad"\n'
    )
    assert load_baseline("own").input.fit == "pad"


def test_arrays_have_the_limits_of_files():
    network = Red()
    network.baseline = red()
    with pytest.raises(InputError, match="image 0: 70000 x 1 pixels; images over"):
        predict(network, np.zeros((1, 70_000, 3), np.uint8), device="cpu")


@pytest.mark.parametrize("fit", ["stretch", "pad", "long-side"])
def test_the_grid_of_a_training_shows_pictures_of_any_shape(photos, fit, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    for path in photos:
        with Image.open(path) as opened:
            opened.convert("L").point(lambda level: 255 * (level > 128)).save(masks / path.name)
    network = Red()
    network.weight = torch.nn.Parameter(torch.zeros(1))
    samples = [Sample(path.stem, path, masks / path.name) for path in photos[:6]]
    SampleGrid(red(fit=fit), samples, tmp_path).draw(1, Logits(network, "logits"))
    with Image.open(tmp_path / "0000001.png") as grid:
        tiles = np.asarray(grid.convert("L")).astype(int).reshape(6, 128, 3, 128)
    # the third column is the map: the sigmoid of the red, light above and dark below, without padding
    for number in range(6):
        expected = [255 / (1 + np.exp(-(20 * number + more) / 255)) for more in (30, 0)]
        assert np.abs(tiles[number, [4, -4], 2].mean(1) - expected).max() <= 2
