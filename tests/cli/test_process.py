"""The command line as a process: signals, closed and full streams, and what is left of any error."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LIST = [sys.executable, "-m", "sodbench", "protocols", "list"]
WRONG = [sys.executable, "-m", "sodbench", "protocols", "show", "nonesuch"]
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
# a command that writes a file for ever, and takes a while to clear up, as a real one may; it sleeps in small
# steps, because a signal just before a long sleep waits for its end
BUSY = """
import sys, time
from pathlib import Path
import sodbench.cli.main as main
from sodbench.__main__ import start
from sodbench.files import atomic_path

class Parser:
    def parse_args(self, words):
        return self
    def run(self, args):
        try:
            with atomic_path(Path(sys.argv[1])) as part:
                part.write_text("half")
                print("ready", flush=True)
                for _ in range(6000): time.sleep(0.01)
        finally:
            if sys.argv[2] == "slow":
                print("clearing up", flush=True)
                for _ in range(6000): time.sleep(0.01)

main.build_parser = Parser
start()
"""
SHORT = """
import sys
from sodbench.__main__ import signals, start
signals.watch()
sys.argv[1:] = ["protocols", "list"]
print("ready", flush=True)
start()
"""
# what a signal meets after the work: an exit that takes long
ENDING = """
import atexit, time
import sodbench.cli.main as main
from sodbench.__main__ import start

def wait():
    print("ready", flush=True)
    for _ in range(6000): time.sleep(0.01)

def work():
    atexit.register(wait)
    return 0

main.main = work
start()
"""


def run(command: list[str], shell: str) -> "subprocess.CompletedProcess[str]":
    """Runs a command with the redirections of `shell`."""
    return subprocess.run(["sh", "-c", f'"$@" {shell}', "sh", *command], capture_output=True, text=True)


@FULL
@pytest.mark.parametrize("shell", ["2>/dev/full", "2>&-", "2</dev/null"])
def test_a_stderr_that_takes_nothing_keeps_the_exit_code(shell: str) -> None:
    done = run(WRONG, shell)
    assert (done.returncode, done.stdout) == (2, "")
    done = run([*LIST[:3], "--nonesuch"], shell)
    assert done.returncode == 2


@FULL
def test_a_stdout_that_takes_nothing() -> None:
    # Python writes at once or at the end; argparse passes over errors
    for command in (LIST, [*LIST[:3], "--help"], [LIST[0], "-u", *LIST[1:3], "--help"]):
        done = run(command, ">/dev/full")
        assert done.returncode == 2
        assert done.stderr == "sodbench: error: standard output: No space left on device\n"
    done = run(LIST, ">&-")
    assert (done.returncode, done.stderr) == (0, "")
    done = run(WRONG, ">/dev/full 2>/dev/full")
    assert done.returncode == 2


def test_a_reader_that_has_gone() -> None:
    done = run(LIST, "| true; exit ${PIPESTATUS:-0}")
    assert "Error" not in done.stderr and "Broken" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "word"),
    [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated"), (signal.SIGHUP, "terminated")],
)
def test_a_signal_ends_the_work_in_good_order(tmp_path: Path, number: int, word: str) -> None:
    process = started([sys.executable, "-c", BUSY, str(tmp_path / "file"), "quick"])
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (128 + number, f"sodbench: {word}\n")
    assert list(tmp_path.iterdir()) == []


# what may become of the exception of a signal: lost in a destructor, turned into another by a library, and
# followed by one in a thread
LOST = """
class Noisy:
    def __del__(self):
        print("ready", flush=True)
        for _ in range(6000): time.sleep(0.01)
del [Noisy()][0]
for _ in range(6000): time.sleep(0.01)
"""
TURNED = """
try:
    print("ready", flush=True)
    for _ in range(6000): time.sleep(0.01)
except BaseException:
    raise ValueError("not a matrix") from None
"""
THREAD = """
def fail():
    stopped.wait()
    raise EOFError("it has gone")
stopped = threading.Event()
thread = threading.Thread(target=fail)
thread.start()
try:
    print("ready", flush=True)
    for _ in range(6000): time.sleep(0.01)
finally:
    stopped.set()
    thread.join()
"""
HOOK = THREAD.replace('raise EOFError("it has gone")', "sys.excepthook(EOFError, EOFError(), None)")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("work", [LOST, TURNED, THREAD, HOOK], ids=["lost", "turned", "thread", "hook"])
def test_the_exception_of_a_signal_is_never_lost(tmp_path: Path, work: str, number: int) -> None:
    (tmp_path / "work.py").write_text(work)
    code = BUSY.replace("import sys, time", "import sys, threading, time").replace(
        "        try:\n            with",
        "        exec(open(sys.argv[1]).read(), globals())\n        try:\n            with",
    )
    process = started([sys.executable, "-c", code, str(tmp_path / "work.py"), "quick"])
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    word = "interrupted" if number == signal.SIGINT else "terminated"
    assert (process.returncode, err) == (128 + number, f"sodbench: {word}\n")


@pytest.mark.parametrize(
    ("first", "second"),
    [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)],
)
def test_a_second_signal_ends_it_at_once(tmp_path: Path, first: int, second: int) -> None:
    process = started([sys.executable, "-c", BUSY, str(tmp_path / "file"), "slow"])
    process.send_signal(first)
    assert process.stdout is not None and process.stdout.readline() == "clearing up\n"
    process.send_signal(second)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (128 + second, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_exit(number: int) -> None:
    process = started([sys.executable, "-c", ENDING])
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (128 + number, "")


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
    process = started([*command, sys.executable, "-c", BUSY, str(tmp_path / "file"), "quick"])
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_a_signal_at_any_moment_of_a_short_command() -> None:
    """Also during the imports of the commands, which take most of the time."""
    command = [sys.executable, "-c", SHORT]
    process = started(command)
    began = time.monotonic()
    process.communicate(timeout=60)
    length = time.monotonic() - began
    for step in range(8):
        process = started(command)
        time.sleep(length * step / 8)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (0, 130) and "Traceback" not in err, err


def started(command: list[str]) -> "subprocess.Popen[str]":
    """The process, once it says that it is ready."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process
