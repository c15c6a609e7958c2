"""The inputs that are kept: few, small, and together reaching what a run of the fuzzer reached."""

import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from .guard import failure_of

FOLDER = Path(__file__).resolve().parent / "corpus"
SIZE = 6 << 10  # bytes per target
PACKAGE = str(Path(__file__).resolve().parents[2] / "sodbench")


def kept(target: str) -> list[bytes]:
    """The inputs of a target that are kept, those `pending` a fix aside."""
    return [path.read_bytes() for path in sorted((FOLDER / target).glob("*")) if path.is_file()]


def keep(name: str, target: ModuleType, inputs: Iterable[bytes]) -> int:
    """Adds the inputs that reach lines which the seeds and the kept ones do not; returns how many.

    The shortest inputs come first; a folder does not grow over `SIZE`.
    """
    folder = FOLDER / name
    seeds = getattr(target, "seeds", list)
    reached: set[tuple[str, int]] = set()
    for data in (*seeds(), *kept(name)):
        reached |= lines_of(target, data)
    size = sum(len(data) for data in kept(name))
    added = 0
    for data in sorted(set(inputs), key=len):
        if size + len(data) > SIZE or failure_of(target.one_input, data) is not None:
            continue
        new = lines_of(target, data) - reached
        if new:
            reached |= new
            size += len(data)
            added += 1
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{len(kept(name)):03d}").write_bytes(data)
    return added


def lines_of(target: ModuleType, data: bytes) -> set[tuple[str, int]]:
    """The lines of the package that an input reaches."""
    lines: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        failure_of(target.one_input, data)
    finally:
        sys.settrace(before)
    return lines
