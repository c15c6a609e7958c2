"""Two methods tested against each other on each group of images that share an attribute.

Holm's correction is over the groups of one data set, pair of methods and metric: the tests that answer one
question, in which groups the two differ by that metric.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from sodbench.data.attributes import ImageAttributes
from sodbench.results.breakdown import FEWEST, groups_of
from sodbench.results.paired_tests import PairedTest, correct, paired_tests
from sodbench.results.run import Run


@dataclass(frozen=True)
class GroupTest:
    """The test of two methods by one metric on one group of a data set."""

    attribute: str
    group: str
    test: PairedTest


@dataclass(frozen=True)
class UntestedGroup:
    """A group with too few images for a test: `images` that both methods have scored."""

    dataset: str
    attribute: str
    group: str
    images: int

    def __str__(self) -> str:
        count = "no images" if self.images == 0 else f"{self.images} image{'s' * (self.images != 1)}"
        return f"{self.attribute}: {self.group} ({count})"


@dataclass(frozen=True)
class GroupTests:
    """All tests on groups, and the groups that were not tested."""

    tests: Sequence[GroupTest]
    untested: Sequence[UntestedGroup]


def group_tests(
    runs: Sequence[Run],
    attributes: ImageAttributes,
    protocol: str,
    metrics: Sequence[str],
    *,
    resamples: int = 5000,
    level: float = 0.95,
    seed: int = 0,
) -> GroupTests:
    """Tests every two of the runs (one data set) on each group of at least FEWEST images.

    `metrics` are plain names that all runs have.
    """
    tests: list[GroupTest] = []
    untested: dict[UntestedGroup, None] = {}
    for first, second in combinations(runs, 2):
        shared = set(_images(first, protocol)) & set(_images(second, protocol))
        made: list[GroupTest] = []
        for group in groups_of(attributes, sorted(shared))[1:]:
            if len(group.images) < FEWEST:
                untested[UntestedGroup(first.dataset, group.attribute, group.name, len(group.images))] = None
                continue
            of_group = paired_tests(
                [first, second],
                protocol,
                metrics,
                images=group.images,
                resamples=resamples,
                level=level,
                seed=seed,
            )
            made += [GroupTest(group.attribute, group.name, test) for test in of_group]
        for metric in metrics:
            tests += _corrected(one for one in made if one.test.metric == metric)
    return GroupTests(tests, tuple(untested))


def _images(run: Run, protocol: str) -> list[str]:
    return [str(name) for name in run.tables[protocol].per_image.index]


def _corrected(tests: Iterable[GroupTest]) -> list[GroupTest]:
    """The tests of one metric with their p-values corrected over the groups."""
    tests = list(tests)
    corrected = correct([one.test for one in tests])
    return [GroupTest(one.attribute, one.group, test) for one, test in zip(tests, corrected, strict=True)]
