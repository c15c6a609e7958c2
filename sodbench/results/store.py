"""Writes run records, whole or not at all.

A record is staged in a hidden folder beside its place, synced, and swapped in by two renames. A crash
between the two leaves the former record under its hidden name, where the reader (`load.py`) still finds it.
"""

import json
import math
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from sodbench.files import sha256_of
from sodbench.names import folder_name
from sodbench.results.record import SCHEMA, Run, conventions


def save_run(reports: Path, run: Run) -> Path:
    """Writes the record to `reports/runs/<name>/<dataset>/` and returns that folder.

    A record of the same method and data set is replaced only when the new one is complete: whatever
    happens, either the old or the new one is there, whole.
    """
    method = Path(reports) / "runs" / folder_name(run.name)
    final = method / folder_name(run.dataset)
    method.mkdir(parents=True, exist_ok=True)
    staged = method / f".{final.name}.new-{secrets.token_hex(6)}"
    staged.mkdir()
    try:
        _write(staged, run)
        _swap(staged, final)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        if not any(method.iterdir()):
            method.rmdir()
        raise
    _sweep(method, final.name)
    return final


def _write(folder: Path, run: Run) -> None:
    """Writes the files of a record; run.json last, with the size and digest of the others."""
    import pandas as pd

    facts = run.image_facts()
    columns = [facts.reset_index(drop=True)] if len(facts) else []
    images = [str(image) for image in next(iter(run.tables.values())).per_image.index]
    for name, table in run.tables.items():
        if [str(image) for image in table.per_image.index] != images:
            raise ValueError(
                f"{run.name} on {run.dataset}: the tables of its protocols list different images"
            )
        columns.append(table.per_image.add_suffix(f"@{name}").reset_index(drop=True))
    scores = pd.concat(columns, axis="columns")
    scores.index = pd.Index(images, name="name")
    scores.to_parquet(folder / "scores.parquet", compression="zstd")

    curves = [
        table.curves.rename_axis("level").reset_index().assign(protocol=name)
        for name, table in run.tables.items()
        if len(table.curves)
    ]
    wide = pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=["protocol", "level"])
    wide = wide[["protocol", *(c for c in wide.columns if c != "protocol")]]
    wide.to_parquet(folder / "curves.parquet", compression="zstd", index=False)
    _write_image_curves(folder / "image_curves.parquet", run)

    parts = sorted(folder.iterdir())
    content = {
        "schema": SCHEMA,
        "name": run.name,
        "dataset": run.dataset,
        "title": run.title,
        "expected": run.expected,
        "scored": run.scored,
        "dataset_digest": run.dataset_digest,
        "weights_sha256": run.weights_sha256,
        "protocols": {
            name: {"fields": vars(conventions(table)), "scores": dict(table.scores)}
            for name, table in run.tables.items()
        },
        "efficiency": run.efficiency,
        "provenance": run.provenance,
        "files": {part.name: {"bytes": part.stat().st_size, "sha256": sha256_of(part)} for part in parts},
    }
    text = json.dumps(_jsonable(content), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "run.json").write_text(text + "\n", encoding="utf-8")
    for path in (*folder.iterdir(), folder):
        _sync(path)


def _write_image_curves(path: Path, run: Run) -> None:
    """One row an image and protocol, a list of values a curve; no file where no table kept its curves."""
    import numpy as np
    import pyarrow
    import pyarrow.parquet as parquet

    tables = []
    for name, table in run.tables.items():
        if not table.image_curves:
            continue
        images = [str(image) for image in table.per_image.index]
        columns = {"protocol": pyarrow.array([name] * len(images)), "name": pyarrow.array(images)}
        for curve, values in table.image_curves.items():
            flat = pyarrow.array(np.ascontiguousarray(values, dtype=np.float32).reshape(-1))
            offsets = np.arange(len(images) + 1, dtype=np.int32) * values.shape[1]
            columns[curve] = pyarrow.ListArray.from_arrays(pyarrow.array(offsets), flat)
        tables.append(pyarrow.table(columns))
    if tables:
        whole = pyarrow.concat_tables(tables, promote_options="default")
        parquet.write_table(whole, path, compression="zstd")


def _swap(staged: Path, final: Path) -> None:
    """Puts the staged folder in the place of `final`; puts the former one back if that is interrupted."""
    old = final.with_name(f".{final.name}.old-{secrets.token_hex(6)}")
    moved = False
    try:
        if final.exists():
            final.rename(old)
            moved = True
        staged.rename(final)
    except BaseException:
        if moved and not final.exists():
            old.rename(final)
        raise
    _sync(final.parent)


def _jsonable(value: Any) -> Any:
    """The value with only JSON's types in it; numbers that are not finite become null."""
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_jsonable(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def _sweep(method: Path, name: str) -> None:
    """Removes former records of `name` and what a killed process staged more than a day ago."""
    for left in method.glob(f".{_literal(name)}.*-*"):
        kind = left.name.removeprefix(f".{name}.").partition("-")[0]
        if kind == "old" or (kind == "new" and time.time() - left.stat().st_mtime > 86400):
            shutil.rmtree(left, ignore_errors=True)


def _literal(name: str) -> str:
    """`name` for use in a glob pattern: brackets are kept in folder names."""
    return name.replace("[", "[[]")


def _sync(path: Path) -> None:
    """Flushes a file or folder to the disk, where the system can do that for folders."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
