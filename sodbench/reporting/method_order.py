"""The order in which charts and figures show methods: the best first."""

import math
from collections import Counter
from collections.abc import Sequence

from sodbench.reporting.labels import label
from sodbench.results.run import Run


def best_first(runs: Sequence[Run], metric: str | None) -> list[Run]:
    """The runs of one data set by `metric` (full name), the best first; without a metric as they are.

    Runs that were scored on other images than most, and those without the score, come last.
    """
    if metric is None or not runs:
        return list(runs)
    most = max(run.scored for run in runs)
    images, _ = Counter(run.scored_on for run in runs if run.scored == most).most_common(1)[0]
    sign = 1 if label(metric).higher_is_better is False else -1

    def place(run: Run) -> tuple[bool, bool, float, str]:
        value = run.values().get(metric, math.nan)
        unknown = math.isnan(value)
        return run.scored_on != images, unknown, 0.0 if unknown else sign * value, run.name

    return sorted(runs, key=place)
