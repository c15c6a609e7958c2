"""Validation scores during training.

They are computed as in `sodbench run`: maps are written at the images' own size and scored by the metric
engine under the default protocol, so that a validation's score is that of the run record.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from sodbench.data.folder import DataSet, Sample
from sodbench.errors import InputError, first_of, unknown_names
from sodbench.metrics.protocol import DEFAULT, load_protocol
from sodbench.metrics.registry import chosen
from sodbench.prediction import default_batch, predict_samples
from sodbench.scoring import score_samples
from sodbench.training.distributed import Process
from sodbench.training.recipe import Recipe

if TYPE_CHECKING:
    from sodbench.models.baseline import Baseline

Scores = dict[str, dict[str, float]]


class Validation:
    """Scores a network on the recipe's validation sets, with the work shared out among the processes.

    Every process predicts its share of the images into one folder, `folder/<data set>`, which all of them
    must see; the first process scores the maps. Raises InputError for a metric that does not exist.
    """

    def __init__(
        self,
        baseline: "Baseline",
        recipe: Recipe,
        datasets: Sequence[DataSet],
        folder: Path,
        process: Process,
    ) -> None:
        metrics = {
            info.name: info for family in chosen(None, load_protocol(DEFAULT)) for info in family.metrics
        }
        if recipe.validate_metric not in metrics:
            raise unknown_names("training.validate_metric", [recipe.validate_metric], metrics)
        self.metric = metrics[recipe.validate_metric]
        self.baseline, self.datasets, self.folder, self.process = baseline, datasets, folder, process
        self.limit = recipe.validate_limit or None

    def scores(self, network: nn.Module) -> Scores:
        """The network's scores by data set and metric.

        All processes call it together; the first gets the scores, the others nothing.
        Raises InputError for an image that cannot be read and for maps that are missing in the folder.
        """
        scores: Scores = {}
        for dataset in self.datasets:
            pairs = self._predict(network, dataset.name, dataset.samples[: self.limit])
            if self.process.first:
                scores[dataset.name] = score_samples(pairs, keep_curves=False)[DEFAULT].scores
        return scores

    def loss(self, scores: Mapping[str, Mapping[str, float]]) -> float:
        """The value that `best.pt` goes by: the mean of the recipe's metric over the sets, smaller is better.

        NaN if a set has no such score.
        """
        values = [of_set[self.metric.name] for of_set in scores.values()]
        return float(np.mean(values)) * (-1 if self.metric.higher_is_better else 1)

    def _predict(self, network: nn.Module, name: str, samples: Sequence[Sample]) -> list[tuple[Sample, Path]]:
        """Writes this process's share of the maps, waits for the others, and pairs all samples with maps."""
        process, folder = self.process, self.folder / name
        if process.first:
            shutil.rmtree(folder, ignore_errors=True)
        process.wait()
        device = str(process.device)
        batch = default_batch(device)
        # shared out in whole batches, so that every image is in the batch that it is in with one process
        share = [s for i, s in enumerate(samples) if i // batch % process.world == process.rank]
        predict_samples(network, self.baseline, share, folder, batch=batch, device=device)
        process.wait()
        pairs = [(sample, folder / f"{sample.name}.png") for sample in samples]
        missing = [sample.name for sample, path in pairs if not path.is_file()] if process.first else []
        if missing:
            raise InputError(
                f"{folder}: {len(missing)} of {len(pairs)} maps are missing: {first_of(missing, 3)}; "
                "--out must be a folder that the processes of all machines share"
            )
        return pairs
