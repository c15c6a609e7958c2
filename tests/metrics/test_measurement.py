"""What the protocols of one measurement share: histograms, adaptive thresholds, the work of masks."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from sodbench.metrics import Scorer, load_protocol
from sodbench.metrics.mask import MaskCache, MaskWork, binarise
from sodbench.metrics.measurement import Measurement
from sodbench.metrics.plain import plain_scores
from sodbench.metrics.plain.picture import Picture

RANDOM = np.random.default_rng(0)
MAP = RANDOM.integers(0, 256, (21, 34)).astype(np.uint8)
MASK = np.zeros((21, 34), np.uint8)
MASK[3:7, 5:8], MASK[8:20, 20:33] = 255, 255


def measured(values: NDArray, mask: NDArray = MASK) -> Measurement:
    binary = binarise(mask, 129)
    return Measurement(values, binary, MaskWork(binary), mask, "half-even")


@pytest.mark.parametrize("values", [MAP, MAP / 255])
def test_histograms_count_every_pixel_once_whatever_the_cut(values: NDArray) -> None:
    """The mean row of this mask is n + .5, so that the two roundings cut at different rows."""
    mask = np.zeros_like(MASK)
    mask[10:12, 4:6] = 255
    measurement = measured(values, mask)
    even, up = measurement.mask.centre("half-even"), measurement.mask.centre("half-up")
    assert (even, up) == ((11, 5), (12, 6))
    for rounding, (row, column) in (("half-even", even), ("half-up", up)):
        counts = measurement.histogram(rounding)
        assert counts.shape == (4, 2, measurement.levels.size)
        np.testing.assert_array_equal(counts.sum(axis=0), measurement.total)
        sizes = [row * column, row * (34 - column), (21 - row) * column, (21 - row) * (34 - column)]
        assert counts.sum(axis=(1, 2)).tolist() == sizes


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("scale", ["255", "max", "min-max"])
@pytest.mark.parametrize("epsilon", [0.0, 1e-8, 3.0])
def test_floats_are_scaled_as_the_bytes_that_they_stand_for(scale: str, epsilon: float, kind: type) -> None:
    """An epsilon is in grey levels, and added to the maximum only."""
    picture = np.clip(MAP, 20, 201)
    of_bytes, of_floats = measured(picture), measured((picture / kind(255)).astype(np.float64))
    x = of_bytes.scaled(scale, epsilon)[of_bytes.codes]
    tolerance = 1e-12 if kind is np.float64 else 1e-6
    np.testing.assert_allclose(of_floats.scaled(scale, epsilon)[of_floats.codes], x, rtol=0, atol=tolerance)
    expected = {
        "255": picture / 255,
        "max": picture / (201 + epsilon),
        "min-max": (picture.astype(float) - 20) / 181,
    }
    np.testing.assert_allclose(x, expected[scale], rtol=0, atol=1e-12)


def test_the_centre_of_no_object_is_the_middle() -> None:
    assert MaskWork(binarise(MASK * 0, 129)).centre("half-even") == (11, 18)
    assert MaskWork(binarise(MASK[:4, :8] * 0, 129)).centre("half-up") == (3, 5)


def test_a_cut_stays_inside_the_image() -> None:
    mask = np.zeros_like(MASK)
    mask[-1, -1] = 255
    assert MaskWork(binarise(mask, 129)).centre("half-even") == MASK.shape


@pytest.mark.parametrize("least", [0, 1, 129, 255, 256])
def test_the_object_is_what_is_at_least_as_bright(least: int) -> None:
    for mask in (MASK, MAP):
        binary = binarise(mask, least)
        np.testing.assert_array_equal(binary.truth > 0, mask.astype(int) >= least)
        assert MaskWork(binary).n_object == np.count_nonzero(mask.astype(int) >= least)
        assert binary.packed.shape == (21, 1)


def test_masks_of_other_pixels_or_another_width_have_their_own_work() -> None:
    cache = MaskCache()
    work = cache.work(binarise(MASK, 129))
    assert cache.work(binarise(MASK.copy(), 1)) is work
    assert cache.work(binarise(MASK[:, :-1].copy(), 129)) is not work
    assert cache.work(binarise(MASK * 0, 129)) is not cache.work(binarise(MASK[:, :-1] * 0, 129))


def test_the_mask_used_longest_ago_is_forgotten() -> None:
    masks = [np.roll(MASK, shift, axis=1) for shift in range(3)]
    cache = MaskCache(limit=2 * MaskWork(binarise(MASK, 129)).size_in_bytes)
    works = [cache.work(binarise(mask, 129)) for mask in masks[:2]]
    assert cache.work(binarise(masks[0], 129)) is works[0]
    cache.work(binarise(masks[2], 129))
    assert cache.work(binarise(masks[0], 129)) is works[0]
    assert cache.work(binarise(masks[1], 129)) is not works[1]


@pytest.mark.parametrize("scale", ["min-max", "max"])
@pytest.mark.parametrize("levels", [(0, 7, 91), (0, 51, 255), (0, 85, 255), (0, 30, 210)])
def test_an_adaptive_threshold_on_a_level_is_that_of_the_image_s_mean(
    levels: tuple[int, int, int], scale: str
) -> None:
    """Twice the mean of x is one of its values: how the mean over the pixels is rounded decides."""
    low, middle, high = levels
    mask = np.zeros((21, 30), np.uint8)
    mask[:12, :17] = 255
    protocol = dataclasses.replace(load_protocol("raw"), name="at a level", f_scale=scale)
    for n_middle in range(7, 300, 7):
        n_high, rest = divmod(middle * (630 - 2 * n_middle), 2 * high)
        if rest:
            continue
        values = np.full(630, low, np.uint8)
        values[:n_middle], values[n_middle : n_middle + n_high] = middle, high
        for order in (values, np.random.default_rng(1).permutation(values)):
            picture = order.reshape(21, 30)
            unit = picture / 255
            x = unit / unit.max()
            hit = (x >= min(2 * x.mean(), 1.0)) & (mask > 0)
            expected = hit.sum() / ((x >= min(2 * x.mean(), 1.0)) | (mask > 0)).sum()
            found = Scorer(protocol, ["IoU"]).measure(picture, mask, "image").columns["adpIoU"]
            plain = plain_scores(Picture(picture, mask), protocol, ["IoU"])[0]["adpIoU"]
            assert (found, plain) == pytest.approx((expected, expected), abs=1e-12)


def test_an_adaptive_threshold_on_a_level_of_a_single_precision_map() -> None:
    """A map that was float32 is thresholded in that precision, in which its mean is rounded, too."""
    mask = np.zeros((21, 30), np.uint8)
    mask[:12, :17] = 255
    protocol = dataclasses.replace(load_protocol("raw"), name="at a level", f_scale="max")
    on_a_level = 0
    for middle, high in ((7, 91), (51, 255), (85, 255), (30, 210)):
        for n_middle in range(7, 300, 7):
            n_high, rest = divmod(middle * (630 - 2 * n_middle), 2 * high)
            if rest:
                continue
            values = np.zeros(630, np.float32)
            values[:n_middle], values[n_middle : n_middle + n_high] = middle, high
            picture = np.random.default_rng(1).permutation(values).reshape(21, 30) / np.float32(255)
            x = picture / picture.max()
            above = x >= min(2 * x.mean(), 1.0)
            expected = (above & (mask > 0)).sum() / (above | (mask > 0)).sum()
            found = Scorer(protocol, ["IoU"]).measure(picture, mask, "image").columns["adpIoU"]
            assert found == pytest.approx(expected, abs=1e-12)
            on_a_level += 1
    assert on_a_level > 20
