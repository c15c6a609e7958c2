"""What a method costs: parameters, operations and speed, where `sodbench bench` measured them."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sodbench.errors import InputError
from sodbench.names import folder_name
from sodbench.results.run import Run


@dataclass(frozen=True)
class Column:
    """One efficiency column: its heading, the unit to divide by, and the digits to print."""

    text: str
    latex: str
    unit: float
    digits: int
    better: str


EFFICIENCY = {
    "parameters": Column("params (M)", "Params (M)", 1e6, 2, "down"),
    "flops": Column("FLOPs (G)", "FLOPs (G)", 1e9, 2, "down"),
    "images_per_second": Column("images/s", "Images/s", 1, 1, "up"),
}


def efficiency_of(run: Run, reports: Path | None) -> dict[str, float]:
    """The run's own figures, else those of `reports/efficiency/<name>.json` (method or baseline)."""
    found: dict[str, Any] = {}
    names = [run.name, run.provenance.baseline]
    for name in names:
        if found or reports is None or not isinstance(name, str) or not name:
            continue
        path = reports / "efficiency" / f"{folder_name(name)}.json"
        if path.is_file():
            found = _read(path)
    return {key: _number(found.get(key)) for key in EFFICIENCY}


def cell(name: str, value: float) -> str:
    """One efficiency value as tables print it, in the unit of its column; a dash where there is none."""
    column = EFFICIENCY[name]
    return "–" if math.isnan(value) else f"{value / column.unit:.{column.digits}f}"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: no readable efficiency record ({error}); run 'sodbench bench' again"
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected one JSON object; run 'sodbench bench' again")
    return content


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
