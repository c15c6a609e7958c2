"""From rows to the data set's scores: resampling, images left out, and one function for all."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from sodbench.metrics import Scorer, load_protocol
from sodbench.metrics.aggregate import dataset_scores
from sodbench.metrics.family import Family, MetricInfo
from sodbench.metrics.registry import all_families

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


def test_families_that_were_not_measured_are_left_out() -> None:
    """A record without curves has no F and no E; the other scores are there."""
    scorer = Scorer()
    for index, picture in enumerate(pictures(3)):
        scorer.update(*picture, name=str(index))
    table = scorer.result()
    scores = dataset_scores(table.per_image, None, table.protocol)
    assert set(scores) == {"MAE", "wF", "S", "relaxF"}
    assert scores["MAE"] == table.scores["MAE"]


def test_a_mistake_in_a_family_s_score_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mistaken(Family):
        def score(self, means, curves, protocol):
            return {"MAE": means["MEA"]}

    mistaken = Mistaken("MAE", "nobody", (MetricInfo("MAE", "MAE"),), all_families()["MAE"].measure)
    monkeypatch.setitem(all_families(), "MAE", mistaken)
    with pytest.raises(KeyError, match="MEA"):
        dataset_scores({"MAE": np.ones(3)}, None, load_protocol("raw"))


def test_a_mistake_in_a_family_s_columns_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family that was asked for and does not give what it declares is not skipped."""
    mistaken = Family("MAE", "nobody", (MetricInfo("MAE", "MAE"),), lambda *_: ({"MEA": 1.0}, {}))
    monkeypatch.setitem(all_families(), "MAE", mistaken)
    scorer = Scorer(metrics=["MAE"])
    scorer.update(*pictures(1)[0], name="x")
    with pytest.raises(KeyError, match=r"MAE: measure\(\) did not give MAE"):
        scorer.result()


def test_the_order_of_images_does_not_matter() -> None:
    tables = []
    for order in (range(9), (3, 8, 1, 0, 7, 2, 6, 5, 4)):
        scorer = Scorer("basnet2019")
        for index in order:
            scorer.update(*pictures(9)[index], name=str(index))
        tables.append(scorer.result())
    assert tables[0].scores == tables[1].scores
    assert tables[0].curves.equals(tables[1].curves)


def test_adaptive_mean_f_without_adaptive_f() -> None:
    """A toolkit may print the adaptive F as its mean F, and no adaptive F."""
    one = dataclasses.replace(load_protocol("pysodmetrics"), mean_f="adaptive")
    other = dataclasses.replace(one, f_adaptive=False)
    scores = []
    for protocol in (one, other):
        scorer = Scorer(protocol, ["F"])
        for index, picture in enumerate(pictures(5)):
            scorer.update(*picture, name=str(index))
        scores.append(scorer.result().scores)
    assert scores[0]["meanF"] == scores[0]["adpF"] == scores[1]["meanF"]
    assert "adpF" not in scores[1]
