"""The run of what has just been scored: its provenance, and what is known of its images."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.data.locations import known_roots
from sodbench.files import sha256_of
from sodbench.paths import real_path, user_path
from sodbench.results.environment import environment
from sodbench.results.provenance import Prediction, Provenance, maps_digest, names_digest
from sodbench.results.recorded_paths import portable
from sodbench.results.run import Run, ScoreTableLike, known_facts

if TYPE_CHECKING:
    import pandas as pd

    from sodbench.data.folder import DataSet


def new_run(
    name: str,
    dataset: "DataSet",
    tables: Mapping[str, ScoreTableLike],
    *,
    maps: Path | None = None,
    prediction: Prediction | None = None,
    reports: Path | None = None,
    data_root: Path | None = None,
    started: datetime | float | None = None,
    depends_on: Mapping[str, str] | None = None,
    map_pattern: str | None = None,
    map_resize: str | None = None,
    float_maps: str | None = None,
) -> Run:
    """Makes the run of what has just been scored and collects its provenance.

    `tables` is what `scoring.score_samples` returned, `maps` the folder of the maps, `prediction` how they
    were predicted (None: they were made elsewhere), `reports` the folder below which the run will be
    recorded, `started` when the work began (an aware datetime, or seconds since 1970), `depends_on` what the
    scores depend on (`cell_key`). `map_pattern`, `map_resize`, `float_maps`: see `Provenance`.
    """
    first = next(iter(tables.values()))
    images = [str(image) for image in first.per_image.index]
    facts = _image_facts(dataset, first, images)
    roots = known_roots(reports or Path("reports"), data_root)

    def recorded(path: Path | None) -> str | None:
        return None if path is None else portable(path, reports, roots)

    how = prediction or Prediction("")
    # of maps that were made elsewhere it is known already
    known = None if prediction else (depends_on or {}).get("maps")
    provenance = Provenance(
        origin="maps" if prediction is None else "baseline",
        **environment(started, roots),
        images_sha256=names_digest(images),
        maps_sha256=None if maps is None else known or maps_digest(Path(maps), images, map_pattern),
        manifest_sha256=_manifest_digest(dataset.name),
        data_folder=recorded(dataset.folder),
        maps=recorded(maps),
        masks=recorded(getattr(dataset, "masks_folder", None)),
        images=recorded(getattr(dataset, "images_folder", None)),
        baseline=how.baseline or None,
        weights=how.weights,
        precision=how.precision,
        batch=how.batch,
        limit=how.limit,
        inference_device=how.device if prediction else None,
        output_kind=how.output_kind,
        provider=how.provider,
        trust_remote_code=bool(how.remote_code),
        remote_code=how.remote_code,
        depends_on=dict(depends_on or {}),
        map_pattern=map_pattern,
        map_resize=map_resize,
        float_maps=float_maps,
    )
    return Run(
        name=name,
        dataset=dataset.name,
        title=dataset.title,
        expected=int(dataset.expected),
        scored=len(images),
        dataset_digest=dataset.digest(),
        weights_sha256=how.weights_sha256,
        tables=dict(tables),
        provenance=provenance,
        image_facts=partial(known_facts, facts),
        reports=reports,
        data_root=None if data_root is None else real_path(user_path(data_root)),
    )


def _image_facts(dataset: "DataSet", table: ScoreTableLike, images: Sequence[str]) -> "pd.DataFrame":
    """Sizes and object shares from the scorer, file names from the data set; one row per image."""
    import pandas as pd

    facts = getattr(table, "image_facts", None)
    frame = pd.DataFrame(index=pd.Index(images, name="name")) if facts is None else facts.copy()
    frame.index = pd.Index(images, name="name")
    samples = {sample.name: sample for sample in dataset.samples}
    for kind in ("image", "mask"):
        paths = [getattr(samples.get(image), kind, None) for image in images]
        if any(paths):
            frame[f"{kind}_file"] = [_relative(path, dataset.folder) for path in paths]
    return frame


def _relative(path: Path | None, folder: Path) -> str | None:
    """`path` relative to the data set's folder, so that records of two machines agree."""
    if path is None:
        return None
    try:
        return Path(os.path.relpath(real_path(path), real_path(folder))).as_posix()
    except ValueError:  # another drive on Windows
        return str(path)


def _manifest_digest(dataset: str) -> str | None:
    """The digest of the manifest that pins the user's copy of the data set, where there is one."""
    from sodbench.data.auditing.manifest import manifest_path

    path = manifest_path(dataset)
    return sha256_of(path) if path.is_file() else None
