"""The drop-in's classes beyond the standard five (`sodbench.metrics.dropin` has them all)."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sodbench.errors import InputError
from sodbench.metrics.families import context_measure, correction_effort, multiscale_iou, size_invariant
from sodbench.metrics.measurement import Measurement
from sodbench.metrics.protocol import Protocol
from sodbench.metrics.stepping import AS_IT_IS, NORMALISED, Metric, mean, measured, package_step

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


class MSIoU(
    Metric, package_class="MSIoU", helpers=("get_edge", "shrink_by_grid", "multi_scale_iou", "binarizing")
):
    """Multi-scale IoU; `get_results()` has "dynamic" (257 thresholds from 0), "adaptive" and "binary"."""

    def __init__(
        self, with_dynamic: bool, with_adaptive: bool, *, with_binary: bool = False, num_levels: int = 10
    ) -> None:
        """As py_sod_metrics.MSIoU."""
        super().__init__()
        self.dynamic_results: list[Any] | None = [] if with_dynamic else None
        self.adaptive_results: list[Any] | None = [] if with_adaptive else None
        self.binary_results: list[Any] | None = [] if with_binary else None
        self.cell_sizes = np.power(2, np.linspace(0, 9, num=num_levels, dtype=int))

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        scales = np.searchsorted(2 ** np.arange(10), self.cell_sizes)
        if scales.max() > 9 or (2**scales != self.cell_sizes).any():
            package_step(self, measurement, protocol)
            return
        cells = measurement.mask.edge_grids[1]

        def area(first: int) -> float:
            return float(multiscale_iou.areas(measurement.common_edge_cells(first), cells, scales))

        if self.dynamic_results is not None:
            common = measurement.common_edge_cells_by_level(protocol)
            self.dynamic_results.append(multiscale_iou.areas(common, cells, scales).tolist())
        if self.adaptive_results is not None:
            self.adaptive_results.append(area(measurement.first_adaptive(protocol)))
        if self.binary_results is not None:
            self.binary_results.append(area(measurement.first_above_half(protocol)))

    def get_results(self) -> dict[str, Any]:
        """The means over all images."""
        results = {
            "dynamic": self.dynamic_results,
            "adaptive": self.adaptive_results,
            "binary": self.binary_results,
        }
        return {key: mean(values) for key, values in results.items() if values is not None}


class HumanCorrectionEffortMeasure(
    Metric,
    package_class="HumanCorrectionEffortMeasure",
    helpers=("cal_hce", "filter_conditional_boundary", "count_polygon_control_points"),
):
    """Human correction effort; `get_results()` is {"hce": float}."""

    def __init__(self, relax: int = 5, epsilon: float = 2.0) -> None:
        """As py_sod_metrics.HumanCorrectionEffortMeasure."""
        super().__init__()
        self.hces: list[int] = []
        self.relax = relax
        self.epsilon = epsilon
        self.morphology_kernel = CROSS.copy()

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        if np.array_equal(self.morphology_kernel, CROSS):
            self.hces.append(correction_effort.effort(measurement, protocol, self.relax, self.epsilon))
        else:
            package_step(self, measurement, protocol)

    def get_results(self) -> dict[str, Any]:
        """The mean over all images."""
        return {"hce": mean(self.hces)}


class ContextMeasure(
    Metric,
    package_class="ContextMeasure",
    helpers=(
        "compute",
        "_forward_inference",
        "_reverse_deduction",
        "_gaussian_kernel",
        "_compute_y_params",
    ),
):
    """Context measure; `get_results()` is {"cm": float}. `step` raises LinAlgError where the package does."""

    def __init__(self, beta2: float = 1.0, alpha: float = 6.0) -> None:
        """As py_sod_metrics.ContextMeasure."""
        super().__init__()
        self.beta2 = beta2
        self.alpha = alpha
        self._exp_factor = math.e / (math.e - 1)
        self.scores: list[float] = []

    def _add(self, measurement: Measurement, protocol: Protocol) -> None:
        self.scores.append(context_measure.context(measurement, protocol, self.beta2, self.alpha))

    def get_results(self) -> dict[str, Any]:
        """The mean over all images."""
        return {"cm": mean(self.scores)}


def fast_size_invariant_f(package_class: Any) -> Any:
    """The package's SizeInvarianceFmeasureV2 with a step that takes its counts from the engine."""
    helpers = ("dynamically_binarizing", "adaptively_binarizing", "get_statistics", "_update_metrics")

    class SizeInvarianceFmeasureV2(package_class):  # type: ignore[misc]
        """py_sod_metrics.SizeInvarianceFmeasureV2, the objects found and counted by the engine."""

        _package_class = "SizeInvarianceFmeasureV2"

        def step(self, pred: ArrayLike, gt: ArrayLike, normalize: bool = True) -> None:
            """Adds one image: map uint8 (0..255) or float (0..1), mask uint8 or bool, both H x W."""
            if not self._metric_handlers:
                raise InputError(
                    "SizeInvarianceFmeasureV2 without handlers: add one with add_handler() before step()"
                )
            measurement = measured(pred, gt, normalize)
            protocol = NORMALISED if normalize else AS_IT_IS
            if size_invariant.left_to_package(measurement) or any(
                getattr(type(self), name) is not getattr(package_class, name) for name in helpers
            ):
                package_step(self, measurement, protocol)
                return
            counts = _counts(measurement, protocol)
            for handler in self._metric_handlers.values():
                _add_objects(handler, counts)

    return SizeInvarianceFmeasureV2


def _add_objects(handler: Any, counts: list[list[dict[str, Any]]]) -> None:
    """Hands one image's objects to a handler: their counts over the levels, at the adaptive one, at .5."""
    if handler.dynamic_results is not None:
        curves = [handler(**levels) for levels, _, _ in counts]
        if handler.sample_based:
            handler.dynamic_results.append(np.array(curves, np.float64))
        else:
            handler.dynamic_results.extend(curves)
    if handler.adaptive_results is not None:
        handler.adaptive_results.append(np.mean([handler(**adaptive) for _, adaptive, _ in counts]))
    if handler.binary_results is not None:
        if handler.sample_based:
            handler.binary_results.append(np.mean([handler(**half) for _, _, half in counts]))
        else:
            for _, _, half in counts:
                for name, count in half.items():
                    handler.binary_results[name] += count


def _counts(measurement: Measurement, protocol: Protocol) -> list[list[dict[str, Any]]]:
    """True and false positives and negatives of each object, the levels from 255 down to 0."""
    found = []
    for box in size_invariant.counts_in_boxes(measurement, protocol):
        outside = measurement.mask.n - box.n_object
        pairs: list[Any] = [box.levels[:, ::-1], box.adaptive, box.half]
        found.append([{"tp": tp, "fp": fp, "tn": outside - fp, "fn": box.n_object - tp} for fp, tp in pairs])
    return found
