"""Saliency maps that were made elsewhere become scores and a record."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.data.folder import DataSet, counting_maps, open_folders, open_to_score, pair_maps
from sodbench.errors import InputError, Note
from sodbench.names import folder_name
from sodbench.paths import real_path, user_path
from sodbench.recording import DEFAULT_PROTOCOLS, Protocols, check_place, prepare_scoring, score_and_record

if TYPE_CHECKING:
    from sodbench.data.folder import Sample
    from sodbench.results.replacement import Replace
    from sodbench.results.run import Run
    from sodbench.shard import Shard


def score_maps(
    folder: Path | str,
    dataset: str | DataSet | None = None,
    *,
    masks: Path | str | None = None,
    images: Path | str | None = None,
    name: str | None = None,
    protocols: Protocols = DEFAULT_PROTOCOLS,
    metrics: str | Sequence[str] | None = None,
    allow_missing: bool = False,
    reports: Path | str | None = "reports",
    data_root: Path | str | None = None,
    allow_constant: bool = False,
    workers: int | None = None,
    image_curves: bool = True,
    self_check: bool = True,
    replace: Replace = False,
    shard: Shard | str | None = None,
    pattern: str | None = None,
    resize: str | None = None,
    progress: bool = False,
) -> Run:
    """Scores a folder of saliency maps that were made elsewhere and records the run: `sodbench score`.

    folder: folder of the maps, named like the images: 8-bit grey images; `.npy` files (uint8, or floating
        point in 0..1; H x W, 1 x H x W or H x W x 1); floating-point TIFF files in 0..1. Floating point
        becomes levels by round(255 x).
    dataset: a name or a `DataSet`; with `masks`, the name of the ad-hoc data set.
    masks: folder of the masks of an ad-hoc data set.
    images: folder of the images of an ad-hoc data set, which the report shows.
    name: the method's name; None: the name of the folder of maps.
    allow_missing: score only the maps that exist, instead of raising; tables then show n/N.
    pattern: which part of a map's file name is the name of its image, such as "{name}_sal.png"; None: the
        stem.
    resize: the filter ("nearest", "bilinear", "bicubic" or "lanczos", of Pillow) that brings maps of another
        size to that of their mask, under the protocols that compare equal sizes only; None: such maps are
        refused. The other protocols keep their own rule. The record names the filter.

    The other arguments are those of `evaluate`. Raises InputError for errors that the user can correct.
    `score_tree` scores the maps of several methods and data sets.
    """
    from sodbench.results.replacement import NewMaps, digest_by_name

    started = time.time()
    scoring = prepare_scoring(
        protocols,
        metrics,
        reports,
        data_root,
        workers=workers,
        progress=progress,
        image_curves=image_curves,
        self_check=self_check,
        allow_constant=allow_constant,
        replace=replace,
        shard=shard,
        pattern=pattern,
        resize=resize,
    )
    folder = user_path(folder)
    opened = dataset_to_score(dataset, masks, images, scoring.data_root)
    name = name or real_path(folder).name
    folder_name(name)  # refuses what is no name
    pairs = maps_to_score(opened, folder, allow_missing, scoring.pattern)
    opened = counting_maps(opened, folder, scoring.pattern)
    whole = [sample for sample, _ in pairs]
    check_place(
        name, opened, [sample.name for sample in whole], scoring, NewMaps(None, digest_by_name(pairs))
    )
    pairs = scoring.part_of(pairs)
    return score_and_record(name, opened, pairs, folder, scoring, started=started, whole=whole)


def dataset_to_score(
    dataset: str | DataSet | None,
    masks: Path | str | None = None,
    images: Path | str | None = None,
    data_root: Path | None = None,
) -> DataSet:
    """A data set by its name, or an ad-hoc one from a folder of masks and, optionally, a folder of images."""
    if isinstance(dataset, DataSet):
        return dataset
    if masks is not None:
        folder = user_path(masks)
        return open_folders(
            dataset or real_path(folder).name, folder, None if images is None else user_path(images)
        )
    if dataset is None:
        raise InputError("nothing to score against: name a data set with --dataset, or a folder with --masks")
    return open_to_score(dataset, data_root)


def maps_to_score(
    dataset: DataSet, folder: Path | str, allow_missing: bool = False, pattern: str | None = None
) -> list[tuple[Sample, Path]]:
    """The samples of a data set with their maps in `folder`; notes maps that belong to no sample."""
    folder = Path(folder)
    if not folder.is_dir():
        problem = "it is a file" if folder.exists() else "there is none"
        raise InputError(f"{folder}: expected a folder of saliency maps, {problem}")
    pairing = pair_maps(dataset, folder, allow_missing, pattern)
    if pairing.note():
        warnings.warn(f"{folder}: {pairing.note()}", Note, stacklevel=3)
    return list(pairing.pairs)
