"""Counts of a binarised map against its mask, and the families that are ratios of such counts (IoU, Dice)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol

# (true positives, false positives, object pixels, protocol scores agreement) -> the score
Ratio = Callable[[NDArray[Any], NDArray[Any], int, bool], NDArray[np.float64]]


def overlap_family(name: str, source: str, ratio: Ratio) -> Family:
    """A ratio of counts at .5, at the adaptive threshold, and over the levels (maximum and mean)."""
    metrics = (
        MetricInfo(name, f"{name} at .5"),
        MetricInfo(f"max{name}", f"max {name}", curve=name, summary="max"),
        MetricInfo(f"mean{name}", f"mean {name}", curve=name, summary="mean"),
        MetricInfo(f"adp{name}", f"adaptive {name}"),
    )
    return Family(name, source, metrics, partial(measure_ratio, name, ratio))


def measure_ratio(
    name: str, ratio: Ratio, measurement: Measurement, protocol: Protocol
) -> tuple[Columns, Curves]:
    """The image's ratio at .5, at its best and over its mean level, at the adaptive threshold; its curve."""
    inside = measurement.mask.n_object
    agreement = protocol.empty_mask == "agreement"
    levels = measurement.counts(protocol, protocol.f_scale)
    half = at_half(measurement, protocol)
    adaptive = measurement.adaptive_counts(protocol, protocol.f_scale)
    curve = ratio(levels[1], levels[0], inside, agreement)
    ends = ratio(np.array([half[1], adaptive[1]]), np.array([half[0], adaptive[0]]), inside, agreement)
    columns = {
        name: float(ends[0]),
        f"max{name}": float(curve.max()),
        f"mean{name}": float(curve.mean()),
        f"adp{name}": float(ends[1]),
    }
    return columns, {name: curve}


def at_half(measurement: Measurement, protocol: Protocol) -> tuple[int, int]:
    """Background and object pixels with x > .5."""
    above = measurement.scaled(protocol.f_scale, protocol.scale_epsilon) > 0.5
    background, hit = measurement.total[:, above].sum(axis=1)
    return int(background), int(hit)


def divided(top: NDArray[Any], bottom: NDArray[Any], otherwise: float) -> NDArray[np.float64]:
    """top / bottom, and `otherwise` where bottom is 0."""
    return np.where(bottom > 0, top / np.maximum(bottom, 1), otherwise)
