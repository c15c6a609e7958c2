"""The processes that a part starts: each leads a group, which ends with it and with the script."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_RUNNING: list["subprocess.Popen[str]"] = []


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """The process in the block; at its end it is killed with those that it started. `options`: of Popen."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, text=True, start_new_session=True, **options
    )
    _RUNNING.append(process)
    try:
        yield process
    finally:
        _end(process)
        _RUNNING.remove(process)


def end_all() -> None:
    """Kills what is still running."""
    for process in list(_RUNNING):
        _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
