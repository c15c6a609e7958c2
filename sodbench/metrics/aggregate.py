"""From one row per image to the data set's scores: the only place where means are taken.

It serves the scorer, and the bootstrap, in which every image counts as often as it was drawn.
"""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodbench.metrics.family import Family
from sodbench.metrics.protocol import Protocol
from sodbench.metrics.registry import all_families, all_metrics

if TYPE_CHECKING:
    import pandas

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScoreTable:
    """The scores of a data set under one protocol, as a `Scorer` returns them.

    `scores`: the data set's values by metric name. `per_image`: index name, one column per metric (NaN where
    the protocol excludes the image). `curves`: index level; columns precision, recall, F, E (and those of
    further families; those of calibration have 15 bins, then NaN) of the data set. `image_curves`: the same
    per image without F, which follows from precision and recall (float32, n x levels), only if kept.
    `image_facts`: index name; height, width, object_share (fraction of object pixels).
    `constant_maps`: the names of the images whose maps have one value only.
    `curve_sums`: the exact sums of each curve over the images (`kernels.sums.RunningMean`, 5 x levels), with
    which tables of parts of a data set can be joined (`Scorer.add_table`).
    """

    protocol: Protocol
    scores: dict[str, float]
    per_image: "pandas.DataFrame"
    curves: "pandas.DataFrame"
    image_curves: Mapping[str, NDArray[np.float32]] | None
    image_facts: "pandas.DataFrame"
    constant_maps: tuple[str, ...] = ()
    curve_sums: Mapping[str, Array] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """The number of images scored."""
        return len(self.per_image)

    def ordered(self, names: Sequence[str]) -> "ScoreTable":
        """The same table with its images in the order of `names`, which are all of theirs."""
        import pandas

        rows = self.per_image.index.get_indexer(pandas.Index(names, dtype=object))
        places = {name: place for place, name in enumerate(names)}
        curves = self.image_curves
        return replace(
            self,
            per_image=self.per_image.iloc[rows],
            image_curves=None if curves is None else {key: values[rows] for key, values in curves.items()},
            image_facts=self.image_facts.iloc[rows],
            constant_maps=tuple(sorted(self.constant_maps, key=places.__getitem__)),
        )

    def _repr_html_(self) -> str:
        """The scores as one row, for a notebook."""
        heads = "".join(f"<th>{html.escape(name)}</th>" for name in self.scores)
        values = "".join(f"<td>{value:.4f}</td>" for value in self.scores.values())
        caption = f"{html.escape(self.protocol.name)}, {self.n} image{'s' * (self.n != 1)}"
        return (
            f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead>"
            f"<tbody><tr>{values}</tr></tbody></table>"
        )


def empty_table(protocol: Protocol) -> ScoreTable:
    """The score table of no image at all, without scores."""
    import pandas

    names = pandas.Index([], name="name", dtype=object)
    return ScoreTable(
        protocol,
        {},
        per_image=pandas.DataFrame(index=names),
        curves=pandas.DataFrame(index=pandas.RangeIndex(protocol.levels, name="level")),
        image_curves=None,
        image_facts=pandas.DataFrame(columns=["height", "width", "object_share"], index=names, dtype=float),
    )


def mean(values: NDArray[Any], weights: NDArray[Any] | None = None) -> Array:
    """The mean over images (first axis), NaN left out, weighted by counts; NaN where no image is left."""
    if weights is None:
        from sodbench.metrics.kernels.sums import RunningMean

        running = RunningMean(math.prod(values.shape[1:]))
        running.add(values.reshape(len(values), running.size))
        return running.mean().reshape(values.shape[1:])
    valid = ~np.isnan(values)
    filled = values if valid.all() else np.where(valid, values, 0.0)
    drawn = np.asarray(weights, np.float64)
    total = drawn @ filled
    if not valid.all():
        return divided(total, drawn @ valid)
    count = drawn.sum(axis=-1)
    return divided(total, count[..., None] if filled.ndim == 2 and drawn.ndim == 2 else count)


def divided(total: Array, count: Array) -> Array:
    """Sums over counts: the mean, NaN where nothing was counted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / count)


def dataset_scores(
    per_image: Mapping[str, ArrayLike],
    curves: Mapping[str, ArrayLike] | None,
    protocol: Protocol,
    weights: NDArray[Any] | None = None,
    families: Iterable[Family] | None = None,
) -> dict[str, Any]:
    """The data set's scores from per-image columns and curves.

    `per_image` maps column names to n values (a DataFrame will do); `curves` maps `precision`, `recall`,
    `E` (and `F`, else derived) to n x levels arrays, or to the mean curves themselves (one-dimensional,
    without `weights`). NaN marks an image that the protocol leaves out.
    `weights` counts how often each image was drawn: shape (n,) gives numbers, shape (B, n) arrays of B.
    `families` are those to score (None: all whose columns and curves are given). Raises KeyError for a
    family whose columns or curves are missing.
    """
    means = {str(name): mean(np.asarray(per_image[name], np.float64), weights) for name in per_image}
    mean_curves = average_curves(curves or {}, protocol, weights)
    scores: dict[str, Array] = {}
    for family in all_families().values() if families is None else families:
        columns, lines = family.inputs(protocol)
        missing = [name for name in columns if name not in means]
        missing += [f"the curve {name}" for name in lines if name not in mean_curves]
        if not missing:
            scores |= family.score(means, mean_curves, protocol)
        elif families is not None:
            raise KeyError(f"metric family {family.name}: measure() did not give {', '.join(missing)}")
    ordered = {name: scores[name] for name in all_metrics() if name in scores}
    if weights is not None and np.ndim(weights) == 2:
        return ordered
    return {name: float(value) for name, value in ordered.items()}


def average_curves(
    curves: Mapping[str, ArrayLike], protocol: Protocol, weights: NDArray[Any] | None = None
) -> dict[str, Array]:
    """The mean curves; F per image is derived from precision and recall where it was not kept."""
    arrays = {str(name): np.asarray(curves[name]) for name in curves}
    if "F" not in arrays and "precision" in arrays and arrays["precision"].ndim == 2:
        from sodbench.metrics.families.f_measure import f_of

        if protocol.f_average == "images":
            p, r = (arrays[name].astype(np.float64) for name in ("precision", "recall"))
            arrays["F"] = f_of(p, r, protocol.f_beta2, protocol.f_epsilon)
    return {
        name: mean(values, weights) if values.ndim == 2 else values.astype(np.float64)
        for name, values in arrays.items()
    }
