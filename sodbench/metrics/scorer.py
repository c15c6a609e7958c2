"""The scorer: feed it maps and masks one by one, then ask for the score table."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sodbench.errors import InputError
from sodbench.metrics import aggregate, checks
from sodbench.metrics.family import Columns, Curves
from sodbench.metrics.mask import MaskCache, MaskWork, binarise, shared_masks
from sodbench.metrics.measurement import Measurement
from sodbench.metrics.protocol import Protocol, load_protocol
from sodbench.metrics.registry import chosen
from sodbench.metrics.resize import resized
from sodbench.metrics.table import ScoreTable

DERIVED = ("F",)  # curves that follow from the others and are not kept for each image


@dataclass(frozen=True)
class ImageScores:
    """One image under one protocol: its columns, its curves and its size."""

    name: str
    columns: Columns
    curves: Curves
    facts: tuple[int, int, float]


class Scorer:
    """Scores saliency maps against masks under a protocol.

    >>> import numpy as np
    >>> scorer = Scorer(protocol="pysodmetrics", metrics=["MAE", "F"])
    >>> mask = np.zeros((8, 8), np.uint8); mask[2:6, 2:6] = 255
    >>> scorer.update(mask, mask, name="perfect")
    >>> scorer.result().scores["maxF"]
    1.0

    Memory stays the same however many images there are, apart from one row of numbers an image
    (and three float32 curves with `keep_curves`).
    """

    def __init__(
        self,
        protocol: str | Path | Protocol = "pysodmetrics",
        metrics: Sequence[str] | None = None,
        *,
        keep_curves: bool = False,
        masks: MaskCache | None = None,
    ) -> None:
        """Chooses the protocol (a name, a TOML file, a `Protocol`) and the families (None: all it defines).

        `masks` holds the work of masks for later maps (None: one cache for the process).
        """
        self.protocol = load_protocol(protocol)
        self.families = chosen(metrics, self.protocol)
        self._masks = masks or shared_masks()
        self._keep = keep_curves
        self._names: dict[str, None] = {}
        self._columns: dict[str, list[float]] = {}
        self._facts: list[tuple[int, int, float]] = []
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._counted: dict[str, int] = {}
        self._kept: dict[str, list[NDArray[np.float32]]] = {}

    def update(self, map: Any, mask: Any, name: str | None = None) -> None:
        """Scores one map (uint8 H x W; floating point in 0..1; bool) against its mask (uint8 or bool, H x W).

        Raises InputError, and adds nothing, for input that cannot be scored or a name given twice.
        """
        self.add(self.measure(map, mask, str(len(self._names)) if name is None else name))

    def measure(self, map: Any, mask: Any, name: str) -> ImageScores:
        """One image's scores, without adding them; safe to call from several threads."""
        return measure_image(map, mask, name, [self], self._masks)[0]

    def add(self, image: ImageScores) -> None:
        """Adds what `measure` returned."""
        if image.name in self._names:
            raise InputError(f"{image.name}: name given twice; expected one map a name")
        self._names[image.name] = None
        self._facts.append(image.facts)
        for key, value in image.columns.items():
            self._columns.setdefault(key, []).append(value)
        for key, curve in image.curves.items():
            if key not in self._sums:
                self._sums[key] = np.zeros_like(curve)
                self._counted[key] = 0
            if not np.isnan(curve[0]):
                self._sums[key] += curve
                self._counted[key] += 1
            if self._keep and key not in DERIVED:
                self._kept.setdefault(key, []).append(curve.astype(np.float32))

    def result(self) -> ScoreTable:
        """The score table of all images so far; raises InputError if there is none."""
        import pandas

        if not self._names:
            raise InputError("nothing to score: no map was given; expected at least one map and its mask")
        names = pandas.Index(list(self._names), name="name", dtype=object)
        per_image = pandas.DataFrame(self._columns, index=names)
        means = {
            key: total / self._counted[key] if self._counted[key] else np.full_like(total, np.nan)
            for key, total in self._sums.items()
        }
        scores = aggregate.dataset_scores(self._columns, means, self.protocol)
        curves = pandas.DataFrame(
            _data_set_curves(means, self.protocol),
            index=pandas.RangeIndex(self.protocol.levels, name="level"),
        )
        kept = {key: np.stack(rows) for key, rows in self._kept.items()} if self._keep else None
        facts = pandas.DataFrame(self._facts, columns=["height", "width", "object_share"], index=names)
        return ScoreTable(self.protocol, scores, per_image, curves, kept, facts)


def measure_image(
    map: Any,
    mask: Any,
    name: str,
    scorers: Iterable[Scorer],
    masks: MaskCache | None,
) -> list[ImageScores]:
    """One image's scores for several scorers (protocols): what they share of the work is done once.

    `masks` keeps the work of the mask for later maps (None: it is not kept).
    """
    values = checks.checked_map(map, name)
    grey = checks.checked_mask(mask, name)
    fitting = values if values.shape == grey.shape else resized(values, grey.shape)
    shared: dict[int, Measurement] = {}
    found = []
    for scorer in scorers:
        protocol = scorer.protocol
        if values.shape != grey.shape and protocol.size_mismatch == "error":
            raise checks.size_mismatch(name, values.shape, grey.shape, protocol.name)
        least = object_level(grey, protocol)
        measurement = shared.get(least)
        if measurement is None:
            binary = binarise(grey, least)
            work = masks.work(binary) if masks else MaskWork(binary, use=str(len(shared)))
            measurement = Measurement(fitting, binary, work, grey, protocol.s_centre_rounding)
            shared[least] = measurement
        columns: Columns = {}
        curves: Curves = {}
        for family in scorer.families:
            more, lines = family.measure(measurement, protocol)
            columns |= more
            curves |= lines
        work = measurement.mask
        facts = (work.height, work.width, work.n_object / work.n)
        found.append(ImageScores(name, columns, curves, facts))
    return found


def object_level(grey: NDArray[np.uint8], protocol: Protocol) -> int:
    """The smallest grey value that the protocol takes for object, 256 if none can be."""
    threshold = protocol.mask_threshold
    if protocol.mask_scale == "max":
        threshold *= (float(grey.max()) + 1e-8) / 255
    least = math.floor(threshold) + 1 if protocol.mask_comparator == ">" else math.ceil(threshold)
    return min(max(least, 0), 256)


def _data_set_curves(means: Mapping[str, NDArray[np.float64]], protocol: Protocol) -> dict[str, Any]:
    from sodbench.metrics.families.f_measure import data_set_curve

    curves = {name: means[name] for name in ("precision", "recall") if name in means}
    if "precision" in curves:
        curves["F"] = data_set_curve(means, protocol)
    return curves | {name: curve for name, curve in means.items() if name not in ("precision", "recall", "F")}
