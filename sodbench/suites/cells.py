"""Cells: one row of a suite on one data set, the key of its scores, and its computation.

A cell is done where the record `reports/runs/<row>/<data set>` depends on the same parts as the cell would
now (`cell_key`). `compute_cell` needs nothing but its arguments, so that another process or machine can call
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sodbench.cell_key import files_digest, images_digest, joined, map_parts, prediction_parts, scoring_parts
from sodbench.data.card import load_card
from sodbench.data.folder import DataSet, open_dataset, pair_maps
from sodbench.errors import InputError
from sodbench.names import folder_name
from sodbench.paths import user_path
from sodbench.results.dependencies import Parts
from sodbench.shard import Shard
from sodbench.suites.options import Options
from sodbench.suites.suite import DATASET, Row, Suite, baseline_of
from sodbench.suites.trainings import WEIGHTS, training_folder

if TYPE_CHECKING:
    from sodbench.results.run import Run

T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """One row of a suite on one data set."""

    row: Row
    dataset: str


def compute_cell(suite: Suite, cell: Cell, options: Options) -> Run:
    """Predicts and scores one cell, and records it: `evaluate` or `score_maps` of what the suite says.

    A network that the suite trains must be there already (`trainings.train_row`). All arguments can be sent
    to another process; paths in them start at its working directory. Raises InputError as `evaluate`.
    """
    from sodbench.evaluation import evaluate
    from sodbench.map_scoring import score_maps

    method = cell.row.method
    shared: dict[str, Any] = {
        "protocols": suite.protocols,
        "metrics": suite.metrics,
        "name": cell.row.name,
        "reports": options.reports,
        "data_root": options.data_root,
        "workers": options.workers,
        # a changed cell is computed again, and the suite says what changed
        "replace": options.replace or "same data",
        "progress": options.progress,
    }
    if options.shard is not None:
        shared["shard"] = options.shard
    if method.maps is not None:
        return score_maps(folder_of_maps(method.maps, cell.dataset), cell.dataset, **shared)
    if options.keep_maps:
        shared["maps"] = options.maps / folder_name(cell.row.name)
    else:
        shared["keep_maps"] = False
    return evaluate(
        baseline_of(method, options.trust),
        cell.dataset,
        weights=weights_of(suite, cell.row, options),
        precision=method.precision,
        device=options.device,
        batch=options.batch,
        **shared,
    )


def weights_of(suite: Suite, row: Row, options: Options) -> Path | None:
    """The weights of a row: trained ones, named ones, or None for the baseline's own."""
    if row.seed is not None:
        return training_folder(suite, row, options) / WEIGHTS
    return None if row.method.weights is None else user_path(row.method.weights)


def folder_of_maps(maps: str, dataset: str) -> Path:
    """The folder of a method's maps of one data set.

    `{dataset}` stands for the data set's name, or for that of its folder in a data root. Raises InputError
    where there is no such folder.
    """
    if DATASET not in maps:
        candidates = [user_path(maps)]
    else:
        card = load_card(dataset)
        candidates = [user_path(maps.replace(DATASET, name)) for name in (card.name, *card.folders)]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise InputError(f"{candidates[0]}: expected a folder of saliency maps, there is none")


class Keys:
    """The keys of a suite's cells; each data set is opened and digested once, each network loaded once.

    With a shard in the options they are the keys of that part of each cell.
    """

    def __init__(self, suite: Suite, options: Options) -> None:
        from sodbench.models.inference import choose_device
        from sodbench.recording import prepare_scoring

        self.suite, self.options = suite, options
        self.device = choose_device(options.device)
        self.shard = options.shard
        self.scoring = prepare_scoring(suite.protocols, suite.metrics, None, options.data_root)
        self._sets: dict[str, DataSet | InputError] = {}
        self._images: dict[str, str] = {}
        self._scored: dict[str, Parts] = {}
        self._predicted: dict[tuple[str, Path | None, str], Parts] = {}

    def dataset(self, name: str) -> DataSet:
        """An opened data set; InputError where it is not here."""
        if name not in self._sets:
            try:
                self._sets[name] = open_dataset(name, self.options.data_root)
            except InputError as error:
                self._sets[name] = error
        found = self._sets[name]
        if isinstance(found, InputError):
            raise found
        return found

    def parts(self, cell: Cell, weights: Path | None) -> Parts:
        """What the scores of a cell depend on; InputError where its data, weights or maps are not here.

        weights: those of its row; None: the baseline's own.
        """
        dataset, maps = self.dataset(cell.dataset), cell.row.method.maps
        if maps is not None:
            pairs = self._part(pair_maps(dataset, folder_of_maps(maps, cell.dataset)).pairs)
            return joined(map_parts(pairs), self._scoring(dataset))
        network = (cell.row.name, weights)
        if (*network, cell.dataset) not in self._predicted:
            loaded = baseline_of(cell.row.method, self.options.trust).load(weights, self.device)
            # for all data sets at once, so that the network need not be kept
            for name in self.suite.datasets:
                try:
                    one = self.dataset(name)
                except InputError:
                    continue
                self._predicted[*network, name] = prediction_parts(
                    loaded,
                    self._part(one.samples),
                    cell.row.method.precision,
                    self.device,
                    images=self._images_of(one),
                )
        return joined(self._predicted[*network, cell.dataset], self._scoring(dataset))

    def parts_of_shard(self, cell: Cell, weights: Path | None, shard: Shard) -> Parts:
        """What the scores of a shard of a cell depend on; reads its images, masks and maps each time."""
        samples, maps = shard.of(self.dataset(cell.dataset).samples), cell.row.method.maps
        own = {"masks": files_digest((one.name, one.mask) for one in samples)}
        if maps is None:
            own["images"] = images_digest(samples)
        else:
            pairs = pair_maps(self.dataset(cell.dataset), folder_of_maps(maps, cell.dataset)).pairs
            own |= map_parts(shard.of(pairs))
        return self.parts(cell, weights) | own

    def _part(self, samples: Sequence[T]) -> Sequence[T]:
        return samples if self.shard is None else self.shard.of(samples)

    def _images_of(self, dataset: DataSet) -> str:
        if dataset.name not in self._images:
            self._images[dataset.name] = images_digest(self._part(dataset.samples))
        return self._images[dataset.name]

    def _scoring(self, dataset: DataSet) -> Parts:
        if dataset.name not in self._scored:
            samples = self._part(dataset.samples)
            self._scored[dataset.name] = scoring_parts(samples, self.scoring.protocols, self.scoring.metrics)
        return self._scored[dataset.name]
