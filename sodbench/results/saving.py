"""Writes the record of a run, `reports/runs/<name>/<dataset>/`, whole or not at all.

    run.json              names, counts, digests, data-set scores, protocols, provenance
    scores.parquet        one row per image, one column per metric by its full name (`MAE@pysodmetrics`)
    curves.parquet        the data set's curves: protocol, level, precision, recall, F, E, bins of calibration
    image_curves.parquet  one row per image and protocol (only where the scorer kept them)

A record is staged in a hidden folder next to its place, synced, and swapped in by two renames. A crash
between the two leaves the former record under its hidden name, where `loading` still finds it.
"""

import errno
import glob
import os
import secrets
import shutil
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sodbench.errors import InputError, Note
from sodbench.files import locked_folder, sha256_of
from sodbench.json_text import to_json
from sodbench.metrics.kept_curves import in_pieces
from sodbench.results.former_record import former_record
from sodbench.results.loading import SCHEMA, record_place
from sodbench.results.replacement import Replace, gone_with, maps_of, refuse_loss, refuse_other_files
from sodbench.results.run import Run, conventions
from sodbench.unfinished import temporary

IMAGES_PER_PIECE = 8192  # of image_curves.parquet


def save_run(reports: Path | str, run: Run, *, replace: Replace = False) -> Path:
    """Writes the record to `reports/runs/<name>/<dataset>/` and returns that folder.

    A record of the same method and data set is replaced only when the new one is complete: whatever
    happens, either the old or the new one is there, whole. Raises InputError where the new one is of other
    masks or maps, or of fewer images (see `refuse_loss`), unless `replace` allows it. A note says what else
    of the former record is gone.
    """
    final = record_place(reports, run.name, run.dataset)
    gone = ""

    def check() -> None:
        nonlocal gone
        refuse_other_files(reports, run.name, run.dataset)
        if replace is not True:
            refuse_loss(
                reports,
                run.name,
                run.dataset,
                digest=lambda: run.dataset_digest,
                images=run.images,
                maps=None if replace else maps_of(run),
            )
        then = None if replace else former_record(final)
        gone = "" if then is None else gone_with(then, run)

    put_in_place(final, lambda staged: _write(staged, run), check)
    if gone:
        warnings.warn(f"{final}: a record was replaced; gone with it: {gone}", Note, stacklevel=2)
    return final


def add_run(reports: Path | str, run: Run) -> Path:
    """Writes the record of a run and returns its folder; raises InputError where there is one already."""
    final = record_place(reports, run.name, run.dataset)

    def check() -> None:
        refuse_other_files(reports, run.name, run.dataset)
        if final.exists():
            raise InputError(already_there(final, run.name, run.dataset))

    put_in_place(final, lambda staged: _write(staged, run), check)
    return final


def already_there(folder: Path, name: str, dataset: str) -> str:
    """What to say where a new name is that of a record."""
    return (
        f"{folder}: holds a record of {name} on {dataset} already; choose another name, or remove that record"
        f" with 'sodbench runs rm {name} --dataset {dataset}'"
    )


def put_in_place(final: Path, write: Callable[[Path], None], check: Callable[[], None]) -> None:
    """Writes a folder beside its place `final` and swaps it in when it is complete.

    `write` fills the empty folder that it is given; `check` may refuse, just before the swap, to replace what
    is there. Nothing is left of a folder that was not put in its place.
    """
    try:
        with temporary(final) as staged:
            staged.mkdir(parents=True)  # the folder may just have been emptied and removed
            write(staged)
            for path in (*staged.iterdir(), staged):
                _sync(path)
            with locked_folder(final.parent):
                check()
                _swap(staged, final)
                _sweep(final.parent, final.name)
    except BaseException:
        if final.parent.is_dir() and not any(final.parent.iterdir()):
            final.parent.rmdir()
        raise


def _write(folder: Path, run: Run) -> None:
    """Writes the files of a record; run.json last, with the size and digest of the others."""
    import pandas as pd

    write_scores(folder / "scores.parquet", run)
    curves = [
        table.curves.rename_axis("level").reset_index().assign(protocol=name)
        for name, table in run.tables.items()
        if len(table.curves)
    ]
    wide = pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=["protocol", "level"])
    wide = wide[["protocol", *(c for c in wide.columns if c != "protocol")]]
    wide.to_parquet(folder / "curves.parquet", compression="zstd", index=False)
    write_image_curves(folder / "image_curves.parquet", run)

    content = {
        "schema": SCHEMA,
        **identity(run),
        "protocols": {
            name: {"fields": vars(conventions(table)), "scores": dict(table.scores)}
            for name, table in run.tables.items()
        },
        "provenance": asdict(run.provenance),
        "files": sizes_and_digests(folder),
    }
    (folder / "run.json").write_text(to_json(content, indent=1) + "\n", encoding="utf-8")


def identity(run: Run) -> dict[str, Any]:
    """What a record says of its method and data set."""
    return {
        "name": run.name,
        "dataset": run.dataset,
        "title": run.title,
        "expected": run.expected,
        "scored": run.scored,
        "dataset_digest": run.dataset_digest,
        "weights_sha256": run.weights_sha256,
    }


def sizes_and_digests(folder: Path) -> dict[str, dict[str, Any]]:
    """The size and SHA-256 of each file in a folder."""
    return {
        part.name: {"bytes": part.stat().st_size, "sha256": sha256_of(part)}
        for part in sorted(folder.iterdir())
    }


def write_scores(path: Path, run: Run) -> None:
    """One row per image: what is known of it, and one column per metric and protocol."""
    import pandas as pd

    facts = run.image_facts()
    columns = [facts.reset_index(drop=True)] if len(facts) else []
    images = run.images
    for name, table in run.tables.items():
        if [str(image) for image in table.per_image.index] != images:
            raise ValueError(
                f"{run.name} on {run.dataset}: the tables of its protocols list different images"
            )
        columns.append(table.per_image.add_suffix(f"@{name}").reset_index(drop=True))
    scores = pd.concat(columns, axis="columns")
    scores.index = pd.Index(images, name="name")
    scores.to_parquet(path, compression="zstd")


def write_image_curves(path: Path, run: Run) -> None:
    """One row per image and protocol, one list of values per curve; no file where no curves were kept.

    Written piece by piece: the curves of a large data set do not fit in memory.
    """
    import numpy as np
    import pyarrow
    import pyarrow.parquet as parquet

    kept = {name: table.image_curves for name, table in run.tables.items() if table.image_curves}
    if not kept:
        return
    names = list(dict.fromkeys(curve for curves in kept.values() for curve in curves))
    lists = pyarrow.list_(pyarrow.float32())
    schema = pyarrow.schema(
        [("protocol", pyarrow.string()), ("name", pyarrow.string()), *((name, lists) for name in names)]
    )
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for protocol, curves in kept.items():
            images = [str(image) for image in run.tables[protocol].per_image.index]
            start = 0
            for piece in in_pieces(curves, IMAGES_PER_PIECE):
                rows = len(next(iter(piece.values())))
                columns = {
                    "protocol": pyarrow.array([protocol] * rows),
                    "name": pyarrow.array(images[start : start + rows]),
                }
                for name in names:
                    columns[name] = pyarrow.nulls(rows, lists)
                    if name in piece:
                        flat = pyarrow.array(np.ascontiguousarray(piece[name], dtype=np.float32).reshape(-1))
                        offsets = np.arange(rows + 1, dtype=np.int32) * piece[name].shape[1]
                        columns[name] = pyarrow.ListArray.from_arrays(pyarrow.array(offsets), flat)
                writer.write_table(pyarrow.table(columns, schema=schema))
                start += rows


def _swap(staged: Path, final: Path) -> None:
    """Puts the staged folder in the place of `final`; puts the former one back if that is interrupted.

    Other processes may do the same at the same time: the last one stays.
    """
    while True:
        old = final.with_name(f".{final.name}.old-{secrets.token_hex(6)}")
        moved = False
        try:
            with suppress(FileNotFoundError):  # there is none, or another process has just moved it
                final.rename(old)
                moved = True
            staged.rename(final)
            break
        except BaseException as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                continue  # another process has put its own there
            if moved and not final.exists():
                old.rename(final)
            raise
    _sync(final.parent)


def _sweep(method: Path, name: str) -> None:
    """Removes former records of `name`."""
    for left in method.glob(f".{glob.escape(name)}.old-*"):
        shutil.rmtree(left, ignore_errors=True)


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
