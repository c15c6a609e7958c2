"""A drop-in for the package pysodmetrics: change the import, keep the loop.

    import sodbench.metrics.dropin as py_sod_metrics

`MAE`, `Fmeasure`, `Emeasure`, `Smeasure`, `WeightedFmeasure` and `FmeasureV2` have the same arguments, the
same `step(pred, gt, normalize=True)`, the same attributes and nested dictionaries of `get_results()`; every
other name is the package's own. Objects that step through the same pictures share the work.

Results are equal to 1e-9 except where the package's are not meant (docs/protocols.md): a bool mask is an
object, not empty; S is a number where its centre falls on the last row; a constant float map is taken as it
is. Input that the package reads wrongly in silence raises ValueError (an InputError) instead: masks of 0
and 1, 16-bit and colour maps, NaN, floats outside 0..1, and `get_results()` without any step.
"""

import dataclasses
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.errors import InputError
from sodbench.metrics import checks
from sodbench.metrics.families import e_measure, f_measure, mae, s_measure, weighted_f
from sodbench.metrics.mask import binarise, shared_masks
from sodbench.metrics.measurement import Measurement
from sodbench.metrics.protocol import Protocol, load_protocol

NORMALISED = load_protocol("pysodmetrics")
AS_IT_IS = dataclasses.replace(
    NORMALISED, f_scale="255", e_scale="255", s_scale="255", wf_scale="255", mae_scale="255"
)


class _Last(threading.local):
    """The last pair of pictures of this thread and their measurement."""

    def __init__(self) -> None:
        self.prediction: NDArray[Any] | None = None
        self.grey: NDArray[np.uint8] | None = None
        self.measurement: Measurement | None = None


_last = _Last()


class _Metric:
    """What the classes share: checking, the measurement, the mean."""

    def __init__(self, **fields: Any) -> None:
        self._protocols = {
            True: dataclasses.replace(NORMALISED, **fields),
            False: dataclasses.replace(AS_IT_IS, **fields),
        }

    def _measure(self, pred: Any, gt: Any, normalize: bool) -> tuple[Measurement, Protocol]:
        return measured(pred, gt, normalize), self._protocols[bool(normalize)]


def measured(pred: Any, gt: Any, normalize: bool = True) -> Measurement:
    """The measurement of a pair, the last one again where the pictures are the same.

    With `normalize` off the map has to be floating point in 0..1 and the mask bool, as in the package.
    """
    name = "pred, gt"
    if not normalize and not (
        np.issubdtype(np.asarray(pred).dtype, np.floating) and np.asarray(gt).dtype == np.bool_
    ):
        raise InputError(
            f"{name}: normalize=False takes a floating-point map and a bool mask, not "
            f"{np.asarray(pred).dtype} and {np.asarray(gt).dtype}: convert them, or leave normalize=True"
        )
    prediction = checks.checked_map(pred, name)
    grey = checks.checked_mask(gt, name)
    if prediction.shape != grey.shape:
        raise checks.size_mismatch(name, prediction.shape, grey.shape, NORMALISED.name)
    last = _last
    if (
        last.measurement is not None
        and last.prediction is not None
        and last.grey is not None
        and last.prediction.dtype == prediction.dtype
        and np.array_equal(last.prediction, prediction)
        and np.array_equal(last.grey, grey)
    ):
        return last.measurement
    # copies: the caller may reuse the arrays for the next picture
    last.prediction, last.grey = prediction.copy(), grey.copy()
    binary = binarise(last.grey, 129)
    work = shared_masks().work(binary)
    last.measurement = Measurement(last.prediction, binary, work, last.grey, NORMALISED.s_centre_rounding)
    return last.measurement


def _mean(values: list[Any]) -> Any:
    if not values:
        raise InputError("get_results() before any step(): nothing to average; expected at least one picture")
    return np.mean(np.array(values, np.float64), axis=0)


class MAE(_Metric):
    """Mean absolute error; `get_results()` is {"mae": float}."""

    def __init__(self) -> None:
        """As py_sod_metrics.MAE."""
        super().__init__()
        self.maes: list[float] = []

    def step(self, pred: Any, gt: Any, normalize: bool = True) -> None:
        """Adds one picture: map uint8 (0..255) or float (0..1), mask uint8 or bool, both H x W."""
        columns, _ = mae.measure(*self._measure(pred, gt, normalize))
        self.maes.append(columns["MAE"])

    def get_results(self) -> dict[str, Any]:
        """The mean over all pictures."""
        return {"mae": _mean(self.maes)}


class Fmeasure(_Metric):
    """F-measure; `get_results()` is {"fm": {"adp": float, "curve": 256}, "pr": {"p": 256, "r": 256}}.

    As in the package, the curves run from the threshold 255 down to 0, and `beta` is beta squared.
    """

    def __init__(self, beta: float = 0.3) -> None:
        """As py_sod_metrics.Fmeasure."""
        super().__init__(f_beta2=beta)
        self.beta = beta
        self.precisions: list[NDArray[np.float64]] = []
        self.recalls: list[NDArray[np.float64]] = []
        self.adaptive_fms: list[float] = []
        self.changeable_fms: list[NDArray[np.float64]] = []

    def step(self, pred: Any, gt: Any, normalize: bool = True) -> None:
        """Adds one picture: map uint8 (0..255) or float (0..1), mask uint8 or bool, both H x W."""
        columns, curves = f_measure.measure(*self._measure(pred, gt, normalize))
        self.adaptive_fms.append(columns["adpF"])
        self.precisions.append(curves["precision"][::-1])
        self.recalls.append(curves["recall"][::-1])
        self.changeable_fms.append(curves["F"][::-1])

    def get_results(self) -> dict[str, Any]:
        """The means over all pictures."""
        return {
            "fm": {"adp": _mean(self.adaptive_fms), "curve": _mean(self.changeable_fms)},
            "pr": {"p": _mean(self.precisions), "r": _mean(self.recalls)},
        }


class Emeasure(_Metric):
    """E-measure; `get_results()` is {"em": {"adp": float, "curve": 256}}, from threshold 255 down to 0."""

    def __init__(self) -> None:
        """As py_sod_metrics.Emeasure."""
        super().__init__()
        self.adaptive_ems: list[float] = []
        self.changeable_ems: list[NDArray[np.float64]] = []

    def step(self, pred: Any, gt: Any, normalize: bool = True) -> None:
        """Adds one picture: map uint8 (0..255) or float (0..1), mask uint8 or bool, both H x W."""
        columns, curves = e_measure.measure(*self._measure(pred, gt, normalize))
        self.adaptive_ems.append(columns["adpE"])
        self.changeable_ems.append(curves["E"][::-1])

    def get_results(self) -> dict[str, Any]:
        """The means over all pictures."""
        return {"em": {"adp": _mean(self.adaptive_ems), "curve": _mean(self.changeable_ems)}}


class Smeasure(_Metric):
    """S-measure; `get_results()` is {"sm": float}."""

    def __init__(self, alpha: float = 0.5) -> None:
        """As py_sod_metrics.Smeasure."""
        super().__init__(s_alpha=alpha)
        self.alpha = alpha
        self.sms: list[float] = []

    def step(self, pred: Any, gt: Any, normalize: bool = True) -> None:
        """Adds one picture: map uint8 (0..255) or float (0..1), mask uint8 or bool, both H x W."""
        columns, _ = s_measure.measure(*self._measure(pred, gt, normalize))
        self.sms.append(columns["S"])

    def get_results(self) -> dict[str, Any]:
        """The mean over all pictures."""
        return {"sm": _mean(self.sms)}


class WeightedFmeasure(_Metric):
    """Weighted F-measure; `get_results()` is {"wfm": float}. As in the package, `beta` is beta squared."""

    def __init__(self, beta: float = 1) -> None:
        """As py_sod_metrics.WeightedFmeasure."""
        super().__init__(wf_beta2=beta)
        self.beta = beta
        self.weighted_fms: list[float] = []

    def step(self, pred: Any, gt: Any, normalize: bool = True) -> None:
        """Adds one picture: map uint8 (0..255) or float (0..1), mask uint8 or bool, both H x W."""
        columns, _ = weighted_f.measure(*self._measure(pred, gt, normalize))
        self.weighted_fms.append(columns["wF"])

    def get_results(self) -> dict[str, Any]:
        """The mean over all pictures."""
        return {"wfm": _mean(self.weighted_fms)}


def __getattr__(name: str) -> Any:
    """Every other name is the package's own; `FmeasureV2` gets its counts from the engine."""
    if name.startswith("__"):
        raise AttributeError(name)
    import py_sod_metrics

    if name != "FmeasureV2":
        return getattr(py_sod_metrics, name)
    found = globals()[name] = _fast_fmeasure_v2(py_sod_metrics.FmeasureV2)
    return found


def _fast_fmeasure_v2(package_class: Any) -> Any:
    class FmeasureV2(package_class):  # type: ignore[misc]
        """py_sod_metrics.FmeasureV2, its true and false positives counted by the engine."""

        def step(self, pred: Any, gt: Any, normalize: bool = True) -> None:
            """Adds one picture: map uint8 (0..255) or float (0..1), mask uint8 or bool, both H x W."""
            measurement = measured(pred, gt, normalize)
            self._counts = _v2_counts(measurement, NORMALISED if normalize else AS_IT_IS)
            size = np.zeros((1, 1)), np.zeros((1, 1), bool)
            super().step(*size, normalize=False)

        def dynamically_binarizing(self, *_: Any, **__: Any) -> dict[str, Any]:
            return self._counts[0]

        def adaptively_binarizing(self, *_: Any, **__: Any) -> dict[str, Any]:
            return self._counts[1]

        def get_statistics(self, *_: Any, **__: Any) -> dict[str, Any]:
            return self._counts[2]

    return FmeasureV2


def _v2_counts(measurement: Measurement, protocol: Protocol) -> list[dict[str, Any]]:
    levels = measurement.counts(protocol, protocol.f_scale)[:, ::-1]
    half = measurement.scaled(protocol.f_scale) > 0.5
    binary = measurement.total[:, half].sum(axis=1)
    inside = measurement.mask.n_object
    outside = measurement.mask.n - inside
    pairs = [levels, measurement.adaptive_counts(protocol, protocol.f_scale), binary]
    return [{"tp": tp, "fp": fp, "tn": outside - fp, "fn": inside - tp} for fp, tp in pairs]
