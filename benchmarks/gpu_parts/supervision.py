"""Measures in a process of its own, and goes on in a new one where that one dies or hangs.

An illegal memory access ends CUDA for the whole process, and a call into CUDA that does not return hears no
signal. What is measured is in files, so the new process goes on with the next row.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

DEVICE_LOST = 70  # the exit code of a process whose GPU answers no more
GRACE = 20.0  # seconds after its time in which a row may end by itself
_VARIABLE = "SODBENCH_GPU_MEASURES"  # what the measuring process is told, as JSON


def told() -> dict[str, Any] | None:
    """What the supervisor tells this process: `began`, `scratch`, `ended`; None in the supervisor itself."""
    text = os.environ.pop(_VARIABLE, None)
    return None if text is None else dict(json.loads(text))


def supervise(out: Path, command: list[str]) -> int:
    """Runs the measuring process, as often as it dies at a row; returns its last exit code."""
    began = time.monotonic()
    _remove_stale(out)
    scratch = out / f"scratch-{os.getpid()}"
    ended: list[dict[str, Any]] = []
    try:
        while True:
            message = {"began": began, "scratch": str(scratch), "ended": ended}
            code = _watched(command, {**os.environ, _VARIABLE: json.dumps(message)}, scratch)
            row = in_work(scratch)
            note_row(scratch, None)
            if code in (0, 2):  # 2: it refused, in one line
                return code
            if code is None:
                print("the process hangs; a new one goes on with the next row", flush=True)
                ended.append({**(row or {}), "how": "it did not end and heard no signal"})
            elif code == DEVICE_LOST:
                print("the GPU answers this process no more; a new one goes on", flush=True)
            elif row is None:
                print(f"gpu.py: error: the measuring process ended by {_how(code)}", file=sys.stderr)
                return 1
            else:
                # by the user, or by a system without memory for it: another call may measure it
                again = code in (-signal.SIGKILL, -signal.SIGTERM)
                ended.append({**row, "how": f"the process ended by {_how(code)}", "again": again})
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def note_row(scratch: Path, row: Mapping[str, Any] | None) -> None:
    """Says what is measured now: `part`, `row`, and `until`, its last moment by the monotonic clock."""
    path = scratch / "row.json"
    if row is None:
        path.unlink(missing_ok=True)
        return
    scratch.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(row))
    part.replace(path)


def in_work(scratch: Path) -> dict[str, Any] | None:
    """What `note_row` said."""
    try:
        return dict(json.loads((scratch / "row.json").read_text()))
    except FileNotFoundError:
        return None


def end_with_parent(end_all: Callable[[], None]) -> None:
    """Ends this process, after `end_all`, as soon as its supervisor is gone: stdin is a pipe from there."""

    def wait() -> None:
        os.read(0, 1)
        end_all()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _watched(command: list[str], environment: Mapping[str, str], scratch: Path) -> int | None:
    """The process's exit code; None where it was killed because its row did not end in time."""
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, start_new_session=True)
    try:
        while True:
            try:
                return process.wait(0.2)
            except subprocess.TimeoutExpired:
                row = in_work(scratch)
                if row is not None and time.monotonic() > row["until"] + GRACE:
                    return None
    finally:
        assert process.stdin is not None
        process.stdin.close()  # it ends what it has started, and itself
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _remove_stale(out: Path) -> None:
    """Removes what calls that were killed have left."""
    for folder in out.glob("scratch-*"):
        number = folder.name.partition("-")[2]
        if not re.fullmatch("[0-9]{1,9}", number):
            continue  # the user's
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (PermissionError, OverflowError):
            continue


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
