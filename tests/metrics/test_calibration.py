"""Calibration: against torchmetrics, scikit-learn and the definitions by pixel; the data set's score."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sodbench.metrics import Scorer, protocol_names, score
from sodbench.metrics.families.calibration import BINS, CURVES, reliability
from sodbench.results.resampling import bootstrap, scores_of

NAMES = ("ECE", "MCE", "Brier")
SHAPE = (23, 31)


def soft(seed: int, shape: tuple[int, int] = SHAPE) -> tuple[NDArray, NDArray]:
    """A map of all levels, and a mask that it predicts badly."""
    random = np.random.default_rng(seed)
    prediction = (255 * random.beta(0.4, 0.7, shape)).astype(np.uint8)
    return prediction, (random.random(shape) < (prediction / 255) ** random.uniform(0.4, 2)) * np.uint8(255)


def by_pixel(probability: NDArray, truth: NDArray) -> tuple[float, float, float]:
    """ECE, MCE and Brier score from the definitions; edges as fractions, closed above."""
    expected = largest = 0.0
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        inside = (probability > low) & (probability <= high) | (number == 0) & (probability == 0)
        if inside.any():
            gap = abs(probability[inside].mean() - truth[inside].mean())
            expected += inside.mean() * gap
            largest = max(largest, gap)
    return expected, largest, float(((probability - truth) ** 2).mean())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["all levels", "edges", "two", "one"]))
def test_histograms_give_what_the_pixels_give(seed: int, levels: str) -> None:
    random = np.random.default_rng(seed)
    values = {
        "all levels": np.arange(256),
        "edges": np.array([0, 1, 16, 17, 18, 34, 35, 238, 239, 254, 255]),
        "two": random.integers(0, 256, 2),
        "one": random.integers(0, 256, 1),
    }[levels]
    shape = tuple(random.integers(1, 30, 2))
    prediction = random.choice(values, shape).astype(np.uint8)
    mask = (random.random(shape) < random.random()) * np.uint8(255)
    expected = by_pixel(prediction / 255, mask > 0)
    found = Scorer(metrics=["calibration"]).measure(prediction, mask, "image").columns
    assert [found[name] for name in NAMES] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_maps_of_floats_fall_into_the_bins_of_their_levels(kind: type) -> None:
    prediction, mask = soft(1)
    whole = score(prediction, mask, metrics=["ECE"])
    assert score((prediction / 255).astype(kind), mask, metrics=["ECE"]) == pytest.approx(whole, abs=1e-7)
    fine = np.random.default_rng(2).random(SHAPE)
    found = score(fine, mask, metrics=["ECE"])
    assert [found[name] for name in NAMES] == pytest.approx(by_pixel(fine, mask > 0), abs=1e-12)


def test_torchmetrics_gives_the_same_where_no_value_lies_on_an_edge() -> None:
    """Its bins are closed below, and 1 has a bin of its own: levels 17, 34 ... 255 are counted elsewhere."""
    torch = pytest.importorskip("torch")
    classification = pytest.importorskip("torchmetrics.classification")
    scorer = Scorer("raw", ["calibration"])
    errors = {norm: classification.BinaryCalibrationError(n_bins=BINS, norm=norm) for norm in ("l1", "max")}
    for index in range(4):
        prediction, mask = soft(index)
        prediction[(prediction % 17 == 0) & (prediction > 0)] -= 1
        scorer.update(prediction, mask, name=str(index))
        for error in errors.values():
            error.update(torch.tensor(prediction / 255).flatten(), torch.tensor(mask > 0).int().flatten())
    scores = scorer.scores()
    assert scores["ECE"] == pytest.approx(float(errors["l1"].compute()), abs=1e-6)
    assert scores["MCE"] == pytest.approx(float(errors["max"].compute()), abs=1e-6)
    # one level on an edge: here it belongs to the bin below, there to the bin above
    on_edge = np.full(SHAPE, 17, np.uint8)
    on_edge[:5] = 10
    mask = np.zeros(SHAPE, np.uint8)
    mask[:5] = 255
    theirs = classification.BinaryCalibrationError(n_bins=BINS)
    theirs.update(torch.tensor(on_edge / 255).flatten(), torch.tensor(mask > 0).int().flatten())
    assert score(on_edge, mask, "raw", ["ECE"])["ECE"] < float(theirs.compute()) - 0.1


def test_scikit_learn_draws_the_same_diagram() -> None:
    """Its bins are closed above, as here; it leaves out empty ones."""
    learn = pytest.importorskip("sklearn.calibration")
    metrics = pytest.importorskip("sklearn.metrics")
    prediction, mask = soft(5)
    prediction[(prediction > 60) & (prediction < 110)] = 0
    scorer = Scorer("raw", ["calibration"])
    scorer.update(prediction, mask)
    table = scorer.result()
    found = reliability({name: table.curves[name].to_numpy() for name in CURVES})
    some = found.share > 0
    assert 0 < some.sum() < BINS
    frequency, probability = learn.calibration_curve(mask.ravel() > 0, prediction.ravel() / 255, n_bins=BINS)
    assert found.frequency[some] == pytest.approx(frequency, abs=1e-12)
    assert found.probability[some] == pytest.approx(probability, abs=1e-12)
    assert np.isnan(found.frequency[~some]).all()
    brier = metrics.brier_score_loss(mask.ravel() > 0, prediction.ravel() / 255)
    assert table.scores["Brier"] == pytest.approx(brier, abs=1e-12)


def test_every_protocol_scores_the_map_as_saved() -> None:
    """Stretching a faint map would make it confident: no protocol's scale enters."""
    prediction, mask = soft(6)
    faint = prediction // 4 + 30
    expected = by_pixel(faint / 255, mask > 0)
    for name in protocol_names():
        found = score(faint, mask, name, ["ECE"])
        assert [found[one] for one in NAMES] == pytest.approx(expected, abs=1e-12), name
    stretched = np.interp(faint, (faint.min(), faint.max()), (0, 1))
    assert abs(by_pixel(stretched, mask > 0)[0] - expected[0]) > 0.05


def test_the_data_set_has_the_error_of_its_pooled_bins() -> None:
    """Images of other sizes weigh the same; the mean of their own ECE is never smaller."""
    scorer = Scorer("raw", ["calibration"], keep_curves=True)
    pooled = np.zeros((3, BINS))
    for index, shape in enumerate([(11, 13), (40, 50), (5, 90), (64, 64)]):
        prediction, mask = soft(index, shape)
        scorer.update(prediction, mask, name=str(index))
        of_bin = np.maximum(np.ceil(prediction / 17).astype(int) - 1, 0)
        for number in range(BINS):
            inside = of_bin == number
            sums = inside.sum(), (prediction[inside] / 255).sum(), (mask[inside] > 0).sum()
            pooled[:, number] += np.array(sums) / prediction.size / 4
    table = scorer.result()
    gap = np.abs(pooled[1] - pooled[2])
    assert table.scores["ECE"] == pytest.approx(gap.sum(), abs=1e-12)
    assert table.scores["MCE"] == pytest.approx((gap / pooled[0]).max(), abs=1e-12)
    assert table.scores["ECE"] < table.per_image["ECE"].mean()
    assert table.scores["Brier"] == pytest.approx(table.per_image["Brier"].mean(), abs=1e-15)
    assert table.curves[list(CURVES)].dropna().shape == (BINS, 3)
    assert table.image_curves is not None
    assert {values.shape for values in table.image_curves.values()} == {(4, BINS)}


def test_errors_that_cancel_between_images_cancel_in_the_data_set() -> None:
    """Half of the images with an object at .5 and half without: .5 is right for the set, wrong for each."""
    scorer = Scorer("raw", ["calibration"])
    for index in range(4):
        mask = np.full((4, 5), 255 * (index % 2), np.uint8)
        scorer.update(np.full((4, 5), 0.5), mask, name=str(index))
    table = scorer.result()
    assert table.scores["ECE"] == table.scores["MCE"] == 0
    assert (table.per_image["ECE"] == 0.5).all()
    assert table.scores["Brier"] == 0.25


def test_saturated_maps_win_by_mae_and_lose_by_brier() -> None:
    """The mask is drawn from the map: the map is calibrated, and binarising it improves MAE only."""
    random = np.random.default_rng(3)
    prediction = np.kron(random.integers(0, 256, (12, 16)), np.ones((20, 20))).astype(np.uint8)
    mask = (random.random(prediction.shape) < prediction / 255) * np.uint8(255)
    soft_map, binary = (
        score(one, mask, "raw", ["MAE", "calibration"])
        for one in (prediction, (prediction > 127) * np.uint8(255))
    )
    assert binary["MAE"] < soft_map["MAE"] - 0.05
    assert binary["Brier"] > soft_map["Brier"] + 0.05
    assert soft_map["ECE"] < 0.01 and binary["ECE"] > 0.2
    # of 0 and 1 only: the absolute and the squared error are one
    assert binary["Brier"] == pytest.approx(binary["MAE"], abs=1e-15)


def test_a_perfect_and_an_inverted_map() -> None:
    _, mask = soft(7)
    assert list(score(mask, mask, metrics=["ECE"]).values()) == [0, 0, 0]
    assert list(score(255 - mask, mask, metrics=["ECE"]).values()) == [1, 1, 1]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 8), max_size=3))
def test_merged_scorers_give_the_same_bits(cuts: list[int]) -> None:
    def fed(members: range) -> Scorer:
        scorer = Scorer(metrics=["calibration"], keep_curves=True)
        for index in members:
            scorer.update(*soft(index, (9, 4 + index)), name=str(index))
        return scorer

    whole = fed(range(8)).result()
    edges = [0, *sorted(cuts), 8]
    merged = fed(range(0))
    for start, stop in pairwise(edges):
        merged.merge(fed(range(start, stop)))
    parts = merged.result()
    assert parts.scores == whole.scores
    assert parts.curves.equals(whole.curves)


def test_intervals_pool_the_bins_of_every_resample() -> None:
    scorer = Scorer("raw", ["calibration"], keep_curves=True)
    for index in range(12):
        scorer.update(*soft(index), name=str(index))
    table = scorer.result()
    drawn = np.array([[0, 3, 1, 0, 2, 0, 1, 1, 0, 4, 0, 0]], float)
    found = scores_of(table)(drawn)
    again = Scorer("raw", ["calibration"])
    for index, times in enumerate(drawn[0].astype(int)):
        for copy in range(times):
            again.update(*soft(index), name=f"{index} {copy}")
    for name, value in again.scores().items():
        assert found[name][0] == pytest.approx(value, abs=1e-6)
    intervals = bootstrap(scores_of(table), 12, 200)
    assert set(intervals) == set(NAMES)
    for name in NAMES:
        assert intervals[name].value == pytest.approx(table.scores[name], abs=1e-6)
        assert intervals[name].low < intervals[name].high
    # the bins of the images are needed for that
    assert scores_of(replace(table, image_curves=None))(drawn) == {}
