"""Scores of groups: what the scorer gives for the group alone, intervals, marks, and groups of few images."""

import math
from dataclasses import replace

import numpy as np
import pytest

from results.stand_in import StandInDataset, run
from sodbench.data.attributes import MEASURES, ImageAttributes
from sodbench.metrics import Scorer
from sodbench.results.breakdown import FEWEST, break_down
from sodbench.results.group_tests import group_tests
from sodbench.results.new_run import new_run
from sodbench.results.paired_tests import holm, paired_tests

FULL = ["MAE@pysodmetrics", "maxF@pysodmetrics", "S@pysodmetrics"]


def attributes(images, lists, **measures) -> ImageAttributes:
    """Attributes of images that are all small, one object each; `measures` are others."""
    usual = {"area": 0.05, "objects": 1.0, "border": 0.0, "axes": 0.9, "width": 0.4, "contrast": math.nan}
    columns = {name: measures.get(name, (usual[name],) * len(images)) for name in MEASURES}
    listed = {name: len(names) for name, names in lists.items()}
    return ImageAttributes("sod", "d", tuple(images), columns, lists, listed)


def names(count: int, first: int = 0) -> tuple[str, ...]:
    return tuple(f"{number:04d}" for number in range(first, first + count))


def test_a_group_scores_as_if_the_set_consisted_of_it() -> None:
    """Real maps and masks through the scorer: all, and the group alone."""
    draw = np.random.default_rng(0)
    whole, part = Scorer(keep_curves=True), Scorer(keep_curves=True)
    listed = names(12, 5)
    for name in names(30):
        mask = np.zeros((40, 50), np.uint8)
        mask[8:30, 10:35] = 255
        saliency = np.clip(mask * draw.uniform(0.3, 1) + draw.integers(0, 120, mask.shape), 0, 255)
        for scorer in (whole, part) if name in listed else (whole,):
            scorer.update(saliency.astype(np.uint8), mask, name=name)
    one = new_run("net", StandInDataset("sod", "SOD", 30), {"pysodmetrics": whole.result()})
    alone = part.result().scores
    shown = break_down([one], attributes(names(30), {"here": listed}), FULL, resamples=100)
    place = [str(group) for group in shown.groups].index("list: here")
    for full in FULL:
        score = shown.scores["net", full, place]
        assert score.value == pytest.approx(alone[full.partition("@")[0]], abs=1e-7)
        assert score.low <= score.value <= score.high
        assert shown.scores["net", full, 0].value == one.values()[full]


def test_intervals_marks_and_notes() -> None:
    runs = [run("A", images=30), run("B", seed=1, images=30)]
    lists = {"few": names(FEWEST - 1), "enough": names(FEWEST), "empty": (), "rest": names(20, 10)}
    shown = break_down(runs, attributes(names(30), lists), FULL, resamples=100)
    at = {group.name: place for place, group in enumerate(shown.groups)}
    assert shown.groups[0].attribute == "all" and len(shown.groups[0].images) == 30
    assert [group.attribute for group in shown.groups].count("contrast") == 0
    for full in FULL:
        few, enough, empty = (shown.scores["A", full, at[name]] for name in ("few", "enough", "empty"))
        assert not math.isnan(few.value) and math.isnan(few.low) and not few.largest
        assert enough.low < enough.value < enough.high
        assert math.isnan(empty.value)
        sign = 1 if full.startswith("MAE") else -1
        assert enough.fall == pytest.approx(sign * (enough.value - shown.scores["A", full, 0].value))
        marked = [place for place in range(len(shown.groups)) if shown.scores["A", full, place].largest]
        falls = {
            place: shown.scores["A", full, place].fall
            for place, group in enumerate(shown.groups)
            if place and len(group.images) >= FEWEST
        }
        assert marked == [max(falls, key=falls.get)]


def test_without_curves_max_f_of_a_group_is_not_known_and_said() -> None:
    one = run("net", images=30)
    table = replace(one.tables["pysodmetrics"], image_curves=None)
    shown = break_down(
        [replace(one, tables={"pysodmetrics": table})],
        attributes(names(30), {"enough": names(15)}),
        FULL,
        resamples=100,
    )
    last = len(shown.groups) - 1
    assert shown.scores["net", FULL[1], 0].value == one.values()[FULL[1]]
    assert math.isnan(shown.scores["net", FULL[1], last].value)
    assert not math.isnan(shown.scores["net", FULL[0], last].value)
    assert "maxF@pysodmetrics by group needs the curves of every image" in shown.notes[-1]


def test_a_run_of_fewer_images_has_smaller_groups() -> None:
    shown = break_down([run("A", images=20)], attributes(names(30), {"half": names(15, 15)}), FULL)
    assert [len(group.images) for group in shown.groups if group.name in ("all images", "half")] == [20, 5]


def test_tests_within_groups_are_paired_tests_of_their_images() -> None:
    runs = [run(name, seed=seed, images=30) for seed, name in enumerate("AB")]
    lists = {"first": names(15), "second": names(15, 15), "few": names(3), "empty": ()}
    area = tuple(0.05 if number < 12 else 0.3 for number in range(30))
    made = group_tests(
        runs, attributes(names(30), lists, area=area), "pysodmetrics", ["MAE", "maxF"], resamples=200
    )
    tested = [(one.attribute, one.group) for one in made.tests if one.test.metric == "maxF"]
    assert ("size", "small") in tested and ("list", "first") in tested
    assert {str(one) for one in made.untested if one.attribute == "list"} == {
        "list: few (3 images)",
        "list: empty (no images)",
    }
    for metric in ("MAE", "maxF"):
        of_metric = [one for one in made.tests if one.test.metric == metric]
        assert [one.test.corrected for one in of_metric] == holm([one.test.p_value for one in of_metric])
        (first,) = (one.test for one in of_metric if one.group == "first")
        (direct,) = paired_tests(runs, "pysodmetrics", [metric], images=names(15), resamples=200)
        assert first.images == 15
        assert (first.p_value, first.difference) == (direct.p_value, direct.difference)
