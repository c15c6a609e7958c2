"""The metrics beyond the standard set: against pysodmetrics' handlers, and against plain definitions."""

import importlib
import pkgutil
import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from reference_protocols import disk
from scipy.ndimage import binary_dilation, binary_erosion

from sodbench.errors import InputError
from sodbench.metrics import Scorer, families, load_protocol
from sodbench.metrics.protocol import STANDARD
from sodbench.metrics.registry import (
    all_families,
    all_metrics,
    chosen,
    families_of,
    full_name,
    split_name,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import py_sod_metrics

FURTHER = [name for name, family in all_families().items() if not family.standard]


def pictures(seed: int, n: int = 3, shape: tuple[int, int] = (61, 90)) -> list[tuple[NDArray, NDArray]]:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    found = []
    for _ in range(n):
        field = np.sin(x / random.uniform(6, 20)) + np.cos(y / random.uniform(5, 9))
        noisy = field + random.normal(0, 0.3, shape)
        found.append((np.clip(120 + 90 * noisy, 0, 255).astype(np.uint8), (field > 0.7) * np.uint8(255)))
    return found


@pytest.mark.parametrize(
    ("family", "handler"), [("IoU", "IOUHandler"), ("Dice", "DICEHandler"), ("BER", "BERHandler")]
)
def test_counts_equal_the_handlers(family: str, handler: str) -> None:
    scorer = Scorer(metrics=[family])
    theirs = getattr(py_sod_metrics, handler)(with_dynamic=True, with_adaptive=True, with_binary=True)
    package = py_sod_metrics.FmeasureV2({"x": theirs})
    for index, (prediction, mask) in enumerate(pictures(0)):
        scorer.update(prediction, mask, name=str(index))
        package.step(prediction, mask)
    scores, expected = scorer.result().scores, package.get_results()["x"]
    assert scores[family] == pytest.approx(expected["binary"], abs=1e-12)
    if family != "BER":
        assert scores[f"adp{family}"] == pytest.approx(expected["adaptive"], abs=1e-12)
        assert scores[f"max{family}"] == pytest.approx(expected["dynamic"].max(), abs=1e-12)
        assert scores[f"mean{family}"] == pytest.approx(expected["dynamic"].mean(), abs=1e-12)


def test_package_metrics_equal_the_package() -> None:
    scorer = Scorer(metrics=["MSIoU", "HCE", "CM", "SI"])
    msiou = py_sod_metrics.MSIoU(with_dynamic=False, with_adaptive=True, with_binary=True)
    effort, context = py_sod_metrics.HumanCorrectionEffortMeasure(), py_sod_metrics.ContextMeasure()
    si_error = py_sod_metrics.SizeInvarianceMAE()
    for index, picture in enumerate(pictures(1)):
        scorer.update(*picture, name=str(index))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for metric in (msiou, effort, context, si_error):
                metric.step(*picture)
    scores = scorer.result().scores
    assert scores["MSIoU"] == pytest.approx(msiou.get_results()["binary"], abs=1e-12)
    assert scores["adpMSIoU"] == pytest.approx(msiou.get_results()["adaptive"], abs=1e-12)
    assert scores["HCE"] == effort.get_results()["hce"]
    assert scores["CM"] == pytest.approx(context.get_results()["cm"], abs=1e-12)
    assert scores["siMAE"] == pytest.approx(si_error.get_results()["si_mae"], abs=1e-12)
    assert 0 < scores["siMeanF"] <= scores["siMaxF"] <= 1


def test_size_invariant_f_of_one_object_in_its_box() -> None:
    """A single object that fills its box: the F inside the box is that of the cut-out picture."""
    prediction, mask = np.full((40, 50), 10, np.uint8), np.zeros((40, 50), np.uint8)
    mask[5:20, 8:30] = 255
    prediction[5:20, 8:25] = 255
    scorer = Scorer("raw", ["SI"])
    scorer.update(prediction, mask, name="x")
    recall = 17 / 22
    assert scorer.result().scores["siMaxF"] == pytest.approx(1.0)  # low thresholds take the whole box
    assert scorer.result().curves["siF"][200] == pytest.approx(1.3 * recall / (0.3 + recall))


def test_boundary_iou_equals_repeated_erosion() -> None:
    scorer = Scorer("raw", ["bIoU"])
    for prediction, mask in pictures(2):
        depth = max(1, round(0.02 * np.hypot(*mask.shape)))
        rims = []
        for binary in (prediction > 127, mask > 0):
            padded = np.pad(binary, 1)
            eroded = binary_erosion(padded, np.ones((3, 3)), iterations=depth)[1:-1, 1:-1]
            rims.append(binary & ~eroded)
        expected = (rims[0] & rims[1]).sum() / (rims[0] | rims[1]).sum()
        assert scorer.measure(prediction, mask, "x").columns["bIoU"] == pytest.approx(expected, abs=1e-12)


def test_boundary_accuracy_equals_dilation_minus_erosion() -> None:
    scorer = Scorer("raw", ["mBA"])
    for prediction, mask in pictures(3, n=1, shape=(700, 900)):
        truth, right = mask > 0, (prediction > 127) == (mask > 0)
        shares = []
        for step in range(5):
            radius = 1 + int(step * ((700 + 900) / 300 - 1) / 5)
            window = disk(radius)
            near = binary_dilation(truth, window) & ~binary_erosion(truth, window, border_value=1)
            shares.append(right[near].mean())
        expected = np.mean(shares)
        assert scorer.measure(prediction, mask, "x").columns["mBA"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", FURTHER)
def test_degenerate_masks_give_numbers_for_the_data_set(name: str) -> None:
    """An empty or a full mask never makes the data set's score undefined."""
    scorer = Scorer(metrics=[name])
    (prediction, mask), *_ = pictures(4)
    blank = np.zeros_like(mask)
    line = blank.copy()
    line[range(20), range(20)] = 255
    for index, truth in enumerate((mask, blank, np.full_like(mask, 255), line)):
        scorer.update(prediction, truth, name=f"{index}")
        scorer.update(blank, truth, name=f"{index} nothing")
    assert all(np.isfinite(value) for value in scorer.result().scores.values())


def test_agreement_on_empty_masks() -> None:
    blank, full = np.zeros((9, 9), np.uint8), np.full((9, 9), 255, np.uint8)
    for prediction, expected in ((blank, 1.0), (full, 0.0)):
        columns = Scorer("raw", ["IoU", "Dice", "bIoU", "BER"]).measure(prediction, blank, "x").columns
        assert columns["IoU"] == columns["Dice"] == columns["bIoU"] == expected
        assert columns["BER"] == 1 - expected


@pytest.mark.parametrize("module", [m.name for m in pkgutil.iter_modules(families.__path__)])
def test_every_family_says_what_it_is(module: str) -> None:
    found = importlib.import_module(f"{families.__name__}.{module}")
    assert all_families()[found.FAMILY.name] is found.FAMILY
    assert "Source: " in found.__doc__
    assert "is better" in found.__doc__
    for info in found.FAMILY.metrics:
        assert info.range[0] < info.range[1]
        assert f"{'higher' if info.higher_is_better else 'lower'} is better" in found.__doc__
        assert info.title
    assert found.FAMILY.source
    assert found.FAMILY.standard == (found.FAMILY.name in STANDARD)


def test_names() -> None:
    assert list(all_metrics())[:3] == ["MAE", "maxF", "meanF"]
    assert all_metrics()["maxF"].higher_is_better
    assert not all_metrics()["MAE"].higher_is_better and not all_metrics()["HCE"].higher_is_better
    assert split_name(full_name("S", "raw")) == ("S", "raw")
    assert families_of(["maxF", "S", "F"]) == ["F", "S"]
    with pytest.raises(InputError, match=r"'maxx'.*'SS'|'SS'"):
        families_of(["maxx", "SS"])
    with pytest.raises(InputError, match="does not define E, wF"):
        chosen(["E", "wF", "MAE"], load_protocol("basnet2019"))
