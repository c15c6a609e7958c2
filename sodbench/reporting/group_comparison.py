"""The tests of two methods within groups of images, as text, tables and JSON."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sodbench.results.breakdown import FEWEST
from sodbench.results.group_tests import GroupTest, GroupTests
from sodbench.results.paired_tests import PairedTest


@dataclass(frozen=True)
class AttributeTable:
    """The tests of two methods by one metric on the groups of one data set; `rows` are text."""

    heading: str
    first: str
    second: str
    rows: Sequence[Sequence[str]]

    @property
    def heads(self) -> list[str]:
        """The headings of the columns."""
        return ["attribute", "group", "images", self.first, self.second, "difference", "p", "p (Holm)", ""]


def attribute_tables(
    attributes: Sequence[GroupTests], cells_of: Callable[[PairedTest], Sequence[str]]
) -> list[AttributeTable]:
    """The tests by data set, pair of methods and metric; `cells_of` is `Comparison.cells`."""
    tables: dict[tuple[str, str, str, str], list[GroupTest]] = {}
    for tests in attributes:
        for one in tests.tests:
            key = (one.test.dataset, one.test.first, one.test.second, one.test.metric)
            tables.setdefault(key, []).append(one)
    return [
        AttributeTable(
            f"{first} and {second} on {dataset} by attribute: {metric}",
            first,
            second,
            [_cells(one, cells_of(one.test)) for one in tests],
        )
        for (dataset, first, second, metric), tests in tables.items()
    ]


def attribute_lines(attributes: Sequence[GroupTests], level: float) -> list[str]:
    """What the stars mean, and the groups that were not tested."""
    lines = [f"* significant at level {1 - level:.2g} after Holm's correction over the groups of one metric"]
    for tests in attributes:
        if tests.untested:
            groups = ", ".join(map(str, tests.untested))
            lines.append(f"not tested on {tests.untested[0].dataset}, fewer than {FEWEST} images: {groups}")
    return lines


def attributes_as_json(
    attributes: Sequence[GroupTests], test_as_json: Callable[[PairedTest], dict[str, object]]
) -> dict[str, object]:
    """The value of `attributes` in the JSON of a comparison."""
    return {
        "fewest": FEWEST,
        "comparisons": [
            {"attribute": one.attribute, "group": one.group, **test_as_json(one.test)}
            for tests in attributes
            for one in tests.tests
        ],
        "untested": [dataclasses.asdict(one) for tests in attributes for one in tests.untested],
    }


def _cells(one: GroupTest, cells: Sequence[str]) -> list[str]:
    """One test as text, under the headings of its table."""
    _metric, *values, _wins, star = cells
    return [one.attribute, one.group, str(one.test.images), *values, star]
