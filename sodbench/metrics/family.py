"""What a metric family is: its names, and three small functions from pixels to numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sodbench.metrics.measurement import Measurement
    from sodbench.metrics.protocol import Protocol

Columns = dict[str, float]
Curves = dict[str, NDArray[np.float64]]
Means = Mapping[str, Any]


@dataclass(frozen=True)
class MetricInfo:
    """How to print and read one score."""

    name: str
    title: str
    direction: Literal["higher", "lower"]
    range: tuple[float, float]
    source: str

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is a better score."""
        return self.direction == "higher"


@dataclass(frozen=True)
class Family:
    """A metric family: the scores it yields and how.

    `measure(measurement, protocol)` gives one image's columns (floats; NaN where the protocol leaves the
    image out) and its curves (arrays over the levels, named precision, recall, E ...).
    `score(means, curves, protocol)` turns the columns' means and the mean curves into the data set's scores;
    it must work on arrays whose leading axis counts resamples as well.
    """

    name: str
    metrics: tuple[MetricInfo, ...]
    measure: "Callable[[Measurement, Protocol], tuple[Columns, Curves]]"
    score: "Callable[[Means, Means, Protocol], dict[str, Any]]"
    standard: bool = False
