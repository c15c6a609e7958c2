"""The score table: one row an image, the data set's curves and its scores, under one protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.protocol import Protocol

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class ScoreTable:
    """What a `Scorer` returns.

    `scores`: the data set's values by name. `per_image`: index name, a column a metric (NaN where the
    protocol leaves the image out). `curves`: index level; columns precision, recall, F, E (and those of
    further families) of the data set. `image_curves`: the same per image without F, which follows from
    precision and recall (float32, n x levels), only if kept.
    `image_facts`: index name; height, width, object_share.
    """

    protocol: Protocol
    scores: dict[str, float]
    per_image: "pandas.DataFrame"
    curves: "pandas.DataFrame"
    image_curves: Mapping[str, NDArray[np.float32]] | None
    image_facts: "pandas.DataFrame"

    @property
    def n(self) -> int:
        """The number of images scored."""
        return len(self.per_image)
