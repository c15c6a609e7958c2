"""From one row an image to the data set's scores: the one place where means are taken.

It serves the score table, and resampling (bootstrap): there every image counts as often as it was drawn.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.protocol import Protocol
from sodbench.metrics.registry import all_families


def dataset_scores(
    per_image: Mapping[str, Any],
    curves: Mapping[str, Any] | None,
    protocol: Protocol,
    weights: NDArray[Any] | None = None,
) -> dict[str, Any]:
    """The data set's scores from per-image columns and curves.

    `per_image` maps column names to n values (a DataFrame will do); `curves` maps `precision`, `recall`,
    `E` (and `F`, else derived) to n x levels arrays, or to the mean curves themselves (one-dimensional,
    without `weights`). NaN marks an image that the protocol leaves out.
    `weights` counts how often each image was drawn: shape (n,) gives numbers, shape (B, n) arrays of B.
    """
    columns = {str(name): np.asarray(per_image[name], np.float64) for name in per_image}
    means = {name: mean(values, weights) for name, values in columns.items()}
    mean_curves = average_curves(curves or {}, protocol, weights)
    scores: dict[str, Any] = {}
    for family in all_families().values():
        try:
            found = family.score(means, mean_curves, protocol)
        except KeyError:
            continue  # this family was not measured
        scores |= found
    names = [info.name for family in all_families().values() for info in family.metrics]
    ordered = {name: scores[name] for name in _printing_order(names) if name in scores}
    if weights is not None and np.ndim(weights) == 2:
        return ordered
    return {name: float(value) for name, value in ordered.items()}


def average_curves(
    curves: Mapping[str, Any], protocol: Protocol, weights: NDArray[Any] | None = None
) -> dict[str, NDArray[np.float64]]:
    """The mean curves; F per image is derived from precision and recall where it was not kept."""
    found = {str(name): np.asarray(curves[name]) for name in curves}
    if "F" not in found and "precision" in found and found["precision"].ndim == 2:
        from sodbench.metrics.families.f_measure import f_of

        if protocol.f_average == "images":
            p, r = (found[name].astype(np.float64) for name in ("precision", "recall"))
            found["F"] = f_of(p, r, protocol.f_beta2, protocol.f_epsilon)
    return {
        name: mean(values, weights) if values.ndim == 2 else values.astype(np.float64)
        for name, values in found.items()
    }


def mean(values: NDArray[Any], weights: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """The mean over images (first axis), NaN left out, weighted by counts; NaN where no image is left."""
    valid = ~np.isnan(values)
    filled = values if valid.all() else np.where(valid, values, 0.0)
    if weights is None:
        total = filled.sum(axis=0, dtype=np.float64)
        n = valid.sum(axis=0)
    else:
        drawn = np.asarray(weights, np.float64)
        total = drawn @ filled
        n = drawn @ valid if not valid.all() else np.broadcast_to(_last(drawn, filled), total.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / n)


def _last(drawn: NDArray[np.float64], filled: NDArray[Any]) -> NDArray[np.float64]:
    count = drawn.sum(axis=-1)
    return np.asarray(count[..., None] if filled.ndim == 2 and drawn.ndim == 2 else count)


def _printing_order(names: list[str]) -> list[str]:
    from sodbench.metrics.registry import all_metrics

    return [name for name in all_metrics() if name in names]
