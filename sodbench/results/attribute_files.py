"""The attributes of data sets, stored beside the records: `reports/attributes/<data set>-<digest>.json`.

They belong to the data set and not to a run: one file serves all runs that were scored against the same
masks. Reports read it where the images are not available.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.attributes import DEFINITIONS, MEASURES, ImageAttributes
from sodbench.errors import InputError
from sodbench.files import write_text
from sodbench.json_text import number_or_nan, read_json, to_json
from sodbench.names import folder_name
from sodbench.schema import parse, wrong

SCHEMA = 1
REMEDY = "delete it, and 'sodbench report --attributes' makes it again where the data set is"


@dataclass(frozen=True)
class _File:
    """What the file holds: the fields of `ImageAttributes`, with null for NaN."""

    schema: int
    definitions: int
    dataset: str
    dataset_digest: str
    images: tuple[str, ...]
    measures: dict[str, tuple[float | None, ...]]
    lists: dict[str, tuple[str, ...]]
    listed: dict[str, int]


def attribute_file(reports: Path, dataset: str, digest: str) -> Path:
    """Where the attributes of a data set with these masks are stored."""
    return reports / "attributes" / f"{folder_name(dataset)}-{digest[:8]}.json"


def write_attributes(path: Path, attributes: ImageAttributes) -> None:
    """Writes the file, whole or not at all; every key on a line of its own."""
    content = {"schema": SCHEMA, **vars(attributes)}
    lines = []
    for key, value in content.items():
        if isinstance(value, dict):
            rows = ",\n".join(f"  {to_json(name)}: {to_json(row)}" for name, row in value.items())
            lines.append(f" {to_json(key)}: {{\n{rows}\n }}" if rows else f" {to_json(key)}: {{}}")
        else:
            lines.append(f" {to_json(key)}: {to_json(value)}")
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def read_attributes(path: Path, digest: str) -> ImageAttributes | None:
    """The stored attributes; None where there are none, or none by today's definitions.

    Raises InputError for a damaged file, and for one of other masks.
    """
    if not path.is_file():
        return None
    try:
        content = read_json(path)
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise InputError(f"{path}: expected attributes with schema {SCHEMA}")
        if content.get("definitions") != DEFINITIONS:
            return None
        stored = parse(_File, content, path)
        if stored.dataset_digest != digest:
            raise wrong(path, "dataset_digest", digest, stored.dataset_digest)
        if list(stored.measures) != list(MEASURES):
            raise wrong(path, "measures", ", ".join(MEASURES), list(stored.measures))
        for name, values in stored.measures.items():
            if len(values) != len(stored.images):
                raise wrong(path, f"measures.{name}", f"{len(stored.images)} values", len(values))
            if any(value is not None and not 0 <= value < math.inf for value in values):
                raise wrong(path, f"measures.{name}", "values of 0 or more", min(v or 0 for v in values))
    except InputError as error:
        raise InputError(f"{error}; {REMEDY}") from None
    return ImageAttributes(
        dataset=stored.dataset,
        dataset_digest=stored.dataset_digest,
        images=stored.images,
        measures={name: tuple(map(number_or_nan, values)) for name, values in stored.measures.items()},
        lists=stored.lists,
        listed=stored.listed,
    )
