"""A baseline as the text of a TOML file that loads to the same baseline."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from sodbench.models.baseline import Baseline
from sodbench.models.settings import weights_folder
from sodbench.toml_text import toml_key, toml_value


def baseline_toml(baseline: Baseline, recipe: Mapping[str, Any], parameters: int | None) -> str:
    """Every key of a baseline; what the file does not state and is the default is a comment.

    `recipe` is the resolved recipe with its defaults, `parameters` their number where it is known. A weights
    file that lies beside the baseline's TOML is printed with its folder, so that it is found from elsewhere.
    """
    lines = [f"# {baseline.name}, {baseline.path or baseline.network}"]
    if parameters is not None:
        lines.append(f"# parameters: {parameters:,}")
    lines.append(f"# weights: {baseline.weights_state}, {baseline.weights_path()}")
    lines.append("# commented keys have their default values")
    lines.append("")
    lines += [
        f"{key} = {toml_value(getattr(baseline, key))}"
        for key in ("title", "description", "source", "network")
        if getattr(baseline, key)
    ]
    lines += _table("options", baseline.options)
    for name in ("input", "output", "inference"):
        lines += _settings(name, getattr(baseline, name), baseline.stated)
    if baseline.weights is not None:
        lines += _table("weights", _weights(baseline))
    if recipe:
        lines += ["", "[training]"]
        for key, value in recipe.items():
            stated = key in baseline.training
            lines.append(_line(key, baseline.training[key] if stated else value, comment=not stated))
    lines += _table("published", baseline.published)
    return "\n".join(lines)


def _line(key: str, value: Any, *, comment: bool = False) -> str:
    return f"{'# ' * comment}{toml_key(key)} = {toml_value(value)}"


def _table(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    """A table; tables of tables in it become tables of their own."""
    if not values:
        return
    nested = {
        key: value
        for key, value in values.items()
        if isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values())
    }
    yield from ("", f"[{name}]")
    yield from (_line(key, value) for key, value in values.items() if key not in nested)
    for key, value in nested.items():
        yield from _table(f"{name}.{toml_key(key)}", value)


def _settings(name: str, settings: Any, stated: frozenset[str]) -> Iterator[str]:
    defaults = type(settings)()
    yield from ("", f"[{name}]")
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        is_default = value == getattr(defaults, field.name) and f"{name}.{field.name}" not in stated
        yield _line(field.name, value, comment=is_default)


def _weights(baseline: Baseline) -> dict[str, Any]:
    values = {key: value for key, value in vars(baseline.weights).items() if value is not None}
    path = baseline.weights_path()
    if "file" in values and path.is_file() and path.parent != weights_folder():
        values["file"] = str(path)
    return values
