"""The run record: what has just been scored, with everything it depends on, written and read as a folder.

On disk a record is `reports/runs/<name>/<dataset>/`:

    run.json              names, counts, digests, data-set scores, protocols, provenance
    scores.parquet        one row an image, a column a metric by its full name (`MAE@pysodmetrics`)
    curves.parquet        the data set's curves: protocol, level, precision, recall, F, E
    image_curves.parquet  one row an image and protocol (only where the scorer kept them)
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.data.image_files import scan
from sodbench.files import sha256_of
from sodbench.results.load import Records, load_runs, read_records
from sodbench.results.provenance import collect, digest_of
from sodbench.results.record import SCHEMA, Run, ScoreTableLike
from sodbench.results.store import save_run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCHEMA", "Records", "Run", "ScoreTableLike", "load_runs", "new_run", "read_records", "save_run"]


def new_run(
    name: str,
    dataset: Any,
    tables: Mapping[str, ScoreTableLike],
    *,
    weights_sha256: str | None = None,
    seed: int | None = None,
    extra: Mapping[str, Any] | None = None,
    started: datetime | float | None = None,
    efficiency: dict[str, Any] | None = None,
) -> Run:
    """Makes the record of what has just been scored and collects its provenance.

    `dataset` is a `data.folder.DataSet`; `tables` is what `scoring.score_files` returned; `extra` goes into
    the provenance (`maps`: absolute folder of the maps, for the gallery; `baseline`: its recipe);
    `started` is when the work began, an aware datetime or seconds since 1970.
    """
    first = next(iter(tables.values()))
    images = [str(image) for image in first.per_image.index]
    facts = _image_facts(dataset, first, images)
    folder = getattr(dataset, "folder", None)
    provenance = collect(started, seed)
    provenance["images_sha256"] = hashlib.sha256("\n".join(images).encode()).hexdigest()
    provenance["manifest_sha256"] = _manifest_digest(dataset.name)
    provenance["data_folder"] = None if folder is None else str(Path(folder).resolve())
    provenance.update(extra or {})
    if provenance.get("maps"):
        provenance["maps_sha256"] = _maps_digest(Path(provenance["maps"]), images)
    return Run(
        schema=SCHEMA,
        name=name,
        dataset=dataset.name,
        title=dataset.title,
        expected=int(dataset.expected),
        scored=len(images),
        dataset_digest=dataset.digest(),
        weights_sha256=weights_sha256,
        tables=dict(tables),
        provenance=provenance,
        efficiency=efficiency,
        image_facts=lambda: facts,
    )


def _image_facts(dataset: Any, table: ScoreTableLike, images: list[str]) -> "pd.DataFrame":
    """Sizes and object shares from the scorer, file names from the data set; one row an image."""
    import pandas as pd

    facts = getattr(table, "image_facts", None)
    frame = pd.DataFrame(index=pd.Index(images, name="name")) if facts is None else facts.copy()
    frame.index = pd.Index(images, name="name")
    samples = {sample.name: sample for sample in getattr(dataset, "samples", ())}
    folder = getattr(dataset, "folder", None)
    for kind in ("image", "mask"):
        paths = [getattr(samples.get(image), kind, None) for image in images]
        if any(paths):
            frame[f"{kind}_file"] = [_relative(path, folder) for path in paths]
    return frame


def _manifest_digest(dataset: str) -> str | None:
    """The digest of the manifest that pins the user's copy of the data set, where there is one."""
    from sodbench.data.auditing.manifest import manifest_path

    path = manifest_path(dataset)
    return sha256_of(path) if path.is_file() else None


def _maps_digest(folder: Path, images: list[str]) -> str | None:
    """One SHA-256 over the maps that were scored, None where the folder does not hold them all."""
    maps = {path.stem: path for path in scan(folder).pictures} if folder.is_dir() else {}
    if not maps.keys() >= set(images):
        return None
    return digest_of([(image, maps[image]) for image in images])


def _relative(path: Path | None, folder: Path | None) -> str | None:
    """`path` relative to the data set's folder, so that records of two machines agree; absolute elsewhere."""
    if path is None:
        return None
    path = Path(path).resolve()
    if folder is not None and path.is_relative_to(Path(folder).resolve()):
        return path.relative_to(Path(folder).resolve()).as_posix()
    return str(path)
