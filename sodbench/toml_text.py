"""Values as TOML text, for what is printed so that it can be read back."""

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml_key(name: str) -> str:
    """A key, quoted where it needs to be.

    >>> toml_key("duts-te"), toml_key("a b")
    ('duts-te', '"a b"')
    """
    return name if _BARE_KEY.fullmatch(name) else toml_value(name)


def toml_value(value: Any) -> str:
    """Text, numbers, true or false, lists and tables (on one line); None, which TOML lacks, is false.

    >>> toml_value({"lr": 1e-3, "terms": ("bce", None)})
    '{ lr = 0.001, terms = ["bce", false] }'
    """
    if value is None:
        return "false"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # a JSON string is a TOML string, but for the delete character
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        items = ", ".join(f"{toml_key(str(key))} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {items} }}" if items else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    return str(value)  # numbers, dates and times
