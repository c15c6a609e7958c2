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
    assert dropin.MSIoU is py_sod_metrics.MSIoU


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
    pred, gt, said = BAD[case]
    metric = getattr(dropin, name)()
    with pytest.raises(ValueError, match=said):
        metric.step(pred, gt)
    with pytest.raises(InputError, match="step"):
        metric.get_results()


def test_types_without_normalisation() -> None:
    with pytest.raises(ValueError, match="normalize=False"):
        dropin.MAE().step(MAP, MASK, normalize=False)


def test_bool_mask_is_an_object() -> None:
    ours, same = dropin.Fmeasure(), dropin.Fmeasure()
    ours.step(MAP, MASK > 0)
    same.step(MAP, MASK)
    assert_same(ours.get_results(), same.get_results(), 0.0)
