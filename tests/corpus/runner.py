"""Runs cases in forked processes with limits, and judges what came of them.

Importing torch takes seconds, so it is imported once, here; each case then runs in a fork of this process,
which starts in milliseconds. Nothing here may start a thread before the last fork.
"""

import gc
import os
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .case import Case, nothing
from .judge import of_code, of_files, of_text, snapshot
from .server import serving
from .world import World, enter, make

MARGIN = 1536 << 20  # address space that threads and decoders reserve and do not use
NOBODY = 65534


@dataclass(frozen=True)
class Outcome:
    """What came of a case; it passed if there is no problem."""

    name: str
    problems: tuple[str, ...]
    code: int
    seconds: float
    megabytes: int
    stderr: str

    def as_dict(self) -> dict[str, Any]:
        """The plain values."""
        return asdict(self)


class Runner:
    """Holds the good world in `folder` and runs cases on copies of it, one at a time."""

    def __init__(self, folder: Path) -> None:
        os.environ["SODBENCH_CACHE"] = str(folder / "cache")
        sys.dont_write_bytecode = True
        _import_everything()
        # a collection in a fork would touch, and so copy, every object of this process
        gc.collect()
        gc.freeze()
        self.folder = folder
        if _forked(lambda: _quietly(lambda: make(folder / "good"), folder)):
            raise RuntimeError(
                f"the good world cannot be made: {(folder / 'making.txt').read_text()[-2000:]}"
            )

    def run(self, case: Case) -> Outcome:
        """Runs one case and judges it; its files are gone afterwards."""
        top = self.folder / "case"
        shutil.copytree(self.folder / "good", top, symlinks=True)
        world = World(top)
        try:
            with serving(case.serve) if case.serve else nullcontext("") as url:
                world.url = url or world.url
                # where nothing is to be built, no fork: it costs 75 ms
                if (case.build is not nothing or case.user) and _forked(
                    lambda: _build(case, world, self.folder)
                ):
                    text = (self.folder / "making.txt").read_text(errors="replace")
                    return Outcome(case.name, (f"the case cannot be built: {text[-300:]}",), -1, 0, 0, text)
                return self._judged(case, world)
        finally:
            os.system(f"chmod -R u+rwX '{top}' 2>/dev/null")
            shutil.rmtree(top, ignore_errors=True)

    def _judged(self, case: Case, world: World) -> Outcome:
        before = snapshot(world.top)
        out, err = self.folder / "out.txt", self.folder / "err.txt"
        idle = _memory()
        started = time.monotonic()
        process = os.fork()
        if not process:
            _become(case, world, out, err, idle[1])
        _, status, usage = os.wait4(process, 0)
        seconds = time.monotonic() - started
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)  # loader processes and the like
        code = os.waitstatus_to_exitcode(status)
        megabytes = max(0, usage.ru_maxrss * 1024 - idle[0]) >> 20
        written = [_text(path) for path in (out, err)]
        after = snapshot(world.top)
        changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        problems = [
            *of_code(case, code, written[1]),
            *of_text(case, code, *written),
            *of_files(case, changed),
        ]
        if seconds > case.seconds:
            problems.append(f"took {seconds:.0f} s, at most {case.seconds} are right")
        if megabytes > case.megabytes:
            problems.append(f"took {megabytes} MiB, at most {case.megabytes} are right")
        return Outcome(case.name, tuple(problems), code, round(seconds, 3), megabytes, written[1][-4000:])


def _become(case: Case, world: World, out: Path, err: Path, space: int) -> None:
    """Turns this forked process into the case's: it never returns."""
    code = 1
    try:
        os.setsid()
        _redirect(1, out)
        _redirect(2, Path(case.stderr) if case.stderr else err)
        if case.stderr:
            err.write_text("")
        enter(world)
        os.environ.update(case.environment)
        most = space + (case.megabytes << 20) + MARGIN
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(case.seconds + 1)
        if case.user:
            for path in (world.top, out.parent):
                path.chmod(0o777)
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        if case.real:
            command = [sys.executable, "-m", "sodbench", *_arguments(case, world)]
            os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
            os.execv(sys.executable, command)
        code = _call(case, world)
        sys.stdout.flush()
        threading._shutdown()
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)


def _call(case: Case, world: World) -> int:
    """The exit code of the command line; 2 for an exception that the library means."""
    from sodbench.cli.main import main
    from sodbench.data.getting import download

    download.PAUSE = 0.01  # seconds between attempts
    try:
        if not callable(case.run):
            sys.argv = ["sodbench", *map(os.fsdecode, _arguments(case, world))]
            return main(sys.argv[1:])
        case.run()
        return 0
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except Exception as error:
        if callable(case.run) and _meant(case, error):
            print(f"sodbench: error: {error}", file=sys.stderr)
            return 2
        if callable(case.run) and type(error) in case.raises and type(error) is TypeError:
            print(f"sodbench: error: TypeError: {error}".splitlines()[0], file=sys.stderr)
            return 2
        traceback.print_exc()
        return 1


def _meant(case: Case, error: Exception) -> bool:
    """Whether this package raised an exception on purpose, and it is of a kind that the case expects."""
    from sodbench.errors import InputError

    if isinstance(error, InputError):
        return True
    last = traceback.extract_tb(error.__traceback__)[-1]
    return isinstance(error, case.raises) and "sodbench" in last.filename and last.line.startswith("raise")


def _arguments(case: Case, world: World) -> list[str | bytes]:
    assert not callable(case.run)
    return [one.replace("{url}", world.url) if isinstance(one, str) else one for one in case.run]


def _build(case: Case, world: World, folder: Path) -> int:
    def build() -> None:
        os.chdir(world.work)
        case.build(world)
        if case.user:
            os.system(f"chmod a+rX '{world.top}'")

    return _quietly(build, folder)


def _quietly(call: Callable[[], object], folder: Path) -> int:
    """Calls; what is printed goes to making.txt. Returns 0, or 1 after an exception."""
    for stream in (1, 2):
        _redirect(stream, folder / "making.txt")
    try:
        call()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        return 1
    return 0


def _forked(call: Callable[[], int]) -> int:
    process = os.fork()
    if not process:
        code = 1
        try:
            code = call()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _redirect(stream: int, path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.dup2(handle, stream)
    os.close(handle)


def _memory() -> tuple[int, int]:
    """Bytes in memory that a fork shares with this process, and bytes of address space."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) << 10, int(status["VmSize"].split()[0]) << 10


def _text(path: Path) -> str:
    return path.read_bytes()[:1_000_000].decode("utf-8", "backslashreplace")


def _import_everything() -> None:
    """Imports what commands import when they are used, so that a fork finds it."""
    import importlib
    import pkgutil

    import matplotlib.backends.backend_agg
    import numpy as np
    import pandas
    import pooch
    import py_sod_metrics
    import pyarrow.parquet
    import requests
    import torch

    import sodbench

    torch.set_num_threads(1)
    for module in pkgutil.walk_packages(sodbench.__path__, "sodbench."):
        if not module.name.endswith(("__main__", "keras_weights")):
            importlib.import_module(module.name)
    mask = np.zeros((16, 16), np.uint8)
    mask[4:9, 5:12] = 255
    for name in sodbench.protocol_names():
        sodbench.score(mask, mask, protocol=name)
    del matplotlib, pandas, pooch, py_sod_metrics, pyarrow, requests
