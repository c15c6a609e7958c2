"""The scorer: feed it maps and masks one by one, then ask for the score table."""

import warnings
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodbench.arguments import ResizeFilter, checked_filter, instance
from sodbench.errors import InputError, Note, first_of
from sodbench.metrics.aggregate import ScoreTable, dataset_scores
from sodbench.metrics.image_scores import ImageScores, measure_image
from sodbench.metrics.inputs import checked_name
from sodbench.metrics.kept_curves import KeptCurves
from sodbench.metrics.kernels.sums import RunningMean
from sodbench.metrics.mask import MaskCache, shared_masks
from sodbench.metrics.protocol import Protocol, load_protocol
from sodbench.metrics.registry import chosen, names_for

DERIVED = ("F",)  # curves that follow from the others and are not kept for each image


class Scorer:
    """Scores saliency maps against masks under a protocol.

    >>> import numpy as np
    >>> scorer = Scorer(protocol="pysodmetrics", metrics=["MAE", "F"])
    >>> mask = np.zeros((8, 8), np.uint8); mask[2:6, 2:6] = 255
    >>> scorer.update(mask, mask, name="perfect")
    >>> scorer.result().scores["maxF"]
    1.0

    Memory grows by one row of numbers per image only (and three float32 curves with `keep_curves`).
    Merged scorers of parts of a data set give results bit-identical to those of one scorer for all of it.
    A scorer can be pickled, without its mask cache.
    """

    def __init__(
        self,
        protocol: str | Path | Protocol = "pysodmetrics",
        metrics: Sequence[str] | None = None,
        *,
        keep_curves: bool = False,
        masks: MaskCache | None = None,
        resize: str | None = None,
    ) -> None:
        """Chooses the protocol (a name, a TOML file, a `Protocol`) and the metrics (None: all it defines).

        `metrics` names families or scores: `["MAE", "maxF"]`. `masks` holds the work of masks for later maps
        (None: one cache for the process). `resize` is one of Pillow's filters ("bilinear") for maps of
        another size than their mask, where the protocol would refuse them. Raises InputError for unknown
        names.
        """
        self.protocol = load_protocol(protocol)
        self.families = chosen(metrics, self.protocol)
        self._resize = checked_filter(resize)
        self._masks: MaskCache | None = masks
        self._keep = keep_curves
        self.reset()

    @property
    def resizes(self) -> ResizeFilter | None:
        """The filter for maps of another size than their mask; None: the protocol's own rule holds."""
        return self._resize if self.protocol.size_mismatch == "error" else None

    @property
    def size_rule(self) -> str:
        """What becomes of a map of another size than its mask: "error", or how it is `resized`."""
        return self.resizes or self.protocol.size_mismatch

    def reset(self) -> None:
        """Discards all images; keeps protocol and metrics."""
        self._names: dict[str, None] = {}
        self._columns: dict[str, array[float]] = {}
        self._facts: tuple[array[Any], ...] = (array("q"), array("q"), array("d"))
        self._constant: list[str] = []
        self._means: dict[str, RunningMean] = {}
        self._kept = KeptCurves()
        self._noted = False  # that a map holds only 0 and 1

    def __repr__(self) -> str:
        """Protocol, metric families and the number of images so far."""
        families = [family.name for family in self.families]
        resize = f", resize={self.resizes!r}" if self.resizes else ""
        return (
            f"Scorer(protocol={self.protocol.name!r}, metrics={families}{resize}, images={len(self._names)})"
        )

    def __getstate__(self) -> dict[str, Any]:
        """The state without the mask cache, which belongs to its process."""
        return {**vars(self), "_masks": None}

    def update(self, map: ArrayLike, mask: ArrayLike, name: str | None = None) -> None:
        """Scores one map (uint8 H x W; floating point in 0..1; bool) against its mask (uint8 or bool, H x W).

        Without a `name`, the image is named by its number. Raises InputError, and adds nothing, for input
        that cannot be scored or a name given twice. Notes the first map of only 0 and 1 of 0..255.
        """
        image = self.measure(map, mask, str(len(self._names)) if name is None else name)
        self.add(image)
        if image.zero_one and not self._noted:
            self._noted = True
            warnings.warn(
                f"{image.name}: the map holds only 0 and 1 of 0..255, which is nearly black: pass "
                "map.astype(bool), or map * 255 (further ones are not listed)",
                Note,
                stacklevel=2,
            )

    def measure(self, saliency_map: ArrayLike, mask: ArrayLike, name: str) -> ImageScores:
        """One image's scores, without adding them; safe to call from several threads."""
        return measure_image(saliency_map, mask, checked_name(name), [self], self._masks or shared_masks())[0]

    def add(self, image: ImageScores) -> None:
        """Adds what `measure` returned."""
        if image.name in self._names:
            raise InputError(f"{image.name}: name given twice; expected one map per name")
        self._names[image.name] = None
        for fact, value in zip(self._facts, image.facts, strict=True):
            fact.append(value)
        if image.constant:
            self._constant.append(image.name)
        for key, value in image.columns.items():
            self._columns.setdefault(key, array("d")).append(value)
        for key, curve in image.curves.items():
            if key not in self._means:
                self._means[key] = RunningMean(curve.size)
            self._means[key].add(curve[None])
            if self._keep and key not in DERIVED:
                self._kept.add(key, curve)

    def merge(self, other: "Scorer") -> None:
        """Appends all images of another scorer, which is not changed.

        Raises InputError, and adds nothing, where the other has another protocol, other metrics or another
        filter for maps of another size, keeps curves where this one does not (or the reverse), or has an
        image of the same name.
        """
        instance("merge", other, Scorer, "a Scorer")
        if other.protocol != self.protocol:
            fields = " (with other fields)" if other.protocol.name == self.protocol.name else ""
            raise InputError(
                f"cannot merge scorers of different protocols: {self.protocol.name} here, "
                f"{other.protocol.name} there{fields}"
            )
        ours, theirs = ([family.name for family in one.families] for one in (self, other))
        if ours != theirs:
            raise InputError(
                f"cannot merge scorers of different metrics: {' '.join(ours)} here, {' '.join(theirs)} there"
            )
        if other.resizes != self.resizes:
            raise InputError(
                f"cannot merge scorers that resize maps by different filters: {self.resizes or 'none'} here, "
                f"{other.resizes or 'none'} there"
            )
        if other._keep != self._keep:
            raise InputError(
                "cannot merge a scorer with keep_curves and one without: expected the same of both"
            )
        twice = [name for name in other._names if name in self._names]
        if twice:
            raise InputError(f"name given twice: {first_of(twice)}; expected one map per name")
        self._names |= other._names
        for fact, more in zip(self._facts, other._facts, strict=True):
            fact.extend(more)
        self._constant += other._constant
        for key, values in other._columns.items():
            self._columns.setdefault(key, array("d")).extend(values)
        for key, running in other._means.items():
            if key not in self._means:
                self._means[key] = RunningMean(running.size)
            self._means[key].merge(running)
        self._kept.extend(other._kept)

    def add_table(self, table: ScoreTable) -> None:
        """Appends all images of another scorer's score table, bit-identical to a `merge` with that scorer.

        Raises InputError, and adds nothing, as `merge` does, and for a table without the sums of its curves.
        """
        names = [str(name) for name in table.per_image.index]
        other = Scorer(
            table.protocol, [one.name for one in self.families], keep_curves=table.image_curves is not None
        )
        if len(table.curves.columns) and not table.curve_sums:
            raise InputError("a score table without the sums of its curves; it cannot be joined to others")
        other._names = dict.fromkeys(names)
        other._columns = {str(key): array("d", table.per_image[key]) for key in table.per_image}
        facts = table.image_facts
        for fact, name in zip(other._facts, ("height", "width", "object_share"), strict=True):
            fact.extend(facts[name].tolist())
        other._constant = list(table.constant_maps)
        other._means = {key: RunningMean.of(sums) for key, sums in table.curve_sums.items()}
        other._kept = KeptCurves.of(table.image_curves or {})
        self.merge(other)

    def scores(self) -> dict[str, float]:
        """The data set's scores of all images so far, by metric name; raises InputError if there is none."""
        if not self._names:
            raise InputError("nothing to score: no map was given; expected at least one map and its mask")
        curves = {key: running.mean() for key, running in self._means.items()}
        return dataset_scores(self._columns, curves, self.protocol, families=self.families)

    def result(self) -> ScoreTable:
        """The score table of all images so far; raises InputError if there is none."""
        import pandas

        scores = self.scores()
        names = pandas.Index(list(self._names), name="name", dtype=object)
        means = {key: running.mean() for key, running in self._means.items()}
        curves = pandas.DataFrame(
            {name: pandas.Series(curve) for name, curve in _data_set_curves(means, self.protocol).items()},
            index=pandas.RangeIndex(self.protocol.levels, name="level"),
        )
        return ScoreTable(
            self.protocol,
            scores,
            per_image=pandas.DataFrame({key: np.array(v) for key, v in self._columns.items()}, index=names),
            curves=curves,
            image_curves=self._kept.so_far() if self._keep else None,
            image_facts=pandas.DataFrame(
                dict(zip(("height", "width", "object_share"), map(np.array, self._facts), strict=True)),
                index=names,
            ),
            constant_maps=tuple(self._constant),
            curve_sums={key: running.sums for key, running in self._means.items()},
        )


def score(
    saliency_map: ArrayLike,
    mask: ArrayLike,
    protocol: str | Path | Protocol = "pysodmetrics",
    metrics: Sequence[str] | None = None,
) -> dict[str, float]:
    """The scores of one saliency map against its mask, by metric name.

    `saliency_map`: H x W, uint8 (0..255), floating point in 0..1, or bool. `mask`: H x W, uint8 (0 and 255)
    or bool. `protocol`: a name, a TOML file or a `Protocol`. `metrics`: metric families, or scores, which
    select their whole family (None: all that the protocol defines). A score is NaN if the protocol excludes
    the image.
    Raises InputError for input that cannot be scored and for unknown names.

    >>> import numpy as np
    >>> mask = np.zeros((8, 8), bool); mask[2:6, 2:6] = True
    >>> score(mask, mask, protocol="raw", metrics=["MAE", "BER"])
    {'MAE': 0.0, 'BER': 0.0}
    """
    scorer = Scorer(protocol, metrics)
    scorer.update(saliency_map, mask, name="the pair")
    return scorer.scores()


def scorers_for(
    protocols: Sequence[str | Path | Protocol],
    metrics: Sequence[str] | None = None,
    *,
    keep_curves: bool = False,
    masks: MaskCache | None = None,
    resize: str | None = None,
) -> list[Scorer]:
    """One scorer per protocol for a choice of metrics; the other arguments are those of `Scorer`.

    A metric with `@` and a protocol's name (`MAE@raw`) is scored under that protocol only. Raises InputError
    for unknown names, for a metric `@` a protocol that is not asked for, for a protocol that is left without
    metrics, and for two different protocols of one name; one that is given twice is scored once.
    """
    by_name: dict[str, Protocol] = {}
    for one in map(load_protocol, protocols):
        differing = by_name.setdefault(one.name, one).differing(one)
        if differing:
            raise InputError(
                f"two different protocols are named {one.name}: they differ in {first_of(differing, 3)}; "
                "rename one of them"
            )
    loaded = list(by_name.values())
    scorers = []
    for protocol in loaded:
        wanted = None if metrics is None else names_for(protocol, metrics, loaded)
        if wanted == []:
            raise InputError(
                f"protocol {protocol.name!r} has no metric: all chosen metrics name another protocol "
                f"({', '.join(metrics or ())})"
            )
        scorers.append(Scorer(protocol, wanted, keep_curves=keep_curves, masks=masks, resize=resize))
    return scorers


def _data_set_curves(means: Mapping[str, NDArray[np.float64]], protocol: Protocol) -> dict[str, Any]:
    from sodbench.metrics.families.f_measure import data_set_curve

    curves = {name: means[name] for name in ("precision", "recall") if name in means}
    if "precision" in curves:
        curves["F"] = data_set_curve(means, protocol)
    return curves | {name: curve for name, curve in means.items() if name not in ("precision", "recall", "F")}
