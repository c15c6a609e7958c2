"""Runs of one method that differ in their seed only: mean and standard deviation of every score."""

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sodbench.results.run import Run

_SEED = re.compile(r"^(?P<method>.+?)[-_ .#]*seed[-_ =]*(?P<seed>\d+)$", re.IGNORECASE)


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation (n - 1) of one score over the seeds."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Seeds:
    """A method on one data set with all its seeds."""

    method: str
    dataset: str
    runs: tuple[Run, ...]
    scores: dict[str, Spread]

    @property
    def name(self) -> str:
        """How the joined row is called: `basnet (3 seeds)`."""
        return f"{self.method} ({len(self.runs)} seeds)"


def seed_of(name: str) -> tuple[str, int] | None:
    """Method and seed in the name of a run, None where it names no seed.

    >>> seed_of("basnet-tiny-seed3"), seed_of("basnet")
    (('basnet-tiny', 3), None)
    """
    found = _SEED.match(name)
    return (found["method"], int(found["seed"])) if found else None


def over_seeds(runs: Sequence[Run]) -> list[Seeds]:
    """Groups the runs whose names end in `seed<number>` by method and data set; two seeds or more."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        found = seed_of(run.name)
        if found:
            groups.setdefault((found[0], run.dataset), []).append(run)
    return [
        Seeds(method, dataset, tuple(group), spread([run.values() for run in group]))
        for (method, dataset), group in groups.items()
        if len(group) > 1
    ]


def spread(values: Sequence[dict[str, float]]) -> dict[str, Spread]:
    """Mean and deviation of the scores that all seeds have; NaN where one of them is NaN."""
    shared = [name for name in values[0] if all(name in one for one in values)]
    found = {}
    for name in shared:
        numbers = [one[name] for one in values]
        if any(math.isnan(number) for number in numbers):
            found[name] = Spread(math.nan, math.nan)
        else:
            found[name] = Spread(statistics.fmean(numbers), statistics.stdev(numbers))
    return found
