"""Under which heading a row of a wide table stands, and in which order."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sodbench.reporting.labels import label, main_metric
from sodbench.reporting.table import ranked_rows
from sodbench.reporting.wide_table import WideRow
from sodbench.results.average_ranks import ranks_of
from sodbench.results.seeds import seed_of

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("origin", "year", "none")
MEASURED, PUBLISHED, UNKNOWN, OURS = "Measured here", "Published", "Year not known", "Ours"
# the place of a method; the smallest stands first
Standing = Mapping[str, tuple[float, ...]]


def standing_of(
    parts: Sequence["pd.DataFrame"],
    metrics: Sequence[str],
    methods: Sequence[str] | None = None,
    sort: str | None = None,
) -> Standing:
    """The places of the methods in the rows of several data sets.

    In the order of `methods`; without these, methods on most data sets first, of these the one that is on
    average the best by `sort` (default: max F, else the first metric). Empty for "name".
    """
    if methods is not None:
        return {name: (float(at),) for at, name in enumerate(methods)}
    full = main_metric(metrics, sort or "maxF")
    if sort == "name" or full is None:
        return {}
    places: dict[str, list[float]] = {}
    for rows in parts:
        ranked = ranked_rows(rows).dropna(subset=[full])
        if len(ranked):
            ranks = ranks_of(ranked[[full]].to_numpy(float).T, label(full).higher_is_better is not False)[0]
            for method, rank in zip(ranked["method"], ranks, strict=True):
                places.setdefault(str(method), []).append(float(rank))
    return {method: (-len(found), math.fsum(found) / len(found)) for method, found in places.items()}


def group_of(
    group_by: str, ours: Sequence[str], method: str, owner: str | None, published: bool, year: int | None
) -> str:
    """The heading of a row; a published row stands with its `owner`, the measured method it belongs to."""
    if {owner or method, without_seeds(owner or method)} & set(ours):
        return OURS
    if group_by == "year":
        return str(year) if year else UNKNOWN
    if group_by == "origin":
        return PUBLISHED if published and owner is None else MEASURED
    return ""


def place(row: WideRow, standing: Standing) -> tuple[Any, ...]:
    """The sort key of a row: years in order, ours last; each published row after its measured method."""
    known = (MEASURED, PUBLISHED, UNKNOWN, OURS)
    group = (known.index(row.group) if row.group in known else -1, row.group)
    method = row.owner or ("" if row.published else row.method)
    names = [name for name in (method, without_seeds(method)) if name in standing]
    of_method = standing[names[0]] if names else (math.inf,)
    return *group, not method, of_method, method.lower(), row.published, row.method.lower(), row.source


def without_seeds(name: str) -> str:
    """The name of a method without that of its seeds.

    >>> without_seeds("basnet (3 seeds)"), without_seeds("basnet-seed2"), without_seeds("U²-Net† (4.7 MB)")
    ('basnet', 'basnet', 'U²-Net† (4.7 MB)')
    """
    seeded = seed_of(name)
    return seeded[0] if seeded else re.sub(r" \(\d+ seeds\)$", "", name)
