"""What belongs to the user's session: the home folder, the clock, the streams of the terminal."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from .child import forked, launched
from .disks import become
from .jobs import Job
from .surroundings import Setting, Skipped, judged

STRANGER = 23456  # a number without an entry in the list of users, as in a container
_OF_HOME = ("HOME", "SODBENCH_CACHE", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
_FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"


def no_home(job: Job, setting: Setting) -> Iterator[list[str]]:
    """No home folder: one that is not there, and a user whom the system does not know at all."""

    def nowhere() -> None:
        _forget_home()
        os.environ["HOME"] = "/dev/null/home"  # root cannot make it either

    def unknown() -> None:
        _forget_home()
        become(STRANGER)

    nobody = dict.fromkeys(_OF_HOME, "")
    for what, prepare in (("a home that is not there", nowhere), ("an unknown user", unknown)):
        folder = setting.trials.new(job.start)
        if prepare is unknown:
            if os.geteuid() != 0:
                raise Skipped("becoming another user needs root")
            _give(folder, STRANGER)
        ended = forked(
            job.arguments, folder, setting.trials.output(folder), prepare=prepare, environment=nobody
        )
        # `run` asks an unknown user for a folder of weights; a cache that was asked for needs a place
        may_refuse = prepare is unknown or "--cache" in job.arguments
        yield judged(job, folder, ended, setting, what, codes=(0, 2) if may_refuse else (0,))


def clock(job: Job, setting: Setting) -> Iterator[list[str]]:
    """The clock a year behind, and set back by two days while the command works (libfaketime)."""
    found = sorted(Path("/").glob(_FAKETIME.lstrip("/")))
    if not found:
        raise Skipped("needs libfaketime (apt-get install faketime)")
    faked = {"LD_PRELOAD": str(found[0]), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    folder = setting.trials.new(job.start)
    ended = launched(job.arguments, folder, environment={**faked, "FAKETIME": "-400d"})
    yield judged(job, folder, ended, setting, "the clock a year behind", codes=(0,))
    folder = setting.trials.new(job.start)
    change = setting.trials.output(folder, ".clock")
    change.write_text("+0\n")
    turn = subprocess.Popen(["sh", "-c", f"sleep {4 + job.seconds / 2}; echo -2d > {change}"])
    changing = {**faked, "FAKETIME_TIMESTAMP_FILE": str(change), "FAKETIME_NO_CACHE": "1"}
    ended = launched(job.arguments, folder, environment=changing)
    turn.kill()
    turn.wait()
    yield judged(job, folder, ended, setting, "the clock set back meanwhile", codes=(0,))


def streams(job: Job, setting: Setting) -> Iterator[list[str]]:
    """stdout or stderr closed, and both on a device that is always full."""

    def close(*numbers: int) -> Callable[[], None]:
        def prepare() -> None:
            for number in numbers:
                os.close(number)
                setattr(sys, ("stdin", "stdout", "stderr")[number], None)  # as the interpreter starts then

        return prepare

    def fill(number: int) -> Callable[[], None]:
        return lambda: os.dup2(os.open("/dev/full", os.O_WRONLY), number) and None

    cases = {
        "1>&-": (close(1), (0,)),
        "2>&-": (close(2), (0,)),
        "1>&- 2>&-": (close(1, 2), (0,)),
        "1>/dev/full": (fill(1), (0, 2)),
        "2>/dev/full": (fill(2), (0, 2)),
    }
    for shell, (prepare, codes) in cases.items():
        folder = setting.trials.new(job.start)
        ended = forked(job.arguments, folder, setting.trials.output(folder), prepare=prepare)
        yield judged(job, folder, ended, setting, shell, codes=codes, seen="2>" not in shell)
    shell = setting.draw.choice(list(cases))
    folder = setting.trials.new(job.start)
    ended = launched(job.arguments, folder, shell=shell)
    what = f"{shell} (new process)"
    yield judged(job, folder, ended, setting, what, codes=cases[shell][1], seen="2>" not in shell)


def _forget_home() -> None:
    for name in _OF_HOME:
        os.environ.pop(name, None)


def _give(folder: Path, user: int) -> None:
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user, user)
