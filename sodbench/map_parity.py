"""Parity: the same network in two forms, or two folders of maps, compared pixel by pixel and by their scores.

A form is named `baseline@precision@device`, as in `basnet-tiny@bf16` or `basnet-tiny@cuda@fp16`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.arguments import LEVELS, LIMIT, NOT_NEGATIVE, instance
from sodbench.data.folder import DataSet, open_dataset
from sodbench.data.images import read_map
from sodbench.data.map_files import list_maps
from sodbench.errors import InputError, first_of, unknown_names
from sodbench.metrics.protocol import Protocol
from sodbench.models.settings import PRECISIONS
from sodbench.paths import user_path
from sodbench.results.map_differences import MapDifferences
from sodbench.results.parity import Parity, ScoreDifference

if TYPE_CHECKING:
    from sodbench.data.folder import Sample
    from sodbench.metrics.aggregate import ScoreTable
    from sodbench.models import Baseline


@dataclass(frozen=True)
class _Side:
    """A folder of maps, or a baseline with the form in which it predicts."""

    name: str
    folder: Path | None = None
    baseline: Baseline | None = None
    precision: str | None = None
    device: str = "cpu"


def parity(
    first: str | Path,
    second: str | Path,
    dataset: str | DataSet,
    *,
    limit: int | None = None,
    levels: int = 1,
    score: float = 1e-3,
    protocol: str | Path | Protocol = "pysodmetrics",
    metrics: Sequence[str] | None = None,
    weights: Path | str | None = None,
    data_root: Path | str | None = None,
    trust_remote_code: bool = False,
    progress: bool = False,
) -> Parity:
    """Compares the maps of two forms of a network, or of two folders: `sodbench compare --parity`.

    first, second: a folder of maps, named like the images; or a baseline, as `evaluate` takes it, with its
        form: `name@bf16`, `name@cuda`, `name@cuda:1@fp16` (no device: the CPU). Its maps are made anew, in a
        temporary folder.
    dataset: a name (`sodbench.datasets()`) or a `DataSet`.
    limit: only the first `limit` images; None: all.
    levels, score: the largest difference of a pixel (levels of 255) and of a score of the data set with which
        parity holds.
    protocol, metrics: what is scored; None: all scores that the protocol defines.
    weights: a weights file for the baselines, instead of their own. A network that is a file or folder itself
        keeps its own.
    data_root, trust_remote_code, progress: as for `evaluate`.

    Raises InputError for errors that the user can correct, before any map is made where possible.
    """
    from sodbench.metrics import load_protocol
    from sodbench.metrics.protocol import own_or_shipped
    from sodbench.metrics.scorer import scorers_for
    from sodbench.scoring import score_samples

    for argument, given in (("first", first), ("second", second)):
        instance(argument, given, (str, Path), "a folder of maps, or a baseline's name with its form")
    levels = LEVELS.checked("levels", levels)
    score = NOT_NEGATIVE.checked("score", score)
    if limit is not None:
        limit = LIMIT.checked("limit", limit)
    loaded = own_or_shipped(load_protocol(protocol), "protocol")
    scorers_for([loaded], metrics)
    sides = [_side(str(name), trust_remote_code) for name in (first, second)]
    path = _weights_of(sides, weights)
    opened = dataset if isinstance(dataset, DataSet) else open_dataset(dataset, data_root)
    samples = opened.samples[:limit]
    with tempfile.TemporaryDirectory(prefix="sodbench-parity-") as temporary:
        # a map that is missing is found before any is made
        found = [_maps_in(side.folder, opened.name, samples) if side.folder else None for side in sides]
        one, two = (
            pairs or _predicted(side, samples, Path(temporary) / str(number), path, progress)
            for number, (side, pairs) in enumerate(zip(sides, found, strict=True))
        )
        differences = _differences(one, two)
        tables = [
            score_samples(
                pairs,
                [loaded],
                metrics,
                keep_curves=False,
                progress=f"score {side.name}" if progress else None,
            )[loaded.name]
            for side, pairs in zip(sides, (one, two), strict=True)
        ]
    scores, worst = _score_differences(*tables)
    return Parity(
        first=sides[0].name,
        second=sides[1].name,
        dataset=opened.name,
        protocol=loaded.name,
        images=len(samples),
        pixels=differences.pixels,
        shares=differences.shares,
        largest_levels=differences.largest[0],
        largest_image=differences.largest[1],
        scores=scores,
        worst_image=worst,
        levels=levels,
        score=score,
        advice=differences.advice,
    )


def _side(name: str, trust_remote_code: bool) -> _Side:
    """What a name stands for: a baseline, alone or with a form after it, or a folder of maps."""
    from sodbench import catalog
    from sodbench.models import choose_device, load_baseline
    from sodbench.models.transformers_folder import CONFIG

    path = user_path(name)
    if name not in catalog.entries("baselines") and path.is_dir() and not (path / CONFIG).is_file():
        return _Side(name, folder=path)
    base, *forms = name.split("@")
    precision, device = None, "cpu"
    for form in forms:
        if form in PRECISIONS:
            precision = form
        elif form.partition(":")[0] in ("cpu", "cuda"):
            device = choose_device(form)
        else:
            known = (*PRECISIONS, "cpu", "cuda", "cuda:N")
            raise InputError(f"{name}: {unknown_names('form', [form], known)}")
    if not base:
        raise InputError(f"{name!r}: expected a folder of maps, or a baseline with its form, as in name@bf16")
    baseline = load_baseline(base, trust_remote_code=trust_remote_code)
    return _Side(name, baseline=baseline, precision=precision, device=device)


def _weights_of(sides: Sequence[_Side], weights: Path | str | None) -> Path | None:
    """The given weights file; InputError where it is missing or neither side takes it."""
    if weights is None:
        return None
    path = user_path(weights)
    if not path.is_file():
        raise InputError(f"{path}: no such weights file")
    if not any(_takes_weights(side) for side in sides):
        raise InputError(f"--weights {path}: neither {sides[0].name} nor {sides[1].name} takes weights")
    return path


def _takes_weights(side: _Side) -> bool:
    from sodbench.models.baseline import IN_ITS_FILE

    return side.baseline is not None and side.baseline.network not in IN_ITS_FILE


def _maps_in(folder: Path, dataset: str, samples: Sequence[Sample]) -> list[tuple[Sample, Path]]:
    maps = list_maps(folder)
    missing = [sample.name for sample in samples if sample.name not in maps]
    if missing:
        raise InputError(
            f"{folder}: {len(missing)} of {len(samples)} maps of {dataset} are missing: {first_of(missing)}; "
            "--limit N compares the first N images"
        )
    return [(sample, maps[sample.name]) for sample in samples]


def _predicted(
    side: _Side, samples: Sequence[Sample], folder: Path, weights: Path | None, progress: bool
) -> list[tuple[Sample, Path]]:
    from sodbench.prediction import predict_samples

    assert side.baseline is not None  # nosec B101 # for the type checker
    loaded = side.baseline.load(weights if _takes_weights(side) else None, side.device)
    return predict_samples(
        loaded.network,
        loaded.baseline,
        samples,
        folder,
        device=side.device,
        precision=side.precision,
        progress=f"predict {side.name}" if progress else None,
    )


def _differences(
    first: Sequence[tuple[Sample, Path]], second: Sequence[tuple[Sample, Path]]
) -> MapDifferences:
    differences = MapDifferences()
    for (sample, one), (_, two) in zip(first, second, strict=True):
        maps = read_map(one), read_map(two)
        if maps[0].shape != maps[1].shape:
            sizes = [" x ".join(map(str, levels.shape)) for levels in maps]
            raise InputError(
                f"{sample.name}: maps of two sizes, height x width: {one} {sizes[0]}, {two} {sizes[1]}; "
                "expected both at the size of the image"
            )
        differences.add(sample.name, *maps)
    return differences


def _score_differences(
    first: ScoreTable, second: ScoreTable
) -> tuple[tuple[ScoreDifference, ...], ScoreDifference]:
    """The scores of the data set, and the score of an image that differs most."""
    scores = tuple(ScoreDifference(name, value, second.scores[name]) for name, value in first.scores.items())
    images: Any = (first.per_image, second.per_image)
    of_images = (
        ScoreDifference(
            str(metric),
            float(images[0].at[name, metric]),
            float(images[1].at[name, metric]),
            str(name),
        )
        for metric in images[0].columns
        for name in images[0].index
    )
    return scores, max(of_images, key=lambda one: one.difference)
