"""The drop-in's classes beyond the standard five, against the package, image by image."""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import sodbench.metrics.dropin as dropin
from sodbench.data.images import read_map, read_mask
from sodbench.errors import InputError
from sodbench.metrics import Scorer, load_protocol
from sodbench.metrics.kernels import thinning
from sodbench.metrics.mask import binarise
from sodbench.metrics.plain import plain_scores
from sodbench.metrics.plain.picture import Picture

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import py_sod_metrics
    from skimage.morphology import skeletonize

DATA = Path(os.environ.get("SODBENCH_DATA", Path(__file__).parents[2].parent / "shared" / "data")) / "SOD"
# how a class is made, and where it keeps its images' results
CLASSES: dict[str, tuple[tuple[Any, ...], dict[str, Any], tuple[str, ...]]] = {
    "SizeInvarianceMAE": ((), {}, ("maes",)),
    "HumanCorrectionEffortMeasure": ((), {}, ("hces",)),
    "ContextMeasure": ((), {}, ("scores",)),
    "MSIoU": (
        (True, True),
        {"with_binary": True},
        ("dynamic_results", "adaptive_results", "binary_results"),
    ),
}
HANDLERS = [name for name in dir(py_sod_metrics) if name.endswith("Handler")]
Pair = tuple[NDArray[Any], NDArray[Any]]


def pair(seed: int, height: int, width: int, kind: str) -> Pair:
    """A map and a mask: noise of few or many levels, blobs, a line, a constant map, an empty or full mask."""
    random = np.random.default_rng(seed)
    levels = int(random.choice([1, 2, 5, 255]))
    grey = (random.integers(0, levels, (height, width), endpoint=True) * (255 // levels)).astype(np.uint8)
    mask = random.random((height, width)) > random.choice([0.1, 0.5, 0.9])
    if kind == "blobs":
        sigma = random.uniform(1, 6)
        field = gaussian_filter(random.random((height, width)), sigma)
        other = field + gaussian_filter(random.random((height, width)), sigma / 2) / 3
        grey = (255 * (other - other.min()) / (np.ptp(other) + 1e-9)).astype(np.uint8)
        mask = field > np.quantile(field, random.choice([0.3, 0.7, 0.9]))
    elif kind == "line":
        mask[:] = False
        step = int(random.integers(0, 3))
        rows = np.arange(height)
        columns = rows * step + int(random.integers(width))
        mask[rows[columns < width], columns[columns < width]] = True
    elif kind == "constant":
        grey[:] = random.choice([0, 77, 255])
    elif kind in ("empty", "full"):
        mask[:] = kind == "full"
    return grey, mask * np.uint8(255)


def made(package: Any, name: str, **options: Any) -> Any:
    arguments, keywords, _ = CLASSES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(package, name)(*arguments, **keywords | options)


def stepped(metric: Any, pred: NDArray[Any], gt: NDArray[Any], normalize: bool = True) -> Any:
    """The metric after a step; the name of what the step raises instead."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            metric.step(pred, gt, normalize)
        except (np.linalg.LinAlgError, AssertionError) as error:
            return type(error).__name__
    return metric


def assert_same(name: str, ours: Any, theirs: Any) -> None:
    """The same results, or the same error; a number where the package divides by 0 or asserts."""
    if isinstance(theirs, str):
        assert ours == theirs or theirs == "AssertionError"
        return
    for attribute in CLASSES[name][2]:
        found, expected = np.array(getattr(ours, attribute)), np.array(getattr(theirs, attribute))
        assert found.shape == expected.shape
        if name == "SizeInvarianceMAE" and np.isnan(expected).any():
            assert np.isfinite(found).all()
        elif name == "HumanCorrectionEffortMeasure":
            np.testing.assert_array_equal(found, expected)
        else:
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9, err_msg=attribute)


KINDS = ["noise", "blobs", "line", "constant", "empty", "full"]
drawn = given(
    st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(1, 140), st.sampled_from(KINDS), st.booleans()
)
often = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.mark.parametrize("name", CLASSES)
@often
@drawn
@example(0, 1, 1, "noise", True)
@example(0, 1, 1, "full", True)
@example(0, 1, 1, "empty", False)
@example(0, 64, 128, "full", True)
@example(3, 2, 65, "noise", False)
def test_one_image(name: str, seed: int, height: int, width: int, kind: str, normalize: bool) -> None:
    """8-bit maps scaled to 0..1, and floating-point maps as they are."""
    grey, mask = pair(seed, height, width, kind)
    pred, gt = (grey, mask) if normalize else (grey / 255, mask > 0)
    ours, theirs = (stepped(made(one, name), pred, gt, normalize) for one in (dropin, py_sod_metrics))
    assert_same(name, ours, theirs)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MSIoU", {"num_levels": 4}),
        ("MSIoU", {"num_levels": 15}),
        ("MSIoU", {"with_binary": False}),
        ("HumanCorrectionEffortMeasure", {"relax": 0, "epsilon": 0.5}),
        ("HumanCorrectionEffortMeasure", {"relax": 3, "epsilon": 4.0}),
        ("ContextMeasure", {"beta2": 0.3, "alpha": 2.0}),
        ("ContextMeasure", {"beta2": 1.2, "alpha": 11.0}),
    ],
)
def test_options(name: str, options: dict[str, Any]) -> None:
    ours, theirs = made(dropin, name, **options), made(py_sod_metrics, name, **options)
    for seed in range(3):
        for metric in (ours, theirs):
            stepped(metric, *pair(seed, 40, 50, "blobs"))
    results, expected = ours.get_results(), theirs.get_results()
    assert list(results) == list(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(results[key], value, rtol=0, atol=1e-9)


def size_invariant(package: Any, sample_based: bool) -> Any:
    options = {"with_dynamic": True, "with_adaptive": True, "with_binary": True, "sample_based": sample_based}
    return package.SizeInvarianceFmeasureV2({name: getattr(package, name)(**options) for name in HANDLERS})


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@drawn
@example(0, 40, 60, "noise", True)
def test_size_invariant_f_with_every_handler(
    seed: int, height: int, width: int, kind: str, sample_based: bool
) -> None:
    pictures = [pair(seed + k, height, width, kind) for k in range(2)]
    if any(mask.all() for _, mask in pictures):
        return  # the package asserts
    ours, theirs = (size_invariant(one, sample_based) for one in (dropin, py_sod_metrics))
    for pred, gt in pictures:
        assert not isinstance(stepped(theirs, pred, gt), str)
        stepped(ours, pred, gt)
    with np.errstate(all="ignore"):
        results, expected = ours.get_results(), theirs.get_results()
    assert list(results) == list(expected)
    for name, values in expected.items():
        for form, value in values.items():
            found = results[name][form]
            if isinstance(value, list):
                assert [one.shape for one in found] == [one.shape for one in value]
                found, value = np.concatenate(found), np.concatenate(value)
            np.testing.assert_allclose(found, value, rtol=0, atol=1e-9, err_msg=f"{name} {form}")


def many(rows: int) -> Pair:
    """A map, and nine objects in each of some rows."""
    mask = np.zeros((90, 90), np.uint8)
    mask.reshape(9, 10, 9, 10)[:rows, :8, :, :8] = 255
    return pair(1, 90, 90, "blobs")[0], mask


def test_more_objects_than_the_package_tells_apart() -> None:
    """Its boxes are bits of a float64: from 53 on its results are taken, from 64 on it raises."""
    for name in ("siMAE", "siF"):
        results = []
        for package in (dropin, py_sod_metrics):
            metric = made(package, "SizeInvarianceMAE") if name == "siMAE" else size_invariant(package, True)
            value = stepped(metric, *many(6)).get_results()
            results.append(value["si_mae"] if name == "siMAE" else value["IOUHandler"]["dynamic"][0])
        np.testing.assert_array_equal(*results)
    metric = stepped(size_invariant(dropin, True), *many(9))
    assert metric.get_results()["IOUHandler"]["dynamic"][0].shape == (81, 256)
    protocol = load_protocol("pysodmetrics")
    columns, curves = plain_scores(Picture(*many(9)), protocol, ["SI"])
    found = Scorer(protocol, ["SI"]).measure(*many(9), "x")
    assert found.columns == pytest.approx(columns, abs=1e-9)
    np.testing.assert_allclose(found.curves["siF"], curves["siF"], rtol=0, atol=1e-9)


def test_a_full_mask_is_one_object() -> None:
    grey, mask = pair(0, 20, 30, "full")
    ours = stepped(made(dropin, "SizeInvarianceMAE"), grey, mask)
    whole = stepped(dropin.MAE(), grey, mask)
    assert ours.maes[0] == pytest.approx(whole.maes[0], abs=1e-12)
    f = stepped(size_invariant(dropin, True), grey, mask)
    assert f.get_results()["IOUHandler"]["dynamic"][0].shape == (1, 256)


REAL = [(method, index) for method in ("Amulet", "DSS", "PiCANet") for index in (10, 150)]


@pytest.mark.parametrize(("method", "index"), REAL)
@pytest.mark.skipif(not DATA.is_dir(), reason="needs the SOD maps")
def test_real_maps(method: str, index: int) -> None:
    """Published maps in every class; of MSIoU's dynamic form (seconds in the package) a part of them."""
    path = sorted((DATA / "maps" / method).glob("*.png"))[index]
    pred, gt = read_map(path), read_mask(DATA / "GT" / path.name)
    for name in CLASSES:
        if name == "MSIoU":
            pred, gt = pred[100:200, 100:180], gt[100:200, 100:180]
        ours, theirs = (stepped(made(one, name), pred, gt) for one in (dropin, py_sod_metrics))
        assert_same(name, ours, theirs)


def test_the_scorer_s_curve_of_msiou_is_the_package_s() -> None:
    pred, gt = pair(5, 40, 50, "blobs")
    theirs = stepped(made(py_sod_metrics, "MSIoU"), pred, gt)
    scorer = Scorer(metrics=["MSIoU"])
    scorer.update(pred, gt, name="x")
    result = scorer.result()
    np.testing.assert_allclose(result.curves["MSIoU"], theirs.dynamic_results[0][:256], rtol=0, atol=1e-9)
    assert result.scores["maxMSIoU"] == pytest.approx(max(theirs.dynamic_results[0][:256]), abs=1e-9)
    assert result.scores["meanMSIoU"] == pytest.approx(np.mean(theirs.dynamic_results[0][:256]), abs=1e-9)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(1, 140), st.sampled_from(KINDS))
def test_skeleton_is_scikit_image_s(seed: int, height: int, width: int, kind: str) -> None:
    mask = pair(seed, height, width, kind)[1]
    packed = binarise(mask, 129).packed
    thin = np.empty_like(packed)
    thinning.skeleton(packed, thinning.removable(), thin)
    found = np.unpackbits(thin.view(np.uint8), axis=1, bitorder="little")
    np.testing.assert_array_equal(found[:, :width], skeletonize(mask > 0))
    assert not found[:, width:].any()


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_method_and_attribute_of_the_package(name: str) -> None:
    ours, theirs = made(dropin, name), made(py_sod_metrics, name)
    for step in (lambda metric: metric, lambda metric: stepped(metric, *pair(7, 40, 60, "blobs"))):
        step(ours)
        step(theirs)
        for attribute in (one for one in dir(theirs) if not one.startswith("_")):
            mine, its = getattr(ours, attribute), getattr(theirs, attribute)
            assert callable(mine) == callable(its), attribute
            if isinstance(its, int | float):
                assert mine == its, attribute


def overriding(package: Any, name: str, methods: dict[str, Any]) -> Any:
    return type(f"My{name}", (getattr(package, name),), methods)


OVERRIDES = [
    ("MSIoU", "get_edge", lambda self, mask: mask.astype(np.float64)),
    ("HumanCorrectionEffortMeasure", "count_polygon_control_points", lambda self, boundaries, epsilon: 70),
    ("ContextMeasure", "compute", lambda self, pred, gt, cd: 0.25),
    ("ContextMeasure", "_reverse_deduction", lambda self, X, Y, kernel: Y * 0.5),
]


@pytest.mark.parametrize(("name", "method", "changed"), OVERRIDES)
def test_a_subclass_that_overrides_a_method_is_obeyed(name: str, method: str, changed: Any) -> None:
    arguments, keywords, attributes = CLASSES[name]
    picture = pair(9, 40, 60, "blobs")
    found, expected = (
        stepped(overriding(one, name, {method: changed})(*arguments, **keywords), *picture)
        for one in (dropin, py_sod_metrics)
    )
    plain = stepped(made(dropin, name), *picture)
    for attribute in attributes:
        mine, its = getattr(found, attribute), getattr(expected, attribute)
        np.testing.assert_allclose(mine, its, rtol=0, atol=1e-12)
        assert not np.allclose(mine, getattr(plain, attribute))


def test_a_size_invariant_subclass_that_overrides_its_counts_is_obeyed() -> None:
    def counts(**keywords: Any) -> dict[str, int]:
        return {"tp": 1, "fp": 2, "tn": 3, "fn": 4}

    for package in (dropin, py_sod_metrics):
        changed = overriding(package, "SizeInvarianceFmeasureV2", {"get_statistics": staticmethod(counts)})
        metric = changed({"x": package.IOUHandler(False, False, with_binary=True)})
        stepped(metric, *pair(9, 40, 60, "blobs"))
        assert metric.get_results()["x"]["binary"] == pytest.approx(1 / 7)


@pytest.mark.parametrize("name", [*CLASSES, "SizeInvarianceFmeasureV2"])
def test_bad_input_raises_value_error_and_adds_nothing(name: str) -> None:
    metric = size_invariant(dropin, True) if name == "SizeInvarianceFmeasureV2" else made(dropin, name)
    pred, gt = pair(0, 20, 30, "blobs")
    for bad in ((pred[:-1], gt), (pred, gt // 255), (pred.astype(np.uint16), gt)):
        with pytest.raises(ValueError, match=r"height x width|0 and 1|16-bit"):
            metric.step(*bad)
    if name != "SizeInvarianceFmeasureV2":
        with pytest.raises(InputError, match="step"):
            metric.get_results()
    with pytest.raises(InputError, match="handlers"):
        dropin.SizeInvarianceFmeasureV2().step(pred, gt)
