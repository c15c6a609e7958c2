"""What the drop-in's classes share: checked pairs, one measurement for each, overridden methods obeyed."""

import dataclasses
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodbench.errors import InputError
from sodbench.metrics.inputs import SizeMismatchError, as_array, checked_map, checked_mask, refuse_zero_one
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


def package() -> ModuleType:
    import py_sod_metrics

    module: ModuleType = py_sod_metrics
    return module


def _package_method(class_name: str, method: str) -> Callable[..., Any]:
    """The package's method of a class; the package is imported when the method is called."""

    def call(self: Any, *arguments: Any, **options: Any) -> Any:
        return getattr(getattr(package(), class_name), method)(self, *arguments, **options)

    call.__name__ = method
    call.__doc__ = f"As py_sod_metrics.{class_name}.{method}."
    return call


class Metric:
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
            package_step(self, measurement, protocol)
        else:
            self._add(measurement, protocol)

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        raise NotImplementedError


def package_step(metric: Any, measurement: Measurement, protocol: Protocol) -> None:
    """The package's own step, on the map in 0..1 and the mask as bool."""
    package_class = getattr(package(), metric._package_class)
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
    refuse_zero_one(grey, name)
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


def mean(values: list[Any]) -> Any:
    if not values:
        raise InputError("get_results() before any step(): nothing to average; expected at least one image")
    return np.mean(np.array(values, np.float64), axis=0)
