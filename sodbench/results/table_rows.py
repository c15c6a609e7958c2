"""Some rows of a score table: the same table for a part of the images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sodbench.results.run import ScoreTableLike

if TYPE_CHECKING:
    import pandas as pd

    from sodbench.metrics.protocol import Protocol


@dataclass(frozen=True)
class TableRows:
    """The rows of the named images, in their order; `scores` and `curves` stay those of the whole table."""

    protocol: "Protocol"
    scores: Mapping[str, float]
    per_image: "pd.DataFrame"
    curves: "pd.DataFrame"
    image_curves: Mapping[str, NDArray[np.float32]] | None


def rows_of(table: ScoreTableLike, names: "pd.Index[str]") -> TableRows:
    """The rows of a table for images that it has."""
    rows = table.per_image.index.get_indexer(names)
    curves = table.image_curves
    kept = None if curves is None else {name: np.asarray(values)[rows] for name, values in curves.items()}
    return TableRows(table.protocol, dict(table.scores), table.per_image.iloc[rows], table.curves, kept)
