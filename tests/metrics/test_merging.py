"""Scorers of parts, merged, give results bit-identical to those of one scorer that saw everything."""

import pickle
from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodbench.errors import InputError
from sodbench.metrics import Scorer, ScoreTable
from sodbench.metrics.image_scores import ImageScores
from sodbench.metrics.kernels.sums import RunningMean

NAMES = ("pysodmetrics", "basnet2019", "sal-eval", "sodsurvey", "salod", "raw")
METRICS = {"raw": ["MAE", "F", "E", "S", "wF", "relaxF", "IoU", "BER", "ECE"]}


@cache
def images(protocol: str) -> list[ImageScores]:
    """The scores of 24 images, some of which the protocols leave out."""
    random = np.random.default_rng(8)
    scorer = Scorer(protocol, METRICS.get(protocol))
    measured = []
    for index in range(24):
        mask = np.kron(random.random((3, 4)) < 0.4, np.ones((5, 6))).astype(np.uint8) * np.uint8(255)
        prediction = np.clip(mask * 0.6 + random.normal(40, 50, mask.shape), 0, 255).astype(np.uint8)
        if index % 7 == 2:
            prediction[:] = 0
        if index % 9 == 4:
            mask[:] = 0
        measured.append(scorer.measure(prediction, mask, f"{index:02}"))
    return measured


def fed(protocol: str, members: list[ImageScores]) -> Scorer:
    scorer = Scorer(protocol, METRICS.get(protocol), keep_curves=True)
    for image in members:
        scorer.add(image)
    return scorer


def assert_identical(one: ScoreTable, other: ScoreTable) -> None:
    assert one.scores.keys() == other.scores.keys()
    for name, value in one.scores.items():
        assert np.array_equal(value, other.scores[name], equal_nan=True), name
    assert one.per_image.equals(other.per_image)
    assert one.curves.equals(other.curves)
    assert one.image_facts.equals(other.image_facts)
    assert one.image_curves is not None and other.image_curves is not None
    assert one.image_curves.keys() == other.image_curves.keys()
    for name, curves in one.image_curves.items():
        assert np.array_equal(curves, other.image_curves[name], equal_nan=True), name


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.lists(st.integers(0, 24), max_size=9), st.booleans())
def test_any_split_gives_the_same_results(protocol: str, cuts: list[int], as_a_tree: bool) -> None:
    ends = [0, *sorted(cuts), 24]
    parts = [fed(protocol, images(protocol)[a:b]) for a, b in pairwise(ends)]
    if as_a_tree:  # a tree of merges, as workers do
        while len(parts) > 1:
            for one, other in zip(parts[::2], parts[1::2], strict=False):
                one.merge(other)
            parts = parts[::2]
    else:
        for part in parts[1:]:
            parts[0].merge(part)
    assert_identical(parts[0].result(), fed(protocol, images(protocol)).result())


def test_the_other_stays_as_it_is() -> None:
    one, other = fed("raw", images("raw")[:5]), fed("raw", images("raw")[5:9])
    before = other.result()
    one.merge(other)
    assert_identical(other.result(), before)
    one.add(images("raw")[20])
    assert other.result().n == 4


def test_scorers_travel_between_processes() -> None:
    one = fed("raw", images("raw")[:11])
    one.merge(pickle.loads(pickle.dumps(fed("raw", images("raw")[11:]))))
    assert_identical(one.result(), fed("raw", images("raw")).result())
    again = pickle.loads(pickle.dumps(Scorer("raw")))
    again.update(np.eye(9) > 0, np.eye(9) > 0, name="x")
    assert again.result().scores["MAE"] == 0


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Scorer("basnet2019", ["MAE"]), "different protocols: pysodmetrics here, basnet2019 there"),
        (Scorer(metrics=["MAE"], resize="nearest"), "different filters: none here, nearest there"),
        (Scorer("pysodmetrics", ["MAE", "S"]), "different metrics: MAE here, MAE S there"),
        (Scorer("pysodmetrics", ["MAE"], keep_curves=True), "keep_curves"),
    ],
)
def test_what_cannot_be_merged(other: Scorer, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Scorer("pysodmetrics", ["MAE"]).merge(other)


def test_names_given_twice_are_refused_and_nothing_is_added() -> None:
    one, other = fed("raw", images("raw")[:5]), fed("raw", images("raw")[3:9])
    before = one.result()
    with pytest.raises(InputError, match="name given twice: 03, 04"):
        one.merge(other)
    assert_identical(one.result(), before)
    with pytest.raises(InputError, match="given twice"):
        one.merge(one)


def test_reset_forgets_the_images() -> None:
    scorer = fed("raw", images("raw")[:5])
    scorer.reset()
    with pytest.raises(InputError, match="nothing to score"):
        scorer.result()
    for image in images("raw")[5:]:
        scorer.add(image)
    assert_identical(scorer.result(), fed("raw", images("raw")[5:]).result())


def test_says_what_it_holds() -> None:
    scorer = Scorer("raw", ["S", "maxF"])
    assert repr(scorer) == "Scorer(protocol='raw', metrics=['F', 'S'], images=0)"
    scorer.update(np.eye(9) > 0, np.eye(9) > 0)
    assert repr(scorer) == "Scorer(protocol='raw', metrics=['F', 'S'], images=1)"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6) | st.floats(0, 1), min_size=1, max_size=40), st.randoms())
def test_sums_are_exact(numbers: list[float], random) -> None:
    """The mean is that of the exact sum, up to 2^-79 per number and the last roundings, in every order."""
    running = RunningMean(1)
    running.add(np.array(numbers)[:, None])
    exact = sum((Fraction(number) for number in numbers), Fraction(0)) / len(numbers)
    size = sum((abs(Fraction(number)) for number in numbers), Fraction(0)) / len(numbers)
    assert abs(Fraction(running.mean()[0]) - exact) <= size / 2**50 + Fraction(1, 2**76)
    shuffled = list(numbers)
    random.shuffle(shuffled)
    other = RunningMean(1)
    for number in shuffled:
        other.add(np.array([[number]]))
    assert other.mean()[0] == running.mean()[0]


def test_undefined_values_are_left_out_of_means() -> None:
    running = RunningMean(2)
    running.add(np.array([[0.25, np.nan], [0.75, np.nan], [np.nan, np.nan]]))
    assert running.mean()[0] == 0.5
    assert np.isnan(running.mean()[1])
