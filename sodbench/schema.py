"""Tables from TOML and JSON files become dataclasses; every error names the file and the key.

The dataclass is the schema: its fields are the keys, its annotations say what a value may be, its defaults
what is left out. `Annotated` adds what a type cannot say:

    @dataclass(frozen=True)
    class Output:
        kind: Literal["logits", "probability"] = "logits"
        gain: Annotated[float, ABOVE_0] = 1.0

    parse(Output, {"gain": -1}, "mine.toml", "output.")
    # InputError: mine.toml: output.gain: expected a number above 0, found -1
"""

import dataclasses
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from sodbench.errors import InputError, shown, unknown_names

T = TypeVar("T")


@dataclass(frozen=True)
class Check:
    """A condition on a value, with the words of the error message: `expected ...`."""

    expected: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True)
class OneForAll:
    """A single value may stand for every item of a tuple: `resize = 256` for `[256, 256]`."""


ABOVE_0 = Check("a number above 0", lambda value: value > 0)
AT_LEAST_0 = Check("0 or more", lambda value: value >= 0)
AT_LEAST_1 = Check("1 or more", lambda value: value >= 1)
SIDE = Check("at most 16384 pixels", lambda side: side <= 16384)
NOT_EMPTY = Check("at least one", lambda value: len(value) > 0)
SHA256 = Check(
    "64 hexadecimal digits",
    lambda text: len(text) == 64 and set(text.lower()) <= set("0123456789abcdef"),
)
MD5 = Check("32 hexadecimal digits", lambda text: len(text) == 32 and set(text) <= set("0123456789abcdef"))
FILE_PATH = Check(
    "a path of at most 1000 bytes, of names of at most 255 bytes, of no unknown user (~name)",
    lambda path: _can_name_a_file(Path(path)),
)
_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def parse(cls: type[T], table: Any, source: str | Path, prefix: str = "", *, more: bool = False) -> T:
    """The dataclass `cls` made of `table`, each value checked against the annotation of its field.

    `source` is the file and `prefix` the path of the table in it (`"input."`), for messages. Lists become
    tuples, tables become nested dataclasses, a whole number will do for a number. Where None is allowed
    besides something other than text, `false` and "none" stand for it, because TOML has no null. With `more`
    unknown keys are passed over: files that a later version wrote may hold them.
    Raises InputError for the unknown keys (all of them, with the nearest known ones), for a missing key and
    for the first value that is wrong.
    """
    if not isinstance(table, Mapping):
        raise wrong(source, prefix.rstrip(".") or "the file", "a table", table)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    unknown = [] if more else [str(key) for key in table if key not in fields]
    if unknown:
        known = [prefix + name for name in fields]
        raise InputError(f"{source}: {unknown_names('key', [prefix + key for key in unknown], known)}")
    annotations = get_type_hints(cls, include_extras=True)
    values = {}
    for name, field in fields.items():
        annotation = annotations[name]
        if name in table:
            values[name] = value_of(annotation, table[name], source, prefix + name, more)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InputError(f"{source}: {prefix}{name}: missing; expected {described(annotation)}")
    return cls(**values)


def value_of(annotation: Any, value: Any, source: str | Path, key: str, more: bool = False) -> Any:
    """One value checked against an annotation and converted; InputError names the source and the key."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *marks = arguments
        if any(isinstance(mark, OneForAll) for mark in marks) and not isinstance(value, list | tuple):
            items = [item for item in get_args(_without_none(inner)) if item is not Ellipsis]
            if not _stands_for_none(inner, value):
                value = [value] * len(items)
        converted = value_of(inner, value, source, key, more)
        for mark in marks:
            if isinstance(mark, Check) and converted is not None and not mark.holds(converted):
                raise wrong(source, key, mark.expected, value)
        return converted
    if origin in (Union, types.UnionType):
        return _of_union(annotation, value, source, key, more)
    if origin is Literal:
        # True == 1 in Python, so the type counts as well
        if not any(type(value) is type(one) and value == one for one in arguments):
            raise wrong(source, key, described(annotation), value)
        return value
    if origin is tuple:
        return _of_tuple(annotation, value, source, key, more)
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise wrong(source, key, "a table", value)
        return {
            name: value_of(arguments[1], item, source, f"{key}.{name}", more) for name, item in value.items()
        }
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        if isinstance(value, annotation):
            return value
        return parse(annotation, value, source, f"{key}.", more=more)
    if annotation is Any:
        _check_numbers(value, source, key)
        return value
    if annotation is Path and isinstance(value, str):
        path = Path(value_of(str, value, source, key))
        if not FILE_PATH.holds(path):
            raise wrong(source, key, FILE_PATH.expected, value)
        return path
    if annotation is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            value = float(value)
        except OverflowError:
            raise wrong(source, key, "a number", value) from None
    if not isinstance(value, annotation) or (annotation is not bool and isinstance(value, bool)):
        raise wrong(source, key, described(annotation), value)
    if annotation is float and not math.isfinite(value):
        raise wrong(source, key, "a finite number", value)
    if annotation is int and abs(value) >= 1 << 63:
        raise wrong(source, key, "a whole number of at most 64 bits", value)
    if annotation is str and not _is_text(value):
        raise wrong(source, key, "text without NUL characters, in UTF-8", value)
    return value


def wrong(source: str | Path, key: str, expected: str, found: object) -> InputError:
    """The error for one value: the file, the key, what was expected, what was found."""
    return InputError(f"{source}: {key}: expected {expected}, found {shown(found)}")


def described(annotation: Any) -> str:
    """What an annotation allows, in words: "a list of text", "'max' or '255'"."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return described(arguments[0])
    if origin is Literal:
        return " or ".join(repr(value) for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(described(one) for one in arguments if one is not type(None))
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            item = arguments[0]
            return "a list of tables" if described(item) == "a table" else f"a list of {described(item)}"
        return f"a list of {len(arguments)} values, each {described(arguments[0])}"
    if origin in (dict, Mapping) or dataclasses.is_dataclass(annotation):
        return "a table"
    return _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _of_union(annotation: Any, value: Any, source: str | Path, key: str, more: bool) -> Any:
    if _stands_for_none(annotation, value):
        return None
    errors = []
    for one in get_args(annotation):
        if one is not type(None):
            try:
                return value_of(one, value, source, key, more)
            except InputError as error:
                errors.append(error)
    raise errors[0] if len(errors) == 1 else wrong(source, key, described(annotation), value)


def _of_tuple(annotation: Any, value: Any, source: str | Path, key: str, more: bool) -> Any:
    arguments = get_args(annotation)
    if not isinstance(value, list | tuple):
        raise wrong(source, key, described(annotation), value)
    if arguments[-1] is Ellipsis:
        return tuple(
            value_of(arguments[0], item, source, f"{key}[{i}]", more) for i, item in enumerate(value)
        )
    if len(value) != len(arguments):
        raise wrong(source, key, described(annotation), value)
    pairs = enumerate(zip(arguments, value, strict=True))
    return tuple(value_of(one, item, source, f"{key}[{i}]", more) for i, (one, item) in pairs)


def _stands_for_none(annotation: Any, value: Any) -> bool:
    arguments = get_args(annotation)
    if get_origin(annotation) not in (Union, types.UnionType) or type(None) not in arguments:
        return False
    return value is None or (
        # not `in (False, "none")`: 0 == False
        str not in arguments and bool not in arguments and (value is False or value == "none")
    )


def _check_numbers(value: Any, source: str | Path, key: str) -> None:
    """Refuses whole numbers of more than 64 bits anywhere in a value that may be anything."""
    if isinstance(value, int) and abs(value) >= 1 << 63:
        raise wrong(source, key, "a whole number of at most 64 bits", value)
    if isinstance(value, Mapping):
        for name, item in value.items():
            _check_numbers(item, source, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check_numbers(item, source, f"{key}[{number}]")


def _is_text(value: str) -> bool:
    """Whether text can be written to a file and name one."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _can_name_a_file(path: Path) -> bool:
    """Whether a path can be looked up at all, below any folder."""
    try:
        path.expanduser()
    except RuntimeError:
        return False
    names = [len(name.encode()) for name in path.parts]
    return max(names, default=0) <= 255 and sum(names) + len(names) <= 1000


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation
