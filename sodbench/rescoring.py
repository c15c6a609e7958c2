"""Scores the maps of a recorded run again, and finds the data set that a run was scored on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.data.folder import DataSet, open_folders, open_to_score
from sodbench.errors import InputError, first_of
from sodbench.map_scoring import maps_to_score
from sodbench.paths import user_path
from sodbench.recording import Protocols, check_place, prepare_scoring, score_and_record

if TYPE_CHECKING:
    from sodbench.results.replacement import Replace
    from sodbench.results.run import Run


def rescore(
    run: Run,
    *,
    protocols: Protocols | None = None,
    metrics: str | Sequence[str] | None = None,
    maps: Path | str | None = None,
    reports: Path | str | None = None,
    data_root: Path | str | None = None,
    workers: int | None = None,
    image_curves: bool = True,
    self_check: bool = True,
    replace: Replace = False,
    progress: bool = False,
) -> Run:
    """Scores the maps of a run again, under the same or other protocols and metrics.

    run: a new run, or one read by `load_runs`.
    protocols, metrics: as for `evaluate`; None: those of the run.
    maps: where the maps are now; None: where the record says. They are read as the record says, too: by its
        pattern of file names, and resized by its filter.
    reports: folder in which the new run is recorded; None: it is not recorded.

    The other arguments are those of `evaluate`. Raises InputError if the maps or the data set are missing.
    """
    from sodbench.results.dependencies import prediction_part_of
    from sodbench.results.replacement import NewMaps, digest_by_name
    from sodbench.results.run import checked_runs

    started = time.time()
    (run,) = checked_runs([run])
    if protocols is None:
        protocols = [table.protocol for table in run.tables.values()]
        metrics = list(run.values()) if metrics is None else metrics
    scoring = prepare_scoring(
        protocols,
        metrics,
        reports,
        data_root,
        workers=workers,
        progress=progress,
        image_curves=image_curves,
        self_check=self_check,
        allow_constant=True,  # the run was recorded with these maps
        replace=replace,
        pattern=run.provenance.map_pattern,
        resize=run.provenance.map_resize,
    )
    opened = dataset_of(run, scoring.data_root)
    folder = (None if maps is None else user_path(maps)) or run.maps_folder(scoring.data_root)
    if folder is None and not run.maps_kept:
        raise InputError(
            f"the maps of {run.name} on {run.dataset} were not kept (run --no-maps); give the folder of its "
            "maps, or run it again"
        )
    if folder is None:
        raise InputError(f"the record of {run.name} on {run.dataset} names no maps; give their folder")
    # maps of an ad-hoc set that are missing are named below
    some = run.scored < len(opened.samples) or opened.card is None
    pairs = maps_to_score(opened, folder, some, scoring.pattern)
    # the folder may hold more maps by now, of a later run without `limit`
    images = set(run.images)
    pairs = [(sample, path) for sample, path in pairs if sample.name in images]
    gone = sorted(images & {one.name for one in opened} - {sample.name for sample, _ in pairs})
    if gone:
        count = f"{len(gone)} of the {run.scored} maps scored are missing"
        raise InputError(f"{folder}: {count}: {first_of(gone)}")
    then = run.provenance.depends_on
    new_maps = NewMaps(prediction_part_of(then) if run.prediction else None, digest_by_name(pairs))
    check_place(run.name, opened, [sample.name for sample, _ in pairs], scoring, new_maps)
    return score_and_record(
        run.name,
        opened,
        pairs,
        folder,
        scoring,
        started=started,
        prediction=run.prediction,
        made_from=prediction_part_of(then) if then and run.prediction else None,
    )


def dataset_of(run: Run, data_root: Path | None = None) -> DataSet:
    """The data set that a run was scored on, ad-hoc ones included; InputError where it is not there."""
    then = run.provenance
    if then.masks is None:
        return open_to_score(run.dataset, data_root or _root_of(run))
    masks, images = run.locate(then.masks, data_root), run.locate(then.images, data_root)
    assert masks is not None  # nosec B101 # for the type checker
    opened = open_folders(run.dataset, masks, images)
    return replace(opened, expected=max(opened.expected, run.expected))


def _root_of(run: Run) -> Path | None:
    """The data root that holds a run's data set on this machine, of those used with its reports folder."""
    from sodbench.data.locations import known_roots
    from sodbench.results.recorded_paths import locate

    roots = known_roots(run.reports or Path("reports"), run.data_root)
    folders = ((root, locate(run.provenance.data_folder, run.reports, [root])) for root in roots)
    return next((root for root, folder in folders if folder is not None and folder.is_dir()), None)
