"""Counts of a binarised map against its mask, and the ratios of such counts over the levels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sodbench.metrics.family import Columns, Curves, Means
    from sodbench.metrics.measurement import Measurement
    from sodbench.metrics.protocol import Protocol

# (true positives, false positives, object pixels, protocol scores agreement) -> the score
Ratio = Callable[[NDArray[Any], NDArray[Any], int, bool], NDArray[np.float64]]


def at_half(measurement: Measurement, protocol: Protocol) -> tuple[int, int]:
    """Background and object pixels with x > .5."""
    above = measurement.scaled(protocol.f_scale, protocol.scale_epsilon) > 0.5
    background, hit = measurement.total[:, above].sum(axis=1)
    return int(background), int(hit)


def measure_ratio(
    name: str, ratio: Ratio, measurement: Measurement, protocol: Protocol
) -> tuple[Columns, Curves]:
    """A ratio at .5, at its best and mean level, at the adaptive threshold, and its curve."""
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


def score_ratio(name: str, means: Means, curves: Means) -> dict[str, Any]:
    """Means over images; the maximum and the mean of the mean curve."""
    curve = np.asarray(curves[name])
    return {
        name: means[name],
        f"max{name}": curve.max(axis=-1),
        f"mean{name}": curve.mean(axis=-1),
        f"adp{name}": means[f"adp{name}"],
    }


def divided(top: NDArray[Any], bottom: NDArray[Any], otherwise: float) -> NDArray[np.float64]:
    """top / bottom, and `otherwise` where bottom is 0."""
    return np.where(bottom > 0, top / np.maximum(bottom, 1), otherwise)
