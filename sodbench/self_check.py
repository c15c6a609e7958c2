"""The self-check: every scoring scores eight of its images a second time, without the engine.

The eight are drawn from what the record holds (`draw`), kept as they were decoded, and scored from the
equations (`metrics.plain`) on a spare thread while the tables are made. pysodmetrics itself takes the place
of the equations where the protocol is its own and it costs little: where a metric loads the package in any
case, and from `PACKAGE_FROM` images on. The data set's scores are derived again from those of its images.
A difference above 1e-6 is an error, and nothing is recorded.

Not covered: reading the files, and resampling maps of another size than their mask.
"""

import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sodbench.errors import InputError
from sodbench.results.provenance import SelfCheck

if TYPE_CHECKING:
    from sodbench.metrics import ScoreTable
    from sodbench.metrics.family import Columns, Curves
    from sodbench.metrics.scorer import Scorer

Grey = NDArray[np.uint8]
IMAGES = 8
TOLERANCE = 1e-6
PACKAGE_FROM = 20_000  # images; for fewer, importing pysodmetrics alone takes more than 2 % of their scoring
KEPT_BYTES = 2**27  # of decoded images; what is larger is scored at once instead of kept


def draw(names: Sequence[str], seed: str) -> list[str]:
    """Eight of the names, or all of fewer, in their order: those of the smallest SHA-256 of seed and name."""

    def key(name: str) -> bytes:
        return hashlib.sha256(f"{seed}\0{name}".encode()).digest()

    drawn = set(sorted(names, key=key)[:IMAGES])
    return [name for name in names if name in drawn]


@dataclass(frozen=True)
class _Again:
    """One image scored a second time under one protocol."""

    columns: "Columns"
    curves: "Curves"
    against: str


class SelfChecker:
    """Keeps the drawn images of a scoring, scores them again, and compares."""

    def __init__(self, names: Sequence[str], seed: str) -> None:
        """Draws among the names of the images to be scored."""
        self.images = draw(names, seed)
        self._package = len(names) >= PACKAGE_FROM
        self._drawn = set(self.images)
        self._kept: dict[str, tuple[Grey, Grey]] = {}
        self._pending: dict[str, Future[dict[str, _Again]]] = {}
        # one thread: one image's memory at a time
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="self-check")

    def keep(self, name: str, saliency_map: Grey, mask: Grey, scorers: "Sequence[Scorer]") -> None:
        """Takes a scored image, if it is one of those drawn; safe to call from several threads."""
        if name not in self._drawn:
            return
        if IMAGES * (saliency_map.nbytes + mask.nbytes) > KEPT_BYTES:
            self._submit(name, saliency_map, mask, scorers).result()
        else:
            self._kept[name] = (saliency_map, mask)

    def start(self, scorers: "Sequence[Scorer]") -> None:
        """Begins to score the kept images again, and lets go of each when it is done."""
        while self._kept:
            name, (saliency_map, mask) = self._kept.popitem()
            self._submit(name, saliency_map, mask, scorers)

    def _submit(
        self, name: str, saliency_map: Grey, mask: Grey, scorers: "Sequence[Scorer]"
    ) -> "Future[dict[str, _Again]]":
        pending = self._pool.submit(_scored_again, saliency_map, mask, scorers, self._package)
        self._pending[name] = pending
        return pending

    def verdict(self, tables: "Mapping[str, ScoreTable]") -> SelfCheck:
        """Waits, and compares every score and kept curve of the drawn images with those of the tables.

        Raises InputError for the first that differs by more than 1e-6, or is undefined on one side only.
        """
        from sodbench.metrics.plain.data_set import data_set_scores

        try:
            again = {name: pending.result() for name, pending in self._pending.items()}
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
        differences: list[float] = []
        against: dict[str, str] = {}
        for protocol, table in tables.items():
            rows = {str(name): row for row, name in enumerate(table.per_image.index)}
            curves = table.image_curves or {}
            for name in self.images:
                second, row = again[name][protocol], rows[name]
                against[protocol] = second.against
                found: dict[str, Any] = {**table.per_image.iloc[row]}
                expected: dict[str, Any] = {**second.columns}
                for key, lines in curves.items():
                    found[f"{key} curve"], expected[f"{key} curve"] = lines[row], second.curves[key]
                differences += _differences(name, protocol, found, expected, second.against)
            columns = {str(name): table.per_image[name].to_numpy(np.float64) for name in table.per_image}
            derived = data_set_scores(columns, curves, table.protocol)
            whole = f"the data set of {table.n} images"
            differences += _differences(whole, protocol, table.scores, derived, "the scores of its images")
        return SelfCheck(True, tuple(self.images), len(differences), max(differences, default=0.0), against)


def _scored_again(
    saliency_map: Grey, mask: Grey, scorers: "Sequence[Scorer]", package: bool
) -> dict[str, _Again]:
    """One image under every protocol, by the protocol's name."""
    from sodbench.metrics.plain import plain_scores
    from sodbench.metrics.plain.package import FIVE, NEEDED_BY, package_scores
    from sodbench.metrics.plain.picture import Picture
    from sodbench.metrics.resizing import resized

    pictures: dict[str, Picture] = {}
    for scorer in scorers:
        how = scorer.size_rule if saliency_map.shape != mask.shape else ""
        if how not in pictures:
            sized = resized(saliency_map, (mask.shape[0], mask.shape[1]), how) if how else saliency_map
            pictures[how] = Picture(np.ascontiguousarray(sized), np.ascontiguousarray(mask))
    loaded = package or any(family.name in NEEDED_BY for scorer in scorers for family in scorer.families)
    again = {}
    for scorer in scorers:
        picture = pictures[scorer.size_rule if saliency_map.shape != mask.shape else ""]
        families = [family.name for family in scorer.families]
        columns, curves = plain_scores(picture, scorer.protocol, families)
        by_package = set(families) & set(NEEDED_BY)
        if loaded and set(families) & set(FIVE) and not scorer.protocol.changes():
            more, lines = package_scores(picture)
            columns |= {name: value for name, value in more.items() if name in columns}
            curves |= {name: line for name, line in lines.items() if name in curves}
            by_package |= set(families) & set(FIVE)
        sources = [] if by_package == set(families) else ["plain transcription"]
        if by_package:
            sources.append(f"pysodmetrics {importlib.metadata.version('pysodmetrics')}")
        again[scorer.protocol.name] = _Again(columns, curves, " and ".join(sources))
    return again


def _differences(
    what: str, protocol: str, found: Mapping[str, Any], expected: Mapping[str, Any], against: str
) -> list[float]:
    """The difference of every value; InputError for one above 1e-6, or undefined on one side only."""
    differences: list[float] = []
    for metric, value in expected.items():
        ours = np.atleast_1d(np.asarray(found[metric], np.float64))
        theirs = np.atleast_1d(np.asarray(value, np.float64))
        both_undefined = np.isnan(ours) & np.isnan(theirs)
        difference = np.where(both_undefined | (ours == theirs), 0.0, np.abs(ours - theirs))
        # not `> TOLERANCE`: NaN is no agreement either
        wrong = np.flatnonzero(~(difference <= TOLERANCE))
        if wrong.size:
            first = int(wrong[0])
            level = f" at level {first}" if ours.size > 1 else ""
            raise InputError(
                f"{what}: self-check failed, nothing is recorded: {metric}@{protocol}{level} is "
                f"{ours[first]:.9g} by the scorer and {theirs[first]:.9g} by {against}, expected a "
                f"difference of {TOLERANCE:g} at most. Delete the compiled kernels "
                "(sodbench/metrics/kernels/__pycache__) and score again; if it fails again, report it with "
                "these maps and masks. --no-self-check records without the check, and the record says so"
            )
        differences += difference.tolist()
    return differences
