"""A drop-in for the package pysodmetrics: change the import, keep the loop.

    import sodbench.metrics.dropin as py_sod_metrics

`MAE`, `Fmeasure`, `Emeasure`, `Smeasure`, `WeightedFmeasure` and `FmeasureV2` have the same arguments, the
same `step(pred, gt, normalize=True)`, the same methods and attributes, and the same nested dictionaries of
`get_results()`; every other name is the package's own. Objects that step through the same images share the
work. A subclass that overrides a method which computes something (`cal_mae`, `cal_pr`, ...) takes the
package's own steps, so that its method is called as it is there.

Results are equal to 1e-9 except where the package's are accidental (docs/protocols.md): a bool mask is an
object, not empty; S is a number where its centre falls on the last row; a constant float map is taken as it
is. Input that the package silently misreads raises ValueError (an InputError) instead: masks of 0 and 1,
16-bit and colour maps, NaN, floats outside 0..1, and `get_results()` without any step.
"""

import dataclasses
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodbench.errors import InputError
from sodbench.metrics.families import e_measure, f_measure, mae, s_measure, weighted_f
from sodbench.metrics.inputs import SizeMismatchError, as_array, checked_map, checked_mask
from sodbench.metrics.mask import binarise, shared_masks
from sodbench.metrics.measurement import Measurement
from sodbench.metrics.protocol import Protocol, load_protocol

NORMALISED = load_protocol("pysodmetrics")
AS_IT_IS = dataclasses.replace(
    NORMALISED, f_scale="255", e_scale="255", s_scale="255", wf_scale="255", mae_scale="255"
)


class _Last(threading.local):
    """The last pair of images of this thread and their measurement."""

    def __init__(self) -> None:
        self.prediction: NDArray[Any] | None = None
        self.grey: NDArray[np.uint8] | None = None
        self.measurement: Measurement | None = None


_last = _Last()


def _package() -> ModuleType:
    import py_sod_metrics

    module: ModuleType = py_sod_metrics
    return module


def _package_method(class_name: str, method: str) -> Callable[..., Any]:
    """The package's method of a class; the package is imported when the method is called."""

    def call(self: Any, *arguments: Any, **options: Any) -> Any:
        return getattr(getattr(_package(), class_name), method)(self, *arguments, **options)

    call.__name__ = method
    call.__doc__ = f"As py_sod_metrics.{class_name}.{method}."
    return call


class _Metric:
    """What the classes share: checking, the measurement, and the package's way for overriding subclasses."""

    _package_class: ClassVar[str]
    _helpers: ClassVar[tuple[str, ...]]  # the package's methods that a subclass may override
    _overridden: ClassVar[bool] = False

    def __init_subclass__(cls, package_class: str = "", helpers: tuple[str, ...] = ()) -> None:
        if package_class:
            cls._package_class, cls._helpers = package_class, helpers
            for name in helpers:
                setattr(cls, name, _package_method(package_class, name))
        else:
            base = next(one for one in cls.__mro__ if "_helpers" in vars(one))
            cls._overridden = any(getattr(cls, name) is not getattr(base, name) for name in cls._helpers)

    def __init__(self, **fields: float) -> None:
        self._protocols = {
            True: dataclasses.replace(NORMALISED, **fields),  # type: ignore[arg-type]
            False: dataclasses.replace(AS_IT_IS, **fields),  # type: ignore[arg-type]
        }

    def step(self, pred: ArrayLike, gt: ArrayLike, normalize: bool = True) -> None:
        """Adds one image: map uint8 (0..255) or float (0..1), mask uint8 or bool, both H x W."""
        measurement, protocol = measured(pred, gt, normalize), self._protocols[bool(normalize)]
        if self._overridden or not vars(self).keys().isdisjoint(self._helpers):
            _package_step(self, measurement, protocol)
        else:
            self._add(measurement, protocol)

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        raise NotImplementedError


def _package_step(metric: Any, measurement: Measurement, protocol: Protocol) -> None:
    """The package's own step, on the map in 0..1 and the mask as bool."""
    package_class = getattr(_package(), metric._package_class)
    package_class.step(metric, *measurement.as_floats(protocol), normalize=False)


def measured(pred: ArrayLike, gt: ArrayLike, normalize: bool = True) -> Measurement:
    """The measurement of a pair, the last one again where the images are the same.

    With `normalize` off the map has to be floating point in 0..1 and the mask bool, as in the package.
    """
    name = "pred, gt"
    pred, gt = as_array(pred, name, "map"), as_array(gt, name, "mask")
    if not normalize and not (np.issubdtype(pred.dtype, np.floating) and gt.dtype == np.bool_):
        raise InputError(
            f"{name}: normalize=False takes a floating-point map and a bool mask, not "
            f"{pred.dtype} and {gt.dtype}: convert them, or leave normalize=True"
        )
    prediction = checked_map(pred, name)
    grey = checked_mask(gt, name)
    if prediction.shape != grey.shape:
        raise SizeMismatchError(name, prediction.shape, grey.shape, NORMALISED.name)
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
    # copies: the caller may reuse the arrays for the next image
    last.prediction, last.grey = prediction.copy(), grey.copy()
    binary = binarise(last.grey, 129)
    work = shared_masks().work(binary)
    last.measurement = Measurement(last.prediction, binary, work, last.grey, NORMALISED.s_centre_rounding)
    return last.measurement


def _mean(values: list[Any]) -> Any:
    if not values:
        raise InputError("get_results() before any step(): nothing to average; expected at least one image")
    return np.mean(np.array(values, np.float64), axis=0)


class MAE(_Metric, package_class="MAE", helpers=("cal_mae",)):
    """Mean absolute error; `get_results()` is {"mae": float}."""

    def __init__(self) -> None:
        """As py_sod_metrics.MAE."""
        super().__init__()
        self.maes: list[float] = []

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        columns, _ = mae.measure(measurement, protocol)
        self.maes.append(columns["MAE"])

    def get_results(self) -> dict[str, Any]:
        """The mean over all images."""
        return {"mae": _mean(self.maes)}


class Fmeasure(_Metric, package_class="Fmeasure", helpers=("cal_adaptive_fm", "cal_pr")):
    """F-measure; `get_results()` is {"fm": {"adp": float, "curve": 256}, "pr": {"p": 256, "r": 256}}.

    As in the package, the curves run from the threshold 255 down to 0, and `beta` is beta squared.
    """

    def __init__(self, beta: float = 0.3) -> None:
        """As py_sod_metrics.Fmeasure."""
        super().__init__(f_beta2=float(beta))
        self.beta = beta
        self.precisions: list[NDArray[np.float64]] = []
        self.recalls: list[NDArray[np.float64]] = []
        self.adaptive_fms: list[float] = []
        self.changeable_fms: list[NDArray[np.float64]] = []

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        columns, curves = f_measure.measure(measurement, protocol)
        self.adaptive_fms.append(columns["adpF"])
        self.precisions.append(curves["precision"][::-1])
        self.recalls.append(curves["recall"][::-1])
        self.changeable_fms.append(curves["F"][::-1])

    def get_results(self) -> dict[str, Any]:
        """The means over all images."""
        return {
            "fm": {"adp": _mean(self.adaptive_fms), "curve": _mean(self.changeable_fms)},
            "pr": {"p": _mean(self.precisions), "r": _mean(self.recalls)},
        }


class Emeasure(
    _Metric,
    package_class="Emeasure",
    helpers=(
        "cal_adaptive_em",
        "cal_changeable_em",
        "cal_em_with_threshold",
        "cal_em_with_cumsumhistogram",
        "generate_parts_numel_combinations",
    ),
):
    """E-measure; `get_results()` is {"em": {"adp": float, "curve": 256}}, from threshold 255 down to 0.

    `gt_fg_numel` and `gt_size` are the object's pixels and all pixels of the last mask.
    """

    gt_fg_numel: int
    gt_size: int

    def __init__(self) -> None:
        """As py_sod_metrics.Emeasure."""
        super().__init__()
        self.adaptive_ems: list[float] = []
        self.changeable_ems: list[NDArray[np.float64]] = []

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        columns, curves = e_measure.measure(measurement, protocol)
        self.gt_fg_numel, self.gt_size = measurement.mask.n_object, measurement.mask.n
        self.adaptive_ems.append(columns["adpE"])
        self.changeable_ems.append(curves["E"][::-1])

    def get_results(self) -> dict[str, Any]:
        """The means over all images."""
        return {"em": {"adp": _mean(self.adaptive_ems), "curve": _mean(self.changeable_ems)}}


class Smeasure(_Metric, package_class="Smeasure", helpers=("cal_sm", "s_object", "object", "region", "ssim")):
    """S-measure; `get_results()` is {"sm": float}."""

    def __init__(self, alpha: float = 0.5) -> None:
        """As py_sod_metrics.Smeasure."""
        super().__init__(s_alpha=float(alpha))
        self.alpha = alpha
        self.sms: list[float] = []

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        columns, _ = s_measure.measure(measurement, protocol)
        self.sms.append(columns["S"])

    def get_results(self) -> dict[str, Any]:
        """The mean over all images."""
        return {"sm": _mean(self.sms)}


class WeightedFmeasure(
    _Metric, package_class="WeightedFmeasure", helpers=("cal_wfm", "matlab_style_gauss2D")
):
    """Weighted F-measure; `get_results()` is {"wfm": float}. As in the package, `beta` is beta squared."""

    def __init__(self, beta: float = 1) -> None:
        """As py_sod_metrics.WeightedFmeasure."""
        super().__init__(wf_beta2=float(beta))
        self.beta = beta
        self.weighted_fms: list[float] = []

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        columns, _ = weighted_f.measure(measurement, protocol)
        self.weighted_fms.append(columns["wF"])

    def get_results(self) -> dict[str, Any]:
        """The mean over all images."""
        return {"wfm": _mean(self.weighted_fms)}


def __getattr__(name: str) -> Any:
    """Every other name is the package's own; `FmeasureV2` gets its counts from the engine."""
    if name.startswith("__"):
        raise AttributeError(name)
    if name != "FmeasureV2":
        return getattr(_package(), name)
    globals()[name] = fast = _fast_fmeasure_v2(_package().FmeasureV2)
    return fast


def __dir__() -> list[str]:
    """The names of the package as well."""
    return sorted({*globals(), *dir(_package())})


def _fast_fmeasure_v2(package_class: Any) -> Any:
    helpers = ("dynamically_binarizing", "adaptively_binarizing", "get_statistics")

    class FmeasureV2(package_class):  # type: ignore[misc]
        """py_sod_metrics.FmeasureV2, its true and false positives counted by the engine."""

        _package_class = "FmeasureV2"

        def step(self, pred: ArrayLike, gt: ArrayLike, normalize: bool = True) -> None:
            """Adds one image: map uint8 (0..255) or float (0..1), mask uint8 or bool, both H x W."""
            if not self._metric_handlers:
                raise InputError("FmeasureV2 without handlers: add one with add_handler() before step()")
            measurement = measured(pred, gt, normalize)
            protocol = NORMALISED if normalize else AS_IT_IS
            if any(getattr(type(self), name) is not getattr(package_class, name) for name in helpers):
                _package_step(self, measurement, protocol)
                return
            levels, adaptive, binary = _v2_counts(measurement, protocol)
            for handler in self._metric_handlers.values():
                if handler.dynamic_results is not None:
                    handler.dynamic_results.append(handler(**levels))
                if handler.adaptive_results is not None:
                    handler.adaptive_results.append(handler(**adaptive))
                if handler.binary_results is not None:
                    if handler.sample_based:
                        handler.binary_results.append(handler(**binary))
                    else:
                        for count, value in binary.items():
                            handler.binary_results[count] += value

    return FmeasureV2


def _v2_counts(measurement: Measurement, protocol: Protocol) -> list[dict[str, Any]]:
    """True and false positives and negatives: over the levels, at the adaptive threshold, at .5."""
    levels = measurement.counts(protocol, protocol.f_scale)[:, ::-1]
    half = measurement.scaled(protocol.f_scale) > 0.5
    binary = measurement.total[:, half].sum(axis=1)
    inside = measurement.mask.n_object
    outside = measurement.mask.n - inside
    pairs = [levels, measurement.adaptive_counts(protocol, protocol.f_scale), binary]
    return [{"tp": tp, "fp": fp, "tn": outside - fp, "fn": inside - tp} for fp, tp in pairs]
