"""Runs of one method that differ only in their seed: mean and standard deviation of every score."""

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
        """The name of the joined row: `basnet (3 seeds)`."""
        return f"{self.method} ({len(self.runs)} seeds)"


def seed_of(name: str) -> tuple[str, int] | None:
    """The method and the seed in the name of a run, None where it names no seed.

    >>> seed_of("basnet-tiny-seed3"), seed_of("basnet")
    (('basnet-tiny', 3), None)
    """
    match = _SEED.match(name)
    return (match["method"], int(match["seed"])) if match else None


def over_seeds(runs: Sequence[Run]) -> list[Seeds]:
    """Groups of two or more runs of one method on one data set whose names end in `seed<number>`."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        seeded = seed_of(run.name)
        if seeded:
            groups.setdefault((seeded[0], run.dataset), []).append(run)
    return [
        Seeds(method, dataset, tuple(group), spread([run.values() for run in group]))
        for (method, dataset), group in groups.items()
        if len(group) > 1
    ]


def spread(values: Sequence[dict[str, float]]) -> dict[str, Spread]:
    """Mean and standard deviation of the scores that all seeds have; NaN where one value is NaN."""
    shared = [name for name in values[0] if all(name in one for one in values)]
    spreads = {}
    for name in shared:
        numbers = [one[name] for one in values]
        if any(math.isnan(number) for number in numbers):
            spreads[name] = Spread(math.nan, math.nan)
        else:
            spreads[name] = Spread(statistics.fmean(numbers), statistics.stdev(numbers))
    return spreads
