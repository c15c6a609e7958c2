"""The exception for errors that a user can correct: bad input, described in one line."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

MESSAGE = 500  # characters of one sentence among others


class InputError(ValueError):
    """Bad input: which file or option, what was found, what was expected, what to do.

    The command line prints the message as one line and ends with exit code 2.
    """


class Note(UserWarning):
    """Something that the user should know and that stops nothing, such as a record that cannot be read.

    Given with `warnings.warn`; the command line prints it on stderr as `sodbench: note: ...`.
    """


MOST_NAMES = 10  # that an error lists


def unknown_names(kind: str, unknown: Sequence[str], valid: Iterable[str]) -> InputError:
    """Builds the error for names that do not exist: the first ten of them, each with the nearest valid names.

    >>> str(unknown_names("data set", ["ecsd"], ["ecssd", "sod"]))
    "unknown data set 'ecsd' (did you mean 'ecssd' or 'sod'?); known: ecssd, sod"
    """
    known = sorted(set(valid))
    lower = {name.lower(): name for name in known}
    descriptions = []
    for name in map(cut, unknown[:MOST_NAMES]):
        near = [lower[match] for match in get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
        hint = f" (did you mean {' or '.join(repr(n) for n in near)}?)" if near else ""
        descriptions.append(f"{name!r}{hint}")
    if len(unknown) > MOST_NAMES:
        descriptions[-1] += f" ... and {len(unknown) - MOST_NAMES} more"
    return InputError(f"unknown {kind} {', '.join(descriptions)}; known: {', '.join(known) or 'none'}")


def first_of(items: Sequence[str], limit: int = 10) -> str:
    """Names the first `limit` items and counts the rest: 'a, b, c ... and 12 more'."""
    more = len(items) - limit
    named = ", ".join(cut(item, MESSAGE) for item in items[:limit])
    return named + (f" ... and {more} more" if more > 0 else "")


def cut(text: str, longest: int = 80) -> str:
    """A text at a length that fits a message; its end is left out.

    >>> cut("weight" * 20, 12)
    'weightwei...'
    """
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def shown(value: object) -> str:
    """Any value as Python writes it, at a length that fits a message.

    >>> shown("x"), shown(10**5000)
    ("'x'", 'a value of type int that is too large to print')
    """
    try:
        return cut(repr(value))
    except Exception:  # a number of thousands of digits, a table that holds itself, a foreign type's own
        return f"a value of type {type(value).__name__} that is too large to print"
