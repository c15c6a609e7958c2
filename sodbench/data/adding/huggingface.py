"""Hugging Face's image folders: a table of file names next to the images, with a column for the mask."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sodbench.data.adding.words import MASK_WORDS, has_word
from sodbench.data.picture_files import SUFFIXES
from sodbench.errors import InputError

TABLES = ("metadata.jsonl", "metadata.csv")


@dataclass(frozen=True)
class MetadataTable:
    """The pairs of images and masks that a table lists, and which of its columns name them."""

    pairs: tuple[tuple[Path, Path], ...]
    description: str


def metadata_tables(folder: Path) -> Iterator[MetadataTable]:
    """The tables directly inside a folder; raises InputError for one without a column for the mask."""
    for name in TABLES:
        path = folder / name
        if not path.is_file():
            continue
        rows = _rows(path)
        columns = [key for key in rows[0] if key != "file_name" and _is_picture(rows[0][key])]
        if "file_name" not in rows[0] or not columns:
            raise InputError(f"{path}: expected the columns file_name and one with the mask's file")
        mask_column = max(columns, key=lambda key: has_word(key, MASK_WORDS))
        pairs = tuple((folder / str(row["file_name"]), folder / str(row[mask_column])) for row in rows)
        yield MetadataTable(pairs, f"{name} (file_name, {mask_column})")


def _rows(table: Path) -> list[dict[str, object]]:
    try:
        with table.open(encoding="utf-8", newline="") as file:
            if table.suffix == ".csv":
                rows: list[dict[str, object]] = [dict(row) for row in csv.DictReader(file)]
            else:
                rows = [json.loads(line) for line in file if line.strip()]
    except (ValueError, RecursionError, csv.Error) as error:
        raise InputError(f"{table}: not readable ({error})") from None
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{table}: expected one row per image")
    return rows


def _is_picture(value: object) -> bool:
    return isinstance(value, str) and value.lower().endswith(SUFFIXES)
