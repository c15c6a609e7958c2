"""`compare`: methods tested against each other on the same images, as an object that prints itself."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from sodbench.arguments import IMAGES, LEVEL, RESAMPLES, SEED
from sodbench.errors import InputError
from sodbench.metrics.protocol import DEFAULT
from sodbench.metrics.registry import all_metrics
from sodbench.reporting.group_comparison import (
    AttributeTable,
    attribute_lines,
    attribute_tables,
    attributes_as_json,
)
from sodbench.reporting.headline import headline
from sodbench.reporting.html_table import environment
from sodbench.results.average_ranks import Ranking, rank
from sodbench.results.group_tests import GroupTests, group_tests
from sodbench.results.paired_tests import (
    ImageDifference,
    PairedTest,
    correct,
    most_different,
    paired_tests,
)
from sodbench.results.resampling import Interval
from sodbench.results.run import Run, checked_runs
from sodbench.run_attributes import attributes_of
from sodbench.text import columns


@dataclass(frozen=True)
class MostDifferent:
    """The images on which two methods differ most by a per-image score."""

    first: str
    second: str
    title: str
    metric: str
    images: Sequence[ImageDifference]

    @property
    def heading(self) -> str:
        """`DSS and PiCANet on SOD, by S`."""
        return f"{self.first} and {self.second} on {self.title}, by {self.metric}"


@dataclass(frozen=True)
class Group:
    """The tests of two methods on one data set."""

    heading: str
    first: str
    second: str
    tests: Sequence[PairedTest]


@dataclass(frozen=True, repr=False)
class Comparison:
    """The tests of every two methods, the images that differ most, average ranks over data sets.

    `print` shows it as text, a notebook as tables.
    """

    protocol: str
    level: float
    resamples: int
    seed: int
    tests: Sequence[PairedTest]
    images: Sequence[MostDifferent] = ()
    ranks: dict[str, Ranking] = dataclasses.field(default_factory=dict)
    notes: Sequence[str] = ()
    attributes: Sequence[GroupTests] | None = None  # one per data set; None where they were not asked for

    def as_json(self) -> dict[str, object]:
        """The object that `sodbench compare --json` prints; `attributes` only where they were asked for."""
        content: dict[str, object] = {
            "protocol": self.protocol,
            "level": self.level,
            "resamples": self.resamples,
            "seed": self.seed,
            "comparisons": [_test_as_json(test) for test in self.tests],
            "images": {
                one.heading: [dataclasses.asdict(image) for image in one.images] for one in self.images
            },
            "ranks": {metric: dataclasses.asdict(ranking) for metric, ranking in self.ranks.items()},
        }
        if self.attributes is not None:
            content["attributes"] = attributes_as_json(self.attributes, _test_as_json)
        return content

    def groups(self) -> list[Group]:
        """The tests by data set and pair of methods."""
        pairs = dict.fromkeys((test.dataset, test.first, test.second) for test in self.tests)
        groups = []
        for pair in pairs:
            tests = [test for test in self.tests if (test.dataset, test.first, test.second) == pair]
            dataset, first, second = pair
            heading = (
                f"{first} and {second} on {dataset} ({tests[0].images} images, protocol {self.protocol},"
                f" {self.level * 100:g} % intervals)"
            )
            groups.append(Group(heading, first, second, tests))
        return groups

    def significant(self, test: PairedTest) -> bool:
        """Whether the methods differ at the level after Holm's correction."""
        return test.corrected < 1 - self.level

    @property
    def footnote(self) -> str:
        """What the star behind a row means."""
        tests = f"{len(self.tests)} test{'s' * (len(self.tests) != 1)}"
        return f"* significant at level {1 - self.level:.2g} after Holm's correction over {tests}"

    def attribute_tables(self) -> list[AttributeTable]:
        """The tests on groups by data set, pair of methods and metric."""
        return attribute_tables(self.attributes or (), self.cells)

    def attribute_lines(self) -> list[str]:
        """What the stars of the tests on groups mean, and the groups that were not tested."""
        return [] if self.attributes is None else attribute_lines(self.attributes, self.level)

    def __str__(self) -> str:
        parts = []
        for group in self.groups():
            head = ["", group.first, group.second, "difference", "p", "p (Holm)", "win/tie/loss", ""]
            lines = columns([head, *(self.cells(test) for test in group.tests)], right=range(1, 6))
            parts.append("\n".join([group.heading, *lines]))
        parts.append(self.footnote)
        for one in self.images:
            if one.images:
                lines = columns([image_cells(image) for image in one.images])
                parts.append("\n".join([f"images that differ most: {one.heading}", *lines]))
        for table in self.attribute_tables():
            lines = columns([table.heads, *table.rows], right=range(2, 8))
            parts.append("\n".join([table.heading, *lines]))
        parts += self.attribute_lines()
        parts += self.rank_lines()
        return "\n\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        template = environment().get_template("comparison.html")
        return template.render(comparison=self, image_cells=image_cells)

    def cells(self, test: PairedTest) -> list[str]:
        """One test as text: metric, both values, difference, p, corrected p, wins, star."""
        counts = "" if test.win_tie_loss is None else "/".join(map(str, test.win_tie_loss))
        return [
            test.metric,
            *map(_interval, test.values),
            _interval(test.difference, "+"),
            f"{test.p_value:.4f}",
            f"{test.corrected:.4f}",
            counts,
            "*" if self.significant(test) else "",
        ]

    def rank_lines(self) -> list[str]:
        """One sentence per metric that was ranked over several data sets."""
        lines = []
        for metric, ranking in self.ranks.items():
            ordered = sorted(ranking.ranks.items(), key=lambda item: item[1])
            ranks = ", ".join(f"{name} {value:.2f}" for name, value in ordered)
            # Friedman's test needs three methods
            friedman = "" if ranking.p_value != ranking.p_value else f", Friedman p {ranking.p_value:.3f}"
            lines.append(
                f"average rank by {metric} over {ranking.datasets} data sets: {ranks}"
                f" (critical difference {ranking.critical_difference:.2f}{friedman})"
            )
        return lines


def compare(
    first: Run,
    second: Run,
    *others: Run,
    protocol: str = DEFAULT,
    metrics: Sequence[str] | None = None,
    resamples: int = 5000,
    level: float = 0.95,
    seed: int = 0,
    images: int = 5,
    by: str | None = None,
    attributes: bool = False,
) -> Comparison:
    """Compares each pair of runs on the same data set, on the images that both have scored.

    For each score: BCa bootstrap intervals of both values and of their difference at `level`, a paired
    permutation test with Holm's correction over all tests of the call, and the numbers of images on which
    the first method is better, equal and worse. `metrics` are plain names (None: all). `images` that differ
    most are named, by the per-image score `by` (None: S, else the first that was recorded). Runs of several
    data sets are ranked over them as well (Demšar, JMLR 2006).

    `attributes` tests within each group of images that share an attribute, too (docs/attributes.md), by the
    `metrics` (None: MAE, max F and S, as far as recorded), with Holm's correction over the groups of one
    metric. Groups of fewer than 10 images are named and not tested.

    Raises InputError for wrong numbers, unknown names, runs that cannot be paired, and attributes that are
    neither stored nor can be measured here.
    """
    resamples = RESAMPLES.checked("resamples", resamples)
    images = IMAGES.checked("images", images)
    level = LEVEL.checked("level", level)
    seed = SEED.checked("seed", seed)
    datasets: dict[str, list[Run]] = {}
    for run in checked_runs([first, second, *others]):
        if any(run is other for other in datasets.setdefault(run.dataset, [])):
            raise InputError(f"nothing to compare: {run.name} on {run.dataset} is given twice; give two runs")
        datasets[run.dataset].append(run)
    tests: list[PairedTest] = []
    extremes = []
    within: list[GroupTests] = []
    for dataset, runs in datasets.items():
        if len(runs) < 2:
            raise InputError(f"nothing to compare {runs[0].name!r} on {dataset} with; give two runs or more")
        known = attributes_of(runs[0]) if attributes else None
        of_set = paired_tests(runs, protocol, metrics, resamples=resamples, level=level, seed=seed)
        tests += of_set
        if known is not None:
            recorded = list(dict.fromkeys(test.metric for test in of_set))
            chosen = headline(recorded, metrics is not None)
            within.append(
                group_tests(runs, known, protocol, chosen, resamples=resamples, level=level, seed=seed)
            )
        for one, two in combinations(runs, 2):
            metric = by or _default_image_score(one, protocol)
            different = most_different(one, two, protocol, metric, images)
            extremes.append(MostDifferent(one.name, two.name, one.title, metric, different))
    ranks, notes = _ranks(list(datasets.values()), protocol, metrics)
    return Comparison(
        protocol=protocol,
        level=level,
        resamples=resamples,
        seed=seed,
        tests=correct(tests),
        images=extremes,
        ranks=ranks,
        notes=notes,
        attributes=within if attributes else None,
    )


def image_cells(image: ImageDifference) -> list[str]:
    """An image as text: its name, both scores, their difference."""
    return [
        f"  {image.name}",
        f"{image.first:.4f}",
        f"{image.second:.4f}",
        f"{image.first - image.second:+.4f}",
    ]


def _default_image_score(run: Run, protocol: str) -> str:
    names = run.tables[protocol].per_image.columns
    return "S" if "S" in names else str(names[0])


def _ranks(
    datasets: Sequence[Sequence[Run]], protocol: str, metrics: Sequence[str] | None
) -> tuple[dict[str, Ranking], list[str]]:
    """Average ranks by each score that all runs have, and notes on the data sets that were left out.

    A data set counts if all methods were scored on it, on the same images.
    """
    names = [run.name for run in datasets[0]]
    rankable, notes = [], []
    for runs in datasets if len(datasets) > 1 else ():
        if len({run.scored_on for run in runs}) > 1:
            reason = "the methods were scored on different images of it"
        elif sorted(run.name for run in runs) != sorted(set(names)):
            reason = "its methods are not those of the first data set"
        else:
            rankable.append({run.name: run.tables[protocol].scores for run in runs})
            continue
        notes.append(f"{runs[0].dataset} is left out of the ranks: {reason}")
    if len(rankable) < 2:
        return {}, notes
    first = next(iter(rankable[0].values()))
    shared = [name for name in first if all(name in scores for runs in rankable for scores in runs.values())]
    ranks = {}
    for metric in metrics or shared:
        values = {name: [scores[name][metric] for scores in rankable] for name in names}
        if all(value == value for row in values.values() for value in row):
            ranks[metric] = rank(values, all_metrics()[metric].higher_is_better)
    return ranks, notes


def _test_as_json(test: PairedTest) -> dict[str, object]:
    better = "higher" if all_metrics()[test.metric].higher_is_better else "lower"
    content: dict[str, object] = {}
    for key, value in dataclasses.asdict(test).items():
        content[key] = value
        if key == "metric":
            content["better"] = better
    return content


def _interval(interval: Interval, sign: str = "") -> str:
    return f"{interval.value:{sign}.4f} [{interval.low:{sign}.4f}, {interval.high:{sign}.4f}]"
