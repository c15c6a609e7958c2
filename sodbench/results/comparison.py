"""Two methods on one data set, image by image: differences, intervals, p-values, extreme images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from sodbench.errors import InputError, unknown_names
from sodbench.results.record import Run
from sodbench.results.statistics import (
    Interval,
    bootstrap,
    holm,
    paired_bootstrap,
    permutation_test,
    scores_of,
    win_tie_loss,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Compared:
    """One score of two methods on one data set; the difference is first minus second."""

    dataset: str
    first: str
    second: str
    metric: str
    better: str  # "higher" or "lower" values are better
    images: int
    values: tuple[Interval, Interval]
    difference: Interval
    p_value: float
    corrected: float  # by Holm's method over everything compared together
    win_tie_loss: tuple[int, int, int] | None  # images on which the first is better, equal, worse


@dataclass(frozen=True)
class ImageDifference:
    """An image and its score under both methods."""

    name: str
    first: float
    second: float


def compare(
    runs: Sequence[Run],
    protocol: str,
    metrics: Sequence[str] | None = None,
    resamples: int = 5000,
    level: float = 0.95,
    seed: int = 0,
) -> list[Compared]:
    """Compares every two of the runs (one data set) on the images that both have scored.

    Holm's correction is over all rows returned; `correct` redoes it over several data sets.
    """
    rows: list[Compared] = []
    for first, second in combinations(runs, 2):
        rows += _pair(first, second, protocol, metrics, resamples, level, seed)
    return correct(rows)


def correct(rows: Sequence[Compared]) -> list[Compared]:
    """The same rows with their p-values corrected over all of them."""
    corrected = holm([row.p_value for row in rows])
    return [replace(row, corrected=p) for row, p in zip(rows, corrected, strict=True)]


def most_different(
    first: Run, second: Run, protocol: str, metric: str, count: int = 10
) -> list[ImageDifference]:
    """The images whose score differs most between two runs, largest difference first."""
    one, two = _paired(first, second, protocol)
    if metric not in one.per_image or metric not in two.per_image:
        raise unknown_names("per-image metric", [metric], [str(name) for name in one.per_image])
    a, b = one.per_image[metric], two.per_image[metric]
    order = (a - b).abs().sort_values(ascending=False, kind="stable").dropna().index[:count]
    return [ImageDifference(str(name), float(a[name]), float(b[name])) for name in order]


@dataclass(frozen=True)
class _Part:
    """The rows of a score table that both runs have, in one order."""

    protocol: Any
    scores: dict[str, float]
    per_image: "pd.DataFrame"
    curves: "pd.DataFrame"
    image_curves: dict[str, Any] | None


def _pair(
    first: Run,
    second: Run,
    protocol: str,
    metrics: Sequence[str] | None,
    resamples: int,
    level: float,
    seed: int,
) -> list[Compared]:
    from sodbench.metrics.registry import all_metrics

    one, two = _paired(first, second, protocol)
    images = len(one.per_image)
    scores_one, scores_two, both = scores_of(one), scores_of(two), scores_of(one, two)
    intervals = [bootstrap(scores, images, resamples, level, seed) for scores in (scores_one, scores_two)]
    differences = paired_bootstrap(scores_one, scores_two, images, resamples, level, seed)
    p_values = permutation_test(both, images, resamples, seed)
    shared = [name for name in p_values if name in differences]
    chosen = list(metrics) if metrics is not None else shared
    unknown = [name for name in chosen if name not in shared]
    if unknown:
        raise unknown_names(f"metric of protocol {protocol!r}", unknown, shared)
    rows = []
    for name in chosen:
        better = "higher" if all_metrics()[name].higher_is_better else "lower"
        counts = None
        if name in one.per_image and name in two.per_image:
            columns = (one.per_image[name].to_numpy(float), two.per_image[name].to_numpy(float))
            counts = win_tie_loss(*columns, higher_is_better=better == "higher")
        rows.append(
            Compared(
                dataset=first.dataset,
                first=first.name,
                second=second.name,
                metric=name,
                better=better,
                images=images,
                values=(intervals[0][name], intervals[1][name]),
                difference=differences[name],
                p_value=p_values[name],
                corrected=p_values[name],
                win_tie_loss=counts,
            )
        )
    return rows


def _paired(first: Run, second: Run, protocol: str) -> tuple[_Part, _Part]:
    """Both runs' tables on the images that both have; InputError where they cannot be paired."""
    for run in (first, second):
        if protocol not in run.tables:
            raise InputError(
                f"{run.name} on {run.dataset} has no scores under protocol {protocol!r}, only under"
                f" {', '.join(run.tables)}; score it again with --protocol {protocol}"
            )
    if first.dataset_digest != second.dataset_digest:
        raise InputError(
            f"{first.name} and {second.name} were scored against different masks of {first.dataset}"
            " (their data digests differ); score both again on the same files"
        )
    tables = first.tables[protocol], second.tables[protocol]
    other = set(tables[1].per_image.index)
    names = [name for name in tables[0].per_image.index if name in other]
    if not names:
        raise InputError(f"{first.name} and {second.name} have no image of {first.dataset} in common")
    one, two = (_part(table, names) for table in tables)
    return one, two


def _part(table: Any, names: Sequence[Any]) -> _Part:
    rows = table.per_image.index.get_indexer(names)
    curves = table.image_curves
    kept = None if curves is None else {name: np.asarray(values)[rows] for name, values in curves.items()}
    return _Part(table.protocol, dict(table.scores), table.per_image.iloc[rows], table.curves, kept)
