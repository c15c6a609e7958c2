"""What a metric family is: the names of its scores, and how they follow from the pixels.

A new family is one file in `families/` with the formula on top, a function `measure` for one image, and

    FAMILY = Family("BER", "Vicente et al., ECCV 2016", (MetricInfo("BER", "balanced error rate"),), measure)

The data set's score is then the mean over images of the column of the same name, or the maximum or the mean
of a mean curve (`MetricInfo.curve`). A family whose score is something else subclasses `Family` and says how
in `inputs` and `score`, as `families/relaxed_f.py` does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.protocol import Protocol

if TYPE_CHECKING:
    from sodbench.metrics.measurement import Measurement
else:
    Measurement = Any  # the engine is loaded when something is measured, not when names are looked up

__all__ = [
    "Columns",
    "Curves",
    "Family",
    "Inputs",
    "Means",
    "Measurement",
    "MetricInfo",
    "Protocol",
    "Scores",
]

Columns = dict[str, float]
Curves = dict[str, NDArray[np.float64]]
# means over images by name, of columns or of curves; with resamples their first axis counts these
Means = Mapping[str, NDArray[np.float64]]
Scores = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class MetricInfo:
    """How to print and read one score, and how the data set's value is taken.

    `curve` names the mean curve whose `summary` is the data set's value (None: the mean over images of the
    column of this name). `only_if` names the protocol's flag without which the toolkit prints no such score.
    """

    name: str
    title: str
    higher_is_better: bool = True
    range: tuple[float, float] = (0.0, 1.0)
    curve: str | None = None
    summary: Literal["max", "mean"] = "max"
    only_if: Literal["f_adaptive", "e_curve"] | None = None


class Inputs(NamedTuple):
    """The names of the columns and of the curves that a family's score is computed from."""

    columns: tuple[str, ...]
    curves: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """A metric family: the scores it yields and how.

    `measure(measurement, protocol)` gives one image's columns (floats; NaN where the protocol leaves the
    image out) and its curves (arrays over the levels, or over fewer bins, named precision, recall, E ...).
    `source` is the paper. `as_saved`: the map is scored as it was saved, not on the protocol's scale.
    """

    name: str
    source: str
    metrics: tuple[MetricInfo, ...]
    measure: Callable[[Measurement, Protocol], tuple[Columns, Curves]]
    standard: bool = False
    as_saved: bool = False

    def defined(self, protocol: Protocol) -> tuple[MetricInfo, ...]:
        """The metrics that the protocol's toolkit prints."""
        return tuple(one for one in self.metrics if one.only_if is None or getattr(protocol, one.only_if))

    def inputs(self, protocol: Protocol) -> Inputs:
        """The columns and curves that `score` reads: without them there is no score."""
        defined = self.defined(protocol)
        curves = dict.fromkeys(one.curve for one in defined if one.curve is not None)
        return Inputs(tuple(one.name for one in defined if one.curve is None), tuple(curves))

    def score(self, means: Means, curves: Means, protocol: Protocol) -> Scores:
        """The data set's scores by name, from the columns' means and the mean curves (last axis: level).

        Works on arrays whose first axis counts resamples as well.
        """
        scores: Scores = {}
        for one in self.defined(protocol):
            if one.curve is None:
                scores[one.name] = means[one.name]
            else:
                curve = np.asarray(curves[one.curve])
                scores[one.name] = curve.max(axis=-1) if one.summary == "max" else curve.mean(axis=-1)
        return scores
