"""A recorded training once more: what its training.json holds, and the numbers that come out now."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.results.environment import changes_since

if TYPE_CHECKING:
    from sodbench.models import Baseline


@dataclass(frozen=True)
class _Weights:
    """`weights` in training.json."""

    sha256: str


@dataclass(frozen=True)
class _Best:
    """`best`: the step of the weights that were kept, and its validation score where there was one."""

    iteration: int | None
    value: float | None = None


@dataclass(frozen=True)
class _TrainedOn:
    """One of `datasets`."""

    digest: str


@dataclass(frozen=True)
class _Environment:
    """`provenance`."""

    versions: dict[str, Any] = field(default_factory=dict)
    device: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingJson:
    """What training.json holds, as far as it is compared."""

    baseline: str
    recipe: dict[str, Any]
    datasets: dict[str, _TrainedOn]
    best: _Best
    weights: _Weights
    provenance: _Environment
    losses: dict[str, float | None] = field(default_factory=dict)
    threads: int | None = None
    processes: int | None = None


def train_again(
    path: Path,
    record: TrainingJson,
    baseline: Baseline,
    *,
    data_root: Path | None,
    out: Path | str | None,
    device: str | None,
    resume: bool,
    progress: bool,
) -> tuple[list[str], dict[str, tuple[Any, Any]]]:
    """Trains by the recipe and seed of the record `path`; notes, and recorded and new numbers by name."""
    from sodbench.training.job import train
    from sodbench.training.recipe import load_recipe

    load_recipe(baseline.training, record.recipe, str(path))
    again = train(
        record.baseline,
        settings=record.recipe,
        data_root=data_root,
        out=out or Path("reproduced") / path.stem,
        device=device,
        resume=resume,
        progress=progress,
    ).record
    notes = changes_since(record.provenance.versions, record.provenance.device)
    for key, then in (("threads", record.threads), ("processes", record.processes)):
        if then != again.get(key):
            notes.append(f"{key}: {then} then, {again.get(key)} now: sums round in another order")
    numbers: dict[str, tuple[Any, Any]] = {
        "weights sha256": (record.weights.sha256, again["weights"]["sha256"]),
        "best step": (record.best.iteration, again["best"]["iteration"]),
    }
    for term, value in record.losses.items():
        numbers[f"last {term}"] = (value, again["losses"].get(term))
    if record.best.value is not None:
        numbers["best value"] = (record.best.value, again["best"].get("value"))
    for name, facts in record.datasets.items():
        numbers[f"digest of {name}"] = (facts.digest, again["datasets"].get(name, {}).get("digest"))
    return notes, numbers
