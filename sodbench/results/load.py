"""Reads run records: lazily, with damaged ones named instead of crashed on."""

import json
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sodbench.errors import InputError
from sodbench.names import original_name
from sodbench.results.record import SCHEMA, Run
from sodbench.results.recorded import RecordedTable, image_facts

# how a record of an older schema becomes one of the next: {1: from_1_to_2, ...}
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
_REQUIRED = {
    "name": str,
    "dataset": str,
    "title": str,
    "expected": int,
    "scored": int,
    "dataset_digest": str,
    "protocols": dict,
    "provenance": dict,
    "files": dict,
}


@dataclass(frozen=True)
class Records:
    """All records under a reports folder, and a line for each one that could not be used."""

    runs: list[Run] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def load_runs(reports: Path) -> list[Run]:
    """All complete records under `reports/runs`, sorted by folder; warns about each unusable one."""
    records = read_records(reports)
    for problem in records.problems:
        warnings.warn(problem, stacklevel=2)
    return records.runs


def read_records(reports: Path) -> Records:
    """All complete records under `reports/runs`, and what is wrong with the others; reads no parquet yet."""
    records = Records()
    for folder, name, dataset in _record_folders(Path(reports) / "runs"):
        try:
            run = _read(folder)
        except InputError as error:
            records.problems.append(str(error))
            continue
        if (run.name, run.dataset) != (name, dataset):
            records.problems.append(
                f"{folder} left out: its run.json is the record of {run.name!r} on {run.dataset!r}"
                f" (a copied or renamed folder?); score the maps under another --name instead"
            )
            continue
        records.runs.append(run)
    return records


def _record_folders(runs: Path) -> Iterator[tuple[Path, str, str]]:
    """(folder, method, data set) of every record; a former record stands in where a swap was cut short."""
    if not runs.is_dir():
        return
    for method in sorted(p for p in runs.iterdir() if p.is_dir() and not p.name.startswith(".")):
        found = {p.name: p for p in method.iterdir() if p.is_dir() and not p.name.startswith(".")}
        for left in sorted(method.glob(".*.old-*")):
            found.setdefault(left.name[1:].rpartition(".old-")[0], left)
        for name, folder in sorted(found.items()):
            yield folder, original_name(method.name), original_name(name)


def _read(folder: Path) -> Run:
    """Reads run.json and checks that the other files are there and whole; InputError says what is wrong."""
    path = folder / "run.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{folder} left out: it has no run.json (half deleted?); score the maps again"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} left out: not a readable record ({error}); score the maps again") from error
    content = _current(path, content)
    for key, kind in _REQUIRED.items():
        if not isinstance(content.get(key), kind):
            raise InputError(
                f"{path} left out: {key!r} is missing or no {kind.__name__}; score the maps again"
            )
    for key in ("versions", "device", "code"):
        if not isinstance(content["provenance"].get(key, {}), dict):
            raise InputError(f"{path} left out: {key!r} of its provenance is no dict; score the maps again")
    try:
        sizes = {name: int(facts["bytes"]) for name, facts in content["files"].items()}
        tables = {
            name: RecordedTable(name, dict(entry["fields"]), _with_nan(entry["scores"]), folder)
            for name, entry in content["protocols"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} left out: damaged record ({error!r}); score the maps again") from error
    if not tables:
        raise InputError(f"{path} left out: it holds no scores; score the maps again")
    for name, expected in sizes.items():
        part = folder / name
        size = part.stat().st_size if part.is_file() else None
        if size != expected:
            found = "is missing" if size is None else f"has {size} bytes instead of {expected}"
            raise InputError(f"{folder} left out: {name} {found} (half deleted?); score the maps again")
    return Run(
        schema=content["schema"],
        name=content["name"],
        dataset=content["dataset"],
        title=content["title"],
        expected=content["expected"],
        scored=content["scored"],
        dataset_digest=content["dataset_digest"],
        weights_sha256=content.get("weights_sha256"),
        tables=tables,
        provenance=content["provenance"],
        efficiency=content.get("efficiency"),
        image_facts=lambda: image_facts(folder),
    )


def _current(path: Path, content: Any) -> dict[str, Any]:
    """Brings a record of an older schema up to date; refuses what this version cannot know."""
    schema = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise InputError(f"{path} left out: it has no schema version, so it is no record of sodbench")
    if schema > SCHEMA:
        raise InputError(
            f"{path} left out: written with schema {schema}, this sodbench reads up to {SCHEMA};"
            " upgrade sodbench"
        )
    while schema < SCHEMA:
        if schema not in MIGRATIONS:
            raise InputError(
                f"{path} left out: schema {schema} is older than any this sodbench can migrate;"
                " score the maps again"
            )
        content = MIGRATIONS[schema](content)
        schema = content["schema"]
    return dict(content)


def _with_nan(scores: dict[str, Any]) -> dict[str, float]:
    return {metric: math.nan if value is None else float(value) for metric, value in scores.items()}
