"""The committed reference of the drift check: the scores of every run that were last accepted.

`reports/reference.json` holds tolerances by metric and, for each method and data set, the scores and what
they depended on. It changes only by `sodbench check --update`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from sodbench.errors import InputError
from sodbench.files import write_text
from sodbench.json_text import number_or_nan, plain, read_json, to_json
from sodbench.results.dependencies import Parts, prediction_part_of
from sodbench.results.run import Run, ScoreTableLike, conventions
from sodbench.schema import AT_LEAST_0, parse

SCHEMA = 1
# on one machine the same inputs give the same scores up to rounding; networks differ more between processors
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Entry:
    """One method on one data set: its scores by full metric name and what they depend on."""

    name: str
    dataset: str
    scored: int
    expected: int
    values: dict[str, float]
    depends: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """Method and data set."""
        return self.name, self.dataset


@dataclass(frozen=True)
class Reference:
    """All entries, and the tolerances by full metric name, plain metric name, or "default"."""

    entries: tuple[Entry, ...] = ()
    tolerances: Mapping[str, float] = field(default_factory=lambda: {"default": TOLERANCE})

    def tolerance(self, full: str) -> float:
        """The tolerance of one metric, the most specific one that is given."""
        plain_name = full.partition("@")[0]
        for key in (full, plain_name, "default"):
            if key in self.tolerances:
                return float(self.tolerances[key])
        return TOLERANCE


@dataclass(frozen=True)
class _Depends:
    """What the values of an entry depend on, as far as their types matter."""

    protocols: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, str | None] = field(default_factory=dict)
    device: dict[str, Any] = field(default_factory=dict)
    data: str | None = None
    images: str | None = None
    maps: str | None = None
    weights: str | None = None
    prediction: dict[str, str] = field(default_factory=dict)
    commit: str | None = None


@dataclass(frozen=True)
class _StoredEntry:
    """An entry as the file holds it: null for NaN."""

    name: str
    dataset: str
    scored: int
    expected: int
    values: dict[str, float | None]
    depends: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Stored:
    """The content of the file."""

    schema: int
    tolerances: dict[str, Annotated[float, AT_LEAST_0]]
    entries: tuple[_StoredEntry, ...]


def entry_of(run: Run) -> Entry:
    """What the reference keeps of a run."""
    recorded = run.provenance
    return Entry(
        name=run.name,
        dataset=run.dataset,
        scored=run.scored,
        expected=run.expected,
        values=run.values(),
        depends={
            "data": run.dataset_digest,
            "images": recorded.images_sha256,
            "maps": recorded.maps_sha256,
            "weights": run.weights_sha256,
            "prediction": _prediction(recorded.depends_on),
            "protocols": {name: _fields(table) for name, table in run.tables.items()},
            "versions": dict(recorded.versions),
            "device": {key: recorded.device.get(key) for key in ("machine", "cpu", "gpu")},
            "commit": recorded.code.get("commit"),
        },
    )


def _prediction(parts: Parts) -> Parts:
    """How maps were made: the parts that the entry does not hold under another name."""
    elsewhere = ("weights", "images", "maps")
    made_from = prediction_part_of(parts)
    return {part: made_from[part] for part in made_from if part not in elsewhere and "package " not in part}


def read_reference(path: Path) -> Reference:
    """Reads and checks a reference; InputError names the file, what is wrong with it and what to do."""
    if not path.exists():
        raise InputError(
            f"{path}: no such reference; make it from the recorded runs with"
            f" 'sodbench check --against {path} --update'"
        )
    restore = "restore the file from version control"
    try:
        content = read_json(path)
    except InputError as error:
        raise InputError(f"{error}; {restore}") from error
    _check_schema(path, content)
    try:
        stored = parse(_Stored, content, path)
        for number, one in enumerate(stored.entries):
            parse(_Depends, one.depends, path, f"entries[{number}].depends.", more=True)
    except InputError as error:
        raise InputError(f"{error}; {restore}") from error
    entries = tuple(
        Entry(**vars(one) | {"values": {name: number_or_nan(value) for name, value in one.values.items()}})
        for one in stored.entries
    )
    keys = [entry.key for entry in entries]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise InputError(f"{path}: found two entries of {twice[0]} on {twice[1]}; remove one of them")
    return Reference(entries, stored.tolerances)


def write_reference(path: Path, reference: Reference) -> None:
    """Writes the reference with its entries sorted, so that version control shows what changed."""
    content = {
        "schema": SCHEMA,
        "tolerances": reference.tolerances,
        "entries": sorted(reference.entries, key=lambda entry: entry.key),
    }
    write_text(path, to_json(content, indent=1) + "\n")


def updated(reference: Reference, runs: Sequence[Run], keep_missing: bool) -> Reference:
    """The reference with the scores of these runs; entries without a run stay only with `keep_missing`."""
    fresh = {entry.key: entry for entry in map(entry_of, runs)}
    kept = {entry.key: entry for entry in reference.entries if keep_missing or entry.key in fresh}
    return dataclasses.replace(reference, entries=tuple((kept | fresh).values()))


def _check_schema(path: Path, content: object) -> None:
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        advice = "upgrade sodbench, or delete the file" if newer else "delete the file"
        raise InputError(
            f"{path}: schema: expected {SCHEMA}, found {schema!r}; {advice} and make it again with --update"
        )


def _fields(table: ScoreTableLike) -> dict[str, Any]:
    """The protocol's conventions as JSON holds them, without the fields that only describe it."""
    described = {"title", "description", "source", "notes"}
    return {key: plain(value) for key, value in vars(conventions(table)).items() if key not in described}
