"""A suite's training in several processes: torchrun with `sodbench train`, one GPU for each process."""

import subprocess  # nosec B404 # for torchrun
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sodbench.errors import InputError
from sodbench.suites.options import Options
from sodbench.suites.suite import Row, Suite
from sodbench.toml_text import toml_value

if TYPE_CHECKING:
    import io

ERROR = "sodbench: error: "
MARKS = (ERROR.encode(), b"Traceback", b"torch/distributed")  # the progress has ended
PATIENCE = 60  # seconds in which the processes may end by themselves


def train_in_processes(suite: Suite, row: Row, options: Options, folder: Path) -> None:
    """Trains a row in as many processes as the suite says, into `folder`; goes on from its last checkpoint.

    Raises InputError with the message of the process that failed first.
    """
    command = training_command(suite, row, options, folder)
    process = subprocess.Popen(  # nosec B603 # no shell; this Python with sodbench's own options
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    messages: list[bytes] = []
    reader = threading.Thread(target=_read, args=(process, messages, options.progress), daemon=True)
    reader.start()
    try:
        code = process.wait()
    except BaseException:
        _end(process)
        raise
    reader.join(PATIENCE)
    if code:
        raise InputError(_message(messages) or f"{folder}: the training in several processes failed")


def training_command(suite: Suite, row: Row, options: Options, folder: Path) -> list[str]:
    """What trains a row, as it can be repeated in a shell."""
    count = str(suite.training_processes(row))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", count]
    command += ["-m", "sodbench", "train", str(row.method.baseline), "--out", str(folder), "--resume"]
    for key, value in suite.training_settings(row).items():
        command += ["--set", f"training.{key}={toml_value(value)}"]
    given: Sequence[tuple[str, object]] = (
        ("--data-root", options.data_root),
        ("--device", options.device),
        ("--workers", options.loaders),
    )
    for option, choice in given:
        command += [] if choice is None else [option, str(choice)]
    command += ["--cache"] if suite.caches_training(row) else []
    return command if options.progress else [*command, "--quiet"]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """torchrun passes the signal on to its processes."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    process.kill()


def _read(process: "subprocess.Popen[bytes]", messages: list[bytes], shown: bool) -> None:
    """Shows the progress that the processes print; keeps what follows: an error, and torchrun's report."""
    stream = cast("io.BufferedReader", process.stderr)
    before = b""  # a mark may be cut by the end of a chunk
    for chunk in iter(lambda: stream.read1(8192), b""):
        recent = before + chunk
        if messages or any(mark in recent for mark in MARKS):
            messages.append(chunk if messages else recent)
            continue
        before = recent[-max(map(len, MARKS)) :]
        if shown:
            sys.stderr.write(chunk.decode("utf-8", "replace"))
            sys.stderr.flush()


def _message(messages: Sequence[bytes]) -> str | None:
    lines = b"".join(messages).decode("utf-8", "replace").splitlines()
    errors = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
    return errors[0] if errors else None
