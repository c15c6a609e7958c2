"""Calls a target and keeps each new kind of failure: one input per place in the code, as short as it gets."""

import hashlib
import re
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from .bounds import OverBounds
from .choices import VERBATIM

VERBATIM_SIZE = 1024  # bytes, at most, of a finding that is kept as a whole file
SHRINKING = 10  # seconds, at most, to make a finding shorter


class Guard:
    """`guard(data)` is `one_input(data)` without its exceptions; findings lie in `folder` and in `found`."""

    def __init__(self, target: ModuleType, folder: Path) -> None:
        self.target = target
        self.folder = folder
        self.found: dict[str, str] = {}
        self.calls = 0

    def __call__(self, data: bytes) -> None:
        self.calls += 1
        failure = failure_of(self.target.one_input, data)
        if failure is None:
            return
        place, description = failure
        if place in self.found:
            return
        self.found[place] = description
        self._keep(place, data)

    def _keep(self, place: str, data: bytes) -> None:
        """Writes the shortest input with this failure, as the bytes of a file where there is one."""

        def same(shorter: bytes) -> bool:
            failure = failure_of(self.target.one_input, shorter)
            return failure is not None and failure[0] == place

        if "RecursionError" not in place:  # the shortest one depends on how deep the call is
            data = shortest(data, same)
        content_of = getattr(self.target, "content_of", None)
        if content_of is not None and data[0] != VERBATIM:
            # the edits mean something else once a seed changes; the file itself does not, but may be long
            verbatim = bytes((VERBATIM, data[1])) + (content_of(data) or b"")
            verbatim = shortest(verbatim, same) if same(verbatim) else data
            data = verbatim if len(verbatim) <= VERBATIM_SIZE else data
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / file_name(place)).write_bytes(data)
        print(f"found: {self.found[place]}\n  {self.folder / file_name(place)}", flush=True)


def failure_of(one_input: Callable[[bytes], None], data: bytes) -> tuple[str, str] | None:
    """(place, description) of what an input raises, None if it raises nothing.

    The place is the innermost line of the package, by file and function, and the type of the exception.
    """
    try:
        one_input(data)
    except (Exception, RecursionError) as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "/sodbench/" in frame.filename] or list(frames)
        last = ours[-1]
        kind = type(error).__name__
        place = f"{Path(last.filename).stem}-{last.name}-{kind}"
        if isinstance(error, OverBounds | AssertionError | MemoryError):
            place = f"{kind}-{re.sub('[0-9.]+', '', str(error))[:40]}-{Path(last.filename).stem}-{last.name}"
        text = " ".join(f"{kind}: {error}".split())[:200]
        return place, f"{Path(last.filename).name}:{last.lineno} {last.name}: {text}"
    return None


def file_name(place: str) -> str:
    """A short file name for a place, the same in every run."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", place)[:70]
    return f"{plain}-{hashlib.sha256(place.encode()).hexdigest()[:6]}"


def shortest(data: bytes, same: Callable[[bytes], bool]) -> bytes:
    """`data` with every part left out whose absence changes nothing, in halves first, then smaller ones."""
    end, size = time.monotonic() + SHRINKING, max(1, (len(data) - 2) // 2)
    while size and time.monotonic() < end:
        at, removed = 2, False
        while at < len(data) and time.monotonic() < end:
            shorter = data[:at] + data[at + size :]
            if same(shorter):
                data, removed = shorter, True
            else:
                at += size
        if not removed or size > len(data):
            size //= 2
    return data
