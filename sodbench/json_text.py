"""Reading and writing of JSON: non-finite numbers become null, everything else is exact."""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sodbench.errors import InputError
from sodbench.paths import refuse_special


def to_json(value: Any, indent: int | None = None) -> str:
    """Standard JSON text of plain values, numpy scalars, dataclasses, tuples and paths.

    NaN and infinities become null, because JSON has no such numbers; `number_or_nan` reads them back.
    """
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """The value made of JSON's types alone: dict, list, str, int, float, bool and None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return value.as_posix()
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def number_or_nan(value: float | None) -> float:
    """A number as `to_json` wrote it: null is NaN."""
    return math.nan if value is None else float(value)


def read_json(path: Path) -> Any:
    """The content of a JSON file; InputError names a file that is missing, unreadable or no JSON."""
    refuse_special(path)
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        if "\\ud" in text.lower():  # an escape may stand for half a character, of which no name is made
            json.dumps(content, ensure_ascii=False).encode()
        return content
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error})") from error
