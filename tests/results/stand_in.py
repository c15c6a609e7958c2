"""Synthetic score tables and data sets for the tests of records and reports."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from sodbench.metrics.aggregate import dataset_scores
from sodbench.metrics.protocol import Protocol, load_protocol
from sodbench.results.new_run import new_run
from sodbench.results.run import Run

METRICS = ("MAE", "S", "wF", "adpF", "adpE")
COLUMNS = (*METRICS, "relaxF", "relaxP", "relaxR")


@dataclass(frozen=True)
class StandInTable:
    """A score table made of random numbers."""

    protocol: Protocol
    scores: dict[str, float]
    per_image: pd.DataFrame
    curves: pd.DataFrame
    image_curves: dict[str, np.ndarray] | None = None
    image_facts: pd.DataFrame | None = None


@dataclass(frozen=True)
class StandInSample:
    """A pair of files that need not exist."""

    name: str
    image: Path | None = None
    mask: Path | None = None


@dataclass(frozen=True)
class StandInDataset:
    """Just enough of a data set."""

    name: str = "sod"
    title: str = "SOD"
    expected: int = 12
    folder: Path = Path("/nowhere/SOD")
    samples: tuple[StandInSample, ...] = field(default_factory=tuple)

    def digest(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()


def table(images: int = 12, seed: int = 0, protocol: str = "pysodmetrics", levels: int = 256) -> StandInTable:
    """A table whose scores follow from its rows and curves, as those of a record must."""
    draw = np.random.default_rng(seed)
    names = pd.Index([f"{number:04d}" for number in range(images)], name="name")
    per_image = pd.DataFrame({metric: draw.random(images) for metric in COLUMNS}, index=names)
    level = np.linspace(0, 1, levels)
    precision = np.clip(0.6 + 0.4 * level[None] - 0.2 * draw.random((images, 1)), 0, 1).astype(np.float32)
    recall = np.clip(1 - level[None] ** (0.5 + 3 * draw.random((images, 1))), 0, 1).astype(np.float32)
    e = np.clip(0.5 + 0.3 * draw.random((images, levels)), 0, 1).astype(np.float32)
    mean_p, mean_r = precision.mean(0, dtype=float), recall.mean(0, dtype=float)
    f = (1.3 * precision * recall / np.maximum(0.3 * precision + recall, 1e-12)).mean(0, dtype=float)
    curves = pd.DataFrame(
        {"precision": mean_p, "recall": mean_r, "F": f, "E": e.mean(0, dtype=float)},
        index=pd.RangeIndex(levels, name="level"),
    )
    loaded = load_protocol(protocol)
    scores = dataset_scores(per_image, {name: curves[name].to_numpy() for name in curves}, loaded)
    facts = pd.DataFrame({"height": 300, "width": 400, "object_share": draw.random(images)}, index=names)
    return StandInTable(
        loaded,
        scores,
        per_image,
        curves,
        {"precision": precision, "recall": recall, "E": e},
        facts,
    )


def run(name: str = "DSS", dataset: str = "sod", seed: int = 0, images: int = 12, **options) -> Run:
    """A run of one random table; `options` go to new_run."""
    card = StandInDataset(dataset, dataset.upper(), images, Path("/nowhere") / dataset.upper())
    return new_run(name, card, {"pysodmetrics": table(images, seed)}, **options)
