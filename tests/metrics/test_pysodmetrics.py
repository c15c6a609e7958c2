"""Protocol `pysodmetrics` equals the package on every scalar and every point of every curve."""

import numpy as np
import pysodmetrics_oracle as oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from sodbench.metrics import Scorer

TOLERANCE = 1e-9
SCORER = Scorer(metrics=["MAE", "F", "E", "S", "wF"])


def worst_difference(prediction: NDArray, truth: NDArray) -> float:
    """The largest difference over all columns and curves; S left out where the package's is noise."""
    columns, curves = oracle.expected(prediction, truth)
    found = SCORER.measure(prediction, truth, "image")
    skipped = {"S"} if oracle.s_measure_is_noise(prediction, truth) else set()
    if prediction.size == 1:
        skipped |= {"adpE", "maxE", "meanE"}  # N - 1 = 0
    differences = [abs(found.columns[name] - value) for name, value in columns.items() if name not in skipped]
    if prediction.size > 1:
        differences += [np.abs(found.curves[name] - values).max() for name, values in curves.items()]
    assert all(np.isfinite(value) for value in found.columns.values())
    return float(max(differences))


def one_pixel(shape: tuple[int, int], row: int, column: int) -> NDArray:
    mask = np.zeros(shape, np.uint8)
    mask[row, column] = 255
    return mask


def ramp(height: int, width: int) -> NDArray:
    return (np.arange(height * width).reshape(height, width) * 7 % 256).astype(np.uint8)


DEGENERATE = {
    "empty mask": (ramp(9, 11), np.zeros((9, 11), np.uint8)),
    "full mask": (ramp(9, 11), np.full((9, 11), 255, np.uint8)),
    "empty mask, empty map": (np.zeros((9, 11), np.uint8), np.zeros((9, 11), np.uint8)),
    "empty mask, full map": (np.full((9, 11), 255, np.uint8), np.zeros((9, 11), np.uint8)),
    "full mask, full map": (np.full((9, 11), 255, np.uint8), np.full((9, 11), 255, np.uint8)),
    "full mask, empty map": (np.zeros((9, 11), np.uint8), np.full((9, 11), 255, np.uint8)),
    "top left": (ramp(9, 11), one_pixel((9, 11), 0, 0)),
    "top right": (ramp(9, 11), one_pixel((9, 11), 0, 10)),
    "bottom left": (ramp(9, 11), one_pixel((9, 11), 8, 0)),
    "bottom right": (ramp(9, 11), one_pixel((9, 11), 8, 10)),
    "middle": (ramp(9, 11), one_pixel((9, 11), 4, 5)),
    "all but one": (ramp(9, 11), np.uint8(255) - one_pixel((9, 11), 4, 5)),
    "row": (ramp(1, 40), one_pixel((1, 40), 0, 7)),
    "column": (ramp(40, 1), one_pixel((40, 1), 7, 0)),
    "two pixels": (np.array([[3, 9]], np.uint8), np.array([[255, 0]], np.uint8)),
    "one pixel, object": (np.array([[77]], np.uint8), np.array([[255]], np.uint8)),
    "one pixel, background": (np.array([[77]], np.uint8), np.array([[0]], np.uint8)),
    "constant grey": (np.full((9, 11), 77, np.uint8), one_pixel((9, 11), 4, 5)),
    "constant black": (np.zeros((9, 11), np.uint8), one_pixel((9, 11), 4, 5)),
    "constant white": (np.full((9, 11), 255, np.uint8), one_pixel((9, 11), 4, 5)),
    "two levels, threshold on a level": (
        np.array([[0, 1, 1, 2]], np.uint8),
        np.array([[0, 0, 255, 255]], np.uint8),
    ),
    "mask value 128 is background": (ramp(9, 11), np.full((9, 11), 128, np.uint8)),
    "object far away": (ramp(3, 700), one_pixel((3, 700), 1, 2)),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_input(case: str) -> None:
    assert worst_difference(*DEGENERATE[case]) < TOLERANCE


shapes = st.tuples(st.integers(1, 24), st.integers(1, 24))
few_levels = st.sampled_from([[0, 255], [0, 1, 255], [0, 64, 128, 192, 255], [10, 20, 200], list(range(256))])


@st.composite
def pictures(draw: st.DrawFn) -> tuple[NDArray, NDArray]:
    """A map of few or many levels and a mask of any share of object, often of blocks rather than specks."""
    shape = draw(shapes)
    levels = np.array(draw(few_levels), np.uint8)
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    prediction = levels[seed.integers(0, len(levels), shape)]
    share = draw(st.sampled_from([0.0, 0.02, 0.3, 0.7, 1.0]))
    mask = (seed.random(shape) < share).astype(np.uint8) * np.uint8(255)
    if draw(st.booleans()):
        zoom = draw(st.integers(2, 9))
        grow = np.ones((zoom, zoom), np.uint8)
        prediction, mask = np.kron(prediction, grow), np.kron(mask, grow)
    return prediction, mask


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(pictures())
def test_random_pictures(picture: tuple[NDArray, NDArray]) -> None:
    assert worst_difference(*picture) < TOLERANCE


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_bytes(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    prediction = data.draw(arrays.arrays(np.uint8, shape))
    truth = data.draw(arrays.arrays(np.uint8, shape))
    if truth.max() == 1:
        truth[:] = 0
    assert worst_difference(prediction, truth) < TOLERANCE


def test_large_smooth_object() -> None:
    y, x = np.mgrid[:300, :400]
    field = np.sin(x / 31) + np.cos(y / 17) + np.sin((x + y) / 53)
    truth = (field > 1).astype(np.uint8) * np.uint8(255)
    noise = np.random.default_rng(5).normal(0, 0.4, field.shape)
    prediction = np.clip(128 + 90 * (field - 1 + noise), 0, 255).astype(np.uint8)
    assert worst_difference(prediction, truth) < 1e-12
