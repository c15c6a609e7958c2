"""The stress run: what is to be done, what an earlier record holds already, and the record.

Each image is read once and predicted under all corruptions before the next one. The record is written when
everything is done.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.arguments import BATCH, LIMIT
from sodbench.errors import InputError, Note
from sodbench.recording import Protocols, prepare_scoring
from sodbench.robustness.predicting import Corruption, Example, StressPredictor
from sodbench.robustness.recorded import Network, dependencies, new_record

if TYPE_CHECKING:
    from sodbench.data.folder import DataSet, Sample
    from sodbench.models import Baseline, LoadedNetwork
    from sodbench.results.stress_record import StressRecord


@dataclass(frozen=True)
class Stress:
    """What a stress run gives: its record, the worst cell's images, how many cells an earlier record had."""

    record: StressRecord
    examples: tuple[Example, ...] = ()
    reused: int = 0


@dataclass(frozen=True)
class _Plan:
    """A data set, the cells asked for, what their scores depend on, and the record to add them to."""

    dataset: DataSet
    samples: tuple[Sample, ...]
    wanted: list[Corruption]
    depends: dict[str, str]
    before: StressRecord | None


def stress(
    baseline: str | Path | Baseline | LoadedNetwork,
    datasets: str | DataSet | Sequence[str | DataSet],
    *,
    kinds: str | Sequence[str] | None = None,
    severities: int | Sequence[int] | None = None,
    protocols: Protocols = "pysodmetrics",
    metrics: str | Sequence[str] | None = None,
    limit: int | None = None,
    weights: Path | str | None = None,
    trust_remote_code: bool = False,
    device: str | None = None,
    precision: str | None = None,
    batch: int | None = None,
    data_root: Path | str | None = None,
    reports: Path | str | None = "reports",
    replace: bool = False,
    progress: bool = False,
) -> list[Stress]:
    """Measures how much a baseline's scores fall on corrupted images: `sodbench stress`. One result per set.

    kinds: kinds of corruption, or groups of them ("noise", "blur", "weather", "digital", "storage"); None:
        all. docs/stress.md lists them with their parameters.
    severities: of 1 to 5; None: all.
    reports: folder in which the record is written, in `stress/<name>/<dataset>`; None: it is not. Cells of a
        record there that depends on the same things are used again.
    replace: whether a record of other weights, images, protocols or metrics may be replaced.

    The other arguments are those of `evaluate`. Images are corrupted in memory; no image and no map is
    written. Maps are scored against the masks of the set at the size of the image, and the kind "elastic",
    which moves objects, moves the mask alike.

    Raises InputError, before any work where possible, for names that are not known, a severity outside
    1..5, and a record that would be lost; later for an image that cannot be read. Nothing is written then.
    """
    from sodbench.data.corruptions import checked_kinds, checked_severities
    from sodbench.evaluation import known_baseline, open_sets
    from sodbench.models import Baseline, choose_device
    from sodbench.prediction import default_batch

    levels = checked_severities(severities)
    wanted = [(kind, severity) for kind in checked_kinds(kinds) for severity in levels]
    limit = None if limit is None else LIMIT.checked("limit", limit)
    batch = None if batch is None else BATCH.checked("batch", batch)
    scoring = prepare_scoring(protocols, metrics, reports, data_root, replace=replace, progress=progress)
    known = known_baseline(baseline, weights, trust_remote_code)
    sets = open_sets(datasets, scoring.data_root)
    for one in sets:
        _check_pairs(one, limit)
    device = choose_device(device)
    loaded = known.load(weights, device) if isinstance(known, Baseline) else known
    network = Network(loaded, scoring, device, precision, batch or default_batch(device), limit)
    plans = [_plan(network, one, wanted) for one in sets]  # refuses what would be lost, before any work
    return [_run(network, plan) for plan in plans]


def _check_pairs(dataset: DataSet, limit: int | None) -> None:
    for sample in dataset.samples[:limit]:
        if sample.image is None or sample.mask is None:
            missing = "image" if sample.image is None else "mask"
            raise InputError(f"{dataset.name}: {sample.name} has no {missing}; a stress run needs both")


def _plan(network: Network, dataset: DataSet, wanted: list[Corruption]) -> _Plan:
    """What is to be done for a data set; refuses to lose a record."""
    samples = dataset.samples[: network.limit]
    depends = dependencies(network, samples)
    before = _recorded_before(network, dataset)
    if before is not None and before.depends != depends:
        if not network.scoring.replace:
            parts = {**before.depends, **depends}
            differing = [key for key in parts if before.depends.get(key) != depends.get(key)]
            raise InputError(
                f"{network.scoring.reports}: holds a stress record of {network.name} on {dataset.name} with "
                f"other {' and '.join(differing) or 'settings'} ({before.images} images there, "
                f"{len(samples)} here); --replace replaces it, --reports DIR keeps both"
            )
        before = None
    return _Plan(dataset, samples, wanted, depends, before)


def _recorded_before(network: Network, dataset: DataSet) -> StressRecord | None:
    """The record there is; one that cannot be read is an error, unless it is to be replaced."""
    from sodbench.results.stress_record import load_stress

    reports = network.scoring.reports
    try:
        return None if reports is None else load_stress(reports, network.name, dataset.name)
    except InputError as error:
        if not network.scoring.replace:
            raise InputError(f"{error}; --replace writes a new record") from error
        return None


def _run(network: Network, plan: _Plan) -> Stress:
    """Predicts, scores and records what the record before does not hold."""
    from sodbench.results.stress_record import save_stress

    started = time.time()
    known = {} if plan.before is None else {(c.kind, c.severity): c for c in plan.before.cells}
    todo = [place for place in plan.wanted if place not in known]
    reused = len(plan.wanted) - len(todo)
    if reused and network.scoring.progress:
        what = f"{reused} of {len(plan.wanted)} cells are taken from the record of {network.name}"
        warnings.warn(f"{plan.dataset.name}: {what}, which is of the same images", Note, stacklevel=3)
    predictor = StressPredictor(network)
    record = plan.before
    if todo or record is None:
        tables = predictor.measure(plan.dataset, plan.samples, todo, clean=plan.before is None)
        record = new_record(network, plan.dataset, plan.samples, tables, plan.depends, plan.before, started)
        if network.scoring.reports is not None:
            save_stress(network.scoring.reports, record)
    asked = set(plan.wanted)
    shown = replaced(record, cells=tuple(c for c in record.cells if (c.kind, c.severity) in asked))
    worst = shown.worst_cell()
    if worst is None:
        return Stress(shown, reused=reused)
    samples = [plan.dataset[name] for name in worst.worst]
    return Stress(shown, predictor.examples(samples, (worst.kind, worst.severity)), reused)
