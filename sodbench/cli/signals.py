"""What Ctrl-C, SIGTERM and SIGHUP do: the first ends the work in good order, the second ends it at once.

The exit codes are 130, 143 and 129: 128 and the signal's number. Both ways remove the temporary files.
"""

import atexit
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

_SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class Stopped(KeyboardInterrupt):
    """A signal that ends the program; a KeyboardInterrupt, so that all code clears up as after Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def watch() -> None:
    """Takes over the signals that would end this process; those that its caller ignores stay ignored."""
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _stop)
    # the first to be registered is the last to run
    atexit.register(_ignore)


def work_is_done() -> None:
    """From now on a signal ends the process at once: only the interpreter's own end is left."""
    for number in _SIGNALS:
        if signal.getsignal(number) is _stop:
            signal.signal(number, _stop_at_once)


def exit_code(stop: KeyboardInterrupt) -> int:
    """The exit code that tells which signal it was."""
    return 128 + getattr(stop, "number", signal.SIGINT)


def _ignore() -> None:
    """The interpreter's last moments, in which it would take its own handlers away, change no exit code."""
    for number in _SIGNALS:
        if signal.getsignal(number) in (_stop, _stop_at_once):
            signal.signal(number, signal.SIG_IGN)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    work_is_done()
    raise Stopped(number)


def _stop_at_once(number: int, frame: FrameType | None) -> NoReturn:
    unfinished = sys.modules.get("sodbench.unfinished")
    if unfinished is not None:
        unfinished.remove_unfinished()
    os._exit(128 + number)
