"""Writes nested tables as TOML; what TOML does not have is written as it comes."""

import json
import re
from typing import Any


def toml_text(table: dict[str, Any]) -> str:
    """One line per key of the outermost table, inner tables inline."""
    return "".join(f"{_key(key)} = {_value(item)}\n" for key, item in table.items() if item is not None)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inner = (f"{_key(key)} = {_value(item)}" for key, item in value.items() if item is not None)
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value if item is not None) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)
