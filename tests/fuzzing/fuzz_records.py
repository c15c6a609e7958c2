"""Records of runs and references: what a report, a leaderboard and the drift check read."""

import contextlib
import hashlib
import io
import json
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
from PIL import Image

from sodbench.errors import InputError
from sodbench.map_scoring import score_maps
from sodbench.reporting import drift_formats
from sodbench.reporting.leaderboard import leaderboard
from sodbench.results.drift import check
from sodbench.results.loading import load_runs, read_records
from sodbench.results.reference import Reference, read_reference, updated, write_reference
from sodbench.results.run import Run

from .bounds import bounded
from .choices import EDITED, EDITS, VERBATIM, Choices, edited_bytes, edited_tree

PARTS = ("run.json", "scores.parquet", "curves.parquet", "image_curves.parquet", "reference.json")
PLACE = Path("runs") / "mine" / "made-up"


def one_input(data: bytes) -> None:
    """Reads a record, or a reference, in which one file is the input's."""
    if len(data) < 2:
        return
    part = PARTS[data[1] % len(PARTS)]
    content = content_of(data)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reports = Path(name)
        (reports / PLACE).mkdir(parents=True)
        for other, original in files().items():
            target = reports / other if other == "reference.json" else reports / PLACE / other
            target.write_bytes(_fitting(part, content) if other == "run.json" != part else original)
        target = reports / part if part == "reference.json" else reports / PLACE / part
        target.write_bytes(content)
        with bounded():
            _read(reports)


def _read(reports: Path) -> None:
    """What the commands read of a reports folder; each step is allowed its InputError."""
    records = read_records(reports)
    for problem in records.problems:
        assert "\n" not in problem, f"not one line: {problem!r}"
    for run in records.runs:
        for step in (_values, _tables, _facts):
            with contextlib.suppress(InputError):
                step(run)
    with contextlib.suppress(InputError):
        drift = check(read_reference(reports / "reference.json"), records.runs)
        drift_formats.text(drift, "reference.json")
    with contextlib.suppress(InputError):
        repr(leaderboard(records.runs))


def _values(run: Run) -> None:
    repr(run)
    repr((run.count, run.scored_on, run.prediction, run.data_folder(), run.maps_folder()))


def _tables(run: Run) -> None:
    for table in run.tables.values():
        for read in ("protocol", "per_image", "curves", "image_curves"):
            with contextlib.suppress(InputError):
                getattr(table, read)


def _facts(run: Run) -> None:
    run.image_facts()


def content_of(data: bytes) -> bytes:
    """The file that an input stands for."""
    if data[0] == VERBATIM:
        return data[2:]
    part = PARTS[data[1] % len(PARTS)]
    original, choices = files()[part], Choices(data[2:])
    if choices.number(8) == 7:
        return edited_bytes(original, choices)
    if part.endswith(".json"):
        return json.dumps(edited_tree(json.loads(original), choices)).encode()
    return _edited_parquet(original, choices)


def _fitting(part: str, content: bytes) -> bytes:
    """The run.json whose sizes and digests fit the changed file, so that it is opened."""
    record = json.loads(files()["run.json"])
    if part in record["files"]:
        record["files"][part] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return json.dumps(record).encode()


def _edited_parquet(content: bytes, choices: Choices) -> bytes:
    """The table with columns dropped, renamed, retyped, emptied or exchanged, or with other rows."""
    table = parquet.read_table(io.BytesIO(content))
    for _ in range(EDITS):
        if not (choices.more and table.num_columns):
            break
        action, at = choices.number(7), choices.number(table.num_columns)
        name, rows = table.column_names[at], table.num_rows
        values: Any = None
        if action == 0:
            table = table.remove_column(at)
        elif action == 1:
            names = list(table.column_names)
            names[at] = choices.pick(("", "name", "MAE", "MAE@pysodmetrics", "level", "protocol", names[0]))
            table = table.rename_columns(names)
        elif action == 2:
            strange = (
                None,
                np.nan,
                np.inf,
                -1.0,
                2.0,
                1e308,
                "a",
                "\x1b[0m",
                b"x",
                True,
                [1.0],
                [],
                {"a": 1},
            )
            values = [choices.pick(strange)] * rows
        elif action == 3:
            values = table.column(choices.number(table.num_columns))
        elif action == 4:
            table = table.slice(0, choices.number(rows + 1))
        elif action == 5:
            table = pyarrow.concat_tables([table, table.slice(0, choices.number(rows + 1))])
        else:
            table = table.replace_schema_metadata(
                {"pandas": choices.pick(("", "{}", "[]", '{"index_columns": 1}'))}
            )
        if values is not None:
            table = table.set_column(at, name, values if action == 3 else pyarrow.array(values))
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    return file.getvalue()


def seeds() -> list[bytes]:
    """Inputs to start from: every file of a valid record, and one to be edited."""
    whole = [bytes((VERBATIM, kind)) + files()[part] for kind, part in enumerate(PARTS)]
    return whole + [bytes((EDITED, kind, 0)) for kind in range(len(PARTS))]


@cache
def files() -> dict[str, bytes]:
    """The files of a record of three tiny images, and of a reference made from it."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        for kind, step in (("masks", 128), ("maps", 90)):
            (folder / kind).mkdir()
            for number in range(3):
                grey = (np.arange(64).reshape(8, 8) * 4 + number).astype(np.uint8)
                values = ((grey > step) * 255).astype(np.uint8) if kind == "masks" else grey
                Image.fromarray(values).save(folder / kind / f"{number}.png")
        score_maps(
            folder / "maps",
            masks=folder / "masks",
            name="mine",
            dataset="made-up",
            reports=folder / "reports",
        )
        reports = folder / "reports"
        write_reference(reports / "reference.json", updated(Reference(), load_runs(reports), False))
        made = {path.name: path.read_bytes() for path in sorted((reports / PLACE).iterdir())}
        return made | {"reference.json": (reports / "reference.json").read_bytes()}
