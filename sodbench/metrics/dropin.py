"""A drop-in for the package pysodmetrics: change the import, keep the loop.

    import sodbench.metrics.dropin as py_sod_metrics

All its metrics have the same arguments, the same `step(pred, gt, normalize=True)`, the same methods and
attributes, and the same nested dictionaries of `get_results()`. Only the handlers and
`CamouflageContextMeasure`, nearly all of whose time goes into the colours of the picture, are its own.
Objects that step through the same images share the work. A subclass that overrides a method which computes
something (`cal_mae`, `cal_pr`, ...) takes the package's own steps, so that its method is called as it is
there.

Results are equal to 1e-9 except where the package's are accidental (docs/protocols.md): a bool mask is an
object, not empty; S is a number where its centre falls on the last row; a constant float map is taken as it
is; the size-invariant classes take a full mask for one object, and siMAE is a number where boxes leave no
rest. Input that the package silently misreads raises ValueError (an InputError) instead: masks of 0 and 1,
16-bit and colour maps, NaN, floats outside 0..1, and `get_results()` without any step.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodbench.errors import InputError
from sodbench.metrics.dropin_further import (
    ContextMeasure,
    HumanCorrectionEffortMeasure,
    MSIoU,
    fast_size_invariant_f,
)
from sodbench.metrics.families import e_measure, f_measure, mae, s_measure, size_invariant, weighted_f
from sodbench.metrics.measurement import Measurement
from sodbench.metrics.protocol import Protocol
from sodbench.metrics.stepping import AS_IT_IS, NORMALISED, Metric, mean, measured, package, package_step

__all__ = [
    "MAE",
    "ContextMeasure",
    "Emeasure",
    "Fmeasure",
    "HumanCorrectionEffortMeasure",
    "MSIoU",
    "SizeInvarianceMAE",
    "Smeasure",
    "WeightedFmeasure",
]


class MAE(Metric, package_class="MAE", helpers=("cal_mae",)):
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
        return {"mae": mean(self.maes)}


class SizeInvarianceMAE(MAE, package_class="SizeInvarianceMAE", helpers=("cal_mae",)):
    """Size-invariant MAE; `get_results()` is {"si_mae": float}."""

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        if size_invariant.left_to_package(measurement):
            package_step(self, measurement, protocol)
        else:
            self.maes.append(size_invariant.error(measurement, protocol))

    def get_results(self) -> dict[str, Any]:
        """The mean over all images."""
        return {"si_mae": mean(self.maes)}


class Fmeasure(Metric, package_class="Fmeasure", helpers=("cal_adaptive_fm", "cal_pr")):
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
            "fm": {"adp": mean(self.adaptive_fms), "curve": mean(self.changeable_fms)},
            "pr": {"p": mean(self.precisions), "r": mean(self.recalls)},
        }


class Emeasure(
    Metric,
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
        return {"em": {"adp": mean(self.adaptive_ems), "curve": mean(self.changeable_ems)}}


class Smeasure(Metric, package_class="Smeasure", helpers=("cal_sm", "s_object", "object", "region", "ssim")):
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
        return {"sm": mean(self.sms)}


class WeightedFmeasure(Metric, package_class="WeightedFmeasure", helpers=("cal_wfm", "matlab_style_gauss2D")):
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
        return {"wfm": mean(self.weighted_fms)}


def __getattr__(name: str) -> Any:
    """Every other name is the package's own; the two FmeasureV2 classes get their counts from the engine."""
    if name.startswith("__"):
        raise AttributeError(name)
    found = getattr(package(), name)
    fast = {"FmeasureV2": _fast_fmeasure_v2, "SizeInvarianceFmeasureV2": fast_size_invariant_f}.get(name)
    if fast is None:
        return found
    globals()[name] = found = fast(found)
    return found


def __dir__() -> list[str]:
    """The names of the package as well."""
    return sorted({*globals(), *dir(package())})


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
                package_step(self, measurement, protocol)
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
