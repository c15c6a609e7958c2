"""The plain metrics equal pysodmetrics, the scorer equals both; defects of the scorer that this found."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sodbench.metrics import Protocol, Scorer, load_protocol, protocol_names
from sodbench.metrics.plain import PLAIN, plain_scores
from sodbench.metrics.plain.data_set import data_set_scores
from sodbench.metrics.plain.package import NEEDED_BY, package_scores, s_is_left_to_chance
from sodbench.metrics.plain.picture import Picture
from sodbench.metrics.protocol import STANDARD
from sodbench.metrics.registry import all_families

TOLERANCE = 1e-7
FURTHER = [name for name in all_families() if name not in STANDARD and name not in NEEDED_BY]
OBJECT = np.zeros((30, 40), np.uint8)
OBJECT[10:20, 12:25] = 255
RAMP = (np.arange(1200).reshape(30, 40) * 7 % 256).astype(np.uint8)
FREE: dict[str, tuple] = {
    "f_left_out": ((), ("empty-mask",), ("empty-map",), ("empty-mask", "empty-map")),
    "mask_threshold": (0.0, 25.5, 127.0, 128.0, 254.0, 255.0),
    "f_beta2": (0.3, 1.0),
    "wf_beta2": (0.3, 1.0),
    "boundary_beta2": (0.3, 1.0),
    "precision_epsilon": (0.0, 1e-8, 0.5),
    "recall_epsilon": (0.0, 0.5),
    "f_epsilon": (0.0, 1e-8, 0.5),
    "e_epsilon": (2.0**-52, 0.5),
    "scale_epsilon": (0.0, 1e-8),
    "s_epsilon": (2.0**-52, 1e-8, 0.0),
    "s_alpha": (0.5, 0.0, 0.3, 1.0),
    "wf_epsilon": (2.0**-52, 1e-6, 0.0),
    "boundary_radius": (1, 2, 3),
    "boundary_average": ("images", "means"),
}


def protocols() -> st.SearchStrategy[Protocol]:
    """Shipped protocols with some of their conventions exchanged."""
    exchanged = st.fixed_dictionaries(
        {},
        optional={key: st.sampled_from(FREE[key]) for key in FREE}
        | {
            key: st.sampled_from(one)
            for key, one in {
                "mae_scale": ("255", "max", "min-max"),
                "mask_in_mae": ("binary", "grey"),
                "f_scale": ("255", "max", "min-max"),
                "e_scale": ("255", "max", "min-max"),
                "s_scale": ("255", "max", "min-max"),
                "wf_scale": ("255", "max", "min-max"),
                "quantise": ("truncate", "round", "exact"),
                "levels": (255, 256),
                "mean_f": ("curve", "adaptive"),
                "f_adaptive": (True, False),
                "e_comparator": (">", ">="),
                "e_denominator": ("N-1", "N"),
                "e_curve": (True, False),
                "s_object_ddof": (0, 1),
                "s_variance_ddof": (0, 1),
                "s_covariance_ddof": (0, 1),
                "s_centre_rounding": ("half-even", "half-up"),
                "s_clip": (True, False),
                "boundary_window": ("square", "disk"),
                "boundary_erosion": ("cross", "square"),
                "empty_mask": ("zero", "agreement"),
                "mask_scale": ("255", "max"),
                "mask_comparator": (">", ">="),
            }.items()
        },
    )
    everything = {"name": "mixed", "families": STANDARD}
    bases = st.sampled_from([load_protocol(name) for name in protocol_names()])
    return st.builds(lambda base, some: dataclasses.replace(base, **everything, **some), bases, exchanged)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[NDArray, NDArray]:
    """Maps of few or many levels, constant ones too; masks of any share, blocks or specks, also grey."""
    shape = draw(st.tuples(st.integers(1, 24), st.integers(1, 24)))
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    some = ([0], [77], [255], [0, 255], [0, 1, 255], [10, 20, 200], [254, 255], list(range(256)))
    levels = np.array(draw(st.sampled_from(some)), np.uint8)
    prediction = levels[seed.integers(0, len(levels), shape)]
    share = draw(st.sampled_from([0.0, 0.02, 0.3, 0.7, 1.0]))
    mask = (seed.random(shape) < share).astype(np.uint8) * np.uint8(255)
    if draw(st.booleans()):
        mask[seed.random(shape) < 0.2] = draw(st.sampled_from([25, 26, 127, 128, 129, 200]))
    if draw(st.booleans()):
        grow = np.ones((draw(st.integers(2, 9)),) * 2, np.uint8)
        prediction, mask = np.kron(prediction, grow), np.kron(mask, grow)
    return prediction, mask


def assert_equal(found: dict, expected: dict, names: set[str]) -> None:
    """All values of those names agree, NaN with NaN."""
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=TOLERANCE, err_msg=name)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(pictures())
def test_scorer_and_plain_metrics_equal_the_package(picture: tuple[NDArray, NDArray]) -> None:
    one = Picture(*picture)
    columns, curves = package_scores(one)
    plain_columns, plain_curves = plain_scores(one, load_protocol("pysodmetrics"), STANDARD)
    found = Scorer().measure(*picture, "image")
    assert_equal(plain_columns, columns, set(columns))
    assert_equal(plain_curves, curves, set(curves))
    assert_equal(found.columns, columns, set(columns))
    assert_equal(found.curves, curves, set(curves))


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(pictures(), protocols())
def test_scorer_equals_the_plain_metrics(picture: tuple[NDArray, NDArray], protocol: Protocol) -> None:
    families = [*STANDARD, *FURTHER]
    columns, curves = plain_scores(Picture(*picture), protocol, families)
    found = Scorer(protocol, families).measure(*picture, "image")
    assert found.columns.keys() == columns.keys() and found.curves.keys() == curves.keys()
    assert_equal(found.columns, columns, set(columns))
    assert_equal(found.curves, curves, set(curves))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", NEEDED_BY)
@pytest.mark.parametrize("mask", [OBJECT, OBJECT * 0, OBJECT * 0 + 255, np.eye(30, 40, dtype=np.uint8) * 255])
def test_metrics_defined_by_the_package(family: str, mask: NDArray) -> None:
    for protocol in (load_protocol("pysodmetrics"), load_protocol("raw")):
        columns, curves = plain_scores(Picture(RAMP, mask), protocol, [family])
        found = Scorer(protocol, [family]).measure(RAMP, mask, "image")
        assert_equal(found.columns, columns, set(found.columns))
        assert_equal(found.curves, curves, set(found.curves))


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(pictures(), protocols())
def test_scorer_equals_the_package_under_every_protocol(
    picture: tuple[NDArray, NDArray], protocol: Protocol
) -> None:
    columns, curves = plain_scores(Picture(*picture), protocol, NEEDED_BY)
    found = Scorer(protocol, NEEDED_BY).measure(*picture, "image")
    assert_equal(found.columns, columns, set(found.columns))
    assert_equal(found.curves, curves, set(found.curves))


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (2, 2), (500, 620), (900, 310)])
def test_sizes_at_which_a_formula_changes(shape: tuple[int, int]) -> None:
    """N - 1 of two pixels; the boundary widths of mBA and bIoU, which grow with the sides of a picture."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    prediction = ((3 * x + 5 * y) % 256).astype(np.uint8)
    mask = np.where((x < 0.6 * shape[1]) & (y >= 0.3 * shape[0]), 255, 0).astype(np.uint8)
    for protocol in (load_protocol("pysodmetrics"), load_protocol("raw")):
        families = [*STANDARD, *FURTHER]
        columns, curves = plain_scores(Picture(prediction, mask), protocol, families)
        found = Scorer(protocol, families).measure(prediction, mask, "image")
        assert_equal(found.columns, columns, set(columns))
        assert_equal(found.curves, curves, set(curves))
        n = mask.size
        perfect = plain_scores(Picture(mask, mask), protocol, ["E"])[0]["maxE"]
        assert perfect == pytest.approx(n / (n - 1) if protocol.e_denominator == "N-1" else 1.0)


def test_half_is_not_above_half() -> None:
    """Of a map of 0, 100 and 200, divided by its maximum, only 200 is above .5."""
    protocol = dataclasses.replace(load_protocol("raw"), name="max", f_scale="max")
    prediction = OBJECT // 255 * np.uint8(200)
    prediction[:8] = 100
    families = ["IoU", "Dice", "BER", "bIoU", "mBA"]
    perfect = {"IoU": 1.0, "Dice": 1.0, "BER": 0.0, "bIoU": 1.0, "mBA": 1.0}
    for columns in (
        plain_scores(Picture(prediction, OBJECT), protocol, families)[0],
        Scorer(protocol, families).measure(prediction, OBJECT, "image").columns,
    ):
        assert {name: columns[name] for name in perfect} == perfect


@pytest.mark.filterwarnings("error")
def test_the_package_warns_nobody() -> None:
    """It warns about its own names and divides by 0; neither is for the user of a self-check."""
    for mask in (OBJECT, OBJECT * 0):
        package_scores(Picture(OBJECT, mask))
        plain_scores(Picture(OBJECT, mask), load_protocol("raw"), NEEDED_BY)


def corner(row: int, column: int) -> NDArray:
    """One object pixel in a picture of 5 x 8."""
    mask = np.zeros((5, 8), np.uint8)
    mask[row, column] = 255
    return mask


LEFT_TO_CHANCE = {
    "centre in the last row": (RAMP[:5, :8], corner(4, 2), True),
    "centre in the last column": (RAMP[:5, :8], corner(2, 7), True),
    "centre before both": (RAMP[:5, :8], corner(3, 6), False),
    "no object": (RAMP[:5, :8], corner(0, 0) * 0, False),
    "a quadrant of one grey level": (np.where(np.arange(8) > 3, 90, RAMP[:5, :8]), corner(2, 3), True),
    "a quadrant of the lowest level": (np.where(np.arange(8) > 3, 0, RAMP[:5, :8]), corner(2, 3), False),
    "one level for all": (np.full((5, 8), 90), corner(2, 3), True),
    "white for all": (np.full((5, 8), 255), corner(2, 3), False),
}


@pytest.mark.parametrize("case", LEFT_TO_CHANCE)
def test_where_the_package_leaves_s_to_chance(case: str) -> None:
    prediction, mask, chance = LEFT_TO_CHANCE[case]
    prediction = prediction.astype(np.uint8)
    assert s_is_left_to_chance(prediction, mask > 0) is chance
    columns, _ = package_scores(Picture(prediction, mask))
    assert ("S" in columns) is not chance


@pytest.mark.parametrize("small", [0, 3])
def test_size_invariant_error_where_the_box_is_the_image(small: int) -> None:
    """The package divides by the area outside the box, which is 0. Objects below 50 pixels have no box."""
    mask = np.zeros((26, 25), np.uint8)
    mask[0], mask[1:, 0] = 255, 255  # an angle of 50 pixels
    mask[10 : 10 + small, 10 : 10 + small] = 255
    prediction = RAMP[:26, :25].copy()
    protocol = load_protocol("raw")
    expected = np.abs(prediction / 255 - (mask > 0)).mean()
    assert plain_scores(Picture(prediction, mask), protocol, ["SI"])[0]["siMAE"] == pytest.approx(expected)
    found = Scorer(protocol, ["SI"]).measure(prediction, mask, "image").columns["siMAE"]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("mask", [OBJECT * 0, OBJECT * 0 + 255])
def test_relaxed_recall_of_a_mask_without_a_boundary_is_zero(mask: NDArray) -> None:
    """It counts in the mean over images, from which BASNet's protocol takes F."""
    nothing = {"relaxF": 0.0, "relaxP": 0.0, "relaxR": 0.0}
    protocol = load_protocol("basnet2019")
    assert Scorer(protocol, ["relaxF"]).measure(RAMP, mask, "image").columns == nothing
    assert plain_scores(Picture(RAMP, mask), protocol, ["relaxF"])[0] == nothing


@pytest.mark.parametrize("name", protocol_names())
@pytest.mark.parametrize("changes", [{}, {"boundary_average": "images"}, {"mean_f": "adaptive"}])
def test_the_data_set_s_scores_follow_from_those_of_its_images(name: str, changes: dict) -> None:
    protocol = dataclasses.replace(load_protocol(name), name="changed", **changes)
    families = [family for family in [*STANDARD, *FURTHER] if family in (*protocol.families, *FURTHER)]
    scorer = Scorer(protocol, families, keep_curves=True)
    seed = np.random.default_rng(3)
    for number in range(6):
        scorer.update(
            np.where(seed.random(RAMP.shape) < 0.5, RAMP, OBJECT), np.roll(OBJECT, number), f"{number}"
        )
    scorer.update(RAMP, OBJECT * 0, "empty mask")
    scorer.update(RAMP * 0, OBJECT, "empty map")
    table = scorer.result()
    columns = {str(one): table.per_image[one].to_numpy(np.float64) for one in table.per_image}
    derived = data_set_scores(columns, table.image_curves, protocol)
    assert derived.keys() == table.scores.keys()
    assert_equal(derived, table.scores, set(derived))


def test_a_data_set_of_images_that_are_left_out_has_no_f() -> None:
    protocol = dataclasses.replace(load_protocol("raw"), name="none", f_left_out=("empty-mask",))
    scorer = Scorer(protocol, ["F", "MAE"], keep_curves=True)
    scorer.update(RAMP, OBJECT * 0, "a")
    table = scorer.result()
    columns = {str(one): table.per_image[one].to_numpy(np.float64) for one in table.per_image}
    derived = data_set_scores(columns, table.image_curves, protocol)
    assert np.isnan(derived["maxF"]) and np.isnan(table.scores["maxF"])
    assert_equal(derived, table.scores, set(table.scores))


def test_every_family_has_a_plain_form() -> None:
    assert PLAIN.keys() == all_families().keys()


# --- what the comparison found in the scorer ---------------------------------------------------------------


def test_error_against_a_grey_mask_takes_the_mask_not_the_object() -> None:
    """A mask of 0 and 100 is no object above 128, and still 0 and 1 once it is divided by its maximum."""
    protocol = dataclasses.replace(load_protocol("pysodmetrics"), name="grey", mask_in_mae="grey")
    mask = np.where(OBJECT > 0, 100, 0).astype(np.uint8)
    found = Scorer(protocol, ["MAE"]).measure(np.where(OBJECT > 0, 200, 0).astype(np.uint8), mask, "image")
    assert found.columns["MAE"] == 0.0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("comparator", [">", ">="])
def test_error_against_an_empty_grey_mask_is_the_mean_of_the_map(comparator: str) -> None:
    """Also where every pixel of it passes for object, at the threshold 0."""
    protocol = dataclasses.replace(
        load_protocol("raw"), name="grey", mask_in_mae="grey", mask_threshold=0.0, mask_comparator=comparator
    )
    found = Scorer(protocol, ["MAE"]).measure(RAMP, OBJECT * 0, "image")
    assert found.columns["MAE"] == pytest.approx(RAMP.mean() / 255)


def test_structure_of_a_single_pixel_without_an_epsilon() -> None:
    """N - 1 is 0 in a quadrant of one pixel; what is constant has no variance all the same."""
    protocol = dataclasses.replace(load_protocol("raw"), name="no epsilon", s_epsilon=0.0)
    corner = np.zeros((5, 6), np.uint8)
    corner[0, 0] = 255
    picture = RAMP[:5, :6].copy(), corner
    found, usual = (Scorer(one, ["S"]).measure(*picture, "image").columns["S"] for one in (protocol, "raw"))
    assert found == pytest.approx(usual, abs=1e-9) and found > 0


@pytest.mark.parametrize("prediction", [OBJECT * 0, np.uint8(255) - OBJECT])
def test_weighted_f_without_an_epsilon(prediction: NDArray) -> None:
    protocol = dataclasses.replace(load_protocol("raw"), name="no epsilon", wf_epsilon=0.0)
    for truth in (OBJECT, OBJECT * 0 + 255):
        found = Scorer(protocol, ["wF"]).measure(prediction, truth, "image").columns["wF"]
        assert 0 <= found <= 1
