"""Preprocessing against scikit-image and against the original BASNet's own tensor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.transform import resize

from sodbench.data.preprocessing import InputSpec, finish, prepare
from sodbench.data.resizing import resize_bilinear

sizes = st.integers(1, 70)


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, sizes, sizes, st.integers(0, 2**32 - 1))
def test_resize_is_that_of_scikit_image(height, width, new_height, new_width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = resize(image / 255, (new_height, new_width), order=1, anti_aliasing=False)
    np.testing.assert_allclose(resize_bilinear(image, new_height, new_width) / 255, expected, atol=1e-6)


def test_golden_input(golden):
    image = np.asarray(Image.open(golden / "0003.jpg").convert("RGB"))
    expected = np.load(golden / "basnet_preprocess_0003.npz")["tensor"]
    np.testing.assert_allclose(prepare(image, InputSpec()), expected, rtol=0, atol=1e-4)


def test_max_scaling_uses_the_picture_and_black_stays_finite():
    spec = InputSpec(8, 8, "max", (0, 0, 0), (1, 1, 1))
    grey = np.full((5, 9, 3), 51, np.uint8)
    np.testing.assert_allclose(prepare(grey, spec), 1)
    np.testing.assert_allclose(prepare(grey * 0, spec), 0)
    np.testing.assert_allclose(prepare(grey, InputSpec(8, 8, "255", (0, 0, 0), (1, 1, 1))), 0.2, rtol=1e-6)


def test_normalisation_is_by_channel():
    image = np.zeros((4, 4, 3), np.uint8)
    image[..., 1] = 255
    prepared = prepare(image, InputSpec(4, 4, "255", (0.1, 0.2, 0.3), (0.5, 0.25, 0.1)))
    np.testing.assert_allclose(prepared[:, 0, 0], [-0.2, 3.2, -3.0], rtol=1e-5)
    assert prepared.shape == (3, 4, 4) and prepared.dtype == np.float32 and prepared.flags.c_contiguous


def test_antialias_averages_when_it_shrinks():
    image = np.zeros((64, 64, 3), np.uint8)
    image[::2] = 200
    spec = InputSpec(8, 8, "255", (0, 0, 0), (1, 1, 1), resample="bilinear-antialias")
    np.testing.assert_allclose(prepare(image, spec)[:, 1:-1] * 255, 100, atol=2)


def test_finish_follows_the_official_way_back():
    p = np.random.default_rng(0).random((32, 48), dtype=np.float32) * 0.5 + 0.2
    stretched = ((p - p.min()) / (p.max() - p.min()) * 255).astype(np.uint8)
    expected = Image.fromarray(stretched).resize((100, 60), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(finish(p, (60, 100), True), expected)


@pytest.mark.parametrize("stretch", [True, False])
@pytest.mark.parametrize(("level", "grey"), [(0.0, 0), (0.4, 102), (1.0, 255)])
def test_constant_maps_stay_as_they_are(stretch, level, grey):
    out = finish(np.full((4, 4), level, np.float32), (7, 5), stretch)
    assert out.shape == (7, 5) and out.dtype == np.uint8 and (out == grey).all()


def test_without_stretching_levels_are_kept():
    p = np.array([[0.2, 0.4, 0.499, 0.999]], np.float32)
    np.testing.assert_array_equal(finish(p, (1, 4), False), [[51, 102, 127, 255]])
