"""One process at a time."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sodbench.errors import InputError
from sodbench.files import locked, locked_folder


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    waits = threading.Event()

    def second() -> None:
        with locked(tmp_path / "lock", waiting=waits.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path / "lock", waiting=lambda: order.append("never called")):
        thread.start()
        assert waits.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_waiting_may_give_up_and_leaves_the_lock_to_its_holder(tmp_path: Path) -> None:
    def give_up() -> None:
        raise InputError("in use")

    with locked(tmp_path / "lock"):
        for _ in range(2):
            with pytest.raises(InputError, match="in use"), locked(tmp_path / "lock", waiting=give_up):
                raise AssertionError("two hold the lock")
    with locked(tmp_path / "lock", waiting=give_up):
        pass


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    lock = locked(tmp_path / "file" / "lock", remedy="use --out")
    with pytest.raises(InputError, match=r"file: cannot be written to .*; use --out"), lock:
        pass


HOLDER = """
import multiprocessing, os, sys, time
from pathlib import Path
from sodbench.files import locked_folder

def wait(pipe):
    # here, because the worker closes its copy of the lock after the fork, in its own time
    print("ready", flush=True)
    pipe.recv()

with locked_folder(Path(sys.argv[1])):
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.get_context("fork").Process(target=wait, args=(theirs,)).start()
    time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_lock_ends_with_its_process_though_a_worker_lives_on(tmp_path: Path) -> None:
    """Loader workers are forked while the lock of the training is held; SIGKILL leaves them running."""

    def give_up() -> None:
        raise InputError("in use")

    command = [sys.executable, "-c", HOLDER, tmp_path / "out"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        with pytest.raises(InputError, match="in use"), locked_folder(tmp_path / "out", waiting=give_up):
            raise AssertionError("two hold the lock")
        process.kill()
        process.wait()
        with locked_folder(tmp_path / "out", waiting=give_up):
            os.killpg(process.pid, 0)  # the worker lives
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
