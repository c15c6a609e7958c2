"""The committed reference of the drift check: what every run scored when somebody last looked and agreed.

`reports/reference.json` holds a tolerance a metric and, for each method and data set, the values and what
they depended on. It changes only by `sodbench check --update`.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sodbench.errors import InputError
from sodbench.files import write_text
from sodbench.results.run import Run, ScoreTableLike, conventions

SCHEMA = 1
# scores of the same inputs are equal to rounding on one machine; networks differ more between processors
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Entry:
    """One method on one data set: its values by full metric name and what they depend on."""

    name: str
    dataset: str
    scored: int
    expected: int
    values: dict[str, float]
    depends: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.dataset


@dataclass(frozen=True)
class Reference:
    """All entries and the tolerances: by full metric name, plain metric name, or "default"."""

    entries: tuple[Entry, ...] = ()
    tolerances: Mapping[str, float] = field(default_factory=lambda: {"default": TOLERANCE})

    def tolerance(self, full: str) -> float:
        """The tolerance of one metric, the most specific one that is given."""
        plain = full.partition("@")[0]
        for key in (full, plain, "default"):
            if key in self.tolerances:
                return float(self.tolerances[key])
        return TOLERANCE


def entry_of(run: Run) -> Entry:
    """What the reference keeps of a run."""
    then = run.provenance
    return Entry(
        name=run.name,
        dataset=run.dataset,
        scored=run.scored,
        expected=run.expected,
        values=run.values(),
        depends={
            "data": run.dataset_digest,
            "images": then.images_sha256,
            "maps": then.maps_sha256,
            "weights": run.weights_sha256,
            "protocols": {name: _fields(table) for name, table in run.tables.items()},
            "versions": dict(then.versions),
            "device": {key: then.device.get(key) for key in ("machine", "cpu", "gpu")},
            "commit": then.code.get("commit"),
        },
    )


def read_reference(path: Path) -> Reference:
    """Reads and checks a reference; InputError names the file and what is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such reference; make it from the recorded runs with"
            f" 'sodbench check --against {path} --update'"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: not a readable reference ({error}); restore it from version control"
        ) from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        advice = "upgrade sodbench, or delete it" if newer else "delete it"
        raise InputError(
            f"{path}: schema {schema!r}, expected {SCHEMA}; {advice} and make it again with --update"
        )
    try:
        tolerances = {str(key): float(value) for key, value in content["tolerances"].items()}
        entries = tuple(_entry(one) for one in content["entries"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: damaged reference ({error!r}); restore it from version control") from error
    bad = [key for key, value in tolerances.items() if not value >= 0]
    if bad:
        raise InputError(f"{path}: the tolerance of {bad[0]!r} is {tolerances[bad[0]]}, expected 0 or more")
    keys = [entry.key for entry in entries]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise InputError(f"{path}: {twice[0]} on {twice[1]} is there twice; remove one of the two entries")
    return Reference(entries, tolerances)


def write_reference(path: Path, reference: Reference) -> None:
    """Writes the reference with its entries sorted, so that version control shows what changed."""
    content = {
        "schema": SCHEMA,
        "tolerances": dict(reference.tolerances),
        "entries": [
            dataclasses.asdict(entry) | {"values": _nullable(entry.values)}
            for entry in sorted(reference.entries, key=lambda entry: entry.key)
        ],
    }
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def updated(reference: Reference, runs: Sequence[Run], keep_missing: bool) -> Reference:
    """The reference with the values of these runs; entries without a run stay only if `keep_missing`."""
    fresh = {entry.key: entry for entry in map(entry_of, runs)}
    kept = {entry.key: entry for entry in reference.entries if keep_missing or entry.key in fresh}
    return dataclasses.replace(reference, entries=tuple((kept | fresh).values()))


def _entry(content: Mapping[str, Any]) -> Entry:
    values = {k: math.nan if v is None else float(v) for k, v in content["values"].items()}
    return Entry(
        name=str(content["name"]),
        dataset=str(content["dataset"]),
        scored=int(content["scored"]),
        expected=int(content["expected"]),
        values=values,
        depends=dict(content.get("depends", {})),
    )


def _fields(table: ScoreTableLike) -> dict[str, Any]:
    """The protocol's conventions as JSON holds them; words about it do not move a number."""
    words = {"title", "description", "source", "notes"}
    fields = json.loads(json.dumps(vars(conventions(table))))
    return {key: value for key, value in fields.items() if key not in words}


def _nullable(values: Mapping[str, float]) -> dict[str, float | None]:
    return {key: value if math.isfinite(value) else None for key, value in values.items()}
