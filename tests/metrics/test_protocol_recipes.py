"""Every named protocol equals its recipe, written out plainly in `reference_protocols`."""

import numpy as np
import pytest
import reference_protocols as reference
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sodbench.metrics import Scorer

RECIPES = {
    "basnet2019": (reference.basnet2019, reference.basnet2019_dataset),
    "sal-eval": (reference.sal_eval, reference.sal_eval_dataset),
    "sodsurvey": (reference.sodsurvey, reference.sodsurvey_dataset),
    "salod": (reference.salod, reference.salod_dataset),
    "cod-toolbox": (reference.cod_toolbox, reference.per_image_dataset),
    "raw": (reference.raw, reference.per_image_dataset),
}
TOLERANCE = 1e-9


@st.composite
def pictures(draw: st.DrawFn) -> tuple[NDArray, NDArray]:
    """A map and a mask of blocks and specks, maps of any range, masks with grey levels now and then."""
    shape = draw(st.tuples(st.integers(1, 18), st.integers(1, 18)))
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    low, high = sorted((draw(st.integers(0, 255)), draw(st.integers(0, 255))))
    low = draw(st.sampled_from([0, low]))
    prediction = seed.integers(low, high + 1, shape).astype(np.uint8)
    share = draw(st.sampled_from([0.0, 0.05, 0.4, 1.0]))
    mask = (seed.random(shape) < share).astype(np.uint8) * np.uint8(255)
    if draw(st.booleans()):
        mask[seed.random(shape) < 0.2] = draw(st.sampled_from([25, 26, 127, 128, 129, 200]))
    if draw(st.booleans()):
        grow = np.ones((3, 2), np.uint8)
        prediction, mask = np.kron(prediction, grow), np.kron(mask, grow)
    return prediction, mask


@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(pictures=st.lists(pictures(), min_size=1, max_size=4))
def test_equals_the_recipe(name: str, pictures: list[tuple[NDArray, NDArray]]) -> None:
    one_image, data_set = RECIPES[name]
    scorer = Scorer(name)
    expected = [one_image(*picture) for picture in pictures]
    for (prediction, mask), numbers in zip(pictures, expected, strict=True):
        found = scorer.measure(prediction, mask, "image")
        for key, value in numbers.items():
            if key in ("precision", "recall", "F", "E"):
                np.testing.assert_allclose(found.curves[key], value, rtol=0, atol=TOLERANCE, err_msg=key)
            elif key != "counted":
                assert found.columns[key] == pytest.approx(value, abs=TOLERANCE), key
    for index, (prediction, mask) in enumerate(pictures):
        scorer.update(prediction, mask, name=str(index))
    if any(numbers.get("counted", True) for numbers in expected):
        scores = scorer.result().scores
        for key, value in data_set(expected).items():
            assert scores[key] == pytest.approx(value, abs=TOLERANCE), key


def test_relaxed_f_of_the_paper() -> None:
    """basnet2019: cross erosion, 5 x 5 window, mean precision and recall over the data set, then F."""
    seed = np.random.default_rng(3)
    scorer = Scorer("basnet2019", ["relaxF"])
    ratios = []
    for index in range(5):
        mask = np.kron(seed.random((6, 7)) < 0.4, np.ones((8, 9))).astype(np.uint8) * np.uint8(255)
        prediction = np.roll(mask, (index, 2 * index), (0, 1)) // 2 + seed.integers(
            0, 128, mask.shape
        ).astype(np.uint8)
        scorer.update(prediction, mask, name=str(index))
        ratios.append(reference.relaxed(prediction >= 128, mask > 0, np.ones((5, 5), bool)))
    precision, recall = np.mean(ratios, axis=0)
    table = scorer.result()
    assert table.scores["relaxF"] == pytest.approx(
        1.3 * precision * recall / (0.3 * precision + recall), abs=1e-12
    )
    np.testing.assert_allclose(table.per_image[["relaxP", "relaxR"]], ratios, atol=1e-12)
