"""Reads records: run.json at once, the tables when they are asked for; damaged records are reported."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from sodbench.errors import InputError, Note, first_of
from sodbench.json_text import number_or_nan, read_json
from sodbench.names import folder_name, original_name
from sodbench.paths import real_path
from sodbench.results.integrity import differences, file_problems
from sodbench.results.provenance import Provenance
from sodbench.results.run import Run
from sodbench.schema import NOT_EMPTY, parse

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# raised when records change so that an older sodbench cannot read them
SCHEMA = 1


@dataclass(frozen=True)
class Records:
    """All runs recorded under a reports folder, and a line for each record that could not be used."""

    runs: list[Run] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def load_runs(reports: Path | str = "reports") -> list[Run]:
    """All complete records under `reports/runs`, sorted by folder; warns about each unusable one."""
    records = read_records(Path(reports))
    for problem in records.problems:
        warnings.warn(problem, Note, stacklevel=2)
    return records.runs


def read_records(reports: Path) -> Records:
    """All records under `reports/runs` that are as they were scored, and what is wrong with the others."""
    records = Records()
    for folder, name, dataset in record_folders(Path(reports)):
        try:
            records.runs.append(read_sound_run(folder, name, dataset, Path(reports)))
        except InputError as error:
            records.problems.append(f"skipped {error}")
    return records


def read_sound_run(folder: Path, name: str, dataset: str, reports: Path) -> Run:
    """The run in the folder of a method and data set; InputError where it is not as it was scored."""
    run = read_run(folder, reports)
    if problems := record_problems(run, name, dataset):
        raise InputError(
            f"{folder}: not as it was scored: {first_of(problems, 3)}; score the maps again, or see what"
            " differs with 'sodbench audit'"
        )
    return run


def record_problems(run: Run, name: str, dataset: str) -> list[str]:
    """What shows that a record was changed, or lies in the folder of another method or data set."""
    elsewhere = f"its run.json is the record of {run.name!r} on {run.dataset!r} (a copied or renamed folder?)"
    return [*[elsewhere] * ((run.name, run.dataset) != (name, dataset)), *differences(run)]


def record_place(reports: Path | str, name: str, dataset: str) -> Path:
    """The folder of a record."""
    return Path(reports) / "runs" / folder_name(name) / folder_name(dataset)


def record_folders(reports: Path) -> Iterator[tuple[Path, str, str]]:
    """(folder, method, data set) of every record; a former record stands in where a swap was cut short."""
    runs = reports / "runs"
    if not runs.is_dir():
        return
    for method in sorted(p for p in runs.iterdir() if p.is_dir() and not p.name.startswith(".")):
        folders = {p.name: p for p in method.iterdir() if p.is_dir() and not p.name.startswith(".")}
        for left in sorted(method.glob(".*.old-*")):
            folders.setdefault(left.name[1:].rpartition(".old-")[0], left)
        for name, folder in sorted(folders.items()):
            yield folder, original_name(method.name), original_name(name)


@dataclass(frozen=True)
class _Scores:
    """One protocol in run.json: its fields and the data set's scores."""

    fields: dict[str, Any]
    scores: dict[str, float | None]


@dataclass(frozen=True)
class RecordFile:
    """Size and digest of another file of the record."""

    bytes: int
    sha256: str | None = None


@dataclass(frozen=True)
class _RunJson:
    """What run.json holds."""

    schema: int
    name: Annotated[str, NOT_EMPTY]
    dataset: Annotated[str, NOT_EMPTY]
    title: str
    expected: int
    scored: int
    dataset_digest: str
    protocols: dict[str, _Scores]
    provenance: Provenance
    files: dict[str, RecordFile]
    weights_sha256: str | None = None


def read_run(folder: Path, reports: Path | None = None) -> Run:
    """Reads the record in `folder`; checks run.json, and that the other files are those that were written.

    Whether what run.json says follows from the other files is for `integrity.differences` to find.

    `reports` is the reports folder, at which recorded paths start (None: the one that holds `runs`).
    Raises InputError that says what is wrong and what to do.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise InputError(f"{folder}: no run.json (incomplete record?); score the maps again")
    try:
        content = read_json(path)
        _check_schema(path, content)
        record = parse(_RunJson, _with_origin(content), path, more=True)
    except InputError as error:
        advice = "" if "upgrade" in str(error) else "; score the maps again"
        raise InputError(f"{folder}: {error}{advice}") from error
    if not record.protocols or not all(entry.scores for entry in record.protocols.values()):
        raise InputError(f"{folder}: its run.json holds no scores; score the maps again")
    problems = file_problems(folder, {name: (file.bytes, file.sha256) for name, file in record.files.items()})
    if problems:
        raise InputError(f"{folder}: {first_of(problems, 3)}; score the maps again")
    tables = {
        name: RecordedTable(
            name, entry.fields, {metric: number_or_nan(v) for metric, v in entry.scores.items()}, folder
        )
        for name, entry in record.protocols.items()
    }
    return Run(
        name=record.name,
        dataset=record.dataset,
        title=record.title,
        expected=record.expected,
        scored=record.scored,
        dataset_digest=record.dataset_digest,
        weights_sha256=record.weights_sha256,
        tables=tables,
        provenance=record.provenance,
        image_facts=partial(recorded_facts, folder),
        # the folder may be `.`
        reports=real_path(folder).parent.parent.parent if reports is None else reports,
    )


def _with_origin(content: dict[str, Any]) -> dict[str, Any]:
    """The record with the origin of its maps, which older records leave to whether they name a baseline."""
    then = content.get("provenance")
    if not isinstance(then, Mapping) or "origin" in then:
        return content
    return {**content, "provenance": {**then, "origin": "baseline" if then.get("baseline") else "maps"}}


def _check_schema(path: Path, content: Any) -> None:
    """Refuses what this version cannot know."""
    schema = content.get("schema") if isinstance(content, Mapping) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise InputError(f"{path}: no schema version, so it is no record of sodbench")
    if schema > SCHEMA:
        raise InputError(
            f"{path}: written with schema {schema}, this sodbench reads up to {SCHEMA}; upgrade sodbench"
        )
    if schema < SCHEMA:
        raise InputError(f"{path}: schema {schema} is older than any that this sodbench reads")


@dataclass(frozen=True)
class RecordedTable:
    """The scores of one protocol in the record `folder`, with the attributes of `metrics.ScoreTable`.

    Its parquet files are opened only when somebody asks for them.
    """

    name: str
    fields: Mapping[str, Any]
    scores: Mapping[str, float]
    folder: Path

    @cached_property
    def protocol(self) -> Any:
        """The `metrics.Protocol` as it was when the record was made."""
        from sodbench.metrics.protocol import Protocol

        try:
            return Protocol(**self.fields)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{self.folder / 'run.json'}: protocol {self.name!r} was written by another version of"
                f" sodbench ({error}); score the maps again"
            ) from error

    @cached_property
    def per_image(self) -> "pd.DataFrame":
        """One row per image (index `name`), one column per metric."""
        import pandas as pd

        path, ending = self.folder / "scores.parquet", f"@{self.name}"
        with readable(path):
            columns = [c for c in _parquet_columns(path) if c.endswith(ending)]
            frame = pd.read_parquet(path, columns=columns)
        return frame.rename(columns=lambda column: column.removesuffix(ending))

    @cached_property
    def curves(self) -> "pd.DataFrame":
        """The data set's curves: index level, columns precision, recall, F, E."""
        import pandas as pd

        path = self.folder / "curves.parquet"
        with readable(path):
            frame = pd.read_parquet(path, filters=[("protocol", "==", self.name)])
            frame = frame.drop(columns="protocol").set_index("level")
        return frame.dropna(axis="columns", how="all")

    @cached_property
    def image_curves(self) -> "Mapping[str, np.ndarray[Any, Any]] | None":
        """float32 arrays images x levels (precision, recall, E), or None where the record has none.

        Those of calibration are images x 15 bins.
        """
        import numpy as np
        import pyarrow.parquet as parquet

        from sodbench.metrics.families import calibration

        path = self.folder / "image_curves.parquet"
        if not path.exists():
            return None
        curves = {}
        with readable(path):
            table = parquet.read_table(path, filters=[("protocol", "==", self.name)])
            if table.num_rows == 0:
                return None
            if table.column("name").to_pylist() != [str(image) for image in self.per_image.index]:
                raise ValueError("its images are not those of scores.parquet")
            for column in table.column_names:
                values = table.column(column).combine_chunks()
                if column in ("protocol", "name") or values.null_count:
                    continue
                if not hasattr(values, "value_lengths") or len(values.value_lengths().unique()) != 1:
                    raise ValueError(f"{column} does not hold one curve per image")
                curves[column] = np.asarray(values.flatten(), dtype=np.float32).reshape(table.num_rows, -1)
            if len({values.shape for name, values in curves.items() if name not in calibration.CURVES}) > 1:
                raise ValueError("the curves have different numbers of levels")
            for name in calibration.CURVES:
                if name in curves and curves[name].shape[1] != calibration.BINS:
                    raise ValueError(f"{name} does not hold {calibration.BINS} bins per image")
        return curves


def recorded_facts(folder: Path) -> "pd.DataFrame":
    """The columns of scores.parquet that are no metrics: sizes, object shares, files."""
    import pandas as pd

    path = folder / "scores.parquet"
    with readable(path):
        columns = [c for c in _parquet_columns(path) if "@" not in c and c != "name"]
        return pd.read_parquet(path, columns=columns)


def _parquet_columns(path: Path) -> list[str]:
    """The column names of a parquet file, without reading its data."""
    import pyarrow.parquet as parquet

    return list(parquet.read_schema(path).names)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what a missing or damaged parquet file raises into one line that names it."""
    import pyarrow

    try:
        yield
    except (OSError, pyarrow.ArrowException, KeyError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]  # of lines and lines, where Arrow lists all columns
        reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({said})"
        raise InputError(
            f"{path} {reason}; score the maps again, or delete the folder {path.parent}"
        ) from error
