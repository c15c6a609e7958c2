"""What options and arguments may be: numbers within stated bounds, objects of the right kind.

A number has the same bounds as an option of the command line (`cli.options.Bounded`) and as an argument:

    BATCH.checked("batch", 0)   # InputError: batch is 0, expected 1 or more
"""

import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from sodbench.errors import InputError, shown

T = TypeVar("T")


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`; None may stand for it where the function says so."""

    least: int
    most: int

    def checked(self, name: str, value: Any) -> int:
        """The number; InputError says what `name` is and what was expected."""
        problem = self.problem(value)
        if problem:
            raise InputError(f"{name} is {shown(value)}, expected {problem}")
        return operator.index(value)

    def problem(self, value: Any) -> str | None:
        """What was expected of a value that is none of these numbers."""
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            return "a whole number"
        number = operator.index(value)
        if number < self.least:
            return f"{self.least} or more"
        return f"at most {self.most}" if number > self.most else None

    def read(self, text: str) -> int | None:
        """The number that an option's text holds; None where it holds no whole number."""
        try:
            return int(text)
        except ValueError:
            return None


@dataclass(frozen=True)
class Real:
    """A finite number that is `least` or more and below `below`, or `above` and more, as the words say."""

    words: str
    least: float = -math.inf
    above: float = -math.inf
    below: float = math.inf

    def checked(self, name: str, value: Any) -> float:
        """The number; InputError says what `name` is and what was expected."""
        problem = self.problem(value)
        if problem:
            raise InputError(f"{name} is {shown(value)}, expected {problem}")
        return float(value)

    def problem(self, value: Any) -> str | None:
        """What was expected of a value that is none of these numbers."""
        try:
            number = math.nan if isinstance(value, str | bytes | bool) else float(value)
        except (TypeError, ValueError, OverflowError, RuntimeError):
            return self.words
        fits = self.least <= number < self.below and number > self.above and math.isfinite(number)
        return None if fits else self.words

    def read(self, text: str) -> float | None:
        """The number that an option's text holds; None where it holds none."""
        try:
            return float(text)
        except ValueError:
            return None


Number = Whole | Real

MAX_SIZE = "5MB"  # of a published page
# of images; more than any data set has
IMAGES = Whole(0, 1_000_000_000)
LIMIT = Whole(1, 1_000_000_000)
BATCH = Whole(1, 65_536)
SHARDS = Whole(1, 1_000_000)
# threads that score or compute; processes that load
THREADS = Whole(1, 1024)
LOADERS = Whole(0, 1024)
SIDE = Whole(32, 16_384)
ROUNDS = Whole(1, 1000)
OPSET = Whole(7, 100)
DIGITS = Whole(1, 10)
GALLERY = Whole(0, 10_000)
SPAN = Whole(1, 2)  # columns of a two-column paper
RESAMPLES = Whole(100, 1_000_000)
SEED = Whole(0, 2**63 - 1)
LEVELS = Whole(0, 255)  # of a map
LEVEL = Real("a level from 0.5 to below 1, such as 0.95", least=0.5, below=1)
SECONDS = Real("more than 0 and at most a day (86400)", above=0, below=86_400.5)
NOT_NEGATIVE = Real("a finite number, 0 or more", least=0)


def instance(name: str, value: T, kinds: type | tuple[type, ...], expected: str) -> T:
    """The value, where it is of one of the kinds; the InputError says what was expected and found."""
    if not isinstance(value, kinds):
        raise InputError(f"{name}: expected {expected}, found {type(value).__name__}")
    return value


def instances(name: str, values: Iterable[T], kinds: type | tuple[type, ...], expected: str) -> list[T]:
    """The values as a list, where all are of one of the kinds; the InputError says what was found."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InputError(f"{name}: expected {expected}, found {type(values).__name__}")
    return [instance(name, value, kinds, expected) for value in values]


# Pillow's filters, by which maps can be resized where the protocol compares equal sizes only; the last three
# average when they shrink
ResizeFilter = Literal["nearest", "bilinear", "bicubic", "lanczos"]
RESIZE_FILTERS: tuple[ResizeFilter, ...] = get_args(ResizeFilter)


def checked_filter(resize: str | None) -> ResizeFilter | None:
    """The name of a filter, or None; InputError for anything else."""
    if resize is None or resize in RESIZE_FILTERS:
        return resize
    raise InputError(f"resize is {shown(resize)}; expected one of {', '.join(RESIZE_FILTERS)}")
