"""One command in a process of its own: forked from this one, which has imported everything, or started anew.

A forked child differs from `python -m sodbench` in that the imports are done. It leaves as the interpreter
leaves: threads are joined, streams flushed, an interrupt outside `main` ends it by the signal.
"""

import atexit
import contextlib
import faulthandler
import io
import itertools
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 90.0  # seconds after which a command counts as hung
_LEAVING = 0.02  # seconds for which a command that has done its work may still be there
# audit events that change the file system; `open` counts where it is for writing
_WRITING = os.O_WRONLY | os.O_RDWR
_CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"})


@dataclass(frozen=True)
class Blow:
    """A signal, sent after so many seconds, or by the command itself right before its n-th file operation."""

    signal: int
    seconds: float | None = None
    operation: int | None = None

    def __str__(self) -> str:
        when = (
            f"at {self.seconds:.3f} s" if self.seconds is not None else f"before operation {self.operation}"
        )
        return f"{signal.Signals(self.signal).name} {when}"


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code (negative: the signal), output, time, file operations."""

    code: int
    out: str
    err: str
    seconds: float
    operations: int = 0
    struck: bool = False  # whether the signal was sent before the end

    def last_line(self) -> str:
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""


def forked(
    arguments: Sequence[str],
    folder: Path,
    output: Path,
    *,
    blow: Blow | None = None,
    prepare: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Runs `sodbench ARGUMENTS` in a forked child that works in `folder`; its output goes beside `output`."""
    process = start(arguments, folder, output, blow=blow, prepare=prepare, environment=environment)
    return finish(process, output, blow)


def start(
    arguments: Sequence[str],
    folder: Path,
    output: Path,
    *,
    blow: Blow | None = None,
    prepare: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Forks the child and returns its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until the child is ready for it
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.setsid()
            _streams(output)
            os.chdir(folder)
            os.environ.update(variables(folder) | dict(environment or {}))
            signal.signal(signal.SIGINT, signal.default_int_handler)
            end = _opened(output.with_suffix(".end"))
            _count(output, blow)
            faulthandler.dump_traceback_later(LONGEST - 5)  # says where it hangs
            atexit._clear()
            # a new process has swept no folder yet
            getattr(sys.modules.get("sodbench.unfinished"), "_swept", {}).clear()
            prepare()
            sys.argv = [str(ROOT / "sodbench" / "__main__.py"), *arguments]
            code = _main(end)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code & 0xFF)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    return process


def finish(process: int, output: Path, blow: Blow | None = None) -> Ended:
    """Sends the signal when it is due, and waits for the end of the child and of what it started."""
    began = sent = time.monotonic()
    handle = os.pidfd_open(process)
    struck = False
    try:
        if blow is not None and blow.seconds is not None and not _ends(handle, blow.seconds):
            struck, sent = True, time.monotonic()
            _send(process, blow.signal)
        hung = not _ends(handle, LONGEST)
        if hung:
            os.killpg(process, signal.SIGKILL)
        seconds = time.monotonic() - began
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    finally:
        os.close(handle)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)  # loader processes that outlive it
    if struck and float(_text(output.with_suffix(".end")) or sent + 1) < sent + _LEAVING:
        struck = False  # the work was done
    operations = output.with_suffix(".n").stat().st_size if output.with_suffix(".n").exists() else 0
    if blow is not None and blow.operation is not None:
        struck = operations >= blow.operation
    out, err = (_text(output.with_suffix(ending)) for ending in (".out", ".err"))
    return Ended(code, out, err + (" (hung)" if hung else ""), seconds, operations, struck)


def launched(
    arguments: Sequence[str],
    folder: Path,
    *,
    blow: Blow | None = None,
    shell: str = "",
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Runs `python -m sodbench ARGUMENTS`, imports included; `shell` are redirections such as `>&-`."""
    environment = {
        **os.environ,
        **variables(folder),
        "PYTHONPATH": str(ROOT),
        **(environment or {}),
    }
    command = [sys.executable, "-m", "sodbench", *arguments]
    if shell:
        command = ["sh", "-c", f'exec "$@" {shell}', "sh", *command]
    began, struck = time.monotonic(), False
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={name: value for name, value in environment.items() if value},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    if blow is not None and blow.seconds is not None:
        try:
            process.wait(blow.seconds)
        except subprocess.TimeoutExpired:
            struck = True
            process.send_signal(blow.signal)
    try:
        out, err = process.communicate(timeout=2 * LONGEST)  # the imports may take most of it
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err += " (hung)"
    return Ended(process.returncode, out, err, time.monotonic() - began, struck=struck)


def variables(folder: Path) -> dict[str, str]:
    """The environment of a trial: its own cache, the world's data, one thread, no folder of the user's."""
    return {
        "SODBENCH_CACHE": str(folder / "cache"),
        "SODBENCH_DATA": "../../data",  # `report` remembers it by the absolute path of its folder
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
    }


def _send(process: int, number: int) -> None:
    """Sends SIGINT to all processes of a command, as a terminal does, and other signals to itself alone."""
    if number == signal.SIGINT:
        with contextlib.suppress(ProcessLookupError):  # so young that it has no group yet
            return os.killpg(process, number)
    os.kill(process, number)


def _ends(handle: int, seconds: float) -> bool:
    return bool(select.select([handle], [], [], seconds)[0])


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _streams(output: Path) -> None:
    """Standard streams as the interpreter makes them, on files instead of a terminal."""
    sources = (os.devnull, output.with_suffix(".out"), output.with_suffix(".err"))
    for number, source in enumerate(sources):
        handle = os.open(source, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115


def _count(output: Path, blow: Blow | None) -> None:
    """Counts file operations, one byte each in a file; strikes right before the one that is asked for.

    Those of the command itself: the processes that load images for it inherit the hook.
    """
    counter = _opened(output.with_suffix(".n"))
    command = os.getpid()
    numbers = itertools.count(1)  # each number goes to one thread, which `done += 1` does not grant

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writes = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if (writes or event in _CHANGES) and os.getpid() == command:
            number = next(numbers)
            with contextlib.suppress(OSError):
                os.write(counter, b".")
            if blow is not None and blow.operation == number:
                os.kill(command, blow.signal)

    sys.addaudithook(hook)


def _opened(path: Path) -> int:
    """The file, emptied, under a high number, so that it is not taken for a stream that is closed."""
    import fcntl

    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    high = fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, 100)
    os.close(handle)
    return high


def _main(end: int) -> int:
    """Runs `python -m sodbench` in this process, and does what the interpreter does around it.

    The time at which the work was done is written to the file `end`.
    """
    code = 0
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        try:
            runpy.run_module("sodbench", run_name="__main__")
        except SystemExit as request:
            code = request.code if isinstance(request.code, int) else 1
        os.write(end, str(time.monotonic()).encode())
        threading._shutdown()
        atexit._run_exitfuncs()
    except KeyboardInterrupt:
        traceback.print_exc()
        _die_of_interrupt()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            code = 120  # what the interpreter returns then
    return code


def _die_of_interrupt() -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    raise AssertionError("not reached")


def start_up(commands: Iterable[str]) -> None:
    """Imports what these commands import, with one thread each, so that children need not."""
    os.environ.update({"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"})
    import pyarrow
    from tqdm import tqdm

    import sodbench.cli.main
    import sodbench.data.getting.download as download
    import sodbench.evaluation
    import sodbench.map_scoring
    import sodbench.results.saving

    if {"run", "train", "stress"} & set(commands):
        import torch

        import sodbench.training.job

        torch.set_num_threads(1)
    if {"report", "publish"} & set(commands):
        import sodbench.reporting.write
    # no thread may run in the process that is forked, and a child that is killed must not hold a lock of all
    tqdm.monitor_interval = 0
    tqdm.set_lock(threading.RLock())
    pyarrow.set_cpu_count(1)
    download.PAUSE = 0.01  # seconds before another attempt
    sodbench.cli.main.build_parser()


def warm_up(arguments: Sequence[str], folder: Path) -> None:
    """Runs a command once in this process, so that its children have loaded what it loads on first use."""
    from sodbench.cli.main import main

    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return  # a process that has used a GPU cannot be forked
    here, environment = Path.cwd(), dict(os.environ)
    nothing = io.StringIO()
    try:
        os.chdir(folder)
        os.environ.update(variables(folder))
        with contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
            main(arguments)
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(environment)
