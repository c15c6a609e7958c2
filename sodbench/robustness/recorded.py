"""From score tables to the record of a stress run, with what its scores depend on and its provenance."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.errors import InputError
from sodbench.robustness.predicting import CLEAN, Corruption

if TYPE_CHECKING:
    from sodbench.data.folder import DataSet, Sample
    from sodbench.metrics import ScoreTable
    from sodbench.models import LoadedNetwork
    from sodbench.recording import Scoring
    from sodbench.results.provenance import Provenance
    from sodbench.results.stress_record import Scores, StressRecord

WORST = 3  # images of a cell whose names are recorded
# The first of them that is scored decides which cell and which images are the worst. S is a number of every
# single image and needs no threshold.
_LEADING = ("S", "maxF", "MAE")


@dataclass(frozen=True)
class Network:
    """A loaded network, and how its maps are predicted and scored."""

    loaded: LoadedNetwork
    scoring: Scoring
    device: str
    precision: str | None
    batch: int
    limit: int | None

    @property
    def name(self) -> str:
        """The baseline's name."""
        return self.loaded.baseline.name


def dependencies(network: Network, samples: Sequence[Sample]) -> dict[str, str]:
    """What every score depends on, part by part: as of a cell of clean images, and how they are corrupted."""
    from PIL import features

    from sodbench import __version__
    from sodbench.cell_key import joined, prediction_parts, scoring_parts
    from sodbench.data.corruptions import VERSION

    scoring = network.scoring
    predicted = prediction_parts(network.loaded, samples, network.precision, network.device)
    return {
        **joined(predicted, scoring_parts(samples, scoring.protocols, scoring.metrics)),
        "device": network.device.partition(":")[0],
        "corruptions": str(VERSION),
        "libjpeg": str(features.version_feature("libjpeg_turbo") or features.version_codec("jpg")),
        "version of sodbench": __version__,
    }


def new_record(
    network: Network,
    dataset: DataSet,
    samples: Sequence[Sample],
    tables: Mapping[Corruption, Sequence[ScoreTable]],
    depends: dict[str, str],
    before: StressRecord | None,
    started: float,
) -> StressRecord:
    """The record of what was measured, with the cells of the record before."""
    from sodbench.data.corruptions import KINDS
    from sodbench.results.stress_record import SCHEMA, Cell, StressRecord

    if before is None:
        _refuse_constant(network.name, dataset.name, tables[CLEAN][0])
        clean = _scores(tables[CLEAN])
        leading = _leading(list(clean))
        clean_images = _by_image(tables[CLEAN], leading)
        cells = {}
    else:
        clean, leading, clean_images = before.clean, before.leading, before.clean_images
        cells = {(cell.kind, cell.severity): cell for cell in before.cells}
    for place, several in tables.items():
        if place != CLEAN:
            worst = _worst(clean_images, _by_image(several, leading), leading)
            cells[place] = Cell(*place, _scores(several), worst)
    order = list(KINDS)
    return StressRecord(
        SCHEMA,
        network.name,
        dataset.name,
        dataset.title,
        len(samples),
        int(dataset.expected),
        tuple(one.name for one in network.scoring.protocols),
        leading,
        depends,
        clean,
        clean_images,
        tuple(sorted(cells.values(), key=lambda cell: (order.index(cell.kind), cell.severity))),
        _provenance(network, dataset, samples, started),
        round((time.time() - started) / (len(samples) * len(tables)), 4),
    )


def _refuse_constant(name: str, dataset: str, clean: ScoreTable) -> None:
    """A network whose every clean map is constant has nothing to lose."""
    if len(clean.constant_maps) == clean.n:
        raise InputError(
            f"{name}: all {clean.n} maps of the clean images of {dataset} are constant, without any salient "
            "region; the network or its weights are wrong; nothing is recorded"
        )


def _scores(tables: Sequence[ScoreTable]) -> Scores:
    """The scores of all protocols by full name; None where undefined."""
    from sodbench.metrics.registry import full_name

    return {
        full_name(metric, table.protocol.name): None if math.isnan(value) else value
        for table in tables
        for metric, value in table.scores.items()
    }


def _leading(metrics: Sequence[str]) -> str:
    """The full name of the metric that decides what is worst."""
    for name in _LEADING:
        for full in metrics:
            if full.partition("@")[0] == name:
                return full
    return metrics[0]


def _by_image(tables: Sequence[ScoreTable], leading: str) -> Scores:
    """The leading metric of every image; empty where the metric has no value per image."""
    metric, _, protocol = leading.partition("@")
    (table,) = (one for one in tables if one.protocol.name == protocol)
    if metric not in table.per_image:
        return {}
    column = table.per_image[metric].items()
    return {str(name): None if math.isnan(value) else float(value) for name, value in column}


def _worst(clean: Scores, corrupted: Scores, metric: str) -> tuple[str, ...]:
    """The images with the largest falls, the worst first."""
    from sodbench.results.stress_record import lower_is_better

    sign = -1 if lower_is_better(metric) else 1
    gains = []
    for name, value in corrupted.items():
        then = clean.get(name)
        if value is not None and then is not None:
            gains.append((sign * (value - then), name))
    return tuple(name for _, name in sorted(gains)[:WORST])


def _provenance(network: Network, dataset: DataSet, samples: Sequence[Sample], started: float) -> Provenance:
    """The provenance as runs have it."""
    from sodbench.data.locations import known_roots
    from sodbench.recorded_prediction import prediction_of
    from sodbench.results.environment import environment
    from sodbench.results.provenance import Provenance
    from sodbench.results.recorded_paths import portable

    scoring = network.scoring.with_root_of(dataset)
    how = asdict(
        prediction_of(
            network.loaded,
            scoring,
            precision=network.precision,
            batch=network.batch,
            limit=network.limit,
            device=network.device,
        )
    )
    del how["weights_sha256"]  # among what the scores depend on
    roots = known_roots(scoring.reports or Path("reports"), scoring.data_root)
    return Provenance(
        origin="baseline",
        **environment(started, roots),
        images_sha256=_digest("\n".join(sample.name for sample in samples)),
        data_folder=portable(dataset.folder, scoring.reports, roots),
        inference_device=how.pop("device"),
        trust_remote_code=bool(how["remote_code"]),
        **how,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
