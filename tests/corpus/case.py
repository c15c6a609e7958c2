"""A case: files to spoil, a command line or a call of the library, and what must come of it."""

from collections.abc import Callable
from dataclasses import dataclass

from .world import World

Build = Callable[[World], None]


def nothing(world: World) -> None:
    """Spoils nothing: the command line itself is the bad input."""


@dataclass(frozen=True)
class Case:
    """One bad input.

    name: unique; `kind/what`, where the kind is that of the input.
    run: the arguments of `sodbench`, or a function that calls the library. Both run in the folder `work`.
    says: regular expression that stderr must match; where the exit code is 2, its one error line.
    build: spoils the files of the good world.
    code: the exit codes that are right. For a function, 2 stands for an exception of `raises`.
    prints: regular expression that stdout must match. never: what neither stream may match.
    changes: patterns of the paths, from the world's top, that may be new or other afterwards.
    seconds, megabytes: the bounds of time, and of memory over that of an idle process.
    whole: too slow for any test run; it is part of `tox -e corpus` only.
    real: run as `python -m sodbench`, with the start of the interpreter.
    serve: answers requests to the local server whose address is `world.url`: path -> what the server sends.
    user: run without the rights of root, who may read and write everything.
    talks: stderr may hold lines of progress besides notes and the error.
    """

    name: str
    run: tuple[str | bytes, ...] | Callable[[], object]
    says: str = ""
    build: Build = nothing
    code: int | tuple[int, ...] = 2
    prints: str = ""
    never: str = ""
    changes: tuple[str, ...] = ()
    seconds: int = 60
    megabytes: int = 2048
    whole: bool = False
    real: bool = False
    serve: Callable[[str], "Answer"] | None = None
    user: bool = False
    talks: bool = False
    raises: tuple[type[Exception], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    stderr: str = ""  # a device that takes the place of stderr

    @property
    def kind(self) -> str:
        """The kind of input."""
        return self.name.partition("/")[0]

    @property
    def codes(self) -> tuple[int, ...]:
        """The exit codes that are right."""
        return (self.code,) if isinstance(self.code, int) else self.code


@dataclass(frozen=True)
class Answer:
    """What the local server sends: a status, headers, then each piece of the body after a pause."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    repeats: int = 1  # how often the body is sent; -1: until the other side hangs up
    pause: float = 0.0  # seconds before each repetition
    length: int | None = None  # what Content-Length says, -1: no such header
