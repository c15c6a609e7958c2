"""What stands in a cell, the same in every format: numbers as papers print them, counts, differences."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

from sodbench.report.frame import DEVIATION, DIFFERENCE, HIGH, LOW, Table

MINUS = "−"


def number(value: float | None, precision: int = 3) -> str:
    """A score as papers print it, without the leading zero; a dash where there is none.

    >>> number(0.8439), number(1.0002), number(float("nan")), number(-0.0001)
    ('.844', '1.000', '–', '.000')
    """
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:.{precision}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    if text.startswith("0."):
        return text[1:]
    if text.startswith("-0."):
        return MINUS + text[2:]
    return text.replace("-", MINUS)


def score(row: Mapping[Hashable, Any], full: str, precision: int) -> str:
    """A row's value of one metric; a published one with no more digits than were printed."""
    digits = row.get("digits")
    if row["kind"] == "published" and digits is not None and not math.isnan(digits):
        precision = min(precision, int(digits))
    return number(row[full], precision)


def difference(row: Mapping[Hashable, Any], full: str, precision: int) -> str:
    """Measured minus published with its sign, or nothing: `+.002`."""
    value = row.get(f"{DIFFERENCE}{full}", math.nan)
    if value is None or math.isnan(value):
        return ""
    text = number(abs(value), precision)
    if float(text) == 0:
        return f"±{text}"
    return (MINUS if value < 0 else "+") + text


def aside(row: Mapping[Hashable, Any], full: str, precision: int) -> str:
    """What stands behind a value: difference to a published one, deviation over seeds, or interval."""
    shift = difference(row, full, precision)
    if shift:
        return f"({shift})"
    deviation = row.get(f"{DEVIATION}{full}", math.nan)
    if deviation is not None and not math.isnan(deviation):
        return f"±{number(deviation, precision)}"
    low, high = row.get(f"{LOW}{full}", math.nan), row.get(f"{HIGH}{full}", math.nan)
    if low is not None and not math.isnan(low):
        return f"[{number(low, precision)}, {number(high, precision)}]"
    return ""


def explained(table: Table) -> list[str]:
    """What the intervals and deviations of `aside` are, a sentence each, for those that a table holds."""
    said = {
        LOW: "In brackets behind measured values: 95 % bootstrap intervals over images.",
        DEVIATION: "Behind ±: standard deviation over seeds.",
    }
    held = [str(name) for name in table.frame if table.frame[name].notna().any()]
    return [text for start, text in said.items() if any(name.startswith(start) for name in held)]


def count(row: Mapping[Hashable, Any]) -> str:
    """Images scored of images expected; for a published row the printed number or "not printed"."""
    scored = row["scored"]
    if row["kind"] == "published":
        return "not printed" if scored is None or math.isnan(scored) else f"{int(scored)}"
    return f"{int(scored)}/{int(row['expected'])}"
