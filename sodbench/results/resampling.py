"""Bootstrap confidence intervals and paired permutation tests of data-set scores.

Images are resampled: a data set is a sample of the images that a method may meet. A score that is no mean
over images (F of mean precision and recall, the maximum of a mean curve) is recomputed for every resample by
the function that made it, `metrics.aggregate.dataset_scores`.

Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 14 and 15.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from sodbench.metrics import protocol as protocols

Array = NDArray[np.float64]
# from (B, n) counts of images to B values by metric name
Scores = Callable[[Array], dict[str, Array]]
# counts in one batch of resamples, which bounds the memory; a curve has 256 levels
_BATCH_CELLS = 4_000_000
_LEVELS = 256


class PerImageTable(Protocol):
    """The parts of a score table that resampling needs."""

    @property
    def protocol(self) -> "protocols.Protocol":
        """The conventions of the scores."""

    @property
    def per_image(self) -> "pd.DataFrame":
        """One row per image, one column per metric."""

    @property
    def image_curves(self) -> "Mapping[str, NDArray[np.float32]] | None":
        """Curves (images x levels) by name, where they were kept."""


@dataclass(frozen=True)
class Interval:
    """A score and the bounds of its confidence interval."""

    value: float
    low: float
    high: float


def scores_of(*tables: PerImageTable, metrics: Collection[str] | None = None) -> Scores:
    """The data-set scores as a function of how often each image counts.

    Several tables (of one protocol) are stacked: the counts are those of the first table's images, then
    those of the second's, and so on. With `metrics` (plain names) only the families of these are computed.
    """
    from sodbench.metrics.aggregate import dataset_scores

    protocol = tables[0].protocol
    needed = None if metrics is None else _inputs(metrics, protocol)
    names = [str(name) for name in tables[0].per_image if all(name in table.per_image for table in tables)]
    names = [name for name in names if needed is None or name in needed]
    columns = {name: np.concatenate([t.per_image[name].to_numpy(float) for t in tables]) for name in names}
    curves = _curves(tables, protocol, needed)

    def scores(counts: Array) -> dict[str, Array]:
        return {name: np.asarray(v) for name, v in dataset_scores(columns, curves, protocol, counts).items()}

    return scores


def _inputs(metrics: Collection[str], protocol: "protocols.Protocol") -> set[str]:
    """The columns and curves from which the families of these metrics are computed."""
    from sodbench.metrics.registry import all_families, families_of

    inputs = [all_families()[name].inputs(protocol) for name in families_of(metrics)]
    names = {name for one in inputs for name in (*one.columns, *one.curves)}
    return names | {"precision", "recall"} if "F" in names else names


def _curves(
    tables: tuple[PerImageTable, ...], protocol: "protocols.Protocol", needed: set[str] | None
) -> dict[str, Array]:
    """The images' curves that the protocol averages, with F derived once; empty where a table kept none."""
    from sodbench.metrics.families.f_measure import f_of

    kept = [table.image_curves or {} for table in tables]
    names = [name for name in kept[0] if all(name in curves for curves in kept)]
    names = [name for name in names if needed is None or name in needed]
    stacked = {name: np.concatenate([np.asarray(curves[name], float) for curves in kept]) for name in names}
    if "F" not in stacked and {"precision", "recall"} <= set(stacked) and protocol.f_average == "images":
        p, r = stacked.pop("precision"), stacked.pop("recall")
        stacked["F"] = f_of(p, r, protocol.f_beta2, protocol.f_epsilon)
    return stacked


def bootstrap(
    scores: Scores,
    images: int,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
    method: Literal["bca", "percentile"] = "bca",
) -> dict[str, Interval]:
    """Confidence intervals of all scores by drawing `images` images with replacement, `resamples` times.

    "bca" corrects for bias and skewness (Efron 1987) at the price of one more evaluation per image. The draws
    are those of `scipy.stats.bootstrap` with the same generator. The bounds of a NaN score are NaN.
    """
    drawn = _gather(scores, _resampled(images, resamples, seed))
    observed = {name: float(values[0]) for name, values in scores(np.ones((1, images))).items()}
    left_out = _gather(scores, _jackknifed(images)) if method == "bca" and images > 1 else {}
    tails = ((1 - level) / 2, (1 + level) / 2)
    intervals = {}
    for name, value in observed.items():
        at = _bca(value, drawn[name], left_out[name], tails) if name in left_out else tails
        low, high = _quantiles(drawn[name], at)
        intervals[name] = Interval(value, low, high)
    return intervals


def permutation_test(both: Scores, images: int, resamples: int = 5000, seed: int = 0) -> dict[str, float]:
    """Two-sided p-values of the difference between two methods on the same images, for all scores.

    `both` is `scores_of(first, second)`. Under the null hypothesis the two maps of an image are exchangeable:
    every resample exchanges those of each image with probability one half. The test is exact where there are
    at most `resamples` exchanges. The p-value is twice the smaller tail, as in
    `scipy.stats.permutation_test` (permutation_type "samples").
    """
    exact = images < 60 and 2**images <= resamples
    observed = {name: float(v[0]) for name, v in _exchanged(both, np.zeros((1, images))).items()}
    more, less, total = dict.fromkeys(observed, 0), dict.fromkeys(observed, 0), 0
    for swaps in _exchanges(images, resamples, seed, exact):
        total += len(swaps)
        for name, values in _exchanged(both, swaps).items():
            # values that differ only by rounding are equal: the order of a sum changes its last digits
            slack = 1e-12 * (1 + abs(observed[name]))
            more[name] += int((values >= observed[name] - slack).sum())
            less[name] += int((values <= observed[name] + slack).sum())
    extra = 0 if exact else 1
    return {
        name: float("nan")
        if np.isnan(observed[name])
        else min(1.0, 2 * (min(more[name], less[name]) + extra) / (total + extra))
        for name in observed
    }


def _exchanged(both: Scores, swaps: Array) -> dict[str, Array]:
    """First minus second, with the methods exchanged for the images where `swaps` is 1."""
    one = both(np.concatenate([1 - swaps, swaps], axis=1))
    two = both(np.concatenate([swaps, 1 - swaps], axis=1))
    return {name: one[name] - two[name] for name in one}


def paired_bootstrap(
    first: Scores, second: Scores, images: int, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """Intervals of the difference first minus second; a resample draws the same images for both."""

    def difference(weights: Array) -> dict[str, Array]:
        one, two = first(weights), second(weights)
        return {name: one[name] - two[name] for name in one if name in two}

    return bootstrap(difference, images, resamples, level, seed)


def _resampled(images: int, resamples: int, seed: int) -> Iterator[Array]:
    """Counts of images drawn with replacement, in batches of shape (B, n)."""
    draw = np.random.default_rng(seed)
    step = max(1, _BATCH_CELLS // max(images, _LEVELS))
    for start in range(0, resamples, step):
        indices = draw.integers(0, images, (min(step, resamples - start), images))
        rows = np.arange(len(indices))[:, None] * images
        yield (
            np.bincount((indices + rows).ravel(), minlength=indices.size).reshape(indices.shape).astype(float)
        )


def _jackknifed(images: int) -> Iterator[Array]:
    """Counts that leave out each image once, in batches of shape (B, n)."""
    step = max(1, _BATCH_CELLS // max(images, _LEVELS))
    for start in range(0, images, step):
        weights = np.ones((min(step, images - start), images))
        weights[np.arange(len(weights)), np.arange(start, start + len(weights))] = 0
        yield weights


def _exchanges(images: int, resamples: int, seed: int, exact: bool) -> Iterator[Array]:
    """Whether the methods of an image are exchanged (1) or kept (0), in batches of shape (B, n)."""
    step = max(1, _BATCH_CELLS // max(images, _LEVELS))
    if exact:
        for start in range(0, 2**images, step):
            codes = np.arange(start, min(start + step, 2**images))
            yield ((codes[:, None] >> np.arange(images)) & 1).astype(float)
        return
    draw = np.random.default_rng(seed)
    for start in range(0, resamples, step):
        yield draw.integers(0, 2, (min(step, resamples - start), images)).astype(float)


def _gather(scores: Scores, batches: Iterator[Array]) -> dict[str, Array]:
    parts: dict[str, list[Array]] = {}
    for weights in batches:
        for name, values in scores(weights).items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _bca(value: float, drawn: Array, left_out: Array, tails: tuple[float, float]) -> tuple[float, float]:
    """The two quantiles that correct the percentile interval for bias and acceleration."""
    from scipy.stats import norm

    # half of the ties count as below, as scipy does
    below = ((drawn < value).sum() + (drawn <= value).sum()) / (2 * len(drawn))
    z0 = norm.ppf(below)
    shift = left_out.mean() - left_out
    spread = float((shift**2).sum() ** 1.5)
    acceleration = float((shift**3).sum()) / (6 * spread) if spread > 0 else 0.0
    z = z0 + norm.ppf(tails)
    with np.errstate(invalid="ignore"):  # z0 is infinite where all resamples lie on one side
        low, high = norm.cdf(z0 + z / (1 - acceleration * z))
    return float(low), float(high)


def _quantiles(drawn: Array, at: tuple[float, float]) -> tuple[float, float]:
    if np.isnan(at).any() or np.isnan(drawn).all():
        # all resamples gave the same value
        same = float(drawn[0]) if len(drawn) and (drawn == drawn[0]).all() else float("nan")
        return same, same
    low, high = np.nanquantile(drawn, at)
    return float(low), float(high)
