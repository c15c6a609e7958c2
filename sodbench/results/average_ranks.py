"""Average ranks over data sets, Friedman's test and the critical difference (Demšar, JMLR 2006)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ranking:
    """Average ranks (1 is best) of methods over data sets.

    `p_value` is that of Friedman's test of the hypothesis that all methods perform alike (NaN for fewer than
    three methods). Two methods whose average ranks differ by less than `critical_difference` (Nemenyi's test)
    do not differ significantly at `level`.
    """

    ranks: dict[str, float]
    datasets: int
    p_value: float
    critical_difference: float
    level: float

    def groups(self) -> list[list[str]]:
        """The largest groups of methods without a significant difference, best first."""
        names = sorted(self.ranks, key=lambda name: (self.ranks[name], name))
        groups: list[list[str]] = []
        for start, first in enumerate(names):
            group = [n for n in names[start:] if self.ranks[n] - self.ranks[first] < self.critical_difference]
            if len(group) > 1 and not any(set(group) <= set(other) for other in groups):
                groups.append(group)
        return groups


def rank(scores: Mapping[str, Sequence[float]], higher_is_better: bool, level: float = 0.05) -> Ranking:
    """Ranks methods by their scores on the same data sets; equal scores share the mean of their ranks.

    `scores` maps each method to one value per data set, all in the same order of data sets. Raises ValueError
    for fewer than two methods and for NaN.
    """
    from scipy.stats import friedmanchisquare, studentized_range

    names = list(scores)
    values: NDArray[np.float64] = np.array([scores[name] for name in names], dtype=float).T
    datasets, methods = values.shape
    if methods < 2 or np.isnan(values).any():
        raise ValueError("ranks need at least two methods and a score of each on every data set")
    places = ranks_of(values, higher_is_better)
    q = float(studentized_range.ppf(1 - level, methods, np.inf)) / np.sqrt(2)
    p_value = float("nan")
    if methods > 2 and datasets > 1 and np.ptp(places) > 0:
        p_value = float(friedmanchisquare(*values.T).pvalue)
    return Ranking(
        ranks={name: float(mean) for name, mean in zip(names, places.mean(axis=0), strict=True)},
        datasets=datasets,
        p_value=p_value,
        critical_difference=q * float(np.sqrt(methods * (methods + 1) / (6 * datasets))),
        level=level,
    )


def ranks_of(values: NDArray[np.float64], higher_is_better: bool) -> NDArray[np.float64]:
    """The ranks (1 is best) in every row of `values` (data sets x methods); equal values share their mean."""
    import pandas as pd

    return pd.DataFrame(values).rank(axis=1, ascending=not higher_is_better).to_numpy()
