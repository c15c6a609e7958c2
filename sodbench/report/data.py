"""The leaderboard for programs: CSV and JSON with every digit."""

import json
import math
from pathlib import Path
from typing import Any

from sodbench.files import atomic_path, write_text
from sodbench.report.frame import Table, marks


def write_csv(reports: Path, table: Table) -> Path:
    """Writes `leaderboard.csv`: a row a method and data set, full precision, empty where there is nothing.

    Cells that a spreadsheet would run as a formula get an apostrophe in front.
    """
    path = reports / "leaderboard.csv"
    frame = table.frame.drop(columns="comparable")
    for column in ("method", "title", "dataset", "source", "note"):
        frame[column] = frame[column].map(_harmless)
    with atomic_path(path) as part:
        frame.to_csv(part, index=False)
    return path


def write_json(reports: Path, table: Table) -> Path:
    """Writes `leaderboard.json`: metrics, notes and rows; null where there is no number."""
    found = marks(table)
    rows = []
    for (_, row), (_, mark) in zip(table.frame.iterrows(), found.iterrows(), strict=True):
        facts = {str(key): _plain(value) for key, value in row.items()}
        rows.append(facts | {"marks": {name: text for name, text in mark.items() if text}})
    content = {"metrics": table.metrics, "notes": table.notes, "rows": rows}
    path = reports / "leaderboard.json"
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
