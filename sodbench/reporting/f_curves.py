"""The F curve of a data set, made in either of the two ways that toolkits use.

The mean over images of each image's F curve, and F of the mean precision and mean recall, have different
maxima: max F differs by up to .05 on the same maps. Figures name the one that they show.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.aggregate import average_curves
from sodbench.metrics.families.f_measure import data_set_curve
from sodbench.results.published import CURVE_OF_MEANS, MEAN_OF_CURVES
from sodbench.results.run import ScoreTableLike, conventions


def f_curve(table: ScoreTableLike, kind: str) -> NDArray[np.float64] | None:
    """The F curve of one kind (levels,), under the other conventions of the table's protocol.

    `kind` is MEAN_OF_CURVES or CURVE_OF_MEANS. None where the record holds too little: the mean of curves
    needs the images' curves unless it is the protocol's own.
    """
    mean_curves = table.curves
    if kind == CURVE_OF_MEANS:
        columns = {name: mean_curves[name].to_numpy(float) for name in ("precision", "recall")}
        return data_set_curve(columns, _averaged_by(table, "means"))
    if kind_of(table) == MEAN_OF_CURVES and "F" in mean_curves:
        return np.asarray(mean_curves["F"].to_numpy(float))
    image_curves = table.image_curves
    if image_curves is None or not {"precision", "recall"} <= set(image_curves):
        return None
    kept = {name: image_curves[name] for name in ("precision", "recall")}
    return average_curves(kept, _averaged_by(table, "images"))["F"]


def kind_of(table: ScoreTableLike) -> str:
    """The kind of F curve of which the table's protocol takes max F."""
    return CURVE_OF_MEANS if conventions(table).f_average == "means" else MEAN_OF_CURVES


def _averaged_by(table: ScoreTableLike, f_average: str) -> Any:
    """The conventions of the table's protocol with another way of averaging F."""
    return SimpleNamespace(**vars(conventions(table)) | {"f_average": f_average})
