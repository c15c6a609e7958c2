"""The corruptions: the same bytes everywhere, and each what its name says."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter

from sodbench.data.corruptions import KINDS, checked_kinds, checked_severities, corrupt, moved_mask
from sodbench.data.corruptions.filters import disc, gaussian, shrunk, to_levels
from sodbench.data.corruptions.stream import UNIT, Stream
from sodbench.data.synthetic import make_picture
from sodbench.errors import InputError

PICTURE, MASK = make_picture("test", 0)
# SHA-256, its first 16 digits, of a picture of the embedded sample at severities 1, 3 and 5. The kinds of
# JPEG are left out: their bytes are those of libjpeg.
DIGESTS = {
    "gaussian-noise": "b47a20cdce648281",
    "shot-noise": "ecdb84f36a780eba",
    "impulse-noise": "d78a58bbc9f02766",
    "speckle-noise": "d8ca33637c33e075",
    "gaussian-blur": "80c904e85bb882d9",
    "defocus-blur": "c33ceb3a4f29205d",
    "glass-blur": "a971b1e9286af6d7",
    "motion-blur": "7f75b23d9e2e9840",
    "zoom-blur": "124b806a5e67a87e",
    "fog": "47d5630aa817c708",
    "snow": "c93ad888c571ea32",
    "brightness": "6c64cd1d2d326189",
    "spatter": "9ff55cdddd384963",
    "contrast": "3ac943f3be02d8ef",
    "elastic": "c8a4b3e632e5ce9a",
    "pixelate": "d0c05e03b4b6f366",
    "saturate": "8015a4e86bbd3f0b",
    "downscale": "4093b24ac0561a95",
    "aspect": "c87cc02c7341b68f",
}


def digest(kind: str) -> str:
    whole = hashlib.sha256()
    for severity in (1, 3, 5):
        whole.update(corrupt(PICTURE, kind, severity, "test_0000").tobytes())
    return whole.hexdigest()[:16]


@pytest.mark.parametrize("kind", DIGESTS)
def test_a_corrupted_picture_has_the_same_bytes_everywhere(kind: str) -> None:
    assert digest(kind) == DIGESTS[kind]


def test_every_kind_has_a_digest_but_jpeg() -> None:
    assert set(KINDS) - set(DIGESTS) == {"jpeg", "jpeg-quality"}


def test_every_kind_leaves_the_picture_and_gives_one() -> None:
    before = PICTURE.copy()
    for kind, of in KINDS.items():
        assert len(of.severities) == 5
        made = corrupt(PICTURE, kind, 5, "a")
        assert made.dtype == np.uint8 and made.shape[0] == PICTURE.shape[0]
        assert (made.shape == PICTURE.shape) == (kind != "aspect")
        assert kind == "aspect" or np.abs(made.astype(int) - PICTURE).mean() > 1, kind
    assert (before == PICTURE).all()


def test_random_numbers_follow_from_name_kind_and_severity() -> None:
    first = corrupt(PICTURE, "gaussian-noise", 2, "a")
    with ThreadPoolExecutor(4) as pool:
        for again in pool.map(lambda _: corrupt(PICTURE, "gaussian-noise", 2, "a"), range(8)):
            assert (again == first).all()
    assert (first != corrupt(PICTURE, "gaussian-noise", 2, "b")).any()
    assert Stream("a", "fog", 1).uniform() != Stream("a", "snow", 1).uniform()
    assert Stream("a", "fog", 1).uniform() != Stream("a", "fog", 2).uniform()


def test_any_size_can_be_corrupted() -> None:
    random = np.random.default_rng(0)
    for shape in ((1, 1, 3), (1, 40, 3), (37, 2, 3), (300, 60, 3)):
        image = random.integers(0, 256, shape, np.uint8)
        for kind in KINDS:
            for severity in (1, 5):
                made = corrupt(image, kind, severity, "x")
                assert made.shape == shape or (kind == "aspect" and made.shape[1] <= shape[1])
                assert moved_mask(image[..., 0], kind, severity, "x").shape == shape[:2]


def test_noise_has_the_moments_of_its_distribution() -> None:
    normals = Stream("a", "gaussian-noise", 1).normals(200_000) / UNIT
    assert abs(normals.mean()) < 0.01 and abs(normals.std() - 1) < 0.01
    assert abs((normals**4).mean() - 3) < 0.1
    flat = np.full((200, 200, 3), 128, np.uint8)
    for photons in (60, 3):
        counts = Stream("a", "shot-noise", 1).counts(flat, photons)
        mean = photons * 128 / 255
        assert counts.mean() == pytest.approx(mean, rel=0.02)
        assert counts.var() == pytest.approx(mean, rel=0.03)
    salted = corrupt(flat, "impulse-noise", 5, "a")
    assert (salted == 255).mean() == pytest.approx(0.135, abs=0.005)
    assert (salted == 0).mean() == pytest.approx(0.135, abs=0.005)


def test_blurs_are_those_of_scipy() -> None:
    for sigma in (0.7, 2.5, 6):
        expected = gaussian_filter(PICTURE.astype(float), (sigma, sigma, 0))
        assert np.abs(gaussian(PICTURE, sigma) - expected).max() < 0.05
    y, x = np.mgrid[-4:5, -4:5]
    kernel = (y**2 + x**2 <= 4.5**2).astype(float)[..., None]
    expected = convolve(PICTURE.astype(float), kernel / kernel.sum(), mode="reflect")
    assert np.abs(disc(PICTURE, 4.5) - expected).max() <= 0.5001


def test_area_means_are_exact() -> None:
    image = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    expected = image.reshape(3, 2, 4, 2, 3).mean((1, 3))
    assert np.abs(shrunk(image, 3, 4) - expected).max() <= 1
    assert (shrunk(image, 6, 8) == image).all()
    assert shrunk(np.full((5, 7, 3), 9, np.uint8), 3, 2).tolist() == [[[9] * 3] * 2] * 3


def test_elastic_moves_the_mask_with_the_object() -> None:
    painted = np.repeat(MASK[..., None], 3, axis=2)
    for severity in range(1, 6):
        moved = moved_mask(MASK, "elastic", severity, "a") > 127
        seen = corrupt(painted, "elastic", severity, "a")[..., 0] > 127
        assert (moved & seen).sum() / (moved | seen).sum() > 0.93
    assert (moved_mask(MASK, "elastic", 2, "a") != MASK).any()
    assert set(np.unique(moved_mask(MASK, "elastic", 2, "a"))) == {0, 255}
    assert moved_mask(MASK, "zoom-blur", 5, "a") is MASK


def test_colours_follow_hue_saturation_value() -> None:
    pixel = np.array([[[200, 100, 50], [0, 0, 0], [80, 80, 80]]], np.uint8)
    brighter = corrupt(pixel, "brightness", 1, "a")[0]
    assert brighter[0].tolist() == [226, 113, 56]  # value + 25.5, hue and saturation kept
    assert brighter[1].tolist() == [26, 26, 26]
    pale = corrupt(pixel, "saturate", 2, "a")[0]
    assert pale[0].tolist() == [200, 190, 185]  # a tenth of the saturation
    assert corrupt(pixel, "saturate", 5, "a")[0][2].tolist() == [80, 80, 80]
    flat = corrupt(PICTURE, "contrast", 5, "a").std(axis=(0, 1))
    assert flat == pytest.approx(0.05 * PICTURE.std(axis=(0, 1)), abs=0.4)


def test_levels_are_rounded_and_cut() -> None:
    assert to_levels(np.array([-3.0, 0.49, 0.5, 254.5, 300.0])).tolist() == [0, 0, 1, 255, 255]


def test_kinds_and_severities_are_checked() -> None:
    assert checked_kinds(["jpeg", "fog", "fog"]) == ["fog", "jpeg"]
    assert checked_kinds("storage") == ["jpeg-quality", "downscale", "aspect"]
    assert checked_kinds(None) == list(KINDS)
    assert checked_severities([5, 1, 5]) == [1, 5] and checked_severities(3) == [3]
    with pytest.raises(InputError, match=r"unknown kind of corruption 'snw' \(did you mean 'snow'"):
        checked_kinds(["snw"])
    with pytest.raises(InputError, match=r"frost.*photographs"):
        checked_kinds(["frost"])
    with pytest.raises(InputError, match=r"at least one"):
        checked_kinds([])
    for wrong in (0, 6, True, 1.5):
        with pytest.raises(InputError, match=r"severity is"):
            checked_severities([wrong])  # type: ignore[list-item]
