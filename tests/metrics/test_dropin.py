"""The drop-in: the package's own loop, with one import changed, gives the same dictionaries."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import sodbench.metrics.dropin as dropin
from sodbench.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import py_sod_metrics

NAMES = ("MAE", "Fmeasure", "Emeasure", "Smeasure", "WeightedFmeasure")


def loop(package: Any, pictures: list[tuple[NDArray, NDArray]], normalize: bool = True) -> dict:
    """The loop of the package's own example."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metrics = [getattr(package, name)() for name in NAMES]
    results: dict = {}
    for pred, gt in pictures:
        for metric in metrics:
            metric.step(pred=pred, gt=gt, normalize=normalize)
    for metric in metrics:
        results |= metric.get_results()
    return results


def flat(nested: dict, prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in nested.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


def assert_same(found: dict, expected: dict, tolerance: float = 1e-9) -> None:
    found, expected = flat(found), flat(expected)
    assert list(found) == list(expected)
    for key, value in expected.items():
        assert np.shape(found[key]) == np.shape(value), key
        np.testing.assert_allclose(found[key], value, rtol=0, atol=tolerance, err_msg=key)


def pictures(seed: int, n: int = 4, shape: tuple[int, int] = (37, 70)) -> list[tuple[NDArray, NDArray]]:
    random = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        y, x = np.mgrid[: shape[0], : shape[1]]
        field = (
            np.sin(x / random.uniform(5, 20))
            + np.cos(y / random.uniform(4, 9))
            + random.normal(0, 0.2, shape)
        )
        found.append(
            (
                np.clip(120 + 90 * field, 0, 255).astype(np.uint8),
                (field > 0.7).astype(np.uint8) * np.uint8(255),
            )
        )
    return found


def test_same_dictionaries() -> None:
    found = loop(dropin, pictures(0))
    assert_same(found, loop(py_sod_metrics, pictures(0)))
    assert set(found) == {"mae", "fm", "pr", "em", "sm", "wfm"}


def test_same_per_image_attributes() -> None:
    (pred, gt), *_ = pictures(1)
    for name in NAMES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours, theirs = getattr(dropin, name)(), getattr(py_sod_metrics, name)()
        ours.step(pred, gt)
        theirs.step(pred, gt)
        for key, value in vars(theirs).items():
            if isinstance(value, list):
                np.testing.assert_allclose(getattr(ours, key), value, rtol=0, atol=1e-9, err_msg=key)


def test_same_with_other_betas() -> None:
    for pred, gt in pictures(2):
        for name, argument in (("Fmeasure", 0.7), ("Smeasure", 0.3), ("WeightedFmeasure", 0.3)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ours, theirs = getattr(dropin, name)(argument), getattr(py_sod_metrics, name)(argument)
            ours.step(pred, gt)
            theirs.step(pred, gt)
            assert_same(ours.get_results(), theirs.get_results())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.sampled_from([4, 17, 200, 10**9]))
def test_float_maps_without_normalisation(seed: int, side: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    pred = random.integers(0, levels, (side, side + 3), endpoint=True) / levels
    gt = np.zeros(pred.shape, bool)
    gt[side // 4 : side // 2 + 1, side // 3 : side // 2 + 2] = True
    assert_same(
        loop(dropin, [(pred, gt)], normalize=False), loop(py_sod_metrics, [(pred, gt)], normalize=False)
    )


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_float_maps_with_normalisation(kind: type) -> None:
    """8-bit levels as k / 255 in either precision fall on the same levels as in the package."""
    maps = [((pred / kind(255)).astype(kind), gt) for pred, gt in pictures(3)]
    assert_same(loop(dropin, maps), loop(py_sod_metrics, maps), 1e-9 if kind is np.float64 else 3e-7)


def test_the_object_of_a_grey_mask() -> None:
    """Above 128, as in the package: 128 is background, 129 is object."""
    pred, gt = pictures(10)[0]
    gt[:9], gt[9:18], gt[18:20] = 128, 129, 130
    assert_same(loop(dropin, [(pred, gt)]), loop(py_sod_metrics, [(pred, gt)]))
    metric = dropin.Emeasure()
    metric.step(pred, gt)
    assert metric.gt_fg_numel == np.count_nonzero(gt > 128)


def test_array_reused_by_the_caller() -> None:
    """A loop may read every picture into the same array."""
    metric, other = dropin.MAE(), dropin.Smeasure()
    pred, gt = np.zeros((8, 9), np.uint8), np.zeros((8, 9), np.uint8)
    for a, b in pictures(4, shape=(8, 9)):
        pred[:], gt[:] = a, b
        metric.step(pred, gt)
        other.step(pred, gt)
    expected = loop(py_sod_metrics, pictures(4, shape=(8, 9)))
    assert metric.get_results()["mae"] == pytest.approx(expected["mae"], abs=1e-12)
    assert other.get_results()["sm"] == pytest.approx(expected["sm"], abs=1e-12)


def test_fmeasure_v2_and_other_names() -> None:
    def v2(package: Any) -> Any:
        options = {"with_dynamic": True, "with_adaptive": True, "with_binary": True}
        handlers = {
            name: getattr(package, name)(**options) for name in ("IOUHandler", "DICEHandler", "BERHandler")
        }
        handlers["overall"] = package.FmeasureHandler(**options, sample_based=False)
        return package.FmeasureV2(handlers)

    ours, theirs = v2(dropin), v2(py_sod_metrics)
    for pred, gt in pictures(5):
        ours.step(pred, gt)
        theirs.step(pred, gt)
    assert_same(ours.get_results(), theirs.get_results())
    assert dropin.CamouflageContextMeasure is py_sod_metrics.CamouflageContextMeasure


MAP, MASK = pictures(6)[0]
BAD = {
    "colour": (np.stack([MAP] * 3, 2), MASK, "colour"),
    "16-bit": (MAP.astype(np.uint16), MASK, "16-bit"),
    "nan": (np.where(MAP > 100, np.nan, 0.5), MASK, "NaN"),
    "infinite": (np.where(MAP > 100, np.inf, 0.5), MASK, "infinite"),
    "outside 0..1": (MAP.astype(float), MASK, "0..1"),
    "negative": (MAP / 255 - 0.5, MASK, "0..1"),
    "no pixels": (MAP[:0], MASK[:0], "no pixels"),
    "size": (MAP[:-1], MASK, "height x width"),
    "mask of 0 and 1": (MAP, MASK // 255, "0 and 1"),
    "float mask": (MAP, MASK / 255, "uint8"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("name", NAMES)
def test_bad_input_raises_value_error_and_adds_nothing(name: str, case: str) -> None:
    pred, gt, message = BAD[case]
    metric = getattr(dropin, name)()
    with pytest.raises(ValueError, match=message):
        metric.step(pred, gt)
    with pytest.raises(InputError, match="step"):
        metric.get_results()


def test_types_without_normalisation() -> None:
    with pytest.raises(ValueError, match="normalize=False"):
        dropin.MAE().step(MAP, MASK, normalize=False)
    with pytest.raises(ValueError, match="normalize=False"):
        dropin.MAE().step(MAP / 255, MASK, normalize=False)
    with pytest.raises(ValueError, match="normalize=False"):
        dropin.MAE().step(MAP, MASK > 0, normalize=False)


def test_bool_mask_is_an_object() -> None:
    ours, same = dropin.Fmeasure(), dropin.Fmeasure()
    ours.step(MAP, MASK > 0)
    same.step(MAP, MASK)
    assert_same(ours.get_results(), same.get_results(), 0.0)


MIRRORED = (*NAMES, "FmeasureV2")


def both(name: str, *arguments: Any) -> tuple[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(dropin, name)(*arguments), getattr(py_sod_metrics, name)(*arguments)


@pytest.mark.parametrize("name", MIRRORED)
def test_every_public_method_and_attribute_of_the_package(name: str) -> None:
    """By introspection, before and after a step: a subclass finds what it finds in the package."""
    handlers = ({"f": py_sod_metrics.FmeasureHandler(True, True)},) if name == "FmeasureV2" else ()
    ours, theirs = both(name, *handlers)
    for step in (lambda _: None, lambda metric: metric.step(*pictures(7)[0])):
        step(ours)
        step(theirs)
        for attribute in (one for one in dir(theirs) if not one.startswith("_")):
            mine, its = getattr(ours, attribute), getattr(theirs, attribute)
            assert callable(mine) == callable(its), attribute
            if isinstance(its, int | float):
                assert mine == its, attribute


# the package's methods that compute something, with the arguments that they take
CALLS = {
    "MAE": {"cal_mae": "pred gt"},
    "Fmeasure": {"cal_adaptive_fm": "pred gt", "cal_pr": "pred gt"},
    "Emeasure": {
        "cal_adaptive_em": "pred gt",
        "cal_changeable_em": "pred gt",
        "cal_em_with_threshold": "pred gt .4",
        "cal_em_with_cumsumhistogram": "pred gt",
        "generate_parts_numel_combinations": "40 9 49 51",
    },
    "Smeasure": {
        "cal_sm": "pred gt",
        "s_object": "pred",
        "object": "pred gt",
        "region": "pred gt",
        "ssim": "pred gt",
    },
    "WeightedFmeasure": {"cal_wfm": "pred gt", "matlab_style_gauss2D": ""},
    "FmeasureV2": {
        "dynamically_binarizing": "pred gt FG BG",
        "adaptively_binarizing": "pred gt FG BG",
        "get_statistics": "binary gt FG BG",
    },
}


@pytest.mark.parametrize("name", CALLS)
def test_helper_methods_give_the_package_s_values(name: str) -> None:
    grey, mask = pictures(8)[0]
    values: dict[str, Any] = {"pred": (grey - float(grey.min())) / np.ptp(grey), "gt": mask > 128}
    values |= {
        "FG": int(values["gt"].sum()),
        "BG": int((~values["gt"]).sum()),
        "binary": values["pred"] > 0.5,
    }
    handlers = ({"f": py_sod_metrics.FmeasureHandler(True, True)},) if name == "FmeasureV2" else ()
    ours, theirs = both(name, *handlers)
    ours.step(grey, mask)
    theirs.step(grey, mask)
    package = getattr(py_sod_metrics, name)
    computing = {
        one
        for one in vars(package)
        if not one.startswith("_") and one not in ("step", "get_results", "add_handler")
    }
    assert set(CALLS[name]) == computing
    for method, words in CALLS[name].items():
        arguments = [values[word] if word in values else float(word) for word in words.split()]
        mine, its = getattr(ours, method)(*arguments), getattr(theirs, method)(*arguments)
        assert type(mine) is type(its), method
        for one, other in zip(
            np.atleast_1d(np.asarray(mine, object)), np.atleast_1d(np.asarray(its, object)), strict=True
        ):
            if isinstance(one, dict):
                assert_same(one, other, 0.0)
            else:
                np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=method)


def overriding(package: Any, name: str, method: str) -> type:
    """A subclass as users write it: one step of the computation changed, the rest the package's."""
    base = getattr(package, name)

    def changed(self: Any, *arguments: Any, **options: Any) -> Any:
        result = getattr(super(subclass, self), method)(*arguments, **options)
        if isinstance(result, tuple):
            return tuple(np.asarray(one) * 0.5 for one in result)
        if isinstance(result, dict):
            return {key: value // 2 for key, value in result.items()}
        return result * 0.5

    subclass = type(f"My{name}", (base,), {method: changed})
    return subclass


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("MAE", "cal_mae"),
        ("Fmeasure", "cal_adaptive_fm"),
        ("Fmeasure", "cal_pr"),
        ("Emeasure", "cal_em_with_threshold"),
        ("Emeasure", "cal_changeable_em"),
        ("Smeasure", "cal_sm"),
        ("Smeasure", "ssim"),
        ("Smeasure", "s_object"),
        ("WeightedFmeasure", "cal_wfm"),
        ("WeightedFmeasure", "matlab_style_gauss2D"),
        ("FmeasureV2", "adaptively_binarizing"),
        ("FmeasureV2", "dynamically_binarizing"),
    ],
)
def test_a_subclass_that_overrides_a_method_is_obeyed(name: str, method: str) -> None:
    results = []
    for package in (dropin, py_sod_metrics):
        options = {"with_dynamic": True, "with_adaptive": True, "with_binary": True}
        handlers = ({"f": py_sod_metrics.FmeasureHandler(**options)},) if name == "FmeasureV2" else ()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            metric = overriding(package, name, method)(*handlers)
            plain = getattr(package, name)(*handlers)
        for pred, gt in pictures(9):
            metric.step(pred, gt)
        results.append(metric.get_results())
        if handlers == ():
            for pred, gt in pictures(9):
                plain.step(pred, gt)
            ordinary = plain.get_results()
            assert any(
                not np.allclose(value, flat(ordinary)[key]) for key, value in flat(results[-1]).items()
            )
    assert_same(*results)


def test_a_method_replaced_on_one_object_is_obeyed() -> None:
    metric = dropin.MAE()
    metric.cal_mae = lambda pred, gt: 0.25
    metric.step(MAP, MASK)
    assert metric.get_results()["mae"] == 0.25


def test_a_subclass_of_a_subclass_keeps_the_engine_where_it_changes_nothing() -> None:
    class Named(dropin.MAE):
        title = "mean absolute error"

    class Squared(Named):
        def cal_mae(self, pred: Any, gt: Any) -> Any:
            return super().cal_mae(pred, gt) ** 2

    class Titled(Squared):
        title = "its square"

    plain, named, titled = dropin.MAE(), Named(), Titled()
    for metric in (plain, named, titled):
        metric.step(MAP, MASK)
    assert not Named._overridden and Titled._overridden
    assert named.get_results() == plain.get_results()
    assert titled.get_results()["mae"] == pytest.approx(plain.get_results()["mae"] ** 2)


def test_a_bool_mask_is_an_object_for_overriding_subclasses_too() -> None:
    results = []
    for gt in (MASK, MASK > 0):
        metric = overriding(dropin, "Smeasure", "cal_sm")()
        metric.step(MAP, gt)
        results.append(metric.get_results()["sm"])
    assert results[0] == results[1]
