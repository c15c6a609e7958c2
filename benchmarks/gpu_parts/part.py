"""A part of the measurement: its table, what fills a row, and the files in which finished rows are kept."""

import contextlib
import gc
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from gpu_parts.setting import NotMeasured, Setting
from gpu_parts.supervision import DEVICE_LOST, note_row
from sodbench.files import write_text

# a cell is text or a number, by its column
Cells = dict[str, str | float]
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Part:
    """One table: `measure(setting, row, done)` gives the cells of a row; `done` holds those of earlier rows.

    share: of the first ten minutes; the last part has none and takes what is left.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    share: float
    measure: Callable[[Setting, str, Mapping[str, Cells]], Cells]


class OutOfTime(BaseException):
    """The part's time is over; no `except Exception` of what is measured may keep it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises OutOfTime in the block after so many seconds."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(0.01, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Records:
    """The rows of one part in `<out>/<part>.json`; they and the tables of `parts` are written at once."""

    def __init__(self, part: Part, out: Path, made_on: Mapping[str, Any], parts: Sequence[Part] = ()) -> None:
        self.part, self.path, self.made_on = part, out / f"{part.name}.json", dict(made_on)
        self.parts = parts or (part,)
        self.rows: dict[str, dict[str, Any]] = {}
        found = read_table(self.path)
        if found is None:
            return
        if found["made_on"] == self.made_on:
            self.rows = {row: kept for row, kept in found["rows"].items() if row in part.rows}
            return
        aside = self.path.with_name(f"{part.name}-{int(self.path.stat().st_mtime)}.json")
        self.path.rename(aside)
        print(f"{part.name}: the table of another GPU, torch or commit is kept as {aside.name}", flush=True)

    def finished(self, row: str) -> bool:
        return row in self.rows and not self.rows[row].get("goes_on")

    @property
    def cells(self) -> dict[str, Cells]:
        """The cells of the rows that were measured."""
        return {row: kept["cells"] for row, kept in self.rows.items() if "cells" in kept}

    def add(self, row: str, content: dict[str, Any]) -> None:
        self.rows[row] = content
        self.write()

    def write(self) -> None:
        table = {"part": self.part.name, "title": self.part.title, "made_on": self.made_on, "rows": self.rows}
        write_text(self.path, json.dumps(table, indent=1) + "\n")
        write_text(self.path.with_name("tables.md"), tables(self.parts, self.path.parent))


def carry_out(part: Part, setting: Setting, records: Records, deadline: float) -> None:
    """Measures the rows that are not there yet, until the deadline."""
    todo = [row for row in part.rows if not records.finished(row)]
    if not todo:
        print(
            f"{part.name}: skipped, {records.path} has all rows for this GPU, torch and commit",
            flush=True,
        )
        return
    for row in todo:
        began = time.monotonic()
        content = died = _died_before(part, setting, row)
        if died is None and (left := deadline - began) < 1:
            print(f"{part.name}: no time is left for {row!r}; the next call measures it", flush=True)
            continue
        if died is not None and died.pop("again", False):
            print(f"{part.name}: {row}: {_in_words(died)}; the next call measures it", flush=True)
            continue
        if died is None:
            note_row(setting.scratch, {"part": part.name, "row": row, "until": deadline})
            content = _measured(part, setting, row, records, left)
            note_row(setting.scratch, None)
        if content is None:
            print(f"{part.name}: cut at {row!r}; the next call measures it", flush=True)
            continue
        content["seconds"] = round(time.monotonic() - began, 1)
        records.add(row, content)
        print(f"{part.name}: {row}: {_in_words(content)}  [{content['seconds']} s]", flush=True)
        if died is None and "failed" in content and not _answers(setting):
            sys.exit(DEVICE_LOST)
    records.write()


def _died_before(part: Part, setting: Setting, row: str) -> dict[str, Any] | None:
    """The content of a row at which an earlier process of this call has died."""
    for one in setting.ended:
        if (one.get("part"), one.get("row")) == (part.name, row):
            return {"failed": one["how"], "again": one.get("again", False)}
    return None


def _answers(setting: Setting) -> bool:
    """Whether the device still computes: an illegal memory access ends CUDA for the whole process."""
    try:
        return float(torch.ones(2, device=setting.device).sum()) == 2
    except RuntimeError:
        return False


def _measured(part: Part, setting: Setting, row: str, records: Records, left: float) -> dict[str, Any] | None:
    """What is kept of a row; None where the time was over first."""
    try:
        setting.part_deadline = time.monotonic() + left
        with time_limit(left):
            cells = part.measure(setting, row, records.cells)
            setting.synchronise()  # an error of the GPU belongs to the row that made it
    except OutOfTime:
        return None
    except NotMeasured as error:
        return {"not_measured": str(error)}
    except ModuleNotFoundError as error:
        return {"not_measured": f"needs the package {error.name}"}
    except Exception as error:  # one row of a table that has others to fill
        if _is_memory(error):
            return {"not_measured": f"needs more memory: {_one_line(error)}"}
        return {"failed": f"{type(error).__name__}: {_one_line(error)}"}
    finally:
        if setting.cuda:
            gc.collect()  # errors of torch.compile hold their tensors in cycles
            with contextlib.suppress(RuntimeError):
                torch.cuda.empty_cache()
    goes_on = bool(cells.pop("goes on", ""))
    return {"cells": cells, **({"goes_on": True} if goes_on else {})}


def tables(parts: Sequence[Part], out: Path) -> str:
    """The tables of all parts in Markdown; what is not in `out` is marked as not measured."""
    texts = []
    for part in parts:
        found = read_table(out / f"{part.name}.json") or {"rows": {}, "made_on": None}
        texts.append(markdown(part, found["rows"], found["made_on"]))
    return "\n".join(texts)


def markdown(
    part: Part, rows: Mapping[str, Mapping[str, Any]], made_on: Mapping[str, Any] | None = None
) -> str:
    """The part's table; a cell without a value says that it was not measured, and a note below says why."""
    lines = [f"### {part.title}", ""]
    if made_on:
        sizes = "; --tiny: a small network and small sizes" if made_on["tiny"] else ""
        commit = str(made_on["commit"])[:8]
        lines += [f"{made_on['device']}, torch {made_on['torch']}, commit {commit}{sizes}", ""]
    lines += [f"| | {' | '.join(part.columns)} |", "|---" * (len(part.columns) + 1) + "|"]
    notes = []
    for row in part.rows:
        kept = rows.get(row, {})
        cells = [shown(kept.get("cells", {}).get(column)) for column in part.columns]
        lines.append(f"| {row} | {' | '.join(cells)} |")
        for key, words in (("not_measured", NOT_MEASURED), ("failed", "failed")):
            if key in kept:
                notes.append(f"- {row}: {words}: {kept[key]}")
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"


def shown(value: str | float | None) -> str:
    """A cell as it is printed: numbers with three digits that count."""
    if value is None:
        return NOT_MEASURED
    if isinstance(value, str):
        return value.replace("|", "/")
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _in_words(content: Mapping[str, Any]) -> str:
    if "cells" in content:
        return ", ".join(f"{name} {shown(value)}" for name, value in content["cells"].items())
    return (
        f"not measured: {content['not_measured']}"
        if "not_measured" in content
        else f"failed: {content['failed']}"
    )


def _is_memory(error: Exception) -> bool:
    words = ("out of memory", "ALLOC_FAILED", "can't allocate memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def read_table(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(content["rows"], dict) and isinstance(content["made_on"], dict)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AssertionError):
        print(f"{path}: not a readable table; it is measured anew", flush=True)
        return None
    return dict(content)
