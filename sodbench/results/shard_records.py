"""Shard records: what one process scored of a run, whole enough that all shards together make its record.

`reports/shards/<name>/<dataset>/<3-of-16>/` holds

    shard.json            which shard of what; names, counts, digests, protocols, provenance
    scores.parquet        one row per image as in the record of a run, and the SHA-256 of image, mask and map
    curve_sums.parquet    one row per protocol, curve and part: exact sums over the images (`kernels.sums`)
    image_curves.parquet  as in the record of a run (only where the scorer kept them)

A shard record is staged and swapped in as the record of a run is (`saving`). Reading checks the size and
SHA-256 of every file, the schema of shard.json, and that the tables hold what it says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from sodbench.errors import InputError, first_of
from sodbench.json_text import read_json
from sodbench.names import folder_name, original_name
from sodbench.results.integrity import file_problems
from sodbench.results.loading import RecordedTable, RecordFile, readable, recorded_facts
from sodbench.results.provenance import Provenance
from sodbench.results.replacement import refuse_foreign_files
from sodbench.schema import AT_LEAST_1, NOT_EMPTY, SHA256, parse
from sodbench.shard import Shard

if TYPE_CHECKING:
    import pandas as pd

    from sodbench.metrics import Protocol, ScoreTable

# raised when shard records change so that an older sodbench cannot read them
SCHEMA = 1
FILES = ("shard.json", "scores.parquet", "curve_sums.parquet", "image_curves.parquet")
DIGESTS = ("image_sha256", "mask_sha256", "map_sha256")
PARTS = 5  # rows of `RunningMean.sums`
AGAIN = "run this shard again"


@dataclass(frozen=True)
class Convention:
    """One protocol of a shard: its fields, and the metric families that were scored."""

    fields: dict[str, Any]
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class ShardJson:
    """What shard.json holds.

    shard: "3/16". images: how many images all shards have together. images_sha256: digest of their names.
    scored: images of this shard. allow_constant: whether a run of constant maps was asked for.
    """

    schema: int
    shard: str
    images: Annotated[int, AT_LEAST_1]
    images_sha256: Annotated[str, SHA256]
    image_curves: bool
    allow_constant: bool
    name: Annotated[str, NOT_EMPTY]
    dataset: Annotated[str, NOT_EMPTY]
    title: str
    expected: int
    scored: int
    dataset_digest: str
    weights_sha256: str | None
    protocols: Annotated[dict[str, Convention], NOT_EMPTY]
    provenance: Provenance
    files: dict[str, RecordFile]


@dataclass(frozen=True)
class ShardRecord:
    """The record of a shard in `folder`, below `reports`; its tables are read when they are asked for."""

    folder: Path
    reports: Path
    shard: Shard
    said: ShardJson

    @cached_property
    def facts(self) -> "pd.DataFrame":
        """One row per image: size, object share, files, digests, whether its map is constant."""
        if not self.said.scored:
            import pandas as pd

            return pd.DataFrame()
        facts = recorded_facts(self.folder)
        missing = [name for name in (*DIGESTS, "constant") if name not in facts]
        if missing or len(facts) != self.said.scored or not facts.index.is_unique:
            raise InputError(
                f"{self.folder / 'scores.parquet'}: expected {self.said.scored} images, each once and with"
                f" their digests, found {len(facts)}; {AGAIN}"
            )
        return facts

    @property
    def names(self) -> list[str]:
        """The names of the images, in their order."""
        return [str(name) for name in self.facts.index]

    def protocol(self, name: str) -> "Protocol":
        """A protocol of the shard, with the fields that it had."""
        from sodbench.metrics import Protocol

        where = f"protocols.{name}.fields."
        return parse(Protocol, self.said.protocols[name].fields, self.folder / "shard.json", where)

    def table(self, name: str) -> "ScoreTable":
        """The score table of a protocol as the scorer gave it, without the data set's scores."""
        import pandas as pd

        from sodbench.metrics import ScoreTable

        recorded = RecordedTable(name, self.said.protocols[name].fields, {}, self.folder)
        facts = self.facts
        try:
            per_image = recorded.per_image.astype(float)
        except (TypeError, ValueError) as error:
            raise self._damaged("scores.parquet", f"a score that is no number ({error})") from error
        curves = recorded.image_curves
        levels = self.protocol(name).levels
        sums = self._curve_sums(name, levels)
        for curve, values in (curves or {}).items():
            expected = (len(facts), sums[curve].shape[1]) if curve in sums else None
            if values.shape != expected:
                raise self._damaged("image_curves.parquet", f"{curve} of another size than its sums")
        if not self.said.image_curves:
            curves = None
        elif curves is None and not sums:  # no metric has curves
            curves = {}
        elif curves is None:
            raise self._damaged("image_curves.parquet", "no curves of its images")
        return ScoreTable(
            protocol=self.protocol(name),
            scores={},
            per_image=per_image,
            curves=pd.DataFrame(index=pd.RangeIndex(levels, name="level")),
            image_curves=curves,
            image_facts=facts[["height", "width", "object_share"]],
            constant_maps=tuple(str(image) for image in facts.index[facts["constant"]]),
            curve_sums=sums,
        )

    def _curve_sums(self, protocol: str, levels: int) -> dict[str, Any]:
        import numpy as np
        import pyarrow.parquet as parquet

        from sodbench.metrics.families import calibration

        path = self.folder / "curve_sums.parquet"
        sums: dict[str, Any] = {}
        with readable(path):
            for row in parquet.read_table(path).to_pylist():
                if row["protocol"] == protocol:
                    sums.setdefault(row["curve"], []).append(row["sums"])
            sums = {curve: np.asarray(rows, np.float64) for curve, rows in sums.items()}
        for curve, rows in sums.items():
            size = calibration.BINS if curve in calibration.CURVES else levels
            if rows.shape != (PARTS, size) or not np.isfinite(rows).all():
                raise self._damaged("curve_sums.parquet", f"other sums than {PARTS} x {size} of {curve}")
        return sums

    def _damaged(self, file: str, found: str) -> InputError:
        return InputError(f"{self.folder / file}: holds {found}; {AGAIN}")


def shard_folder(reports: Path | str, name: str, dataset: str, shard: Shard) -> Path:
    """The place of a shard record."""
    return Path(reports) / "shards" / folder_name(name) / folder_name(dataset) / shard.folder


def check_shard_place(reports: Path | str, name: str, dataset: str, shard: Shard) -> None:
    """Raises InputError where something else than a shard record is in its place."""
    refuse_foreign_files(shard_folder(reports, name, dataset, shard), FILES)


def read_shard(folder: Path, reports: Path) -> ShardRecord:
    """Reads the shard record in `folder`, below `reports`; checks shard.json and the files that it names.

    Raises InputError that says what is wrong and what to do.
    """
    path = folder / "shard.json"
    if not path.is_file():
        raise InputError(f"{folder}: no shard.json (incomplete shard?); {AGAIN}")
    try:
        content = read_json(path)
        schema = content.get("schema") if isinstance(content, Mapping) else None
        if schema != SCHEMA:
            raise InputError(f"{path}: written with schema {schema!r}, this sodbench reads {SCHEMA}")
        said = parse(ShardJson, content, path, more=True)
    except InputError as error:
        raise InputError(f"{error}; {AGAIN}") from error
    try:
        shard = Shard.parse(said.shard)
    except InputError as error:
        raise InputError(f"{path}: {error}; {AGAIN}") from error
    named = (original_name(folder.parent.parent.name), original_name(folder.parent.name), folder.name)
    if named != (said.name, said.dataset, shard.folder):
        raise InputError(
            f"{folder}: its shard.json is shard {shard} of {said.name!r} on {said.dataset!r} (a copied or"
            f" renamed folder?); {AGAIN}"
        )
    problems = file_problems(folder, {name: (file.bytes, file.sha256) for name, file in said.files.items()})
    problems += [
        f"{name} is missing"
        for name in ("scores.parquet", "curve_sums.parquet")
        if not problems and name not in said.files
    ]
    due = len(range(shard.number - 1, said.images, shard.count))
    if said.scored != due:
        problems.append(f"it counts {said.scored} images instead of {due}")
    if problems:
        raise InputError(f"{folder}: {first_of(problems, 3)}; {AGAIN}")
    return ShardRecord(folder, reports, shard, said)


def shard_folders(reports: Path) -> Iterator[Path]:
    """The folder of every shard record under `reports/shards`, sorted."""
    top = reports / "shards"
    for method in _folders(top):
        for dataset in _folders(method):
            yield from _folders(dataset)


def _folders(top: Path) -> list[Path]:
    if not top.is_dir():
        return []
    return sorted(path for path in top.iterdir() if path.is_dir() and not path.name.startswith("."))


def merge_hint(reports: Path) -> str:
    """What to do where there are shards and no run; empty where there are none."""
    if next(shard_folders(reports), None) is None:
        return ""
    command = f"sodbench merge {reports} --reports {reports}"
    return f"; {reports / 'shards'} holds shards of runs: join them with '{command}'"
