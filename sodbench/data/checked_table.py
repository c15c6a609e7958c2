"""A TOML table that is read key by key, so that wrong types, missing and misspelt keys are reported."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sodbench.errors import InputError

_REQUIRED: Any = object()


class CheckedTable:
    """Emptied key by key: what remains at the end is misspelt. Every error names the file and the key."""

    def __init__(self, content: dict[str, Any], path: Path, prefix: str) -> None:
        self.content, self.path, self.prefix = content, path, prefix

    def _take(self, key: str, default: Any, kind: type, expected: str) -> Any:
        value = self.content.pop(key, default)
        if value is _REQUIRED:
            raise InputError(f"{self.path}: {self.prefix}{key}: missing; expected {expected}")
        if value is not default and (not isinstance(value, kind) or isinstance(value, bool)):
            raise InputError(f"{self.path}: {self.prefix}{key}: found {value!r}; expected {expected}")
        return value

    def text(self, key: str, default: Any = _REQUIRED) -> Any:
        return self._take(key, default, str, "a text")

    def whole(self, key: str, default: Any = _REQUIRED) -> Any:
        value = self._take(key, default, int, "a whole number")
        if value is not None and value < 0:
            raise InputError(f"{self.path}: {self.prefix}{key}: found {value}; expected a whole number >= 0")
        return value

    def flag(self, key: str) -> bool:
        value = self.content.pop(key, False)
        if not isinstance(value, bool):
            raise InputError(f"{self.path}: {self.prefix}{key}: found {value!r}; expected true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._take(key, [], list, "a list of texts")
        if not all(isinstance(value, str) for value in values):
            raise InputError(f"{self.path}: {self.prefix}{key}: found {values!r}; expected a list of texts")
        return tuple(values)

    def choice(self, key: str, known: Sequence[str], default: str) -> str:
        value = str(self.text(key, default))
        if value not in known:
            raise InputError(
                f"{self.path}: {self.prefix}{key}: found {value!r}; expected {' | '.join(known)}"
            )
        return value

    def table(self, key: str) -> "CheckedTable":
        return CheckedTable(dict(self._take(key, {}, dict, "a table")), self.path, f"{self.prefix}{key}.")

    def tables(self, key: str) -> list["CheckedTable"]:
        values = self._take(key, [], list, "a list of tables")
        if not all(isinstance(value, dict) for value in values):
            raise InputError(f"{self.path}: {self.prefix}{key}: found {values!r}; expected a list of tables")
        return [CheckedTable(dict(value), self.path, f"{self.prefix}{key}.") for value in values]

    def rest(self) -> dict[str, Any]:
        rest, self.content = self.content, {}
        return rest

    def refuse_leftovers(self) -> None:
        if self.content:
            keys = ", ".join(f"{self.prefix}{key}" for key in self.content)
            raise InputError(f"{self.path}: unknown key {keys}; see docs/datasets.md for the keys of a card")
