"""The leaderboard for programs: CSV and JSON with every digit."""

from pathlib import Path

from sodbench.files import atomic_path, write_text
from sodbench.json_text import to_json
from sodbench.reporting.table import Table, marks
from sodbench.text import visible


def write_csv(folder: Path, table: Table) -> Path:
    """Writes `leaderboard.csv`: one row per method and data set, all digits, empty where there is no value.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front. Control characters are
    escaped.
    """
    path = folder / "leaderboard.csv"
    frame = table.frame.drop(columns="comparable")
    for column in ("method", "title", "dataset", "source", "measured_as", "note"):
        frame[column] = frame[column].map(no_formula)
    with atomic_path(path) as part:
        frame.to_csv(part, index=False)
    return path


def write_json(folder: Path, table: Table) -> Path:
    """Writes `leaderboard.json`: metrics, notes and rows; null where there is no number."""
    rows = []
    for (_, row), (_, mark) in zip(table.frame.iterrows(), marks(table).iterrows(), strict=True):
        rows.append({**row, "marks": {name: text for name, text in mark.items() if text}})
    path = folder / "leaderboard.json"
    notes = {dataset: table.notes_of(dataset) for dataset, _, _ in table.datasets()}
    notes = {dataset: lines for dataset, lines in notes.items() if lines}
    write_text(path, to_json({"metrics": table.metrics, "notes": notes, "rows": rows}, indent=1) + "\n")
    return path


def no_formula(value: object) -> object:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if not isinstance(value, str):
        return value
    text = visible(value, line=True)
    return f"'{text}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else text
