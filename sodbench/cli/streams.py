"""stdout and stderr of a command: control characters of names in files never reach the terminal.

What cannot be printed on stderr is dropped: a full disk or a closed terminal there must not end the work or
change the exit code. stdout is the result, so an error in writing it is one.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO, Any, cast

from sodbench.text import visible


class _Visible:
    """A text stream that writes to another one with control characters escaped.

    Its first error is raised again by `flush`, should the writer pass over it as argparse does.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes text; an error names the stream."""
        try:
            self._stream.write(visible(text))
        except OSError as error:
            self._error = OSError(error.errno, error.strerror, "standard output")
            raise self._error from None
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Writes several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hands over what was written."""
        if self._error is not None:
            raise self._error
        self._stream.flush()


class _Forgiving(_Visible):
    """stderr: gives up in silence, and lets progress bars move the cursor."""

    def write(self, text: str) -> int:
        """Writes text, if that is possible."""
        try:
            self._stream.write(visible(text, bars=True))
        except (OSError, ValueError):
            discard(self._stream)
        return len(text)

    def flush(self) -> None:
        """Hands over what was written, if that is possible."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            discard(self._stream)


@contextmanager
def visible_streams() -> Iterator[None]:
    """Lets stdout and stderr escape control characters; closed streams take what is printed and drop it."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        out, err = sys.stdout or nowhere, sys.stderr or nowhere
        if hasattr(out, "reconfigure"):
            out.reconfigure(errors="backslashreplace")  # file names need not be valid text
        with (
            redirect_stdout(cast("IO[str]", _Visible(out))),
            redirect_stderr(cast("IO[str]", _Forgiving(err))),
        ):
            yield


def discard(stream: IO[str] | Any) -> None:
    """Sends what the stream still holds to nowhere, or the interpreter fails when it ends."""
    try:
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        pass
