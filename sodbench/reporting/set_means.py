"""The data sets over which methods are averaged, and their average ranks there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sodbench.errors import first_of
from sodbench.reporting.labels import label
from sodbench.results.average_ranks import ranks_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SetMeans:
    """The data sets on which all methods have comparable scores, and each method's average rank (1 is best).

    The rank is averaged over these data sets and over the metrics of which a direction is better. With fewer
    than two such data sets there are none, and `problem` says why.
    """

    datasets: tuple[str, ...] = ()
    ranks: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""


def set_means(frame: "pd.DataFrame", metrics: Sequence[str]) -> SetMeans:
    """The data sets and ranks of the measured rows of `frame` (see `reporting.table.Table`)."""
    measured = frame.loc[frame["kind"] == "measured"]
    methods = sorted(set(measured["method"]))
    complete, missing = [], []
    for name, rows in measured.groupby("dataset", sort=False):
        scored = rows.loc[rows[list(metrics)].notna().all(axis=1), "method"]
        absent = sorted(set(methods) - set(scored))
        if not absent and rows["comparable"].nunique() == 1:
            complete.append(str(name))
        else:
            why = f"no scores of {first_of(absent, 3)}" if absent else "methods scored on different images"
            missing.append(f"{rows['title'].iloc[0]} ({why})")
    if len(complete) < 2:
        return SetMeans(
            problem="no means: fewer than two data sets on which all methods have comparable scores"
            + (f"; not {first_of(missing, 3)}" if missing else "")
        )
    chosen = measured.loc[measured["dataset"].isin(complete)]
    ranks: list[NDArray[np.float64]] = []
    for full in metrics:
        higher_is_better = label(full).higher_is_better
        if higher_is_better is not None and len(methods) > 1:
            scores = chosen.pivot(index="dataset", columns="method", values=full)[methods]
            ranks.append(ranks_of(scores.to_numpy(float), higher_is_better).mean(axis=0))
    if not ranks:
        return SetMeans(tuple(complete))
    mean = np.mean(ranks, axis=0)
    return SetMeans(tuple(complete), dict(zip(methods, map(float, mean), strict=True)))
