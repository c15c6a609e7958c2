"""What Ctrl-C, SIGTERM and SIGHUP do: the first ends the work in good order, the second ends it at once.

The exit codes are 130, 143 and 129: 128 and the signal's number. Both ways remove the temporary files.

A signal becomes an exception wherever the main thread happens to be. In a destructor or a callback Python
drops it, and a library may turn it into an error of its own: the signal is then sent again, and such an error
counts as the signal.
"""

import _thread
import atexit
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any, NoReturn

_SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class Stopped(KeyboardInterrupt):
    """A signal that ends the program; a KeyboardInterrupt, so that all code clears up as after Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


_first: Stopped | None = None


def watch() -> None:
    """Takes over the signals that would end this process; those that its caller ignores stay ignored."""
    sys.unraisablehook = _send_again
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


def stopped() -> Stopped | None:
    """The signal that is ending this process, if there is one: what fails now, fails because of it."""
    return _first


def exit_code(stop: KeyboardInterrupt) -> int:
    """The exit code that tells which signal it was."""
    return 128 + getattr(stop, "number", signal.SIGINT)


def _ignore() -> None:
    """The interpreter's last moments, in which it would take its own handlers away, change no exit code."""
    for number in _SIGNALS:
        if signal.getsignal(number) in (_stop, _stop_at_once):
            signal.signal(number, signal.SIG_IGN)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    global _first
    work_is_done()
    # what other threads lose by it, such as the other end of a connection, is no error to be shown
    sys.excepthook = threading.excepthook = _say_nothing
    _first = Stopped(number)
    raise _first


def _send_again(ignored: "sys.UnraisableHookArgs") -> None:
    """Sends a signal again whose exception came where Python can only drop it."""
    stop = ignored.exc_value
    if not isinstance(stop, Stopped):
        sys.__unraisablehook__(ignored)
        return
    for number in _SIGNALS:
        if signal.getsignal(number) is _stop_at_once:
            signal.signal(number, _stop)

    def send() -> None:
        time.sleep(0.01)  # until the main thread is out of here
        os.kill(os.getpid(), stop.number)

    # not threading.Thread, whose locks the main thread may hold here
    _thread.start_new_thread(send, ())


def _say_nothing(*_: Any) -> None:
    pass


def _stop_at_once(number: int, frame: FrameType | None) -> NoReturn:
    unfinished = sys.modules.get("sodbench.unfinished")
    if unfinished is not None:
        unfinished.remove_unfinished()
    os._exit(128 + number)
