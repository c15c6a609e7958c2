"""The efficiency columns: parameters, FLOPs and speed, as `sodbench bench` measured them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sodbench.errors import InputError
from sodbench.json_text import read_json
from sodbench.names import folder_name
from sodbench.results.run import Run


@dataclass(frozen=True)
class Column:
    """One column: its heading, the unit in which it prints, the digits after the point."""

    text: str
    latex: str
    unit: float
    digits: int
    higher_is_better: bool


EFFICIENCY = {
    "parameters": Column("params (M)", "Params (M)", 1e6, 2, higher_is_better=False),
    "flops": Column("FLOPs (G)", "FLOPs (G)", 1e9, 2, higher_is_better=False),
    "images_per_second": Column("images/s", "Images/s", 1, 1, higher_is_better=True),
}


def efficiency_of(run: Run, reports: Path | None) -> dict[str, float]:
    """The columns of `reports/efficiency/<name>.json`, by the run's name or its baseline's; NaN where absent.

    FLOPs are those of the passes that were timed: with every view of an image that prediction averages, and
    without the maps that it does not compute. Parameters are those of the whole network. Raises InputError
    for a file that is no JSON object.
    """
    files = [] if reports is None else efficiency_files(run, reports)
    content: Mapping[str, object] = next(filter(None, map(_read, files)), {})
    values = {key: _number(content.get(key)) for key in EFFICIENCY}
    return values | {"flops": _number(_timed_form(content).get("flops"))}


def efficiency_files(run: Run, reports: Path) -> list[Path]:
    """What `sodbench bench` recorded by the run's name, then by that of its baseline: files that exist."""
    names = dict.fromkeys(filter(None, (run.name, run.provenance.baseline)))
    paths = [reports / "efficiency" / f"{folder_name(name)}.json" for name in names]
    return [path for path in paths if path.is_file()]


def efficiency_text(name: str, value: float) -> str:
    """One value in the unit of its column; a dash where there is none."""
    column = EFFICIENCY[name]
    return "–" if math.isnan(value) else f"{value / column.unit:.{column.digits}f}"


def _read(path: Path) -> Mapping[str, object]:
    try:
        content = read_json(path)
    except InputError as error:
        raise InputError(f"{error}; run 'sodbench bench' again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected one JSON object, found a {type(content).__name__};"
                         " run 'sodbench bench' again")  # fmt: skip
    return content


def _timed_form(content: Mapping[str, object]) -> Mapping[str, object]:
    """What the record says of the form whose speed it holds; the record itself where it lists no forms."""
    forms = content.get("forms")
    if not isinstance(forms, list):
        return content
    timed = (
        one for one in forms if isinstance(one, dict) and one.get("form") == content.get("measured_form")
    )
    return next(timed, {})


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
