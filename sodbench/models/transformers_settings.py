"""The tables of a baseline with `network = "transformers"`, completed by what its model's folder says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sodbench.models.preprocessor_config import input_table
from sodbench.models.transformers_folder import ModelFolder, find_folder, open_model_folder, read_options
from sodbench.schema import wrong


def with_model(
    table: Mapping[str, Any], source: str | Path, path: Path | None
) -> tuple[dict[str, Any], ModelFolder | None]:
    """The table of a TOML file (`path`) with the input and output of its model, and the model's folder.

    What the table states wins. Maps are logits, of a model with code of its own what they are taken for
    (`kind = "auto"`); they are not stretched, because such a model's probabilities are used as they are. The
    folder is None where the hub's cache does not hold the model; its input is then not known.
    """
    options = read_options(_table(table, "options", source), source)
    folder = find_folder(options, path.parent if path is not None and path.is_file() else None)
    if folder is None:
        return dict(table), None
    model = open_model_folder(folder)
    kind = "auto" if model.code else "logits"
    return {
        **table,
        "input": input_table(folder, _table(table, "input", source)),
        "output": {"kind": kind, "stretch": False, **_table(table, "output", source)},
    }, model


def _table(table: Mapping[str, Any], key: str, source: str | Path) -> Mapping[str, Any]:
    given = table.get(key, {})
    if not isinstance(given, Mapping):
        raise wrong(source, key, "a table", given)
    return given
