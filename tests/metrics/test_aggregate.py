"""From rows to the data set's scores: resampling, images left out, and one function for all."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from sodbench.metrics import Scorer, load_protocol
from sodbench.metrics.aggregate import dataset_scores

NAMES = ["pysodmetrics", "basnet2019", "sal-eval", "sodsurvey", "salod", "cod-toolbox", "raw"]


def pictures(n: int) -> list[tuple[NDArray, NDArray]]:
    random = np.random.default_rng(1)
    found = []
    for index in range(n):
        mask = np.kron(random.random((5, 6)) < 0.4, np.ones((7, 8))).astype(np.uint8) * np.uint8(255)
        prediction = np.clip(mask * 0.6 + random.normal(40, 50, mask.shape), 0, 255).astype(np.uint8)
        if index == 2:
            prediction[:] = 0
        if index == 4:
            mask[:] = 0
        found.append((prediction, mask))
    return found


@pytest.fixture(scope="module", params=NAMES)
def table(request: pytest.FixtureRequest):
    scorer = Scorer(request.param, keep_curves=True)
    for index, picture in enumerate(pictures(9)):
        scorer.update(*picture, name=str(index))
    return scorer.result()


def test_image_curves_give_the_table_s_scores(table) -> None:
    found = dataset_scores(table.per_image, table.image_curves, table.protocol)
    assert list(found) == list(table.scores)
    for name, value in table.scores.items():
        assert found[name] == pytest.approx(value, abs=2e-7), name
    assert dataset_scores(table.per_image, dict(table.curves), table.protocol) == pytest.approx(table.scores)


def test_weights_equal_drawing_the_images_again(table) -> None:
    """A resample's scores are those of a scorer that saw the drawn images."""
    drawn = np.random.default_rng(0).integers(0, 9, (3, 9))
    weights = np.stack([np.bincount(one, minlength=9) for one in drawn])
    together = dataset_scores(table.per_image, table.image_curves, table.protocol, weights)
    all_pictures = pictures(9)
    for row, indices in enumerate(drawn):
        scorer = Scorer(table.protocol)
        for place, index in enumerate(indices):
            scorer.update(*all_pictures[index], name=str(place))
        expected = scorer.result().scores
        alone = dataset_scores(table.per_image, table.image_curves, table.protocol, weights[row])
        for name, value in expected.items():
            assert together[name][row] == pytest.approx(value, abs=2e-7), name
            assert alone[name] == pytest.approx(value, abs=2e-7), name


def test_every_image_once_is_the_data_set(table) -> None:
    found = dataset_scores(table.per_image, table.image_curves, table.protocol, np.ones(9))
    for name, value in table.scores.items():
        assert found[name] == pytest.approx(value, abs=2e-7), name


def test_nothing_is_nan_because_of_one_image(table) -> None:
    assert all(np.isfinite(value) for value in table.scores.values())


def test_left_out_images() -> None:
    """sal-eval: an all-zero map leaves precision and recall; MAE and S keep it."""
    scorer = Scorer("sal-eval")
    for index, picture in enumerate(pictures(9)):
        scorer.update(*picture, name=str(index))
    table = scorer.result()
    assert np.isnan(table.per_image.loc["2", "adpF"])
    assert table.scores["adpF"] == pytest.approx(table.per_image["adpF"].drop("2").mean())
    assert table.scores["MAE"] == pytest.approx(table.per_image["MAE"].mean())


def test_all_images_left_out_is_undefined_and_no_error() -> None:
    blank = np.zeros((5, 5), np.uint8)
    scorer = Scorer("sodsurvey")
    scorer.update(blank, blank, name="x")
    scores = scorer.result().scores
    assert np.isnan(scores["maxF"])
    assert scores["MAE"] == 0.0


def test_means_and_images_differ_as_they_should() -> None:
    """Two images with opposite curves: F of the means is not the mean of F."""
    default = load_protocol("pysodmetrics")
    p, r = np.array([[1.0] * 256, [0.5] * 256]), np.array([[0.2] * 256, [1.0] * 256])
    columns = {"adpF": np.array([0.1, 0.3])}

    def f(precision: float, recall: float) -> float:
        return 1.3 * precision * recall / (0.3 * precision + recall)

    of_images = dataset_scores(columns, {"precision": p, "recall": r}, default)
    of_means = dataset_scores(
        columns, {"precision": p, "recall": r}, dataclasses.replace(default, f_average="means")
    )
    assert of_images["maxF"] == pytest.approx((f(1.0, 0.2) + f(0.5, 1.0)) / 2)
    assert of_means["maxF"] == pytest.approx(f(0.75, 0.6))
    assert of_images["adpF"] == pytest.approx(0.2)
