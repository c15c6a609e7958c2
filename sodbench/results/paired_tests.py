"""Two methods on the same images of one data set: differences, intervals, p-values, extreme images.

Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 1979.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sodbench.errors import InputError, first_of, unknown_names
from sodbench.metrics.registry import all_metrics
from sodbench.results.resampling import (
    Interval,
    bootstrap,
    paired_bootstrap,
    permutation_test,
    scores_of,
)
from sodbench.results.run import Run, protocol_of
from sodbench.results.table_rows import TableRows, rows_of


@dataclass(frozen=True)
class PairedTest:
    """One score of two methods on one data set; the difference is first minus second."""

    dataset: str
    first: str
    second: str
    metric: str
    images: int
    values: tuple[Interval, Interval]
    difference: Interval
    p_value: float
    corrected: float  # by Holm's method over all tests made together
    win_tie_loss: tuple[int, int, int] | None  # images on which the first is better, equal, worse


@dataclass(frozen=True)
class ImageDifference:
    """An image and its score under both methods."""

    name: str
    first: float
    second: float


def paired_tests(
    runs: Sequence[Run],
    protocol: str,
    metrics: Sequence[str] | None = None,
    *,
    images: Collection[str] | None = None,
    resamples: int = 5000,
    level: float = 0.95,
    seed: int = 0,
) -> list[PairedTest]:
    """Tests every two of the runs (one data set) on the images that both have scored.

    `metrics` are plain names (None: all that both have), `images` those to test on (None: all). Holm's
    correction is over all tests returned; `correct` repeats it over several data sets. Raises InputError for
    runs that cannot be paired.
    """
    tests: list[PairedTest] = []
    for first, second in combinations(runs, 2):
        one, two = _paired(first, second, protocol, images)
        count = len(one.per_image)
        scores_one, scores_two = scores_of(one), scores_of(two)
        values_one = bootstrap(scores_one, count, resamples, level, seed)
        values_two = bootstrap(scores_two, count, resamples, level, seed)
        differences = paired_bootstrap(scores_one, scores_two, count, resamples, level, seed)
        p_values = permutation_test(scores_of(one, two), count, resamples, seed)
        shared = [name for name in p_values if name in differences]
        unknown = [name for name in metrics or () if name not in shared]
        if unknown:
            raise unknown_names(f"metric of protocol {protocol!r}", unknown, shared)
        for name in shared if metrics is None else metrics:
            tests.append(
                PairedTest(
                    dataset=first.dataset,
                    first=first.name,
                    second=second.name,
                    metric=name,
                    images=count,
                    values=(values_one[name], values_two[name]),
                    difference=differences[name],
                    p_value=p_values[name],
                    corrected=p_values[name],
                    win_tie_loss=_win_tie_loss_of(one, two, name),
                )
            )
    return correct(tests)


def correct(tests: Sequence[PairedTest]) -> list[PairedTest]:
    """The same tests with their p-values corrected over all of them."""
    corrected = holm([test.p_value for test in tests])
    return [replace(test, corrected=p) for test, p in zip(tests, corrected, strict=True)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p-values that may all be compared with one level; NaN stays NaN.

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
    first: NDArray[np.float64], second: NDArray[np.float64], higher_is_better: bool, slack: float = 1e-9
) -> tuple[int, int, int]:
    """Images on which the first method is better, equal (within `slack`) and worse; NaN is left out."""
    difference = (first - second) * (1 if higher_is_better else -1)
    difference = difference[~np.isnan(difference)]
    wins, losses = int((difference > slack).sum()), int((difference < -slack).sum())
    return wins, len(difference) - wins - losses, losses


def most_different(
    first: Run, second: Run, protocol: str, metric: str, count: int = 10
) -> list[ImageDifference]:
    """The `count` images whose score differs most between two runs, largest difference first."""
    one, two = _paired(first, second, protocol)
    if metric not in one.per_image or metric not in two.per_image:
        raise unknown_names("per-image metric", [metric], [str(name) for name in one.per_image])
    a, b = one.per_image[metric], two.per_image[metric]
    order = (a - b).abs().sort_values(ascending=False, kind="stable").dropna().index[:count]
    return [ImageDifference(str(name), float(a[name]), float(b[name])) for name in order]


def _paired(
    first: Run, second: Run, protocol: str, images: Collection[str] | None = None
) -> tuple[TableRows, TableRows]:
    """The tables of both runs on the images that both have; InputError where they cannot be paired."""
    for run in (first, second):
        if protocol not in run.tables:
            raise InputError(
                f"{run.name} on {run.dataset} has no scores under protocol {protocol!r}, only under"
                f" {', '.join(run.tables)}; score it again with --protocols {protocol}"
            )
    differing = protocol_of(first.tables[protocol]).differing(protocol_of(second.tables[protocol]))
    if differing:
        raise InputError(
            f"{first.name} and {second.name} on {first.dataset} were scored under two protocols named"
            f" {protocol!r}, which differ in {first_of(differing, 3)}; score both again under one"
        )
    if first.dataset_digest != second.dataset_digest:
        raise InputError(
            f"{first.name} and {second.name} were scored against different masks of {first.dataset}"
            " (their data digests differ); score both again on the same files"
        )
    tables = first.tables[protocol], second.tables[protocol]
    names = tables[0].per_image.index
    names = names[names.isin(tables[1].per_image.index)]
    if images is not None:
        names = names[names.isin(list(images))]
    if names.empty:
        raise InputError(f"{first.name} and {second.name} have no image of {first.dataset} in common")
    one, two = (rows_of(table, names) for table in tables)
    return one, two


def _win_tie_loss_of(one: TableRows, two: TableRows, metric: str) -> tuple[int, int, int] | None:
    if metric not in one.per_image or metric not in two.per_image:
        return None
    values = (one.per_image[metric].to_numpy(float), two.per_image[metric].to_numpy(float))
    return win_tie_loss(*values, higher_is_better=all_metrics()[metric].higher_is_better)
