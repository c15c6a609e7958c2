"""How sure a score is: bootstrap intervals, paired permutation tests, wins and losses, Holm's correction.

Images are the units that are drawn: a data set is a sample of the pictures one might meet. Scores that are
no mean over images (F of mean precision and recall, the maximum of a mean curve) are recomputed for every
resample by the function that made them, `metrics.aggregate.dataset_scores`.

Efron and Tibshirani, An Introduction to the Bootstrap, 1993 (chapters 14 and 15); Holm, A Simple
Sequentially Rejective Multiple Test Procedure, 1979.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sodbench.results.run import ScoreTableLike

Array = NDArray[np.float64]
# (B, n) counts -> B values by metric name
Scores = Callable[[Array], dict[str, Array]]
# numbers in flight: bounds the memory of a batch of resamples
_BATCH_CELLS = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A score and the bounds of its confidence interval."""

    value: float
    low: float
    high: float


def scores_of(*tables: "ScoreTableLike") -> Scores:
    """The data set's scores as a function of how often each image counts.

    Several tables (of one protocol) are put one below the other: the counts are then those of the first
    table's images, the second's and so on.
    """
    from sodbench.metrics.aggregate import dataset_scores

    protocol = tables[0].protocol
    names = [str(name) for name in tables[0].per_image if all(name in table.per_image for table in tables)]
    columns = {name: np.concatenate([t.per_image[name].to_numpy(float) for t in tables]) for name in names}
    curves = _curves(tables, protocol)

    def scores(counts: Array) -> dict[str, Array]:
        return {name: np.asarray(v) for name, v in dataset_scores(columns, curves, protocol, counts).items()}

    return scores


def _curves(tables: "Sequence[ScoreTableLike]", protocol: Any) -> dict[str, Array]:
    """The images' curves that the protocol averages, F derived once; nothing where a table kept none."""
    from sodbench.metrics.families.f_measure import f_of

    kept = [table.image_curves or {} for table in tables]
    names = [name for name in kept[0] if all(name in curves for curves in kept)]
    found = {name: np.concatenate([np.asarray(curves[name], float) for curves in kept]) for name in names}
    if "F" not in found and {"precision", "recall"} <= set(found) and protocol.f_average == "images":
        p, r = found.pop("precision"), found.pop("recall")
        found["F"] = f_of(p, r, protocol.f_beta2, protocol.f_epsilon)
    return found


def bootstrap(
    scores: Scores,
    images: int,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
    method: Literal["bca", "percentile"] = "bca",
) -> dict[str, Interval]:
    """Confidence intervals of all scores by drawing `images` images with replacement, `resamples` times.

    "bca" corrects for bias and skewness (Efron 1987); it takes one more evaluation an image. The draws are
    those of `scipy.stats.bootstrap` with the same generator. A score that is NaN has NaN bounds.
    """
    drawn = _gather(scores, _resampled(images, resamples, seed))
    observed = {name: float(values[0]) for name, values in scores(np.ones((1, images))).items()}
    left_out = _gather(scores, _jackknifed(images)) if method == "bca" and images > 1 else {}
    tails = ((1 - level) / 2, (1 + level) / 2)
    found = {}
    for name, value in observed.items():
        at = _bca(value, drawn[name], left_out[name], tails) if name in left_out else tails
        low, high = _quantiles(drawn[name], at)
        found[name] = Interval(value, low, high)
    return found


def permutation_test(both: Scores, images: int, resamples: int = 5000, seed: int = 0) -> dict[str, float]:
    """Two-sided p-values of the difference between two methods on the same images, for all scores.

    `both` is `scores_of(first, second)`. Under the null hypothesis the two maps of an image could be
    exchanged: every resample exchanges each image's with probability one half. All exchanges are gone
    through where there are no more than `resamples`. The p-value is twice the smaller tail, as
    `scipy.stats.permutation_test` (permutation_type "samples") takes it.
    """
    exact = images < 60 and 2**images <= resamples
    observed = {name: float(v[0]) for name, v in _exchanged(both, np.zeros((1, images))).items()}
    more, less, total = dict.fromkeys(observed, 0), dict.fromkeys(observed, 0), 0
    for swaps in _exchanges(images, resamples, seed, exact):
        total += len(swaps)
        for name, values in _exchanged(both, swaps).items():
            # equal up to rounding counts as equal: the same sum in another order differs in its last digits
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
    """First minus second where the methods of the images in `swaps` are exchanged."""
    one = both(np.concatenate([1 - swaps, swaps], axis=1))
    two = both(np.concatenate([swaps, 1 - swaps], axis=1))
    return {name: one[name] - two[name] for name in one}


def paired_bootstrap(
    first: Scores, second: Scores, images: int, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """Intervals of the difference first minus second, both methods on the same drawn images."""

    def difference(weights: Array) -> dict[str, Array]:
        one, two = first(weights), second(weights)
        return {name: one[name] - two[name] for name in one if name in two}

    return bootstrap(difference, images, resamples, level, seed)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p-values that may be compared with one level for all; NaN stays NaN.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    valid = [i for i, p in enumerate(p_values) if not np.isnan(p)]
    corrected = [float("nan")] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(sorted(valid, key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(valid) - rank) * p_values[i]))
        corrected[i] = highest
    return corrected


def win_tie_loss(
    first: Array, second: Array, higher_is_better: bool, slack: float = 1e-9
) -> tuple[int, int, int]:
    """Images on which the first method is better, equal (within `slack`) and worse; NaN is left out."""
    difference = (first - second) * (1 if higher_is_better else -1)
    difference = difference[~np.isnan(difference)]
    wins, losses = int((difference > slack).sum()), int((difference < -slack).sum())
    return wins, len(difference) - wins - losses, losses


def _resampled(images: int, resamples: int, seed: int) -> Iterator[Array]:
    """Counts of images drawn with replacement, in batches (B, n)."""
    draw = np.random.default_rng(seed)
    step = max(1, _BATCH_CELLS // images)
    for start in range(0, resamples, step):
        indices = draw.integers(0, images, (min(step, resamples - start), images))
        rows = np.arange(len(indices))[:, None] * images
        yield (
            np.bincount((indices + rows).ravel(), minlength=indices.size).reshape(indices.shape).astype(float)
        )


def _jackknifed(images: int) -> Iterator[Array]:
    """Every image left out once, in batches."""
    step = max(1, _BATCH_CELLS // images)
    for start in range(0, images, step):
        weights = np.ones((min(step, images - start), images))
        weights[np.arange(len(weights)), np.arange(start, start + len(weights))] = 0
        yield weights


def _exchanges(images: int, resamples: int, seed: int, exact: bool) -> Iterator[Array]:
    """Which images' methods are exchanged (1) or kept (0), in batches."""
    step = max(1, _BATCH_CELLS // images)
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
        # every resample gave the same value: there is no spread
        same = float(drawn[0]) if len(drawn) and (drawn == drawn[0]).all() else float("nan")
        return same, same
    low, high = np.nanquantile(drawn, at)
    return float(low), float(high)
