"""Bounds on the time and memory that one input may take."""

import contextlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path

MEMORY = 1 << 30  # bytes beyond what the process has already
SECONDS = 5.0  # of processor time: a loaded machine must not make a finding


class OverBounds(Exception):
    """An input that took longer than it may."""


@contextlib.contextmanager
def bounded(memory: int = MEMORY, seconds: float = SECONDS) -> Iterator[None]:
    """Makes allocations beyond `memory` fail, and raises OverBounds after more than `seconds`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory, hard))
    started = time.process_time()
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    took = time.process_time() - started
    if took > seconds:
        raise OverBounds(f"{took:.1f} s of processor time, at most {seconds} expected")
