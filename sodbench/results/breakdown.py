"""Scores by attribute: the data-set scores of each group of images, with intervals, for several methods.

A score of a group is what the data set's score would be if it consisted of these images alone: max F is the
maximum of the group's own mean curve. Intervals are those of `results.resampling`.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sodbench.data.attributes import Group, ImageAttributes
from sodbench.metrics.registry import all_metrics, split_name
from sodbench.results.resampling import Interval, bootstrap, scores_of
from sodbench.results.run import Run
from sodbench.results.table_rows import rows_of

FEWEST = 10  # images; the scores of a smaller group get no interval, no mark and no test
WHOLE = "all"  # the attribute of the group that holds every image


@dataclass(frozen=True)
class GroupScore:
    """One method's score on one group, and its interval (NaN: none).

    `fall` is the difference to the whole set, positive where the group's score is worse; `largest` marks the
    group on which the method falls furthest.
    """

    value: float
    low: float
    high: float
    fall: float
    largest: bool = False


@dataclass(frozen=True)
class Breakdown:
    """The scores of all methods on all groups of one data set.

    The first of `groups` holds every image. `scores` are by method, metric (full name, `maxF@pysodmetrics`)
    and the place of the group.
    """

    dataset: str
    title: str
    groups: Sequence[Group]
    methods: Sequence[str]
    metrics: Sequence[str]
    scores: Mapping[tuple[str, str, int], GroupScore]
    notes: Sequence[str] = ()

    def measured(self, method: str, metric: str) -> bool:
        """Whether the method has the metric on a group, not only on the whole set."""
        return any(
            not math.isnan(self.scores[method, metric, place].value) for place in range(1, len(self.groups))
        )


def groups_of(attributes: ImageAttributes, images: Sequence[str]) -> list[Group]:
    """The whole set, then the groups, each with the images among those that were scored."""
    scored = frozenset(images)
    groups = [replace(group, images=group.images & scored) for group in attributes.groups()]
    return [Group(WHOLE, "all images", "the whole set", scored), *groups]


def break_down(
    runs: Sequence[Run],
    attributes: ImageAttributes,
    metrics: Sequence[str],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Breakdown:
    """Scores the groups of one data set for runs of the same images; `metrics` are full names."""
    first = runs[0]
    images = first.images
    groups = groups_of(attributes, images)
    scores: dict[tuple[str, str, int], GroupScore] = {}
    notes = [*attributes.notes()]
    for run in runs:
        for place, group in enumerate(groups):
            intervals = _intervals(run, group, metrics, resamples, level, seed)
            for full in metrics:
                whole = run.values().get(full, math.nan)
                one = intervals.get(full, Interval(math.nan, math.nan, math.nan))
                value = whole if place == 0 else one.value
                scores[run.name, full, place] = GroupScore(
                    value, one.low, one.high, _fall(full, value, whole)
                )
        for full in metrics:
            _mark(scores, run.name, full, groups)
    breakdown = Breakdown(
        first.dataset, first.title, groups, [run.name for run in runs], list(metrics), scores
    )
    for full in metrics:
        without = [
            run.name for run in runs if full in run.values() and not breakdown.measured(run.name, full)
        ]
        if without and any(group.images for group in groups[1:]):
            notes.append(
                f"{full} by group needs the curves of every image, which the records of {', '.join(without)}"
                " do not keep; score their maps again"
            )
    return dataclasses.replace(breakdown, notes=notes)


def _intervals(
    run: Run, group: Group, metrics: Sequence[str], resamples: int, level: float, seed: int
) -> dict[str, Interval]:
    """The group's scores by full name; bounds are NaN for a group of few images."""
    intervals: dict[str, Interval] = {}
    for protocol, table in run.tables.items():
        wanted = {split_name(full)[0] for full in metrics if split_name(full)[1] == protocol}
        names = table.per_image.index[table.per_image.index.isin(list(group.images))]
        if not wanted or names.empty:
            continue
        scores = scores_of(rows_of(table, names), metrics=wanted)
        if len(names) < FEWEST:
            import numpy as np

            values = scores(np.ones((1, len(names))))
            found = {name: Interval(float(value[0]), math.nan, math.nan) for name, value in values.items()}
        else:
            found = bootstrap(scores, len(names), resamples, level, seed)
        intervals |= {f"{name}@{protocol}": found[name] for name in wanted if name in found}
    return intervals


def _fall(full: str, value: float, whole: float) -> float:
    """How much worse a value is than that of the whole set."""
    return whole - value if all_metrics()[split_name(full)[0]].higher_is_better else value - whole


def _mark(
    scores: dict[tuple[str, str, int], GroupScore], method: str, full: str, groups: Sequence[Group]
) -> None:
    """Marks the group with the largest fall, if there is a fall."""
    falls = {
        place: scores[method, full, place].fall
        for place, group in enumerate(groups)
        if place > 0 and len(group.images) >= FEWEST and scores[method, full, place].fall > 0
    }
    if falls:
        place = max(falls, key=lambda place: falls[place])
        scores[method, full, place] = replace(scores[method, full, place], largest=True)
