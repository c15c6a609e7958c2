"""docs/baselines.md lists every key of a baseline's TOML file, with its type and its default."""

import dataclasses
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from sodbench.data.preprocessing import InputSpec
from sodbench.models.settings import BaselineTable, Inference, Output, Published, Weights
from sodbench.training.recipe import Recipe

PAGE = Path(__file__).parents[2] / "docs" / "baselines.md"
TABLES = {
    "": BaselineTable,
    "input": InputSpec,
    "output": Output,
    "weights": Weights,
    "inference": Inference,
    "training": Recipe,
    "published": Published,
}
WORDS = {str: "text", bool: "true or false", int: "whole number", float: "number"}


def type_in_words(annotation: Any) -> str:
    """A type as the page names it: `whole number`, `"max" or "255"`, `3 numbers`, `list of text`."""
    if get_origin(annotation) is Annotated:
        return type_in_words(get_args(annotation)[0])
    if get_origin(annotation) in (types.UnionType, Union):
        (one,) = [part for part in get_args(annotation) if part is not type(None)]
        return type_in_words(one)
    if get_origin(annotation) is Literal:
        return " or ".join(f'`"{value}"`' for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        parts = get_args(annotation)
        inner = type_in_words(parts[0])
        if parts[-1] is Ellipsis:
            return f"list of {inner}" + "s" * inner.endswith("number")
        return f"{len(parts)} {inner}s"
    if annotation in WORDS:
        return WORDS[annotation]
    return "table"


def default_in_words(one: "dataclasses.Field[Any]") -> str:
    """A default as TOML writes it; `required`, or `-` where the key is not set."""
    if one.default is dataclasses.MISSING:
        return "required" if one.default_factory is dataclasses.MISSING else "-"
    if one.default is None or one.default == "":
        return "-"

    def toml(value: Any) -> str:
        if isinstance(value, tuple):
            return f"[{', '.join(map(toml, value))}]"
        if isinstance(value, bool):
            return str(value).lower()
        return f'"{value}"' if isinstance(value, str) else repr(value)

    return f"`{toml(one.default)}`"


def expected() -> dict[str, tuple[str, str]]:
    """The type and the default of every key, by `table.key`; a table that has one of its own is left out."""
    keys = {"extends": ("text", "-")}
    for table, schema in TABLES.items():
        hints = get_type_hints(schema, include_extras=True)
        for one in dataclasses.fields(schema):
            if not table and (one.name in TABLES):
                continue
            name = f"{table}.{one.name}" if table else one.name
            keys[name] = (type_in_words(hints[one.name]), default_in_words(one))
    return keys


def listed() -> Mapping[str, tuple[str, str]]:
    text = PAGE.read_text(encoding="utf-8").partition("## All keys of a baseline's file")[2]
    rows = re.findall(
        r"^\| `([\w.]+)` \| (.+?) \| (.+?) \| .{8,} \|$", text.partition("\n## ")[0], re.MULTILINE
    )
    assert len(rows) == len({key for key, _, _ in rows})
    return {key: (kind, default) for key, kind, default in rows}


def test_the_page_lists_every_key_with_its_type_and_default() -> None:
    assert listed() == expected()
